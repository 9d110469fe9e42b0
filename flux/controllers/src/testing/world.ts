/** A small world for tests: a cluster in this process, sources in memory, the controllers over both. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Cluster,
  ClusterPool,
  createCluster,
  createVerdictCache,
} from '@capstan/engine-delivery';
import { eventually, MemorySources } from '@capstan/engine-delivery/testing';
import { RenderCache } from '@capstan/engine-render';
import type { Snapshot, SourceSpec, SourceStore } from '@capstan/engine-source';
import { createSourceStore } from '@capstan/engine-source/store';
import { fluxCrds } from '@capstan/flux-api';
import { ArtifactStorage } from '@capstan/flux-server';
import { createKubeClient, type KubeClient, type Transport } from '@capstan/kube-client';
import {
  type ControllerRuntime,
  createEventRecorder,
  type Registry,
  systemClock,
} from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { type Catalogue, loadCatalogue } from '@capstan/kube-schema';
import { parseYaml } from '@capstan/lib-yaml';
import {
  createFluxControllers,
  type FluxControllers,
  type FluxSettings,
  kustomizationOwners,
  type Tenancy,
} from '../index.ts';

export interface World extends AsyncDisposable {
  /** The test's own connection. */
  readonly client: KubeClient;
  readonly sources: MemorySources;
  readonly artifacts: ArtifactStorage;
  readonly controllers: FluxControllers;
  /** How many requests other than watches the controllers made so far. */
  requests(): number;
  kubectlApply(yaml: string): Promise<void>;
  get(kind: string, path: string): Promise<KubeObject | undefined>;
  readonly eventually: typeof eventually;
  /** `between` happens while no controller runs. */
  restart(between?: () => Promise<void>): Promise<void>;
}

const NEEDED = [
  'gitrepositories',
  'ocirepositories',
  'buckets',
  'helmcharts',
  'externalartifacts',
  'artifactgenerators',
  'kustomizations',
];

/** Repositories in memory; artifacts as they are: files of a real storage. */
class WorldSources extends MemorySources {
  readonly #archives: SourceStore;

  constructor(archives: SourceStore) {
    super();
    this.#archives = archives;
  }

  override async fetchSnapshot(spec: SourceSpec): Promise<Snapshot> {
    return spec.kind === 'archive'
      ? await this.#archives.fetchSnapshot(spec)
      : await super.fetchSnapshot(spec);
  }
}

export interface WorldOptions {
  /** What the controllers' connection goes through. */
  readonly through?: (transport: Transport) => Transport;
  /** Told of each request of the controllers, counted from 1; what it throws is what the request gives. */
  readonly onRequest?: (count: number, method: string) => void;
  /** Told of the path of each write of the controllers that is no dry run. */
  readonly onWrite?: (path: string) => void;
  readonly tenancy?: Tenancy;
  readonly settings?: FluxSettings;
  /** Where the controllers tell of themselves. */
  readonly registry?: Registry;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const catalogue = await loadCatalogue();
  const sandbox = await startSandbox();
  let requests = 0;
  const client = createKubeClient(sandbox.transport);
  const transport = options.through?.(sandbox.transport) ?? sandbox.transport;
  const ours = createKubeClient({
    ...transport,
    async request(request: Parameters<typeof transport.request>[0]) {
      if (request.path.includes('watch=')) return transport.request(request);
      requests++;
      options.onRequest?.(requests, request.method);
      const [path = '', query = ''] = request.path.split('?');
      if (request.method !== 'GET' && !query.includes('dryRun')) options.onWrite?.(path);
      return transport.request(request);
    },
  });
  for (const crd of fluxCrds) {
    if (NEEDED.includes(crd.metadata.name?.split('.')[0] ?? '')) await client.create(crd);
  }
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  const folder = mkdtempSync(join(tmpdir(), 'capstan-flux-'));
  const artifacts = new ArtifactStorage({
    folder: join(folder, 'artifacts'),
    baseUrl: 'http://source-controller.flux-system.svc.cluster.local./',
    clock: systemClock(),
  });
  const archives = createSourceStore({
    folder: join(folder, 'cache'),
    clock: systemClock(),
    random: Math.random,
    readArchive: (url) => artifacts.read(url),
  });
  const sources = new WorldSources(archives);
  let running = start(ours, {
    sources,
    artifacts,
    catalogue,
    tenancy: options.tenancy ?? {},
    settings: options.settings ?? {},
    runtime: options.registry === undefined ? {} : { registry: options.registry },
  });
  return {
    client,
    sources,
    artifacts,
    requests: () => requests,
    get controllers() {
      return running.controllers;
    },
    kubectlApply: (yaml) => applyAll(client, yaml),
    get: (kind, path) => find(client, kind, path),
    eventually,
    async restart(between) {
      await running.stop();
      await between?.();
      running = start(ours, {
        sources,
        artifacts,
        catalogue,
        tenancy: options.tenancy ?? {},
        settings: options.settings ?? {},
        runtime: options.registry === undefined ? {} : { registry: options.registry },
      });
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await ours.close();
      await client.close();
      await sandbox.close();
      await archives.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface StartOptions {
  readonly sources: MemorySources;
  readonly artifacts: ArtifactStorage;
  readonly catalogue: Catalogue;
  readonly tenancy: Tenancy;
  readonly settings: FluxSettings;
  readonly runtime: ControllerRuntime;
}

function start(
  client: KubeClient,
  { sources, artifacts, catalogue, tenancy, settings, runtime }: StartOptions,
) {
  const clock = systemClock();
  const create = (name: string, of: KubeClient): Cluster =>
    createCluster({
      name,
      client: of,
      schemaOf: (kind) => catalogue.kind(kind),
      ownerReaders: [kustomizationOwners],
      clock,
    });
  const cluster = create('in-cluster', client);
  const clusters = new ClusterPool({ create });
  const renders = new RenderCache();
  const events = {
    source: createEventRecorder({ client, component: 'source-controller', clock }),
    kustomize: createEventRecorder({ client, component: 'kustomize-controller', clock }),
    watcher: createEventRecorder({ client, component: 'source-watcher', clock }),
  };
  const controllers = createFluxControllers({
    client,
    cluster,
    clusters,
    tenancy,
    settings,
    runtime,
    sources,
    artifacts,
    random: Math.random,
    render: async (snapshot, spec) => renders.render(snapshot, spec),
    verdicts: createVerdictCache(),
    events,
    clock,
  });
  const abort = new AbortController();
  const ended = controllers.run({ signal: abort.signal }).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return {
    controllers,
    async stop() {
      abort.abort(new Error('stopped'));
      await ended;
      await events.source[Symbol.asyncDispose]();
      await events.kustomize[Symbol.asyncDispose]();
      await events.watcher[Symbol.asyncDispose]();
      await clusters[Symbol.asyncDispose]();
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
  GitRepository: 'source.toolkit.fluxcd.io/v1',
  OCIRepository: 'source.toolkit.fluxcd.io/v1',
  Bucket: 'source.toolkit.fluxcd.io/v1',
  HelmChart: 'source.toolkit.fluxcd.io/v1',
  ExternalArtifact: 'source.toolkit.fluxcd.io/v1',
  ArtifactGenerator: 'source.extensions.fluxcd.io/v1beta1',
  Kustomization: 'kustomize.toolkit.fluxcd.io/v1',
  Deployment: 'apps/v1',
};

async function find(
  client: KubeClient,
  kind: string,
  path: string,
): Promise<KubeObject | undefined> {
  const [namespace = '', name = ''] = path.includes('/') ? path.split('/') : ['', path];
  return client.find({ apiVersion: VERSIONS[kind] ?? 'v1', kind, namespace, name });
}
