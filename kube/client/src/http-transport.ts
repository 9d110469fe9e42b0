import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isLoopback, proxyFromEnvironment } from '@capstan/lib-egress';
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { ClusterConnection, Credential } from './connection.ts';
import { type DispatchedAnswer, dispatchRequest } from './dispatch-request.ts';
import { NetworkError } from './network-error.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { openWebSocket } from './web-socket.ts';

export interface HttpTransportOptions {
  readonly userAgent?: string;
  /** Connections for requests that end; watches and other streams have their own. 32 by default. */
  readonly connectionsMax?: number;
  /** One connection for many watches by HTTP/2, where the server offers it. True by default; needs TLS. */
  readonly http2?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** A transport over sockets: keep-alive, TLS, proxies, credentials that change while it is in use. */
export function createHttpTransport(
  connection: ClusterConnection,
  options: HttpTransportOptions = {},
): Transport {
  return new HttpTransport(connection, options);
}

interface Dispatchers {
  readonly certificate: Credential['clientCertificate'];
  readonly requests: Dispatcher;
  /** Never queued behind requests: a watch holds its place for minutes. */
  readonly streams: Dispatcher;
  readonly sockets: Dispatcher;
}

class HttpTransport implements Transport {
  readonly server: string;
  readonly #base: URL;
  readonly #connection: ClusterConnection;
  readonly #options: HttpTransportOptions;
  readonly #compress: boolean;
  #dispatchers: Dispatchers | undefined;
  #closed = false;

  constructor(connection: ClusterConnection, options: HttpTransportOptions) {
    this.#base = new URL(connection.server);
    this.#connection = connection;
    this.#options = options;
    this.server = this.#base.origin;
    this.#compress = connection.disableCompression !== true && !isLoopback(this.#base.hostname);
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const credential = await this.#credential(request.signal);
    const response = await this.#send(request, credential);
    if (response.status !== 401) return response;
    this.#connection.credentials.rejected(credential);
    const renewed = await this.#credential(request.signal);
    if (renewed === credential) return response;
    for await (const _chunk of response.body) break;
    return this.#send(request, renewed);
  }

  async upgrade(request: TransportRequest & { readonly protocols: readonly string[] }) {
    const credential = await this.#credential(request.signal);
    const url = new URL(this.#path(request.path), this.#base.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return openWebSocket(url, {
      protocols: request.protocols,
      headers: this.#headers(request.headers, credential),
      dispatcher: this.#dispatchersFor(credential).sockets,
      server: this.server,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const dispatchers = this.#dispatchers;
    this.#dispatchers = undefined;
    if (dispatchers !== undefined) await destroyAll(dispatchers);
  }

  #credential(signal: AbortSignal | undefined): Promise<Credential> {
    return this.#connection.credentials.current(signal === undefined ? {} : { signal });
  }

  async #send(request: TransportRequest, credential: Credential): Promise<TransportResponse> {
    const isStream = longRunning.test(request.path);
    const { requests, streams } = this.#dispatchersFor(credential);
    try {
      const answer = await dispatchRequest(isStream ? streams : requests, {
        origin: this.#base.origin,
        path: this.#path(request.path),
        method: request.method as Dispatcher.HttpMethod,
        headers: this.#headers(request.headers, credential),
        body: request.body ?? null,
        signal: request.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return {
        status: answer.status,
        headers: flattenHeaders(answer.headers),
        body: this.#bodyOf(answer, request.signal),
      };
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new NetworkError(this.server, error);
    }
  }

  async *#bodyOf(
    answer: DispatchedAnswer,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const isZipped = answer.headers['content-encoding'] === 'gzip';
    const source = isZipped ? Readable.from(answer.body).compose(createGunzip()) : answer.body;
    try {
      for await (const chunk of source) yield chunk;
    } catch (error) {
      signal?.throwIfAborted();
      throw new NetworkError(this.server, error);
    }
  }

  #headers(
    headers: TransportRequest['headers'],
    credential: Credential,
  ): Record<string, string | string[]> {
    const all: Record<string, string | string[]> = {
      'user-agent': this.#options.userAgent ?? 'capstan',
      ...(this.#compress ? { 'accept-encoding': 'gzip' } : {}),
    };
    for (const [name, value] of [
      ...Object.entries(credential.headers),
      ...Object.entries(headers),
    ]) {
      all[name] = typeof value === 'string' ? value : [...value];
    }
    return all;
  }

  #path(path: string): string {
    return this.#base.pathname === '/' ? path : this.#base.pathname.replace(/\/$/, '') + path;
  }

  /** A new client certificate needs new connections; those in use with the old one run out by themselves. */
  #dispatchersFor(credential: Credential): Dispatchers {
    if (this.#closed) throw new NetworkError(this.server, new Error('this client was closed'));
    const current = this.#dispatchers;
    const certificate = credential.clientCertificate;
    if (
      current !== undefined &&
      current.certificate?.certificate === certificate?.certificate &&
      current.certificate?.key === certificate?.key
    ) {
      return current;
    }
    const http2 = this.#options.http2 ?? true;
    this.#dispatchers = {
      certificate,
      requests: this.#dispatcher(certificate, this.#options.connectionsMax ?? 32, false),
      streams: this.#dispatcher(certificate, null, http2),
      sockets: this.#dispatcher(certificate, null, false),
    };
    if (current !== undefined) void closeAll(current);
    return this.#dispatchers;
  }

  #dispatcher(
    certificate: Credential['clientCertificate'],
    connections: number | null,
    allowH2: boolean,
  ): Dispatcher {
    const { certificateAuthority, insecureSkipTlsVerify, tlsServerName } = this.#connection;
    const tls = {
      ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      ...(insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
    };
    const common = { connections, allowH2, keepAliveTimeout: 60_000, pipelining: 1 };
    const proxy =
      this.#connection.proxyUrl ??
      proxyFromEnvironment(this.#base, this.#options.environment ?? process.env);
    if (proxy === undefined) return new Agent({ ...common, connect: tls });
    if (proxy.startsWith('socks5')) {
      return new Socks5ProxyAgent(proxy, { ...common, requestTls: tls });
    }
    return new ProxyAgent({ ...common, uri: proxy, requestTls: tls });
  }
}

/** Requests that may last: watches, followed logs. */
const longRunning = /[?&](watch|follow)=(1|true)\b/;

function flattenHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

async function closeAll({ requests, streams, sockets }: Dispatchers): Promise<void> {
  await Promise.allSettled([requests.close(), streams.close(), sockets.close()]);
}

async function destroyAll({ requests, streams, sockets }: Dispatchers): Promise<void> {
  await Promise.allSettled([requests.destroy(), streams.destroy(), sockets.destroy()]);
}
