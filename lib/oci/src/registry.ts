import { CapstanError, hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  basicAuthorization,
  type Credentials,
  type HttpGet,
  type ReadAnswer,
  readBytes,
} from './http-port.ts';
import { isDigest, type OciReference } from './reference.ts';
import { registryErrors } from './registry-errors.ts';

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
  readonly annotations: Readonly<Record<string, string>>;
}

/** A manifest that says that it belongs to another one: a signature, for one. */
export interface Referrer extends Descriptor {
  readonly artifactType: string;
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
const REFERRERS_MAX = 1_000;
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const ANY_TYPE = [...MANIFEST_TYPES, ...INDEX_TYPES].join(', ');

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
    const { registry, repository } = reference;
    // Docker Hub's API is at another name than its images, and images of its own are in a folder.
    const isHub = registry === 'docker.io' || registry === 'index.docker.io';
    const host = isHub ? 'index.docker.io' : registry;
    const path = isHub && !repository.includes('/') ? `library/${repository}` : repository;
    this.#base = `${scheme}://${host}/v2/${path}`;
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
    const url = this.#manifestUrl(tagOrDigest);
    const answer = await this.#read(url, {
      what: `manifest ${tagOrDigest}`,
      accept: MANIFEST_TYPES.join(', '),
    });
    const digest = digestOfBytes(answer.bytes);
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

  /** The digest that a tag has now, whatever it names: a manifest or a list of them. */
  async digestOf(tag: string): Promise<string> {
    const what = `manifest ${tag}`;
    const url = this.#manifestUrl(tag);
    const told = await this.#read(url, { what, accept: ANY_TYPE, method: 'HEAD' })
      .then((answer) => answer.header('docker-content-digest') ?? '')
      .catch(() => '');
    if (isDigest(told)) return told;
    // Some registries do not answer a HEAD, or not with a digest.
    const { bytes } = await this.#read(url, { what, accept: ANY_TYPE });
    return digestOfBytes(bytes);
  }

  /**
   * As `manifest`; of a list of manifests, that for linux/amd64 (or the first one), as a puller that names no platform gets it.
   */
  async imageManifest(digest: string): Promise<Manifest> {
    const answer = await this.#read(this.#manifestUrl(digest), {
      what: `manifest ${digest}`,
      accept: ANY_TYPE,
    });
    const value = readJson(answer, this.#manifestUrl(digest));
    const found = digestOfBytes(answer.bytes);
    if (found !== digest) throw this.#mismatch(digest, found);
    if (!Array.isArray(value['manifests'])) return await this.manifest(digest);
    const entries = value['manifests'].filter(isDict);
    const wanted = entries.find(({ platform }) => {
      const { os, architecture } = isDict(platform) ? platform : {};
      return os === 'linux' && architecture === 'amd64';
    });
    return await this.manifest(this.#descriptor(wanted ?? entries[0]).digest);
  }

  /** What refers to a manifest: by the API of OCI 1.1, or by the tag that stands for it where there is none. */
  async referrers(digest: string): Promise<readonly Referrer[]> {
    const url = `${this.#base}/referrers/${digest}`;
    const what = `referrers of ${digest}`;
    const read = async (at: string) =>
      readJson(await this.#read(at, { what, accept: INDEX_TYPES[0] ?? '' }), at);
    const none: Readonly<Record<string, unknown>> = {};
    const answer = await read(url).catch(async (error: unknown) => {
      if (isDenied(error)) throw error;
      return await read(this.#manifestUrl(digest.replace(':', '-'))).catch((reason: unknown) => {
        if (isMissing(reason)) return none;
        throw reason;
      });
    });
    const entries = Array.isArray(answer['manifests']) ? answer['manifests'] : [];
    return entries.slice(0, REFERRERS_MAX).map((entry: unknown) => {
      const artifactType = isDict(entry) ? entry['artifactType'] : undefined;
      return {
        ...this.#descriptor(entry),
        artifactType: typeof artifactType === 'string' ? artifactType : '',
      };
    });
  }

  #manifestUrl(tagOrDigest: string): string {
    return `${this.#base}/manifests/${encodeURIComponent(tagOrDigest).replace('%3A', ':')}`;
  }

  /** The bytes of a layer or configuration: exactly as many as were announced, and of that digest. */
  async blob(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    bytesMax: number,
  ): Promise<Uint8Array> {
    if (size > bytesMax) {
      throw ociError(
        'OCI_LIMIT',
        `blob ${digest} of ${this.#name()} has ${size} bytes, more than ${bytesMax}`,
      );
    }
    const url = `${this.#base}/blobs/${digest}`;
    const { bytes } = await this.#read(url, { what: `blob ${digest}`, bytesMax: size });
    const found = `sha256:${hexOf(sha256(bytes))}`;
    if (found !== digest || bytes.byteLength !== size) throw this.#mismatch(digest, found);
    return bytes;
  }

  #descriptor(value: unknown): Descriptor {
    const { mediaType, digest, size, annotations } = isDict(value) ? value : {};
    const sound =
      typeof mediaType === 'string' &&
      typeof digest === 'string' &&
      isDigest(digest) &&
      Number.isSafeInteger(size) &&
      Number(size) >= 0;
    if (!sound) throw ociError('OCI_MANIFEST', `a descriptor of ${this.#name()} is not sound`);
    return { mediaType, digest, size: Number(size), annotations: textMap(annotations) };
  }

  async #read(
    url: string,
    request: {
      readonly what: string;
      readonly accept?: string;
      readonly bytesMax?: number;
      readonly method?: 'HEAD';
    },
  ): Promise<ReadAnswer> {
    const first = await this.#get(url, request);
    const challenge = first.header('www-authenticate');
    if (first.status !== 401 || challenge === undefined) return this.#check(first, request.what);
    this.#authorization = await this.#authorize(challenge);
    return this.#check(await this.#get(url, request), request.what);
  }

  #get(
    url: string,
    {
      accept,
      bytesMax,
      method,
    }: {
      readonly accept?: string;
      readonly bytesMax?: number;
      readonly method?: 'HEAD';
    },
  ): Promise<ReadAnswer> {
    const { get, signal, manifestBytesMax = MANIFEST_BYTES_MAX } = this.#options;
    // A blob's own size bounds it, but an error page in its place may be longer.
    const limit = bytesMax === undefined ? manifestBytesMax : Math.max(bytesMax, 64 * 1024);
    return readBytes(get, url, {
      bytesMax: limit,
      ...(method === undefined ? {} : { method }),
      ...(accept === undefined ? {} : { headers: { accept } }),
      ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #check(answer: ReadAnswer, what: string): ReadAnswer {
    if (answer.status === 200) return answer;
    const denied = answer.status === 401 || answer.status === 403;
    const code = answer.status === 404 ? 'OCI_NOT_FOUND' : denied ? 'OCI_DENIED' : 'OCI_STATUS';
    const said = registryErrors(answer.bytes);
    throw new CapstanError(
      code,
      `cannot read ${what} of ${this.#name()}: the registry answered with status ${answer.status}${said}`,
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
        `${this.#name()}: the login was refused with status ${answer.status}${registryErrors(answer.bytes)}`,
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

function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${hexOf(sha256(bytes))}`;
}

function isDenied(error: unknown): boolean {
  return error instanceof CapstanError && error.code === 'OCI_DENIED';
}

function isMissing(error: unknown): boolean {
  return error instanceof CapstanError && error.code === 'OCI_NOT_FOUND';
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
