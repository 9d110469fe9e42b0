import { createSecureContext } from 'node:tls';
import {
  authoritiesWith,
  guardedLookup,
  proxyFromEnvironment,
  refuseAddress,
} from '@capstan/lib-egress';
import { CapstanError, redact } from '@capstan/lib-std';
import { Agent, type Dispatcher, ProxyAgent, request, Socks5ProxyAgent } from 'undici';
import type { HttpGet } from './http-port.ts';
import { describeNetworkError } from './network-error.ts';

/** How a host is reached and trusted. */
export interface HttpGetOptions {
  /** PEM bundle that is trusted beside the system's authorities. */
  readonly caCertificate?: string;
  /** PEM, for mutual TLS. */
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Skips the verification of certificates. */
  readonly insecure?: boolean;
  /** URL of an HTTP proxy, with user and password if it asks for them; absent: what the environment names (HTTPS_PROXY, NO_PROXY). */
  readonly proxy?: string;
  /** Bounds the wait for a connection, for headers, and for each piece of a body; 60 s when absent. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;

/**
 * Requests over the network, never to a link-local or metadata address (EGRESS_REFUSED). Connections are kept for a moment; call
 * `close` when no more are made.
 */
export function createHttpGet(options: HttpGetOptions = {}): {
  readonly get: HttpGet;
  close(): Promise<void>;
} {
  const dispatchers = new Map<string, Dispatcher>();
  const dispatcherFor = (url: URL): Dispatcher => {
    const proxy = options.proxy ?? proxyFromEnvironment(url, process.env) ?? '';
    const known = dispatchers.get(proxy);
    if (known !== undefined) return known;
    const made = createDispatcher(options, proxy);
    dispatchers.set(proxy, made);
    return made;
  };
  const get: HttpGet = async ({ method = 'GET', url, headers, body: content, signal }) => {
    const target = new URL(url);
    refuseAddress(target.hostname);
    try {
      const {
        statusCode,
        headers: given,
        body,
      } = await request(url, {
        method,
        headers: { 'user-agent': 'capstan', ...headers },
        dispatcher: dispatcherFor(target),
        ...(content === undefined ? {} : { body: content }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (method === 'HEAD') await body.dump();
      return {
        status: statusCode,
        header: (name) => {
          const value = given[name];
          return typeof value === 'string' ? value : value?.[0];
        },
        body: chunks(body, url, options),
      };
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof CapstanError ? error : unreachable(url, error, options);
    }
  };
  return {
    get,
    async close() {
      await Promise.all([...dispatchers.values()].map((one) => one.close()));
    },
  };
}

async function* chunks(
  body: AsyncIterable<Uint8Array>,
  url: string,
  options: HttpGetOptions,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw unreachable(url, error, options);
  }
}

function createDispatcher(options: HttpGetOptions, proxy: string): Dispatcher {
  const { caCertificate, clientCertificate, clientKey, insecure } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const isPlain = caCertificate === undefined && clientCertificate === undefined;
  const secureContext = isPlain
    ? undefined
    : createSecureContext({
        ...(caCertificate === undefined ? {} : { ca: authoritiesWith(caCertificate) }),
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
        ...(clientKey === undefined ? {} : { key: clientKey }),
      });
  const tls = {
    ...(secureContext === undefined ? {} : { secureContext }),
    ...(insecure === true ? { rejectUnauthorized: false } : {}),
  };
  const common = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs, keepAliveTimeout: 4_000 };
  if (proxy === '') {
    const connect = { ...tls, timeout: timeoutMs, lookup: guardedLookup };
    return new Agent({ ...common, connect });
  }
  if (proxy.startsWith('socks5:'))
    return new Socks5ProxyAgent(proxy, { ...common, requestTls: tls });
  const address = new URL(proxy);
  const user = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
  return new ProxyAgent({
    ...common,
    uri: address.origin,
    requestTls: tls,
    ...(user === ':' ? {} : { token: `Basic ${Buffer.from(user).toString('base64')}` }),
  });
}

function unreachable(
  url: string,
  cause: unknown,
  { clientCertificate }: HttpGetOptions,
): CapstanError {
  const { origin } = new URL(url);
  const why = redact(
    describeNetworkError(cause, { showsCertificate: clientCertificate !== undefined }),
  );
  return new CapstanError('HTTP_UNREACHABLE', `${origin} cannot be reached: ${why}`, {
    kind: 'retry',
    hint: 'check the address, the network, the proxy and the certificates; it is tried again by itself',
    cause,
  });
}
