import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { isRecord } from '../json.ts';
import { type HttpPort, type HttpRequest, type HttpResponse, placeOf } from './http-port.ts';

/** A REST API: where it is, and what every request carries. */
export interface RestApi {
  readonly http: HttpPort;
  /** With a slash at its end. */
  readonly base: string;
  readonly headers: { readonly [name: string]: string };
  readonly insecure?: boolean;
  readonly caCertificates?: string;
}

export type Query = { readonly [name: string]: string | number | boolean | undefined };

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly value: Json;
}

const PAGES_MAX = 500;

/** Asks for JSON. A status of 400 and more is an error, but for those in `allowed`. */
export async function ask(
  api: RestApi,
  path: string,
  options: { readonly query?: Query; readonly allowed?: readonly number[] } = {},
): Promise<Answer> {
  const url = addQuery(
    /^https?:\/\//.test(path) ? path : `${api.base}${path}`,
    options.query ?? {},
  );
  const answer = await api.http(requestOf(api, url));
  if (answer.status >= 300 && options.allowed?.includes(answer.status) !== true)
    throw refusal('GET', url, answer);
  const value = answer.status >= 300 ? readError(answer) : readJson(answer, url);
  return { status: answer.status, headers: answer.headers, value };
}

function requestOf(api: RestApi, url: string): HttpRequest {
  return {
    method: 'GET',
    url,
    headers: { accept: 'application/json', ...api.headers },
    ...(api.insecure === true ? { insecure: true } : {}),
    ...(api.caCertificates === undefined ? {} : { caCertificates: api.caCertificates }),
  };
}

function addQuery(url: string, query: Query): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return url;
  // In the order of their names, as Go's clients send them.
  const text = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
  return `${url}${url.includes('?') ? '&' : '?'}${text}`;
}

/** What a failed request says; never its body, which may repeat what was sent. */
export function refusal(method: string, url: string, { status, text }: HttpResponse): CapstanError {
  const told = messageIn(text);
  const message = `${method} ${placeOf(url)}: ${status}${told === '' ? '' : ` ${told}`}`;
  const isDenied = status === 401 || status === 403;
  return new CapstanError(isDenied ? 'SCM_DENIED' : 'SCM_REFUSED', message, {
    kind: status >= 500 || status === 429 ? 'retry' : 'stalled',
    hint: isDenied
      ? 'see whether the token is valid and may read this'
      : 'see whether the names in the generator are right',
  });
}

function messageIn(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return '';
    const { message, error } = value as { readonly message?: unknown; readonly error?: unknown };
    const told = typeof message === 'string' ? message : typeof error === 'string' ? error : '';
    return told.slice(0, 300);
  } catch {
    return '';
  }
}

function readJson({ text }: HttpResponse, url: string): Json {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new CapstanError('SCM_ANSWER', `${placeOf(url)} answers no JSON: ${messageOf(error)}`, {
      hint: 'see whether the address is that of the API',
    });
  }
}

/** What is said beside a status that was expected need not be JSON. */
function readError({ text }: HttpResponse): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** Follows pages until `next` names none; bounded. */
export async function askPages<T>(
  first: string | number,
  page: (at: string | number) => Promise<{
    readonly items: readonly T[];
    readonly next: string | number | undefined;
  }>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let at: string | number | undefined = first;
  for (let count = 0; at !== undefined; count++) {
    if (count >= PAGES_MAX) {
      throw new CapstanError('SCM_PAGES', `the answer has over ${PAGES_MAX} pages`, {
        hint: 'narrow the generator',
      });
    }
    const found: { readonly items: readonly T[]; readonly next: string | number | undefined } =
      await page(at);
    all.push(...found.items);
    at = found.next;
  }
  return all;
}

/** The page that a Link header calls `next`. */
export function nextLink(headers: ReadonlyMap<string, string>): string | undefined {
  for (const part of (headers.get('link') ?? '').split(',')) {
    const match = /^\s*<([^>]*)>\s*;(.*)$/.exec(part);
    if (match !== null && /rel="?next"?/.test(match[2] ?? '')) return match[1];
  }
  return undefined;
}

export function recordsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The items of a list; none for null. Anything else is an error: no answer must not be taken for nothing that is there. */
export function listedIn(value: Json | undefined, path: string | number): readonly JsonObject[] {
  if (value === null || value === undefined || Array.isArray(value)) return recordsIn(value);
  throw new CapstanError('SCM_ANSWER', `${placeOfPath(path)}: the answer holds no list`, {
    hint: 'see whether the address is that of the API',
  });
}

function placeOfPath(path: string | number): string {
  return /^https?:/.test(String(path)) ? placeOf(String(path)) : String(path);
}

/** The text at a path of names; '' when there is none. Numbers are written out. */
export function textAt(value: Json | undefined, ...names: readonly string[]): string {
  const found = valueAt(value, ...names);
  return typeof found === 'string' ? found : typeof found === 'number' ? String(found) : '';
}

export function valueAt(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  let found = value;
  for (const name of names) found = isRecord(found) ? found[name] : undefined;
  return found;
}

export function numberAt(value: Json | undefined, ...names: readonly string[]): number {
  const found = valueAt(value, ...names);
  return typeof found === 'number' ? found : 0;
}

export function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === 'string')
    : [];
}

export function unknownProtocol(hoster: string, protocol: string): CapstanError {
  return new CapstanError('SPEC_INVALID', `unknown clone protocol for ${hoster} ${protocol}`, {
    hint: 'set scmProvider.cloneProtocol to ssh or https',
  });
}

export function basicAuth(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** A path within a repository, its slashes kept. */
export function segments(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
