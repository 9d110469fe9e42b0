import { type HttpGet, readBytes } from '@capstan/lib-oci';
import { CapstanError } from '@capstan/lib-std';
import { encodeS3, type S3Credentials, signS3 } from './sign-s3.ts';

export interface S3Options {
  readonly get: HttpGet;
  /** `host` or `host:port`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Absent: what Amazon's endpoint names, else what the server says of the bucket, else `us-east-1`. */
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
  /** With the bucket in the path, as everybody answers where it is. */
  readonly #path: string;
  #region: Promise<string> | undefined;

  constructor(options: S3Options) {
    this.#options = options;
    const { endpoint, bucket, plainHttp } = options;
    const scheme = plainHttp === true ? 'http' : 'https';
    // Some want the bucket in the name of the host, which a certificate covers for names without dots; others in the path.
    const isHost = VIRTUAL_HOSTS.test(endpoint) && !bucket.includes('.');
    this.#base = isHost
      ? `${scheme}://${bucket}.${endpoint}`
      : `${scheme}://${endpoint}/${encodeS3(bucket)}`;
    this.#path = `${scheme}://${endpoint}/${encodeS3(bucket)}`;
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
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeS3(value)}`);
    const url = new URL(`${this.#base}${path}${search.length === 0 ? '' : `?${search.join('&')}`}`);
    if (this.#options.credentials !== undefined) this.#region ??= this.#findRegion();
    return await this.#send(method, url, { region: (await this.#region) ?? REGION, bytesMax });
  }

  /** By the location of the bucket (S3's GetBucketLocation), which is asked for in the first region. */
  async #findRegion(): Promise<string> {
    const { region, endpoint } = this.#options;
    const named = region ?? regionOf(endpoint);
    if (named !== undefined) return named;
    const url = new URL(`${this.#path}/?location=`);
    const bytesMax = ERROR_BYTES_MAX;
    const answer = await this.#send('GET', url, { region: REGION, bytesMax }).catch(
      () => undefined,
    );
    const found = answer?.status === 200 ? element(answer.text, 'LocationConstraint') : '';
    // The first region has no name there, and Ireland an old one.
    return found === '' ? REGION : found === 'EU' ? 'eu-west-1' : found;
  }

  async #send(
    method: 'GET' | 'HEAD',
    url: URL,
    { region, bytesMax }: { readonly region: string; readonly bytesMax: number },
  ) {
    const { get, credentials, now, signal } = this.#options;
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

const REGION = 'us-east-1';
/** Amazon, Google and Alibaba, as MinIO's client knows them. */
const VIRTUAL_HOSTS =
  /(?:^|\.)amazonaws\.com(?:\.cn)?$|^storage\.googleapis\.com$|\.aliyuncs\.com$/;

/** `s3.eu-west-1.amazonaws.com`, `s3-eu-west-1…`, `s3.dualstack.eu-west-1…`. */
function regionOf(endpoint: string): string | undefined {
  return /^s3(?:-fips)?[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?$/.exec(
    endpoint,
  )?.[1];
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
