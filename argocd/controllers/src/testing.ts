/** A small world for tests: a cluster in this process, sources in memory, the controller over both. */
import { argocdCrds } from '@capstan/argocd-api';
import { type Cluster, createCluster, createVerdictCache } from '@capstan/engine-delivery';
import { RenderCache } from '@capstan/engine-render';
import type { Snapshot, SourceChange, SourceSpec, SourceStore } from '@capstan/engine-source';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { createEventRecorder, systemClock } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { type Catalogue, loadCatalogue } from '@capstan/kube-schema';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import {
  type ApplicationController,
  applicationOwners,
  createApplicationController,
  singleCluster,
} from './index.ts';

/** Repositories by URL, whose one branch moves by `push`. */
export class MemorySources implements SourceStore {
  readonly #history = new Map<string, Snapshot[]>();
  readonly #watchers = new Set<{
    readonly spec: SourceSpec;
    readonly onChange: (change: SourceChange) => void;
  }>();
  #count = 0;

  push(url: string, files: MemoryFiles): string {
    const tree = memoryTree(files);
    const id = (++this.#count).toString(16).padStart(40, '0');
    const digest = tree.stat('')?.id ?? '';
    const snapshot: Snapshot = {
      source: `git ${url}`,
      revision: { id, name: 'main' },
      digest,
      files: tree,
    };
    this.#history.set(url, [...(this.#history.get(url) ?? []), snapshot]);
    for (const { spec, onChange } of this.#watchers)
      if (spec.url === url) onChange({ kind: 'snapshot', snapshot });
    return id;
  }

  async fetchSnapshot(spec: SourceSpec): Promise<Snapshot> {
    const wanted =
      spec.revision.kind === 'any'
        ? spec.revision.name
        : spec.revision.kind === 'commit'
          ? spec.revision.commit
          : 'main';
    const history = this.#history.get(spec.url);
    const last = history?.at(-1);
    if (last === undefined) {
      throw new CapstanError(
        'REPOSITORY_NOT_FOUND',
        `cannot read ${spec.url}: there is no repository`,
        { hint: 'check the URL' },
      );
    }
    if (wanted === 'HEAD' || wanted === 'main') return last;
    const found = history?.find(({ revision }) => revision.id === wanted);
    if (found !== undefined) return found;
    throw new CapstanError('REVISION_NOT_FOUND', `${spec.url} has no revision ${wanted}`, {
      hint: 'push it, or name another one',
    });
  }

  async snapshotAt(spec: SourceSpec, revisionId: string): Promise<Snapshot | undefined> {
    return this.#history.get(spec.url)?.find(({ revision }) => revision.id === revisionId);
  }

  watch(
    spec: SourceSpec,
    { onChange }: { readonly onChange: (change: SourceChange) => void },
  ): () => void {
    const watcher = { spec, onChange };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  notify(): number {
    return this.#watchers.size;
  }
  async describeRevision(): Promise<undefined> {
    return undefined;
  }
  findCommit(): undefined {
    return undefined;
  }
  changedPaths(): readonly string[] {
    return [];
  }
  async close(): Promise<void> {}
}

export interface World extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly client: KubeClient;
  /** How many requests other than watches were made so far. */
  requests(): number;
  readonly cluster: Cluster;
  readonly sources: MemorySources;
  readonly controller: ApplicationController;
  /** Applies the objects of a YAML text with the manager `kubectl`. */
  kubectlApply(yaml: string): Promise<void>;
  get(kind: string, path: string): Promise<KubeObject | undefined>;
  /** Waits until `read` gives a value for which `holds`, at most 5 s; then fails with the last one. */
  eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T>;
  /** Ends the controller as a crash would, and starts another one on the same cluster. */
  restart(): Promise<void>;
}

export async function createWorld(catalogue?: Catalogue): Promise<World> {
  const known = catalogue ?? (await loadCatalogue());
  const sandbox = await startSandbox();
  let requests = 0;
  const client = createKubeClient({
    ...sandbox.transport,
    request(request: Parameters<typeof sandbox.transport.request>[0]) {
      if (!request.path.includes('watch=')) requests++;
      return sandbox.transport.request(request);
    },
  });
  for (const crd of argocdCrds) await client.create(crd);
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } });
  const sources = new MemorySources();
  let running = start(client, sources, known);
  return {
    sandbox,
    client,
    requests: () => requests,
    sources,
    get cluster() {
      return running.cluster;
    },
    get controller() {
      return running.controller;
    },
    kubectlApply: (yaml) => applyAll(client, yaml),
    get: (kind, path) => find(client, kind, path),
    eventually,
    async restart() {
      await running.stop();
      running = start(client, sources, known);
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await client.close();
      await sandbox.close();
    },
  };
}

function start(client: KubeClient, sources: MemorySources, catalogue: Catalogue) {
  const clock = systemClock();
  const cluster = createCluster({
    name: 'in-cluster',
    client,
    schemaOf: (kind) => catalogue.kind(kind),
    ownerReaders: [applicationOwners('argocd')],
    clock,
  });
  const renders = new RenderCache();
  const events = createEventRecorder({
    client,
    component: 'argocd-application-controller',
    aggregates: false,
    clock,
  });
  const errors: unknown[] = [];
  const controller = createApplicationController(
    {
      client,
      clusters: singleCluster(cluster),
      sources,
      render: async (snapshot, spec) => renders.render(snapshot, spec),
      verdicts: createVerdictCache(),
      events,
      clock,
    },
    {
      onResult: (_app, result) => {
        if (result.kind !== 'settled') errors.push(result.error);
      },
    },
  );
  const abort = new AbortController();
  const ended = controller.run({ signal: abort.signal }).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return {
    cluster,
    controller,
    async stop() {
      abort.abort(new Error('stopped'));
      await ended;
      await events[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

async function applyAll(client: KubeClient, yaml: string): Promise<void> {
  for (const document of yaml.split(/^---$/m)) {
    const object: unknown = parseYaml(document);
    if (isObject(object)) await client.apply(object, { fieldManager: 'kubectl', force: true });
  }
}

function isObject(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

const VERSIONS: Readonly<Record<string, string>> = {
  Application: 'argoproj.io/v1alpha1',
  AppProject: 'argoproj.io/v1alpha1',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
};

async function find(
  client: KubeClient,
  kind: string,
  path: string,
): Promise<KubeObject | undefined> {
  const [namespace = '', name = ''] = path.includes('/') ? path.split('/') : ['', path];
  return client.find({ apiVersion: VERSIONS[kind] ?? 'v1', kind, namespace, name });
}

async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const end = Date.now() + 5000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) {
      throw new Error(`it did not come about: ${JSON.stringify(value, null, 1)?.slice(0, 6000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
