import { CapstanError } from '@capstan/lib-std';
import { errorResponse, HttpError } from './error-response.ts';

export interface RouteRequest {
  /** The `:name` parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON of a POST; undefined for GET. */
  readonly body: unknown;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/api/apps/:kind`. */
  readonly path: string;
  /** What it returns is sent as JSON; a Response goes as it is. */
  readonly handle: (request: RouteRequest) => unknown;
}

const BODY_BYTES_MAX = 1024 * 1024;
const PARAMETER_CHARACTERS_MAX = 512;

/** Handlers by method and path as one function over the web's own Request and Response: no socket needed to test it. */
export function createRouter(routes: readonly Route[]): (request: Request) => Promise<Response> {
  const compiled = routes.map((route) => ({ route, parts: route.path.split('/') }));
  return async (request) => {
    const url = new URL(request.url);
    try {
      const matching = compiled.flatMap(({ route, parts }) => {
        const params = matchPath(parts, url.pathname.split('/'));
        return params === undefined ? [] : [{ route, params }];
      });
      if (matching.length === 0) throw new HttpError(404, `there is no ${url.pathname} here`);
      const found = matching.find(({ route }) => route.method === request.method);
      if (found === undefined) throw new HttpError(405, `${request.method} is not possible here`);
      const body = request.method === 'POST' ? await readJson(request) : undefined;
      const result = await found.route.handle({
        params: found.params,
        query: url.searchParams,
        body,
        signal: request.signal,
      });
      if (result instanceof Response) return result;
      return Response.json(result ?? {}, { status: request.method === 'POST' ? 202 : 200 });
    } catch (error) {
      return errorResponse(error);
    }
  };
}

function matchPath(
  parts: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  if (parts.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const text = given[index]!;
    if (!part.startsWith(':')) {
      if (part !== text) return undefined;
      continue;
    }
    if (text.length > PARAMETER_CHARACTERS_MAX) return undefined;
    try {
      params[part.slice(1)] = decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }
  return params;
}

/** The content type is insisted on: a page of another origin cannot send it without asking first. */
async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new HttpError(415, 'the content type must be application/json');
  }
  const text = await readBody(request);
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw new HttpError(400, 'the body is no JSON');
  }
}

async function readBody(request: Request): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      throw new HttpError(413, `the body is over ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A field of a body that must be true or false when it is there. */
export function readFlag(body: unknown, field: string): boolean {
  const value = readField(body, field);
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw new CapstanError('REQUEST_INVALID', `${field} must be true or false`);
}

export function readField(body: unknown, field: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new CapstanError('REQUEST_INVALID', 'the body must be a JSON object');
  }
  return Object.hasOwn(body, field) ? (body as Record<string, unknown>)[field] : undefined;
}
