import { errorResponse, HttpError } from './error-response.ts';

export interface GuardOptions {
  /** Names (without port) under which the page may be asked for; loopback names always may. */
  readonly hosts: readonly string[];
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

type Handler = (request: Request) => Promise<Response>;

/**
 * What every answer needs: a Host that is ours (against DNS rebinding), no writing from pages of other origins, and the
 * headers that keep the page alone. There is no CORS: no other origin may read anything.
 */
export function guardRequests(handler: Handler, options: GuardOptions): Handler {
  const hosts = new Set([...LOOPBACK, ...options.hosts.map((host) => host.toLowerCase())]);
  return async (request) => {
    const problem = problemOf(request, hosts);
    const response = problem === undefined ? await handler(request) : errorResponse(problem);
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
    return response;
  };
}

function problemOf(request: Request, hosts: ReadonlySet<string>): HttpError | undefined {
  const url = new URL(request.url);
  if (!hosts.has(url.hostname.toLowerCase())) {
    return new HttpError(421, 'this name is not served here; start with --host to allow it');
  }
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  const isForeign =
    (origin !== null && origin !== url.origin) ||
    (site !== null && site !== 'same-origin' && site !== 'none');
  return isForeign ? new HttpError(403, 'requests from other sites are refused') : undefined;
}
