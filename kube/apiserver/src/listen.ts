import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { CapstanError } from '@capstan/lib-std';
import { ApiError, badRequest, tooLarge } from './api-error.ts';
import type { ClientCertificate } from './auth/authenticate.ts';
import { BODY_BYTES_MAX } from './body.ts';
import { errorResponse } from './encode.ts';
import type { ApiRequest, ApiResponse } from './http-types.ts';
import { StreamSender } from './send-stream.ts';
import type { StreamCall } from './streams/stream-call.ts';
import type { KeyPair } from './tls.ts';

export interface ListenOptions {
  /** Answers requests for streams to a container; absent: none are taken. */
  readonly streams?: (
    request: ApiRequest,
    certificate: ClientCertificate | undefined,
  ) => Promise<StreamCall>;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly tls?: {
    readonly server: KeyPair;
    /** PEM of the authority whose client certificates are believed. */
    readonly clientAuthority: string;
  };
}

export interface Listener {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export type Handle = (
  request: ApiRequest,
  certificate: ClientCertificate | undefined,
) => Promise<ApiResponse>;

const IDLE_MS = 90_000;

/** Serves HTTP(S) on the loopback address. Closing ends every watch and stream. */
export async function listen(handle: Handle, options: ListenOptions = {}): Promise<Listener> {
  /** Of all that are being answered; an AbortSignal would look through its listeners for each that comes and goes. */
  const open = new Set<() => void>();
  const certificateOf = certificateReader();
  const sender = new StreamSender();
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const from = certificateOf(request);
    const exchange = { request, response, sender, open };
    void answer((call) => handle(call, from), exchange).catch(() => response.destroy());
  };
  const server = await createServer(options.tls, respond);
  // As kube-apiserver's: clients keep connections for later, and a request on one that was just closed fails.
  server.keepAliveTimeout = IDLE_MS;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const from = certificateOf(request);
    void upgrade(options, { request, socket, head, from }).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? portInUse(options.port ?? 0, error) : error),
    );
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        for (const leave of open) leave();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An import of node:http loads all of fetch with it, of node:https only what it needs: each is loaded when it is used. */
async function createServer(
  tls: ListenOptions['tls'],
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpServer | HttpsServer> {
  if (tls === undefined) return (await import('node:http')).createServer(respond);
  const https = await import('node:https');
  return https.createServer(
    {
      cert: tls.server.certificate,
      key: tls.server.key,
      ca: tls.clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
    },
    respond,
  );
}

function portInUse(port: number, cause: Error): CapstanError {
  return new CapstanError('SANDBOX_PORT_IN_USE', `port ${port} of 127.0.0.1 is in use`, {
    hint: 'choose another one, or none: then a free one is taken',
    cause,
  });
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly from: ClientCertificate | undefined;
}

async function upgrade(
  options: ListenOptions,
  { request, socket, head, from }: Upgrade,
): Promise<void> {
  try {
    if (options.streams === undefined) {
      throw badRequest('nothing here can be upgraded to a stream');
    }
    const call = await options.streams(
      { method: 'POST', path: request.url ?? '/', headers: plainHeaders(request) },
      from,
    );
    if (/^spdy\//i.test(request.headers.upgrade ?? '')) {
      const { upgradeToSpdy } = await import('./streams/spdy-streams.ts');
      await upgradeToSpdy(request, socket, head, call);
    } else {
      const { upgradeToWebSocket } = await import('./streams/web-socket-streams.ts');
      upgradeToWebSocket(request, socket, head, call);
    }
  } catch (error) {
    const { status, headers, body } = errorResponse(
      error instanceof ApiError ? error : badRequest('the request could not be upgraded'),
    );
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = String(body);
    const length = `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n`;
    socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}${length}\r\n${text}`);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly sender: StreamSender;
  /** Each ends an answer that may never end by itself. */
  readonly open: Set<() => void>;
}

async function answer(
  handle: (call: ApiRequest) => Promise<ApiResponse>,
  { request, response, sender, open }: Exchange,
): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort(LEFT);
  response.once('close', leave);
  open.add(leave);
  try {
    const body = await readBody(request);
    const result =
      body === undefined
        ? errorResponse(tooLarge(`Request entity too large: limit is ${BODY_BYTES_MAX}`))
        : await handle({
            method: request.method ?? 'GET',
            path: request.url ?? '/',
            headers: plainHeaders(request),
            body,
            signal: gone.signal,
          });
    await send(result, response, { sender, headOnly: request.method === 'HEAD' });
  } finally {
    open.delete(leave);
  }
}

/** One for all: a new DOMException for every answer costs more than the rest of its end. */
const LEFT = new DOMException('the client has left', 'AbortError');

/** Undefined when it is over the bound; the rest is not read then. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > BODY_BYTES_MAX + 1) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** Reads who is at the other end, once for each connection: that costs more than many a request. */
function certificateReader(): (request: IncomingMessage) => ClientCertificate | undefined {
  const known = new WeakMap<object, ClientCertificate>();
  return ({ socket }) => {
    const certificate = known.get(socket) ?? readCertificate(socket as Partial<TLSSocket>);
    if (certificate !== undefined) known.set(socket, certificate);
    return certificate;
  };
}

function readCertificate(socket: Partial<TLSSocket>): ClientCertificate | undefined {
  if (socket.authorized !== true) return undefined;
  const subject = socket.getPeerCertificate?.().subject;
  if (subject === undefined || subject.CN === undefined) return undefined;
  const organizations: unknown = subject.O;
  const groups = Array.isArray(organizations) ? organizations : [organizations];
  return {
    username: String(subject.CN),
    groups: groups.filter((group) => typeof group === 'string'),
  };
}

async function send(
  result: ApiResponse,
  response: ServerResponse,
  { sender, headOnly }: { readonly sender: StreamSender; readonly headOnly: boolean },
): Promise<void> {
  response.writeHead(result.status, result.headers);
  if (headOnly || typeof result.body === 'string' || result.body instanceof Uint8Array) {
    response.end(headOnly ? undefined : result.body);
    return;
  }
  // A watch must show its headers before its first event.
  response.flushHeaders();
  if ('open' in result.body) return sender.send(result.body, response);
  for await (const chunk of result.body) {
    if (response.destroyed) break;
    writeTogether(response);
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}

/** What comes in this turn of the event loop goes out in one piece: encrypting and sending cost by the piece. */
function writeTogether(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null || socket.writableCorked > 0) return;
  socket.cork();
  setImmediate(() => socket.uncork());
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
