import { CapstanError } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import {
  basicAuthorization,
  type Credentials,
  type HttpGet,
  type ReadAnswer,
  readBytes,
} from './http-port.ts';
import { isDigest, type OciReference } from './reference.ts';

export interface RegistryOptions {
  readonly get: HttpGet;
  readonly credentials?: Credentials;
  /** http instead of https. */
  readonly plainHttp?: boolean;
  readonly signal?: AbortSignal;
  readonly manifestBytesMax?: number;
  readonly layersMax?: number;
  readonly tagsMax?: number;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Manifest {
  readonly digest: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
const TAGS_MAX = 100_000;
const LAYERS_MAX = 1_000;
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** One repository of one registry; a token that it hands out is kept for its next requests. */
export class OciRepository {
  readonly #options: RegistryOptions;
  readonly #reference: OciReference;
  readonly #base: string;
  #authorization: string | undefined;

  constructor(reference: OciReference, options: RegistryOptions) {
    this.#reference = reference;
    this.#options = options;
    const scheme = options.plainHttp === true ? 'http' : 'https';
    this.#base = `${scheme}://${reference.registry}/v2/${reference.repository}`;
  }

  /** All tags, page by page, within `tagsMax`. */
  async tags(): Promise<readonly string[]> {
    const tags: string[] = [];
    for (let url: string | undefined = `${this.#base}/tags/list`; url !== undefined; ) {
      const answer: ReadAnswer = await this.#read(url, { what: 'tags' });
      const page = readJson(answer, url);
      tags.push(...texts(page['tags']));
      if (tags.length > (this.#options.tagsMax ?? TAGS_MAX)) {
        throw ociError('OCI_LIMIT', `${this.#name()} has too many tags`);
      }
      url = nextPage(answer.header('link'), url);
    }
    return tags;
  }

  /** The manifest of a tag or digest. What the registry sends must be of a manifest's type and, by digest, be it. */
  async manifest(tagOrDigest: string): Promise<Manifest> {
    const url = `${this.#base}/manifests/${encodeURIComponent(tagOrDigest).replace('%3A', ':')}`;
    const answer = await this.#read(url, {
      what: `manifest ${tagOrDigest}`,
      accept: MANIFEST_TYPES.join(', '),
    });
    const digest = `sha256:${bytesToHex(sha256(answer.bytes))}`;
    if (isDigest(tagOrDigest) && digest !== tagOrDigest) throw this.#mismatch(tagOrDigest, digest);
    const value = readJson(answer, url);
    const type = String(value['mediaType'] ?? answer.header('content-type')?.split(';')[0] ?? '');
    if (!MANIFEST_TYPES.includes(type)) {
      throw ociError(
        'OCI_MEDIA_TYPE',
        `${this.#name()}:${tagOrDigest} is a ${type}, not an image manifest`,
      );
    }
    const layers = Array.isArray(value['layers']) ? value['layers'] : [];
    if (layers.length > (this.#options.layersMax ?? LAYERS_MAX)) {
      throw ociError('OCI_LIMIT', `${this.#name()}:${tagOrDigest} has ${layers.length} layers`);
    }
    return {
      digest,
      config: this.#descriptor(value['config']),
      layers: layers.map((layer) => this.#descriptor(layer)),
      annotations: textMap(value['annotations']),
    };
  }

  /** The bytes of a layer or configuration: exactly as many as were announced, and of that digest. */
  async blob({ digest, size }: Descriptor, bytesMax: number): Promise<Uint8Array> {
    if (size > bytesMax) {
      throw ociError(
        'OCI_LIMIT',
        `blob ${digest} of ${this.#name()} has ${size} bytes, more than ${bytesMax}`,
      );
    }
    const url = `${this.#base}/blobs/${digest}`;
    const { bytes } = await this.#read(url, { what: `blob ${digest}`, bytesMax: size });
    const found = `sha256:${bytesToHex(sha256(bytes))}`;
    if (found !== digest || bytes.byteLength !== size) throw this.#mismatch(digest, found);
    return bytes;
  }

  #descriptor(value: unknown): Descriptor {
    const { mediaType, digest, size } = isDict(value) ? value : {};
    const sound =
      typeof mediaType === 'string' &&
      typeof digest === 'string' &&
      isDigest(digest) &&
      Number.isSafeInteger(size) &&
      Number(size) >= 0;
    if (!sound) throw ociError('OCI_MANIFEST', `a descriptor of ${this.#name()} is not sound`);
    return { mediaType, digest, size: Number(size) };
  }

  async #read(
    url: string,
    request: { readonly what: string; readonly accept?: string; readonly bytesMax?: number },
  ): Promise<ReadAnswer> {
    const first = await this.#get(url, request);
    const challenge = first.header('www-authenticate');
    if (first.status !== 401 || challenge === undefined) return this.#check(first, request.what);
    this.#authorization = await this.#authorize(challenge);
    return this.#check(await this.#get(url, request), request.what);
  }

  #get(
    url: string,
    { accept, bytesMax }: { readonly accept?: string; readonly bytesMax?: number },
  ): Promise<ReadAnswer> {
    const { get, signal, manifestBytesMax = MANIFEST_BYTES_MAX } = this.#options;
    // A blob's own size bounds it, but an error page in its place may be longer.
    const limit = bytesMax === undefined ? manifestBytesMax : Math.max(bytesMax, 64 * 1024);
    return readBytes(get, url, {
      bytesMax: limit,
      ...(accept === undefined ? {} : { headers: { accept } }),
      ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #check(answer: ReadAnswer, what: string): ReadAnswer {
    if (answer.status === 200) return answer;
    const denied = answer.status === 401 || answer.status === 403;
    const code = answer.status === 404 ? 'OCI_NOT_FOUND' : denied ? 'OCI_DENIED' : 'OCI_STATUS';
    throw new CapstanError(
      code,
      `cannot read ${what} of ${this.#name()}: the registry answered with status ${answer.status}`,
      answer.status >= 500 || answer.status === 429 ? { kind: 'retry' } : {},
    );
  }

  /** Answers a challenge: Basic with the credentials, Bearer with a token for them (or for nobody). */
  async #authorize(challenge: string): Promise<string> {
    const { credentials, get, signal } = this.#options;
    const basic = credentials === undefined ? undefined : basicAuthorization(credentials);
    if (/^basic\b/i.test(challenge)) {
      if (basic === undefined) throw ociError('OCI_DENIED', `${this.#name()} asks for credentials`);
      return basic;
    }
    const fields = challengeFields(challenge);
    const realm = fields.get('realm');
    if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
      throw ociError('OCI_DENIED', `${this.#name()} asks for a login that is not understood`);
    }
    const url = new URL(realm);
    const isSafe =
      url.protocol === 'https:' || (this.#options.plainHttp === true && url.protocol === 'http:');
    if (!isSafe)
      throw ociError(
        'OCI_DENIED',
        `${this.#name()} sends logins to ${url.protocol}//, which is refused`,
      );
    const service = fields.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    // What is asked for is decided here, not by the registry: to read this repository.
    url.searchParams.set('scope', `repository:${this.#reference.repository}:pull`);
    const answer = await readBytes(get, url.href, {
      bytesMax: 1024 * 1024,
      ...(basic === undefined ? {} : { authorization: basic }),
      ...(signal === undefined ? {} : { signal }),
    });
    const value = answer.status === 200 ? readJson(answer, realm) : {};
    const token = value['token'] ?? value['access_token'];
    if (typeof token !== 'string') {
      throw ociError(
        'OCI_DENIED',
        `${this.#name()}: the login was refused with status ${answer.status}`,
      );
    }
    return `Bearer ${token}`;
  }

  #name(): string {
    return `${this.#reference.registry}/${this.#reference.repository}`;
  }

  #mismatch(wanted: string, found: string): CapstanError {
    return ociError('OCI_DIGEST', `${this.#name()}: what was sent for ${wanted} is ${found}`);
  }
}

function ociError(code: string, message: string): CapstanError {
  return new CapstanError(code, message);
}

function challengeFields(challenge: string): ReadonlyMap<string, string> {
  return new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1]!.toLowerCase(), m[2]!]),
  );
}

/** The next page, when it is of the same origin. */
function nextPage(link: string | undefined, from: string): string | undefined {
  const target = /^<([^>]*)>;\s*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const next = new URL(target, from);
  return next.origin === new URL(from).origin ? next.href : undefined;
}

function readJson({ bytes }: ReadAnswer, url: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isDict(value)) return value;
  } catch {
    // Told below, with what was asked.
  }
  throw ociError('OCI_ANSWER', `${url} did not answer with a JSON object`);
}

function isDict(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function textMap(value: unknown): Readonly<Record<string, string>> {
  const entries = isDict(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
