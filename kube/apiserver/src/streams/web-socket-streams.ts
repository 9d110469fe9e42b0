import type { IncomingMessage } from 'node:http';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { exitStatus, failureOf } from './exit-status.ts';
import { serveSpdyStreams } from './spdy-streams.ts';
import type { PortsCall, ProcessCall, StreamCall } from './stream-call.ts';

/** What the client calls it is no token by RFC 6455, and so the library would refuse it: it is another name inside. */
const TUNNEL_NAME = 'SPDY/3.1+portforward.k8s.io';
const TUNNEL = 'SPDY_3.1+portforward.k8s.io';
const PROCESS_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const PORTS_PROTOCOLS = [TUNNEL, 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const CLOSE = 255;
const MESSAGE_BYTES_MAX = 1024 * 1024;
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

/** Answers an upgrade to a WebSocket, in Kubernetes' channel protocol: the first byte of a message names its stream. */
export function upgradeToWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  call: StreamCall,
): void {
  const known = call.kind === 'process' ? PROCESS_PROTOCOLS : PORTS_PROTOCOLS;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    handleProtocols: (offered) => known.find((name) => offered.has(name)) ?? false,
  });
  const offered = request.headers['sec-websocket-protocol'];
  if (offered !== undefined) {
    request.headers['sec-websocket-protocol'] = offered.replace(TUNNEL_NAME, TUNNEL);
  }
  server.on('headers', (headers: string[]) => {
    for (const [i, header] of headers.entries()) headers[i] = header.replace(TUNNEL, TUNNEL_NAME);
  });
  server.handleUpgrade(request, socket, head, (connection) => {
    connection.on('error', () => connection.terminate());
    if (call.kind === 'process') serveProcess(connection, call);
    else if (connection.protocol === TUNNEL) {
      void serveSpdyStreams(createWebSocketStream(connection), call, TUNNEL);
    } else servePorts(connection, call);
  });
}

function serveProcess(connection: WebSocket, call: ProcessCall): void {
  const stdin = new PassThrough();
  const gone = new AbortController();
  if (!call.wants.stdin) stdin.end();
  connection.on('message', (data: Buffer) => {
    if (data[0] === STDIN) stdin.write(data.subarray(1));
    if (data[0] === CLOSE && data[1] === STDIN) stdin.end();
    if (stdin.writableLength > WAITING_BYTES_MAX) connection.close(1009);
  });
  connection.on('close', () => {
    stdin.end();
    gone.abort();
  });
  const run = call.run({
    stdin: call.wants.stdin ? stdin : Readable.from([]),
    tty: call.tty,
    write: (name, chunk) => {
      if (call.wants[name] || call.tty)
        send(connection, name === 'stdout' ? STDOUT : STDERR, chunk);
    },
    signal: gone.signal,
  });
  void run.then(exitStatus, failureOf).then((status) => {
    send(connection, ERROR, JSON.stringify(status));
    connection.close(1000);
  });
}

/** Two channels for each port, data and errors; each begins with the port in two bytes. */
function servePorts(connection: WebSocket, call: PortsCall): void {
  const incoming = call.ports.map((port, i) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    send(connection, 2 * i, number);
    send(connection, 2 * i + 1, number);
    const data = new PassThrough();
    const outgoing = new PassThrough();
    outgoing.on('data', (chunk: Buffer) => send(connection, 2 * i, chunk));
    const end = (): void => {
      if (call.ports.length === 1) connection.close(1000);
    };
    call.connect(port, Duplex.from({ readable: data, writable: outgoing })).then(end, (reason) => {
      send(connection, 2 * i + 1, reason instanceof Error ? reason.message : String(reason));
      end();
    });
    return data;
  });
  connection.on('message', (message: Buffer) => {
    const data = incoming[(message[0] ?? 0) / 2];
    data?.write(message.subarray(1));
    if ((data?.writableLength ?? 0) > WAITING_BYTES_MAX) connection.close(1009);
  });
  connection.on('close', () => {
    for (const data of incoming) data.end();
  });
}

function send(connection: WebSocket, channel: number, chunk: string | Uint8Array): void {
  if (chunk.length === 0 || connection.readyState !== connection.OPEN) return;
  connection.send(Buffer.concat([Buffer.from([channel]), Buffer.from(chunk as Uint8Array)]));
}
