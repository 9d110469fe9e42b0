import { Agent as PlainAgent } from 'node:http';
import { Agent } from 'node:https';
import { guardedLookup, refuseAddress, SocksAgent, SocksPlainAgent } from '@capstan/lib-egress';
import { CapstanError, messageOf, redact } from '@capstan/lib-std';

/** How a cloud's service is reached. */
export interface CloudAccess {
  /** URL of an HTTP or SOCKS5 proxy; absent: what the environment says (HTTPS_PROXY, NO_PROXY). */
  readonly proxy?: string;
  readonly signal?: AbortSignal;
}

/** A token of a cloud, to be sent as it is. */
export interface CloudToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** User and password for a registry, or for a Git host. */
export interface CloudLogin {
  readonly username: string;
  readonly password: string;
  readonly expiresAtMs: number;
}

/** Such an answer is waited for. */
export const TIMEOUT_MS = 10_000;

interface Agents {
  readonly httpAgent: PlainAgent;
  readonly httpsAgent: Agent;
}

/** Connections through the proxy, for those SDKs that take Node's agents. Each is used for one question: none is kept open. */
export function agentsFor(access: CloudAccess): Agents {
  return makeAgents(access, {});
}

/** As `agentsFor`, for addresses that users name: none leads to a metadata service. `refuseHost` judges those that are no name. */
export function guardedAgents(access: CloudAccess): Agents {
  return makeAgents(access, { lookup: guardedLookup });
}

export function isSocks(proxy: string): boolean {
  return /^socks5h?:/i.test(proxy);
}

function makeAgents({ proxy }: CloudAccess, options: { lookup?: typeof guardedLookup }): Agents {
  if (proxy !== undefined && isSocks(proxy)) {
    return { httpAgent: new SocksPlainAgent(proxy), httpsAgent: new SocksAgent(proxy) };
  }
  const proxyEnv = proxy === undefined ? process.env : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const all = { proxyEnv, ...options };
  return { httpAgent: new PlainAgent(all), httpsAgent: new Agent(all) };
}

/** Throws EGRESS_REFUSED for a URL at a link-local or metadata address. */
export function refuseHost(url: string): void {
  refuseAddress(new URL(url).hostname);
}

/** What was asked of a cloud in a form that it cannot have: nothing was sent. */
export function invalid(message: string): CapstanError {
  return new CapstanError('CLOUD_INVALID', message, { kind: 'stalled' });
}

/** The words of the cloud or of its SDK, in one line and without credentials. */
export function refused(cause: unknown): CapstanError {
  if (cause instanceof CapstanError) return cause;
  const name = cause instanceof Error && !/^Error$/.test(cause.name) ? `${cause.name}: ` : '';
  const words = redact(messageOf(cause)).replaceAll(/\s+/g, ' ').trim();
  return new CapstanError('CLOUD_REFUSED', `${words.startsWith(name) ? '' : name}${words}`, {
    kind: 'retry',
  });
}

/** Ends the wait for an SDK that takes no signal. */
export async function within<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await answer;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
