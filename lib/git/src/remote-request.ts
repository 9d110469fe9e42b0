import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { authoritiesWith, guardedLookup } from '@capstan/lib-egress';
import { CapstanError } from '@capstan/lib-std';
import { authorizationHeader, type GitCredentials } from './remote-access.ts';
import type { RemoteUrl } from './remote-url.ts';

export interface RemoteRequest {
  readonly method: 'GET' | 'POST';
  /** Below the repository's address: `/info/refs?service=…`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const TIMEOUT_MAX_MS = 15_000;
const IDLE_MS = 4_000;

/** Our own client for a remote over HTTP: never follows redirects, and keeps a connection for a moment. */
export class RemoteClient {
  readonly #remote: RemoteUrl;
  readonly credentials: GitCredentials;
  readonly #agent: HttpAgent;
  readonly #timeoutMs: number;
  readonly #trust: SecureContext | undefined;

  constructor(remote: RemoteUrl, credentials: GitCredentials, timeoutMs = TIMEOUT_MAX_MS) {
    this.#remote = remote;
    this.#timeoutMs = Math.min(timeoutMs, TIMEOUT_MAX_MS);
    this.credentials = credentials;
    this.#trust = remote.protocol === 'https' ? trustOf(credentials) : undefined;
    const options = { keepAlive: true, maxSockets: 2, timeout: IDLE_MS, lookup: guardedLookup };
    this.#agent = remote.protocol === 'https' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  close(): void {
    this.#agent.destroy();
  }

  urlOf(path: string): URL {
    return new URL(`${this.#remote.url.replace(/\/$/, '')}${path}`);
  }

  /**
   * Resolves with the head of the answer; the caller reads the body or destroys it. A connection that was kept may have been closed
   * by the other side meanwhile: then another one is opened.
   */
  async send(given: RemoteRequest): Promise<IncomingMessage> {
    try {
      return await this.#send(given);
    } catch (error) {
      if (!(error instanceof ClosedMeanwhile)) throw error;
      return await this.#send(given);
    }
  }

  #send(given: RemoteRequest): Promise<IncomingMessage> {
    const url = this.urlOf(given.path);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const authorization = authorizationHeader(this.#remote, this.credentials);
    const { insecure } = this.credentials;
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: given.method,
      headers: {
        'User-Agent': 'git/2.0 (capstan)',
        ...given.headers,
        ...(given.body === undefined ? {} : { 'Content-Length': String(given.body.length) }),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      timeout: this.#timeoutMs,
      agent: this.#agent,
      ...(this.#trust === undefined ? {} : { secureContext: this.#trust }),
      rejectUnauthorized: insecure !== true,
    });
    request.on('response', resolve);
    request.on('timeout', () => request.destroy(new RequestTimeout('timeout')));
    request.on('error', (error) => {
      const isClosed = request.reusedSocket && CLOSED.includes(codeOf(error));
      reject(isClosed ? new ClosedMeanwhile(error.message, { cause: error }) : error);
    });
    request.end(given.body);
    return promise;
  }
}

class ClosedMeanwhile extends Error {}

const CLOSED: readonly string[] = ['ECONNRESET', 'EPIPE'];
const PASSING: readonly string[] = [
  ...CLOSED,
  'ECONNABORTED',
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
];

/** Whether the same request may do better a moment later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof CapstanError) return error.kind === 'retry';
  return error instanceof RequestTimeout || PASSING.includes(codeOf(error));
}

class RequestTimeout extends Error {}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Made once for all connections; undefined when the usual authorities are trusted and no certificate is shown. */
function trustOf(credentials: GitCredentials): SecureContext | undefined {
  const { caCertificate, clientCertificate, clientKey } = credentials;
  if (caCertificate === undefined && clientCertificate === undefined) return undefined;
  return createSecureContext({
    ...(caCertificate === undefined ? {} : { ca: authoritiesWith(caCertificate) }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
    ...(clientKey === undefined ? {} : { key: clientKey }),
  });
}
