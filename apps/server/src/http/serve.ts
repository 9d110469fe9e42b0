import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CapstanError, messageOf } from '@capstan/lib-std';

export interface ServeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly address: string;
  /** What to call it in messages: `the page`. */
  readonly name: string;
}

export interface Serving {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves a handler of web Requests on a socket. */
export async function serve(
  handler: (request: Request) => Promise<Response>,
  options: ServeOptions,
): Promise<Serving> {
  return await listen((request, response) => void exchange(handler, request, response), options);
}

/** Serves a plain Node listener on a socket; a taken port is an error that says what to do. */
export async function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  options: ServeOptions,
): Promise<Serving> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 20_000 }, listener);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port, options.address, resolve);
  try {
    await promise;
  } catch (error) {
    throw cannotListen(error, options);
  }
  const { port } = server.address() as AddressInfo;
  return { url: `http://${options.address}:${port}`, port, close: () => close(server) };
}

function cannotListen(error: unknown, { port, address, name }: ServeOptions): CapstanError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new CapstanError('PORT_TAKEN', `port ${port} for ${name} is taken`, {
      hint: 'stop the other program, or choose another port: --port N (0 takes free ones)',
      cause: error,
    });
  }
  return new CapstanError(
    'LISTEN_FAILED',
    `cannot listen on ${address}:${port} for ${name}: ${messageOf(error)}`,
    { hint: 'choose another port: --port N', cause: error },
  );
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function exchange(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const life = new AbortController();
  outgoing.on('close', () => life.abort());
  try {
    const response = await handler(toRequest(incoming, life.signal));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body), outgoing);
  } catch {
    // The client went away, or sent what is no HTTP request.
    outgoing.destroy();
  }
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const host = incoming.headers.host ?? 'invalid';
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) headers.append(name, one);
    }
  }
  const method = incoming.method ?? 'GET';
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const path = (incoming.url ?? '/').startsWith('/') ? incoming.url : '/';
  return new Request(`http://${host}${path}`, {
    method,
    headers,
    signal,
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
  });
}
