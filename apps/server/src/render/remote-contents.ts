import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { remoteFailure, remoteFile, remoteMount } from '@capstan/engine-render';
import type { Snapshot, SourceAuth, SourceSpec, SourceStore } from '@capstan/engine-source';
import {
  type ChartPull,
  parseRepoSpec,
  type RemotePolicy,
  type RemoteRequest,
  requireAdmitted,
} from '@capstan/kube-kustomize';
import { type FileTree, mountTrees } from '@capstan/lib-files';
import { createHttpGet, type HttpGet, type HttpResponse } from '@capstan/lib-oci';
import { BoundedCache, messageOf } from '@capstan/lib-std';

export interface RemoteContentsOptions {
  readonly sources: Pick<SourceStore, 'fetchSnapshot'>;
  readonly now: () => number;
  /** How files are got; over the network by default. */
  readonly get?: HttpGet;
}

/** How a repository is reached that somebody registered; undefined: as anybody reaches it. */
export type AccessTo = (
  url: string,
) => { readonly auth: SourceAuth | undefined; readonly plainHttp?: boolean } | undefined;

interface MountOptions {
  readonly policy: RemotePolicy | undefined;
  readonly fresh: boolean;
  readonly accessTo?: AccessTo | undefined;
}

interface Content {
  readonly tree: FileTree;
  /** Equal for equal content. */
  readonly id: string;
  readonly isFailure?: boolean;
}

const KEPT_MAX = 200;
const FRESH_MS = 3_600_000;
const FAILURE_MS = 60_000;
const TIMEOUT_MS = 60_000;
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const REDIRECTS_MAX = 10;

/**
 * What kustomizations and charts take from elsewhere: repositories and charts as any source is fetched, with the credentials
 * that whoever asks has for them, and files over HTTP without any; kept for an hour, failures for a minute, apart for each
 * credential.
 */
export class RemoteContents {
  readonly #options: RemoteContentsOptions;
  readonly #kept = new BoundedCache<string, { readonly atMs: number; readonly content: Content }>(
    KEPT_MAX,
  );
  readonly #get: HttpGet;

  constructor(options: RemoteContentsOptions) {
    this.#options = options;
    this.#get = options.get ?? createHttpGet().get;
  }

  /** The snapshot with what is asked for, or why it cannot be had, where a render finds it. */
  async mount(
    snapshot: Snapshot,
    requests: readonly RemoteRequest[],
    options: MountOptions,
  ): Promise<Snapshot> {
    const mounts = new Map<string, FileTree>();
    const ids: string[] = [];
    for (const request of requests) {
      const name = remoteMount(request);
      const { tree, id } = await this.#find(name, request, options);
      mounts.set(name, tree);
      ids.push(`${name}=${id}`);
    }
    const digest = [snapshot.digest, ...ids].join(' ');
    const { scope: _own, ...rest } = snapshot;
    return { ...rest, digest, files: mountTrees(snapshot.files, mounts) };
  }

  async #find(name: string, request: RemoteRequest, options: MountOptions): Promise<Content> {
    const now = this.#options.now();
    const source = sourceOf(request, options.accessTo);
    const key = source?.auth === undefined ? name : `${name} ${digestOf(source.auth)}`;
    const known = this.#kept.get(key);
    const keptMs = known?.content.isFailure === true ? FAILURE_MS : FRESH_MS;
    if (known !== undefined && !options.fresh && now - known.atMs < keptMs) return known.content;
    const content = await this.#fetch(request, source, options);
    this.#kept.set(key, { atMs: now, content });
    return content;
  }

  async #fetch(
    request: RemoteRequest,
    source: SourceSpec | undefined,
    { policy, fresh }: MountOptions,
  ): Promise<Content> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      if (request.kind === 'file') return await this.#file(request.url, policy, signal);
      if (source === undefined) return failure('there is no such source', false);
      const maxAgeMs = fresh ? 0 : FRESH_MS;
      const { files, digest } = await this.#options.sources.fetchSnapshot(source, {
        maxAgeMs,
        signal,
      });
      return { tree: files, id: digest };
    } catch (error) {
      return failure(messageOf(error), false);
    }
  }

  async #file(
    url: string,
    policy: RemotePolicy | undefined,
    signal: AbortSignal,
  ): Promise<Content> {
    const response = await this.#follow(url, policy, signal);
    if (response.status < 200 || response.status > 299) return httpFailure(url, response.status);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.byteLength;
      if (size > FILE_BYTES_MAX)
        return failure(`'${url}' has more than ${FILE_BYTES_MAX} bytes`, false);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    const tree = remoteFile(bytes);
    return { tree, id: tree.stat('content')?.id ?? '' };
  }

  /** Follows redirects, but to no place that a kustomization could not name itself. */
  async #follow(
    url: string,
    policy: RemotePolicy | undefined,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    let at = url;
    for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
      const response = await this.#get({ url: at, headers: {}, signal });
      const location = response.header('location');
      const isRedirect = response.status >= 300 && response.status <= 399;
      if (!isRedirect || location === undefined) return response;
      at = new URL(location, at).href;
      requireAdmitted(at, policy);
    }
    throw new Error(`stopped after ${REDIRECTS_MAX} redirects`);
  }
}

/** In the words of kustomize, which asks for a file before it takes a URL for a repository's. */
function httpFailure(url: string, status: number): Content {
  if (parseRepoSpec(url) !== undefined) return failure('URL is a git repository', false);
  return failure(`HTTP Error: status code ${status} (${STATUS_CODES[status] ?? ''})`, true);
}

function failure(message: string, http: boolean): Content {
  return { tree: remoteFailure(message, { http }), id: message, isFailure: true };
}

type RemoteSource = Extract<SourceSpec, { readonly kind: 'git' | 'artifact' }>;

/** Where a repository or a chart comes from, with what is known of its access; undefined for a file. */
function sourceOf(
  request: RemoteRequest,
  accessTo: AccessTo | undefined,
): RemoteSource | undefined {
  if (request.kind === 'file') return undefined;
  const source =
    request.kind === 'chart' ? chartSource(request.chart) : repositorySource(request.spec);
  const { auth, plainHttp } = accessTo?.(source.url) ?? {};
  return {
    ...source,
    ...(auth === undefined ? {} : { auth }),
    ...(plainHttp === true && source.kind === 'artifact' ? { plainHttp } : {}),
  };
}

function digestOf(auth: SourceAuth): string {
  return createHash('sha256').update(JSON.stringify(auth)).digest('hex');
}

function repositorySource({
  cloneUrl,
  ref,
  timeoutMs,
}: {
  readonly cloneUrl: string;
  readonly ref: string;
  readonly timeoutMs: number;
}): RemoteSource {
  const name = ref === '' ? 'HEAD' : ref;
  return { kind: 'git', url: cloneUrl, revision: { kind: 'any', name }, timeoutMs };
}

function chartSource({ repo, name, version, devel }: ChartPull): RemoteSource {
  const range = version === '' && devel ? '>0.0.0-0' : version;
  return {
    kind: 'artifact',
    form: 'chart',
    url: repo.replace(/\/$/, ''),
    chart: name,
    revision: { kind: 'version', range },
  };
}
