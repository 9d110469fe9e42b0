import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { test } from 'node:test';
import type { ProbeTarget } from './probe-spec.ts';
import { runProbe } from './run-probe.ts';

const HOST = '127.0.0.1';
const signal = new AbortController().signal;

const run = (target: ProbeTarget, timeoutMs = 2000) => runProbe({ target, timeoutMs }, { signal });

function http(url: string, more: { expectStatus?: number } = {}): ProbeTarget {
  return { kind: 'http', url, method: 'GET', headers: { 'x-key': 'canary' }, ...more };
}

async function listening<T extends Server>(server: T) {
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}

test('http: the status decides, redirects are not followed, nothing of the answer is told', async () => {
  const asked: string[] = [];
  await using server = await listening(
    createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['x-key']}`);
      const status = Number(request.url?.slice(1, 4));
      const location = status === 302 ? { location: 'http://169.254.169.254/latest' } : {};
      response.writeHead(status, { ...location, connection: 'close' }).end('secret canary');
    }),
  );
  const url = `http://${HOST}:${server.port}`;
  const rows: readonly (readonly [ProbeTarget, boolean, string])[] = [
    [http(`${url}/200?token=canary`), true, `GET ${url}/200: answered 200`],
    [http(`${url}/302`), true, `GET ${url}/302: answered 302`],
    [http(`${url}/503`), false, `GET ${url}/503: answered 503, not 200 to 399`],
    [http(`${url}/404`, { expectStatus: 404 }), true, `GET ${url}/404: answered 404`],
    [http(`${url}/200`, { expectStatus: 204 }), false, `GET ${url}/200: answered 200, not 204`],
  ];
  for (const [target, ok, message] of rows) assert.deepEqual(await run(target), { ok, message });
  assert.equal(asked.length, rows.length, 'one request a probe');
  assert.equal(asked[0], 'GET /200?token=canary canary', 'headers are sent');
});

test('a server that does not answer is given up on', async () => {
  await using server = await listening(createTcpServer(() => {}));
  const url = `http://${HOST}:${server.port}/`;
  assert.deepEqual(await run(http(url), 100), {
    ok: false,
    message: `GET ${url}: no answer within 0.1 s`,
  });
  const grpc = { kind: 'grpc', host: HOST, port: server.port, service: '', tls: false } as const;
  assert.match((await run(grpc, 100)).message, /no answer within 0\.1 s/);
});

test('tcp: a connection opens or does not', async () => {
  let port = 0;
  {
    await using server = await listening(createTcpServer((socket) => socket.end()));
    port = server.port;
    assert.deepEqual(await run({ kind: 'tcp', host: HOST, port }), {
      ok: true,
      message: `tcp ${HOST}:${port}: connected`,
    });
  }
  const refused = await run({ kind: 'tcp', host: HOST, port });
  assert.equal(refused.ok, false);
  assert.match(refused.message, /ECONNREFUSED/);
});

/** Answers by the service's name: a serving status by number, or a gRPC status. */
function grpcServer(answers: Readonly<Record<string, { status?: number; grpc?: number }>>) {
  const server = createHttp2Server();
  server.on('stream', async (stream, headers) => {
    assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
    assert.equal(headers['content-type'], 'application/grpc');
    const body = Buffer.concat(await Array.fromAsync<Buffer>(stream));
    assert.equal(body.readUInt32BE(1), body.length - 5);
    const service = body.length === 5 ? '' : body.subarray(7).toString();
    if (body.length > 5) assert.deepEqual([body[5], body[6]], [0x0a, service.length]);
    const { status = 0, grpc = 0 } = answers[service] ?? { grpc: 5 };
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': `${grpc}` }));
    // A field of a later version comes first.
    const message = Buffer.from(status === 0 ? [] : [0x12, 1, 65, 0x08, status]);
    stream.end(
      grpc === 0 ? Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]) : '',
    );
  });
  return server;
}

test('grpc: the serving status of the server or of one service', async () => {
  const answers = { '': { status: 1 }, down: { status: 2 }, odd: {}, broken: { grpc: 12 } };
  await using server = await listening(grpcServer(answers));
  const { port } = server;
  const ask = (service: string) => run({ kind: 'grpc', host: HOST, port, service, tls: false });
  const name = `grpc ${HOST}:${port}`;
  assert.deepEqual(await ask(''), { ok: true, message: `${name}: the server is SERVING` });
  assert.deepEqual(await ask('down'), { ok: false, message: `${name}: down is NOT_SERVING` });
  assert.deepEqual(await ask('odd'), { ok: false, message: `${name}: odd is UNKNOWN` });
  assert.deepEqual(await ask('none'), { ok: false, message: `${name}: none is SERVICE_UNKNOWN` });
  assert.deepEqual(await ask('broken'), { ok: false, message: `${name}: gRPC status 12` });
});

test('grpc: a server of another protocol is a failure, not an answer', async () => {
  await using server = await listening(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')));
  const target = { kind: 'grpc', host: HOST, port: server.port, service: '', tls: false } as const;
  assert.equal((await run(target)).ok, false);
});

test('dns: a name has the record or has not', async () => {
  const server = createSocket('udp4', (question, { port, address }) => {
    const isKnown = question.includes('known');
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(isKnown ? 0x8180 : 0x8183, 2);
    head.writeUInt32BE(isKnown ? 0x00010001 : 0x00010000, 4);
    head.writeUInt32BE(0, 8);
    const end = question.indexOf(0, 12) + 5;
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1]);
    const parts = [head, question.subarray(12, end), ...(isKnown ? [answer] : [])];
    server.send(Buffer.concat(parts), port, address);
  });
  server.bind(0, HOST);
  await once(server, 'listening');
  const ask = (name: string) =>
    run({ kind: 'dns', name, type: 'A', server: `${HOST}:${server.address().port}` });
  try {
    assert.deepEqual(await ask('known.example'), {
      ok: true,
      message: 'dns A known.example: resolved',
    });
    const missing = await ask('missing.example');
    assert.equal(missing.ok, false);
    assert.match(missing.message, /ENOTFOUND/);
  } finally {
    server.close();
  }
});

test('link-local and metadata addresses are refused in every spelling', async () => {
  const targets: readonly ProbeTarget[] = [
    http('http://169.254.169.254/latest/meta-data'),
    http('http://2852039166/'),
    http('http://0xa9.254.169.254/'),
    http('http://[::ffff:169.254.169.254]/'),
    { kind: 'tcp', host: '169.254.169.254', port: 80 },
    // What the resolver of the machine makes of a number.
    { kind: 'tcp', host: '2852039166', port: 80 },
    { kind: 'grpc', host: 'fe80::1%lo', port: 80, service: '', tls: false },
    { kind: 'dns', name: 'x.example', type: 'A', server: '169.254.169.253:53' },
    { kind: 'dns', name: 'x.example', type: 'A', server: '[fe80::1]:53' },
  ];
  for (const target of targets) {
    const { ok, message } = await run(target);
    assert.equal(ok, false);
    assert.match(message, /never asked/, JSON.stringify(target));
  }
});

test('an abort from outside is no outcome', async () => {
  const target: ProbeTarget = { kind: 'tcp', host: HOST, port: 9 };
  const aborted = AbortSignal.abort(new Error('stopped'));
  await assert.rejects(runProbe({ target, timeoutMs: 1000 }, { signal: aborted }), /stopped/);
});
