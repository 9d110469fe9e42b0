import { BoundedCache } from '@capstan/lib-std';
import { collect, type HttpGet, type HttpRequest, type HttpResponse } from './http-port.ts';

export interface ConditionalCacheOptions {
  /** Bound of the bodies kept, in bytes; 64 MiB when absent. */
  readonly keptBytesMax?: number;
  /** Bound of one body; 64 MiB when absent. */
  readonly bodyBytesMax?: number;
}

interface Kept {
  readonly validators: Readonly<Record<string, string>>;
  readonly response: Omit<HttpResponse, 'body'>;
  readonly bytes: Uint8Array;
}

const MIB = 1024 * 1024;

/**
 * What servers answered, so that they need not send again what has not changed (RFC 9110, section 13): they are asked with
 * the validators of the last answer (ETag, Last-Modified). Who asks for the same at the same time shares one request.
 */
export class ConditionalCache {
  readonly #kept: BoundedCache<string, Kept>;
  readonly #running = new Map<string, Promise<Kept | undefined>>();
  readonly #bodyBytesMax: number;

  constructor({ keptBytesMax = 64 * MIB, bodyBytesMax = 64 * MIB }: ConditionalCacheOptions = {}) {
    this.#kept = new BoundedCache(keptBytesMax, ({ bytes }) => bytes.length + 500);
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** GETs of URLs that fit go through the cache. `scope` tells apart who is trusted in other ways than by Authorization. */
  over(get: HttpGet, scope: string, fits: (url: URL) => boolean): HttpGet {
    return async (request) => {
      const { method = 'GET', url, headers } = request;
      if (method !== 'GET' || !fits(new URL(url))) return await get(request);
      const key = JSON.stringify([scope, headers['authorization'] ?? '', url]);
      const running = this.#running.get(key);
      const shared = running && (await running);
      if (shared !== undefined) return answer(shared);
      return await this.#ask(key, get, request);
    };
  }

  async #ask(key: string, get: HttpGet, request: HttpRequest): Promise<HttpResponse> {
    const known = this.#kept.get(key);
    const headers = { ...request.headers, ...known?.validators };
    const { promise, resolve } = Promise.withResolvers<Kept | undefined>();
    this.#running.set(key, promise);
    let found: Kept | undefined;
    try {
      const response = await get({ ...request, headers });
      if (response.status === 304 && known !== undefined) {
        await collect(response, request.url, this.#bodyBytesMax);
        found = known;
        return answer(known);
      }
      if (response.status !== 200) return response;
      const bytes = await collect(response, request.url, this.#bodyBytesMax);
      found = { validators: validatorsOf(response), response, bytes };
      if (Object.keys(found.validators).length > 0) this.#kept.set(key, found);
      return answer(found);
    } finally {
      this.#running.delete(key);
      resolve(found);
    }
  }
}

function validatorsOf({ header }: HttpResponse): Kept['validators'] {
  const [etag, modified] = [header('etag'), header('last-modified')];
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(modified === undefined ? {} : { 'if-modified-since': modified }),
  };
}

function answer({ response, bytes }: Kept): HttpResponse {
  return { status: response.status, header: (name) => response.header(name), body: once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
