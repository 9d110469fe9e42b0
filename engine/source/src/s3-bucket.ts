import { type HttpGet, readBytes } from '@capstan/lib-oci';
import { CapstanError } from '@capstan/lib-std';
import { encodeS3, type S3Credentials, signS3 } from './sign-s3.ts';

export interface S3Options {
  readonly get: HttpGet;
  /** `host` or `host:port`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** `us-east-1` when absent. */
  readonly region?: string;
  /** http instead of https. */
  readonly plainHttp?: boolean;
  /** Absent: requests are not signed. */
  readonly credentials?: S3Credentials;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** An object by its key, with the tag that changes when its content does. */
export interface BucketEntry {
  readonly key: string;
  readonly etag: string;
}

const LIST_BYTES_MAX = 16 * 1024 * 1024;
const OBJECTS_MAX = 100_000;
const ERROR_BYTES_MAX = 64 * 1024;

/** A bucket that speaks the API of S3, as MinIO, Ceph and many more do: the three requests that reading takes. */
export class S3Bucket {
  readonly #options: S3Options;
  readonly #base: string;

  constructor(options: S3Options) {
    this.#options = options;
    const { endpoint, bucket, plainHttp } = options;
    const scheme = plainHttp === true ? 'http' : 'https';
    // Amazon wants the bucket in the name of the host, others in the path.
    const isAmazon = /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(endpoint) && !bucket.includes('.');
    this.#base = isAmazon
      ? `${scheme}://${bucket}.${endpoint}`
      : `${scheme}://${endpoint}/${encodeS3(bucket)}`;
  }

  /** Whether the bucket is there. */
  async exists(): Promise<boolean> {
    const { status } = await this.#ask('HEAD', '/', {}, ERROR_BYTES_MAX);
    if (status === 404) return false;
    if (status === 200) return true;
    throw refused('the bucket', status, '');
  }

  /** All objects below a prefix, page by page. */
  async *list(prefix = ''): AsyncGenerator<BucketEntry> {
    let token = '';
    let count = 0;
    do {
      const query = {
        'list-type': '2',
        'encoding-type': 'url',
        ...(prefix === '' ? {} : { prefix }),
        ...(token === '' ? {} : { 'continuation-token': token }),
      };
      const { status, text } = await this.#ask('GET', '/', query, LIST_BYTES_MAX);
      if (status !== 200) throw refused('the list of objects', status, text);
      for (const [, contents = ''] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
        if (++count > OBJECTS_MAX) {
          throw new CapstanError(
            'BUCKET_LIMIT',
            `the bucket has more than ${OBJECTS_MAX} objects`,
            {
              hint: 'name a prefix',
            },
          );
        }
        const key = decodeKey(element(contents, 'Key'));
        yield { key, etag: element(contents, 'ETag').replaceAll('"', '') };
      }
      token = element(text, 'IsTruncated') === 'true' ? element(text, 'NextContinuationToken') : '';
    } while (token !== '');
  }

  /** The content of an object with its tag; undefined when it is not there. */
  async read(
    key: string,
    bytesMax: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined> {
    const path = `/${key.split('/').map(encodeS3).join('/')}`;
    const { status, bytes, header, text } = await this.#ask('GET', path, {}, bytesMax);
    if (status === 404) return undefined;
    if (status !== 200) throw refused(`object ${JSON.stringify(key)}`, status, text);
    return { bytes, etag: (header('etag') ?? '').replaceAll('"', '') };
  }

  async #ask(
    method: 'GET' | 'HEAD',
    path: string,
    query: Readonly<Record<string, string>>,
    bytesMax: number,
  ) {
    const { get, credentials, region = 'us-east-1', now, signal } = this.#options;
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeS3(value)}`);
    const url = new URL(`${this.#base}${path}${search.length === 0 ? '' : `?${search.join('&')}`}`);
    const { authorization, ...headers } =
      credentials === undefined
        ? { authorization: undefined }
        : signS3({ method, url }, { credentials, region, nowMs: now() });
    const answer = await readBytes(get, url.href, {
      method,
      headers: headers as Readonly<Record<string, string>>,
      bytesMax,
      ...(authorization === undefined ? {} : { authorization }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { ...answer, text: method === 'HEAD' ? '' : new TextDecoder().decode(answer.bytes) };
  }
}

function refused(what: string, status: number, text: string): CapstanError {
  const code = element(text, 'Code');
  const why = code === '' ? '' : ` (${code.slice(0, 100)})`;
  return new CapstanError('BUCKET_REFUSED', `${what} cannot be read: status ${status}${why}`, {
    kind: status >= 500 || status === 429 ? 'retry' : 'stalled',
    hint:
      status === 403 || status === 401
        ? 'check the keys in the Secret, and that they may list and read the bucket'
        : 'check the endpoint, the name of the bucket and the region',
  });
}

function element(text: string, name: string): string {
  const found = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(text)?.[1] ?? '';
  return found.replace(/&(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);/g, (_whole, entity: string) =>
    entity.startsWith('#x')
      ? String.fromCodePoint(Number.parseInt(entity.slice(2), 16))
      : entity.startsWith('#')
        ? String.fromCodePoint(Number(entity.slice(1)))
        : (ENTITIES[entity] ?? ''),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** Keys come encoded as in a form: '+' is a space. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
