/**
 * The least that a server in Node does for its watchers: a TLS connection each, on which the bytes of an event are written,
 * put together once for all. `node bare-server.ts BYTES` prints its URL and its certificate as a line of JSON.
 */
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { createAuthority } from '@capstan/kube-apiserver';

const eventBytes = Number(process.argv[2]);
const authority = createAuthority(Date.now());
const { certificate, key } = authority.issueServer(['127.0.0.1']);
const line = `${'x'.repeat(eventBytes - 1)}\n`;
const chunk = Buffer.from(`${eventBytes.toString(16)}\r\n${line}\r\n`);
const watchers = new Set<Socket>();

const server = createServer({ cert: certificate, key }, (request, response) => {
  if (request.url?.includes('watch=1') === true) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const { socket } = response;
    if (socket === null) return;
    watchers.add(socket);
    socket.once('close', () => watchers.delete(socket));
    return;
  }
  request.resume();
  if (request.method === 'PATCH') for (const watcher of watchers) watcher.write(chunk);
  response.end('{"metadata":{"resourceVersion":"1"}}');
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  console.log(JSON.stringify({ server: `https://127.0.0.1:${port}`, ca: authority.certificate }));
});
