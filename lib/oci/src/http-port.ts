import { CapstanError } from '@capstan/lib-std';

export interface HttpRequest {
  /** GET when absent. */
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** Of a POST. */
  readonly body?: string | Uint8Array;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** The value of a header by its name in lower case; undefined when it is absent. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** One GET (or HEAD, or POST). It must not follow redirects: whoever calls decides which host gets the credentials. */
export type HttpGet = (request: HttpRequest) => Promise<HttpResponse>;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface ReadOptions {
  readonly method?: HttpRequest['method'];
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Value of Authorization; sent to the URL's own host and, after a redirect, to no other. */
  readonly authorization?: string;
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
}

export interface ReadAnswer {
  readonly status: number;
  readonly header: HttpResponse['header'];
  readonly bytes: Uint8Array;
  /** Where the answer came from in the end. */
  readonly url: string;
}

const REDIRECTS_MAX = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function basicAuthorization({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Scheme, host and port: what has to be equal for credentials to be sent. */
export function originOf(url: string): string {
  return new URL(url).origin;
}

/**
 * GETs a URL within a limit of bytes. Redirects are followed, to http(s) only and never from https to http; Authorization goes
 * only to the origin it was given for. Any status is an answer. Throws HTTP_TOO_LARGE and HTTP_REDIRECT.
 */
export async function readBytes(
  get: HttpGet,
  url: string,
  options: ReadOptions,
): Promise<ReadAnswer> {
  let at = url;
  let authorization = options.authorization;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const response = await get({
      url: at,
      ...(options.method === undefined ? {} : { method: options.method }),
      ...(options.body === undefined ? {} : { body: options.body }),
      headers: { ...options.headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const location = response.header('location');
    if (!REDIRECTS.has(response.status) || location === undefined) {
      const bytes =
        options.method === 'HEAD'
          ? new Uint8Array()
          : await collect(response, at, options.bytesMax);
      return { status: response.status, header: (name) => response.header(name), bytes, url: at };
    }
    const next = nextUrl(at, location);
    // Once away from the origin the credentials do not come back, not even on a redirect home.
    if (originOf(next) !== originOf(at)) authorization = undefined;
    at = next;
  }
  throw new CapstanError('HTTP_REDIRECT', `${url}: more than ${REDIRECTS_MAX} redirects`);
}

function nextUrl(from: string, location: string): string {
  const next = new URL(location, from);
  const isWeb = next.protocol === 'https:' || next.protocol === 'http:';
  const isDowngrade = new URL(from).protocol === 'https:' && next.protocol === 'http:';
  if (!isWeb || isDowngrade) {
    throw new CapstanError(
      'HTTP_REDIRECT',
      `${from} redirects to ${next.protocol}//, which is refused`,
    );
  }
  return next.href;
}

/** A body within a limit of bytes. Throws HTTP_TOO_LARGE. */
export async function collect(
  { body, header }: HttpResponse,
  url: string,
  bytesMax: number,
): Promise<Uint8Array> {
  const tooLarge = (): CapstanError =>
    new CapstanError('HTTP_TOO_LARGE', `${url} sends more than ${bytesMax} bytes`);
  if (Number(header('content-length') ?? 0) > bytesMax) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
