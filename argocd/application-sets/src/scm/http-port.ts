import { getCACertificates } from 'node:tls';
import { guardedLookup, refuseAddress } from '@capstan/lib-egress';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { Agent, ProxyAgent, request } from 'undici';

/** One request to a service beside the cluster: a hoster of repositories, or a plugin. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
  /** Do not verify the server's certificate. */
  readonly insecure?: boolean;
  /** PEM bundle that is trusted beside the system's authorities. */
  readonly caCertificates?: string;
  readonly timeoutMs?: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export type HttpPort = (request: HttpRequest) => Promise<HttpResponse>;

const TIMEOUT_MS = 30_000;
const BODY_MAX = 32 * 1024 * 1024;

export interface HttpPortOptions {
  readonly signal: AbortSignal;
  /** The proxy for a request; absent: none. */
  readonly proxyFor?: (url: URL) => string | undefined;
}

/**
 * Sends requests over the network; answers are bounded in size and time. Redirects are followed within one origin only:
 * credentials go where the set says, and nowhere else.
 */
export function createHttpPort(options: HttpPortOptions): HttpPort {
  const send = createSender(options);
  return async (wanted) => {
    let url = wanted.url;
    for (let hops = 0; ; hops++) {
      const answer = await send({ ...wanted, url });
      const location = answer.headers.get('location');
      const isMoved = REDIRECTS.has(answer.status) && location !== undefined;
      if (!isMoved || wanted.method !== 'GET' || hops >= HOPS_MAX) return answer;
      const next = new URL(location, url);
      if (next.origin !== new URL(url).origin) return answer;
      url = next.href;
    }
  };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const HOPS_MAX = 5;

function createSender({ signal, proxyFor }: HttpPortOptions): HttpPort {
  return async (wanted) => {
    const url = new URL(wanted.url);
    refuseAddress(url.hostname);
    const proxy = proxyFor?.(url);
    const connect = {
      lookup: guardedLookup,
      rejectUnauthorized: wanted.insecure !== true,
      ...(wanted.caCertificates === undefined
        ? {}
        : { ca: [...getCACertificates('default'), wanted.caCertificates] }),
    };
    const agent =
      proxy === undefined
        ? new Agent({ connect })
        : new ProxyAgent({ uri: proxy, requestTls: connect });
    try {
      const answer = await request(wanted.url, {
        method: wanted.method,
        headers: { 'user-agent': 'capstan', ...wanted.headers },
        body: wanted.body ?? null,
        dispatcher: agent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(wanted.timeoutMs ?? TIMEOUT_MS)]),
      });
      const headers = new Map(
        Object.entries(answer.headers).map(([name, value]) => [name, String(value ?? '')]),
      );
      return { status: answer.statusCode, headers, text: await readBounded(answer.body, wanted) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CapstanError) throw error;
      throw new CapstanError('SCM_UNREACHABLE', `${placeOf(wanted.url)}: ${messageOf(error)}`, {
        kind: 'retry',
        cause: error,
        hint: 'see whether the address can be reached from here',
      });
    } finally {
      await agent.close().catch(() => undefined);
    }
  };
}

async function readBounded(body: AsyncIterable<Uint8Array>, { url }: HttpRequest): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > BODY_MAX) {
      throw new CapstanError(
        'SCM_ANSWER_TOO_LARGE',
        `${placeOf(url)} answers with over ${BODY_MAX} bytes`,
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** A URL as messages show it: without query and credentials. */
export function placeOf(url: string): string {
  try {
    const { origin, pathname } = new URL(url);
    return `${origin}${pathname}`;
  } catch {
    return 'an invalid URL';
  }
}
