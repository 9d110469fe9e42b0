import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { guardedConnect } from '@capstan/lib-egress';

/** grpc.health.v1.HealthCheckResponse.ServingStatus, by number. */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
const MAX_ANSWER_BYTES = 4096;

export interface GrpcTarget {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly tls: boolean;
}

/**
 * Calls grpc.health.v1.Health/Check (documentation: "GRPC Health Checking Protocol", "gRPC over HTTP2"): one message with
 * one text each way, so that no stub is needed. Answers the serving status; a gRPC error is thrown with its number.
 */
export async function askGrpcHealth(target: GrpcTarget, signal: AbortSignal): Promise<string> {
  const { host, port, tls } = target;
  const socket = guardedConnect(host, port);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const session = connect(`${tls ? 'https' : 'http'}://${authorityOf(host)}:${port}`, {
    createConnection: () =>
      tls ? connectTls({ socket, host, ALPNProtocols: ['h2'], ...servername }) : socket,
  });
  try {
    return await check(session, target.service, signal);
  } finally {
    session.on('error', () => {});
    socket.on('error', () => {});
    session.destroy();
    socket.destroy();
  }
}

function authorityOf(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function check(session: ClientHttp2Session, service: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) return reject(signal.reason);
    session.on('error', reject);
    session.on('close', () => reject(new Error('the connection was closed')));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'capstan-probe',
    });
    stream.on('error', reject);
    readAnswer(stream).then(resolve, reject);
    stream.end(frame(encodeRequest(service)));
  });
}

async function readAnswer(stream: ClientHttp2Stream): Promise<string> {
  let grpcStatus: unknown;
  let httpStatus: unknown;
  const note = (headers: { readonly [name: string]: unknown }) => {
    grpcStatus = headers['grpc-status'] ?? grpcStatus;
    httpStatus = headers[':status'] ?? httpStatus;
  };
  stream.on('response', note);
  stream.on('trailers', note);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = chunk;
    length += bytes.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too long for a health check');
    chunks.push(bytes);
  }
  if (httpStatus !== 200) throw new Error(`it does not speak gRPC (HTTP ${String(httpStatus)})`);
  const code = Number(grpcStatus ?? 2);
  // NOT_FOUND is how a server says that it does not know the service.
  if (code === 5) return 'SERVICE_UNKNOWN';
  if (code !== 0) throw new Error(`gRPC status ${code}`);
  return SERVING_STATUS[decodeStatus(unframe(Buffer.concat(chunks)))] ?? 'UNKNOWN';
}

/** HealthCheckRequest: `string service = 1`; an empty text is not written. */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service);
  return text.length === 0 ? text : Buffer.concat([Buffer.from([0x0a]), varint(text.length), text]);
}

/** HealthCheckResponse: `ServingStatus status = 1`; 0 is not written. Fields that are not known are passed over. */
function decodeStatus(message: Buffer): number {
  let status = 0;
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; at < message.length; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new Error('the answer is no health check');
  };
  while (at < message.length) {
    const tag = next();
    const wire = tag & 7;
    if (wire === 0) {
      const value = next();
      if (tag >> 3 === 1) status = value;
    } else if (wire === 2) {
      const length = next();
      at += length;
    } else if (wire === 5) at += 4;
    else if (wire === 1) at += 8;
    else throw new Error('the answer is no health check');
  }
  return status;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Length-prefixed message: not compressed, four bytes of length. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function unframe(bytes: Buffer): Buffer {
  if (bytes.length < 5 || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - 5) {
    throw new Error('the answer is no health check');
  }
  return bytes.subarray(5);
}
