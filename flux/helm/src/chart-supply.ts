import type { Artifact, HelmRepository } from '@capstan/flux-api';
import type { ArtifactStorage } from '@capstan/flux-server';
import type { Counter, Registry } from '@capstan/kube-controller';
import { type ChartVersion, chartVersions, loadChartArchive } from '@capstan/kube-helm';
import { BoundedCache } from '@capstan/lib-std';

const INDEX_BYTES_MAX = 24 * 1024 * 1024;
const CHART_BYTES_MAX = 16 * 1024 * 1024;
/** What a version of a chart takes in memory, about. */
const VERSION_BYTES = 400;

interface Known {
  readonly versions: readonly ChartVersion[] | undefined;
}

/**
 * What many HelmCharts of one HelmRepository ask for, fetched and read once: the versions of a chart in an index, and packed charts.
 * Keyed by the repository's own objects, so that nobody is given what another one's credentials opened.
 */
export class ChartSupply {
  readonly #artifacts: Pick<ArtifactStorage, 'read' | 'urlOf'>;
  readonly #versions = new BoundedCache<string, Known>(
    INDEX_BYTES_MAX,
    ({ versions }) => VERSION_BYTES * (1 + (versions?.length ?? 0)),
  );
  readonly #charts = new BoundedCache<string, Uint8Array>(
    CHART_BYTES_MAX,
    (bytes) => bytes.byteLength,
  );
  readonly #texts = new BoundedCache<string, WeakRef<Promise<{ readonly text: string }>>>(100);
  readonly #pulling = new Map<string, Promise<Uint8Array>>();

  readonly #events: Counter | undefined;

  /** With a registry, whether an index was at hand is told as source-controller tells it. */
  constructor(artifacts: Pick<ArtifactStorage, 'read' | 'urlOf'>, registry?: Registry) {
    this.#artifacts = artifacts;
    this.#events = registry && cacheEvents(registry);
  }

  /** From the index that is kept of a repository; undefined when it has no such chart. Throws when the index is gone. */
  async versionsOf(
    { metadata }: Pick<HelmRepository, 'metadata'>,
    index: Artifact,
    name: string,
  ): Promise<readonly ChartVersion[] | undefined> {
    const key = `${index.digest} ${name}`;
    const known = this.#versions.get(key);
    const isHeld = known !== undefined || this.#texts.get(index.digest)?.deref() !== undefined;
    const { name: repository = '', namespace = '' } = metadata;
    this.#events?.add(
      labelsOf(isHeld ? 'cache_hit' : 'cache_miss', { name: repository, namespace }),
    );
    if (known !== undefined) return known.versions;
    const { text } = await this.#read(index);
    const versions = chartVersions(text, name);
    this.#versions.set(key, { versions });
    return versions;
  }

  /** The text of an index, for as long as memory is not wanted for anything else. */
  #read(index: Artifact): Promise<{ readonly text: string }> {
    const held = this.#texts.get(index.digest)?.deref();
    if (held !== undefined) return held;
    const reading = this.#artifacts
      .read(this.#artifacts.urlOf(index.path))
      .then((bytes) => ({ text: new TextDecoder().decode(bytes) }));
    this.#texts.set(index.digest, new WeakRef(reading));
    return reading;
  }

  /** A packed chart that can be read. One that its index names no digest of is fetched each time. */
  async pull(
    { metadata }: HelmRepository,
    version: ChartVersion,
    fetch: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    if (version.digest === '') return await fetch();
    const key = [metadata.namespace, metadata.name, ...version.urls, version.digest].join(' ');
    const known = this.#charts.get(key) ?? this.#pulling.get(key);
    if (known !== undefined) return await known;
    const pulling = fetch().finally(() => this.#pulling.delete(key));
    this.#pulling.set(key, pulling);
    const bytes = await pulling;
    this.#charts.set(key, bytes);
    return bytes;
  }

  /** Throws what is wrong with a packed chart; the same bytes are read once. */
  check(bytes: Uint8Array): void {
    if (this.#checked.has(bytes)) return;
    loadChartArchive(bytes);
    this.#checked.add(bytes);
  }

  readonly #checked = new WeakSet<Uint8Array>();
}

interface RepositoryName {
  readonly name: string;
  readonly namespace: string;
}

/** A HelmRepository is gone, and takes its series with it. */
export function forgetCacheEvents(registry: Registry, repository: RepositoryName): void {
  for (const event of ['cache_hit', 'cache_miss'] as const) {
    cacheEvents(registry).remove(labelsOf(event, repository));
  }
}

function labelsOf(
  event: 'cache_hit' | 'cache_miss',
  { name, namespace }: RepositoryName,
): Readonly<Record<string, string>> {
  return { event_type: event, name, namespace };
}

function cacheEvents(registry: Registry): Counter {
  return registry.counter(
    'gotk_cache_events_total',
    'Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.',
  );
}
