import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import {
  basicAuthorization,
  type Credentials,
  type HttpGet,
  type Manifest,
  OciRepository,
  originOf,
  parseReference,
  readBytes,
} from '@capstan/lib-oci';
import { compareVersions, parseVersion, type Version } from '@capstan/lib-semver';
import { ChartError } from '../chart-error.ts';
import { PROVENANCE_BYTES_MAX } from '../provenance/verify-chart.ts';
import { type ChartVersion, chartVersions, chooseNewest, chooseVersion } from './index-file.ts';

export interface RepositoryOptions {
  readonly get: HttpGet;
  readonly credentials?: Credentials;
  /** Sends the credentials to whatever host the index names (--pass-credentials). */
  readonly passCredentials?: boolean;
  /** http for an OCI registry. */
  readonly plainHttp?: boolean;
  readonly signal?: AbortSignal;
  /** The versions of a chart, when the index is at hand: it is not fetched then. */
  readonly versionsOf?: (name: string) => Promise<readonly ChartVersion[] | undefined>;
  /** Chooses among versions as Flux does (see `chooseNewest`), and tells a chart that is none from a version that is none. */
  readonly prefersNewest?: boolean;
  readonly indexBytesMax?: number;
  readonly chartBytesMax?: number;
  /** Told what was pulled from a registry: the reference without its scheme, and the digest of its manifest. */
  readonly pulled?: (reference: string, digest: string) => void;
}

/** Where charts come from: a chart repository over HTTP, or an OCI registry. */
export interface ChartRepository {
  /** The newest version of a chart that satisfies a constraint; '' is the newest that is no prerelease. */
  resolve(name: string, constraint: string): Promise<ChartVersion>;
  /** Whether there is any version of a chart; a registry is not asked. */
  has(name: string): Promise<boolean>;
  /** The packed chart, its digest checked. */
  fetch(version: ChartVersion): Promise<Uint8Array>;
  /** The provenance file of a packed chart; an error when there is none. */
  provenance(version: ChartVersion): Promise<Uint8Array>;
  /** The file name that the provenance file knows the packed chart by. */
  fileName(version: ChartVersion): string;
}

const INDEX_BYTES_MAX = 64 * 1024 * 1024;
const CHART_BYTES_MAX = 100 * 1024 * 1024;
const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const PROVENANCE_LAYER = 'application/vnd.cncf.helm.chart.provenance.v1.prov';
const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';

/** Opens `https://…` (its index.yaml is read at the first question, once) or `oci://host/path`. */
export function openRepository(url: string, options: RepositoryOptions): ChartRepository {
  return url.startsWith('oci://') ? ociCharts(url, options) : httpCharts(url, options);
}

function httpCharts(url: string, options: RepositoryOptions): ChartRepository {
  let index: Promise<string> | undefined;
  const fetched = async (name: string): Promise<readonly ChartVersion[] | undefined> => {
    index ??= readIndex(url, options).then((bytes) => new TextDecoder().decode(bytes));
    return chartVersions(await index, name);
  };
  const { versionsOf = fetched, prefersNewest = false } = options;
  const choose = prefersNewest ? chooseNewest : chooseVersion;
  return {
    has: async (name) => (await versionsOf(name)) !== undefined,
    resolve: async (name, constraint) => {
      const versions = await versionsOf(name);
      if (versions === undefined && prefersNewest) {
        throw new ChartError('CHART_NOT_FOUND', 'no chart name found');
      }
      const found = versions === undefined ? undefined : choose(versions, constraint);
      const text = `chart "${name}"${constraint === '' ? '' : ` version "${constraint}"`}`;
      if (found === undefined) {
        throw new ChartError('CHART_NOT_FOUND', `${text} not found in ${url} repository`);
      }
      if (found.urls.length === 0) {
        throw new ChartError('CHART_NOT_FOUND', `${text} has no downloadable URLs`);
      }
      return found;
    },
    fetch: (version) => fetchChart(url, version, options),
    provenance: async (version) => {
      const at = placeOf(url, version);
      if (at.startsWith('oci://'))
        return ociCharts(url, options).provenance({ ...version, urls: [at] });
      const { status, bytes } = await readFrom(`${at}.prov`, url, {
        ...options,
        chartBytesMax: PROVENANCE_BYTES_MAX,
      });
      if (status !== 200) throw noProvenance(at);
      return bytes;
    },
    fileName: (version) => fileNameAt(placeOf(url, version)),
  };
}

/** The URL that a version is fetched from. */
function placeOf(repository: string, { urls: [given = ''] }: ChartVersion): string {
  return absoluteUrl(repository, given);
}

/** The last part of a URL's path; a tag becomes part of the name that helm saves the chart under. */
function fileNameAt(url: string): string {
  if (!url.startsWith('oci://'))
    return decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
  return `${(url.split('/').at(-1) ?? '').replace(/@[^@]*$/, '').replace(/:([^:]*)$/, '-$1')}.tgz`;
}

function noProvenance(url: string): ChartError {
  return new ChartError(
    'PROVENANCE',
    `failed to fetch provenance ${JSON.stringify(`${url}.prov`)}`,
  );
}

/** The bytes of a repository's index.yaml. */
export async function readIndex(url: string, options: RepositoryOptions): Promise<Uint8Array> {
  const at = absoluteUrl(url, 'index.yaml');
  try {
    const { status, bytes } = await readBytes(options.get, at, {
      bytesMax: options.indexBytesMax ?? INDEX_BYTES_MAX,
      ...authorizationFor(at, url, options),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (status !== 200)
      throw new ChartError('REPOSITORY', `failed to fetch ${at} : ${statusText(status)}`);
    return bytes;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError(
      'REPOSITORY',
      `looks like "${url}" is not a valid chart repository or cannot be reached: ${reason}`,
      error,
    );
  }
}

/** A URL of the index against the repository's; the repository's query goes along, as tokens are kept there. */
export function absoluteUrl(repository: string, given: string): string {
  if (URL.canParse(given)) return given;
  const base = new URL(repository);
  const query = base.search;
  base.pathname = base.pathname.replace(/\/?$/, '/');
  base.search = '';
  const absolute = new URL(given, base);
  absolute.search = query;
  return absolute.href;
}

/** Credentials are for the repository's own scheme, host and port, unless they are to be passed on. */
function authorizationFor(
  target: string,
  repository: string,
  { credentials, passCredentials }: RepositoryOptions,
): { readonly authorization?: string } {
  const isOwn = originOf(target) === originOf(repository);
  if (credentials === undefined || (!isOwn && passCredentials !== true)) return {};
  return { authorization: basicAuthorization(credentials) };
}

async function fetchChart(
  repository: string,
  version: ChartVersion,
  options: RepositoryOptions,
): Promise<Uint8Array> {
  const url = placeOf(repository, version);
  if (url.startsWith('oci://'))
    return ociCharts(repository, options).fetch({ ...version, urls: [url] });
  if (!/^https?:/.test(url)) {
    throw new ChartError('REPOSITORY', `could not find protocol handler for: ${url.split(':')[0]}`);
  }
  const { status, bytes } = await readFrom(url, repository, options);
  if (status !== 200)
    throw new ChartError('REPOSITORY', `failed to fetch ${url} : ${statusText(status)}`);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (version.digest !== '' && found !== version.digest) {
    throw new ChartError(
      'CHART_DIGEST',
      `${url} has the digest sha256:${found}, the index says sha256:${version.digest}`,
    );
  }
  return bytes;
}

/** As Go's client prints a status: `404 Not Found`. */
function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}

function readFrom(
  url: string,
  repository: string,
  options: RepositoryOptions,
): ReturnType<typeof readBytes> {
  return readBytes(options.get, url, {
    bytesMax: options.chartBytesMax ?? CHART_BYTES_MAX,
    ...authorizationFor(url, repository, options),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

function ociCharts(url: string, options: RepositoryOptions): ChartRepository {
  const { chartBytesMax = CHART_BYTES_MAX } = options;
  const open = (reference: string): OciRepository =>
    new OciRepository(parseReference(reference), options);
  return {
    has: async () => true,
    resolve: async (name, constraint) => {
      const place = `${url.replace(/\/$/, '')}/${name}`;
      // Tags cannot hold a plus sign; helm writes an underscore in its place.
      const isWhole = options.prefersNewest !== true || constraint.split('.').length >= 3;
      const exact = isVersion(constraint) && isWhole ? constraint : undefined;
      const versions =
        exact === undefined
          ? (await open(place).tags()).map((tag) => tag.replaceAll('_', '+')).filter(isVersion)
          : [exact];
      const sorted = versions.toSorted((a, b) => compareVersions(parseVersion(b), parseVersion(a)));
      const found = chooseVersion(
        sorted.map((version) => ({ version })),
        constraint,
      );
      if (found === undefined) {
        throw new ChartError(
          'CHART_NOT_FOUND',
          `could not locate a version matching provided version string ${constraint}`,
        );
      }
      const tag = found.version.replaceAll('+', '_');
      return { name, version: found.version, urls: [`${place}:${tag}`], digest: '' };
    },
    fetch: async ({ urls: [at = ''] }) => {
      const repository = open(at);
      const manifest = await chartManifest(repository, at);
      const layer = manifest.layers.find(({ mediaType }) => mediaType === CHART_LAYER);
      if (manifest.config.mediaType !== CHART_CONFIG || layer === undefined) {
        throw new ChartError(
          'OCI_MEDIA_TYPE',
          `${at} does not hold a chart: its configuration is of type ${manifest.config.mediaType}`,
        );
      }
      const archive = await repository.blob(layer, chartBytesMax);
      options.pulled?.(at.slice('oci://'.length), manifest.digest);
      return archive;
    },
    provenance: async ({ urls: [at = ''] }) => {
      const repository = open(at);
      const { layers } = await chartManifest(repository, at);
      const layer = layers.find(({ mediaType }) => mediaType === PROVENANCE_LAYER);
      if (layer === undefined) throw noProvenance(at);
      return repository.blob(layer, PROVENANCE_BYTES_MAX);
    },
    fileName: ({ urls: [at = ''] }) => fileNameAt(at),
  };
}

function chartManifest(repository: OciRepository, at: string): Promise<Manifest> {
  const { tag, digest } = parseReference(at);
  return repository.manifest(digest ?? tag ?? 'latest');
}

function isVersion(text: string): boolean {
  try {
    const parsed: Version = parseVersion(text);
    return parsed !== undefined;
  } catch {
    return false;
  }
}
