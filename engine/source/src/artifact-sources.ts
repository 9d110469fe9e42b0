import { createHash } from 'node:crypto';
import { type FileTree, subTree } from '@capstan/lib-files';
import { ConditionalCache } from '@capstan/lib-oci';
import { BoundedCache, CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { readArchive } from './archive-tree.ts';
import { openArtifactRemote } from './artifact-remote.ts';
import type { Snapshot } from './snapshot.ts';
import { SourcePoller } from './source-poller.ts';
import type { ArtifactSourceSpec, SourceSpec } from './source-spec.ts';
import type { FetchOptions, SourceStore, WatchOptions } from './store-types.ts';

/** A version of an artifact as its registry names it. */
export interface ArtifactVersion {
  /** What histories show: a chart's version, or a digest. */
  readonly id: string;
  /** What it was found under: the tag, the range. */
  readonly name: string;
  /** It will never be another one. */
  readonly isFixed: boolean;
}

/** Where one artifact comes from. */
export interface ArtifactRemote extends AsyncDisposable {
  resolve(signal: AbortSignal): Promise<ArtifactVersion>;
  /** The archive, its digest checked where the registry tells one. */
  fetch(version: ArtifactVersion, signal: AbortSignal): Promise<Uint8Array>;
}

export type OpenArtifactRemote = (spec: ArtifactSourceSpec) => ArtifactRemote;

export interface ArtifactSourcesOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** How a registry is reached; over the network by default. */
  readonly open?: OpenArtifactRemote;
}

const TREES_BYTES_MAX = 256 * 1024 * 1024;
const TIMEOUT_MS = 90_000;
const RETRY_MS = 10_000;
const VERSIONS_MAX = 10_000;

/**
 * A store that also knows charts of chart repositories and artifacts of OCI registries. Each version is fetched and
 * unpacked once, however many deliveries stand on it; a range is resolved once for all within the age they accept.
 */
export function withArtifacts(base: SourceStore, options: ArtifactSourcesOptions): SourceStore {
  const artifacts = new ArtifactSources(options);
  const isArtifact = (spec: SourceSpec): spec is ArtifactSourceSpec => spec.kind === 'artifact';
  return {
    fetchSnapshot: (spec, fetch) =>
      isArtifact(spec) ? artifacts.fetch(spec, fetch) : base.fetchSnapshot(spec, fetch),
    snapshotAt: (spec, id) =>
      isArtifact(spec) ? artifacts.at(spec, id) : base.snapshotAt(spec, id),
    watch: (spec, watch) =>
      isArtifact(spec) ? artifacts.watch(spec, watch) : base.watch(spec, watch),
    notify: (url) => base.notify(url) + artifacts.notify(url),
    verifyRevision: (spec, snapshot, request) => base.verifyRevision(spec, snapshot, request),
    describeRevision: async (spec, id) =>
      isArtifact(spec) ? undefined : base.describeRevision(spec, id),
    describeLine: (url, id, place) => base.describeLine(url, id, place),
    findCommit: (url, id) => base.findCommit(url, id),
    changedPaths: (before, after) => base.changedPaths(before, after),
    close: () => base.close(),
  };
}

interface Known {
  readonly version: ArtifactVersion;
  readonly atMs: number;
}

class ArtifactSources {
  readonly #options: ArtifactSourcesOptions;
  readonly #trees = new BoundedCache<
    string,
    { readonly snapshot: Snapshot; readonly size: number }
  >(TREES_BYTES_MAX, ({ size }) => size);
  readonly #versions = new BoundedCache<string, Known>(VERSIONS_MAX);
  readonly #running = new Map<string, Promise<Snapshot>>();
  readonly #indexes = new ConditionalCache();
  readonly #followers = new Set<{ readonly spec: ArtifactSourceSpec; readonly wake: () => void }>();

  constructor(options: ArtifactSourcesOptions) {
    this.#options = options;
  }

  async fetch(spec: ArtifactSourceSpec, options: FetchOptions = {}): Promise<Snapshot> {
    const { maxAgeMs = 0 } = options;
    const key = keyOf(spec);
    const known = this.#versions.get(key);
    const isRecent =
      known !== undefined &&
      (known.version.isFixed || this.#options.clock.now() - known.atMs <= maxAgeMs);
    const held = isRecent ? this.#trees.get(treeKey(spec, known.version.id)) : undefined;
    if (held !== undefined && known !== undefined) return named(held.snapshot, known.version);
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#read(spec).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    options.signal?.throwIfAborted();
    return running;
  }

  async at(spec: ArtifactSourceSpec, id: string): Promise<Snapshot | undefined> {
    return this.#trees.get(treeKey(spec, id))?.snapshot;
  }

  /** A version that is fixed is told once; a range is asked again at each interval. */
  watch(spec: ArtifactSourceSpec, { intervalMs, onChange }: WatchOptions): () => void {
    const { clock, random } = this.#options;
    let told: string | undefined;
    let isStopped = false;
    const tell = (text: string, change: Parameters<typeof onChange>[0]) => {
      if (told === text || isStopped) return;
      told = text;
      onChange(change);
    };
    const look = async (): Promise<number> => {
      try {
        const snapshot = await this.fetch(spec, { maxAgeMs: intervalMs / 2 });
        tell(snapshot.revision.id, { kind: 'snapshot', snapshot });
        const known = this.#versions.get(keyOf(spec));
        return known?.version.isFixed === true ? Number.POSITIVE_INFINITY : intervalMs;
      } catch (error) {
        const failure = toCapstanError(error);
        tell(`${failure.code} ${failure.message}`, { kind: 'error', error: failure });
        return Math.min(intervalMs, RETRY_MS);
      }
    };
    const poller = new SourcePoller({ clock, random, look });
    const follower = { spec, wake: () => poller.wake() };
    this.#followers.add(follower);
    poller.wake();
    return () => {
      isStopped = true;
      this.#followers.delete(follower);
      poller.stop();
    };
  }

  /** What was pushed to a registry is looked at anew, by all who follow it. */
  notify(url: string): number {
    const pushed = placeOf(url);
    const concerned = [...this.#followers].filter(
      ({ spec }) =>
        placeOf(spec.url) === pushed || placeOf(`${spec.url}/${spec.chart ?? ''}`) === pushed,
    );
    for (const { spec } of concerned) {
      const known = this.#versions.get(keyOf(spec));
      if (known?.version.isFixed !== true) this.#versions.delete(keyOf(spec));
    }
    for (const { wake } of concerned) wake();
    return concerned.length;
  }

  async #read(spec: ArtifactSourceSpec): Promise<Snapshot> {
    const signal = AbortSignal.timeout(spec.timeoutMs ?? TIMEOUT_MS);
    const { open = (one) => openArtifactRemote(one, this.#indexes) } = this.#options;
    await using remote = open(spec);
    const atMs = this.#options.clock.now();
    try {
      const version = await remote.resolve(signal);
      const key = treeKey(spec, version.id);
      const snapshot =
        this.#trees.get(key)?.snapshot ?? (await this.#unpack(spec, { remote, version, signal }));
      this.#versions.set(keyOf(spec), { version, atMs });
      return named(snapshot, version);
    } catch (error) {
      throw toCapstanError(error);
    }
  }

  async #unpack(
    spec: ArtifactSourceSpec,
    {
      remote,
      version,
      signal,
    }: {
      readonly remote: ArtifactRemote;
      readonly version: ArtifactVersion;
      readonly signal: AbortSignal;
    },
  ): Promise<Snapshot> {
    const bytes = await remote.fetch(version, signal);
    const unpacked = await readArchive(bytes, { others: 'skip' });
    const files = spec.form === 'chart' ? chartFolder(unpacked) : unpacked;
    const snapshot: Snapshot = {
      source: `artifact ${spec.url} ${spec.chart ?? ''}`,
      revision: { id: version.id, name: version.name },
      digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      files,
    };
    this.#trees.set(treeKey(spec, version.id), { snapshot, size: bytes.length * 6 + 10_000 });
    return snapshot;
  }
}

/** One archive may be found under several names. */
function named(snapshot: Snapshot, { name }: ArtifactVersion): Snapshot {
  const { revision } = snapshot;
  return revision.name === name ? snapshot : { ...snapshot, revision: { ...revision, name } };
}

/** A packed chart is one folder, whatever its name. */
function chartFolder(tree: FileTree): FileTree {
  const folders = (tree.readDirectory('') ?? []).filter(
    ({ name, kind }) => kind === 'directory' && tree.stat(`${name}/Chart.yaml`) !== undefined,
  );
  const [folder] = folders;
  if (folder !== undefined) return subTree(tree, folder.name);
  throw new CapstanError('ARTIFACT_INVALID', 'the archive holds no chart', {
    hint: 'a packed chart is a folder with a Chart.yaml',
  });
}

/** As Argo CD compares what a registry tells with what an Application names. */
function placeOf(url: string): string {
  return url
    .replace(/^oci:\/\//, '')
    .replace(/\/+$/, '')
    .toLowerCase();
}

function keyOf({ form, url, chart = '', revision, auth }: ArtifactSourceSpec): string {
  return JSON.stringify([form, url, chart, revision.range, auth ?? null]);
}

/** Who may read it is part of what is kept. */
function treeKey({ form, url, chart = '', auth }: ArtifactSourceSpec, id: string): string {
  return JSON.stringify([form, url, chart, id, auth ?? null]);
}

function toCapstanError(error: unknown): CapstanError {
  if (error instanceof CapstanError) return error;
  return new CapstanError('ARTIFACT_UNAVAILABLE', messageOf(error), {
    kind: 'retry',
    cause: error,
    hint: 'see whether the address, the name and the version are right',
  });
}
