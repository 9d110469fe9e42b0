import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { ApiError } from '../api-error.ts';
import { exitStatus, failureOf } from './exit-status.ts';
import { type SpdyStream, serveSpdy } from './spdy-session.ts';
import type { PortsCall, ProcessCall, StreamCall } from './stream-call.ts';

const PROCESS_PROTOCOLS = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io'];
const PORTS_PROTOCOLS = ['portforward.k8s.io'];

/** Answers an upgrade to SPDY/3.1 and serves its streams until the connection ends. */
export async function upgradeToSpdy(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  call: StreamCall,
): Promise<void> {
  const offered = String(request.headers['x-stream-protocol-version'] ?? '').split(/\s*,\s*/);
  const known = call.kind === 'process' ? PROCESS_PROTOCOLS : PORTS_PROTOCOLS;
  const protocol = known.find((name) => offered.includes(name));
  if (protocol === undefined) {
    throw new ApiError(
      403,
      'Forbidden',
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`,
    );
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  await serveSpdyStreams(socket, call, protocol);
}

/** The same over a connection that was upgraded already. */
export function serveSpdyStreams(
  connection: Duplex,
  call: StreamCall,
  protocol: string,
): Promise<void> {
  const accept =
    call.kind === 'process' ? acceptProcess(connection, call, protocol) : acceptPorts(call);
  return serveSpdy(connection, accept);
}

/** Runs once every stream that was asked for is there. */
function acceptProcess(
  connection: Duplex,
  call: ProcessCall,
  protocol: string,
): (stream: SpdyStream) => void {
  const streams = new Map<string, Duplex>();
  const { wants } = call;
  const needed = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((n) => wants[n])];
  const gone = new AbortController();
  connection.once('close', () => gone.abort());
  return ({ headers, data }) => {
    streams.set(headers.get('streamtype') ?? '', data);
    if (streams.size < needed.length || !needed.every((name) => streams.has(name))) return;
    const run = call.run({
      stdin: streams.get('stdin') ?? Readable.from([]),
      tty: call.tty,
      write: (name, chunk) => {
        streams.get(name)?.write(chunk);
      },
      signal: gone.signal,
    });
    void run.then(exitStatus, failureOf).then((status) => {
      const told = protocol.startsWith('v4') ? JSON.stringify(status) : (status.message ?? '');
      for (const name of ['stdout', 'stderr']) streams.get(name)?.end();
      streams.get('error')?.end(told, () => connection.end());
      streams.get('stdin')?.end();
    });
  };
}

/** A connection to a port is a pair of streams with one number: for data, and for why it failed. */
function acceptPorts(call: PortsCall): (stream: SpdyStream) => void {
  const waiting = new Map<string, Partial<Record<string, Duplex>>>();
  return ({ headers, data }) => {
    const id = headers.get('requestid') ?? headers.get('port') ?? '';
    const pair = { ...waiting.get(id), [headers.get('streamtype') ?? '']: data };
    waiting.set(id, pair);
    const { data: content, error } = pair;
    if (content === undefined || error === undefined) return;
    waiting.delete(id);
    const port = Number(headers.get('port'));
    call.connect(port, content).then(
      () => error.end(),
      (reason: unknown) => {
        error.end(reason instanceof Error ? reason.message : String(reason));
        content.end();
      },
    );
  };
}
