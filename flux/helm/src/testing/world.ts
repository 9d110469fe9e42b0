/** A small world for tests: a cluster in this process, a chart repository, Git in memory, the Helm controllers over all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, ClusterPool, createCluster } from '@capstan/engine-delivery';
import { eventually } from '@capstan/engine-delivery/testing';
import { readArchive } from '@capstan/engine-source/store';
import { fluxCrds } from '@capstan/flux-api';
import type { Tenancy } from '@capstan/flux-controllers';
import { ArtifactStorage } from '@capstan/flux-server';
import { createKubeClient, type KubeClient, type Transport } from '@capstan/kube-client';
import {
  type ControllerRuntime,
  createEventRecorder,
  type Registry,
  systemClock,
} from '@capstan/kube-controller';
import type { Json, KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { type Catalogue, loadCatalogue } from '@capstan/kube-schema';
import { parseYaml } from '@capstan/lib-yaml';
import { createHelmControllers } from '../index.ts';
import { type ChartServer, startChartServer } from './chart-server.ts';

export interface World extends AsyncDisposable {
  /** The test's own connection. */
  readonly client: KubeClient;
  readonly charts: ChartServer;
  readonly artifacts: ArtifactStorage;
  /** How many requests other than watches the controllers made so far. */
  requests(): number;
  apply(yaml: string): Promise<void>;
  get(kind: string, path: string): Promise<KubeObject | undefined>;
  /** Waits until a condition of an object has this status (and, if given, this reason); gives its message. */
  condition(kind: string, path: string, wanted: string): Promise<string>;
  /** `reason message` of the events about an object, oldest first. */
  events(kind: string, name: string): Promise<readonly string[]>;
  readonly eventually: typeof eventually;
  idle(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
}

export interface WorldOptions {
  /** What the controllers' connection goes through. */
  readonly through?: (transport: Transport) => Transport;
  readonly tenancy?: Tenancy;
  /** Where the controllers tell of themselves. */
  readonly registry?: Registry;
  /** Told of each request of the controllers; what it throws is what the request gives. */
  readonly onRequest?: (method: string, path: string) => void;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const catalogue = await loadCatalogue();
  const sandbox = await startSandbox();
  const folder = mkdtempSync(join(tmpdir(), 'capstan-flux-helm-'));
  const charts = await startChartServer();
  let requests = 0;
  const client = createKubeClient(sandbox.transport);
  const transport = options.through?.(sandbox.transport) ?? sandbox.transport;
  const ours = createKubeClient({
    ...transport,
    async request(request: Parameters<typeof transport.request>[0]) {
      if (request.path.includes('watch=')) return transport.request(request);
      requests++;
      options.onRequest?.(request.method, request.path);
      return transport.request(request);
    },
  });
  for (const crd of fluxCrds) {
    const group = crd.metadata.name?.split('.')[1];
    if (group === 'source' || group === 'helm') await client.create(crd);
  }
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } });
  const clock = systemClock();
  const artifacts = new ArtifactStorage({ folder, baseUrl: 'http://127.0.0.1:1/artifacts', clock });
  const { tenancy = {}, registry } = options;
  const runtime = registry === undefined ? {} : { registry };
  const parts = { catalogue, artifacts, tenancy, runtime };
  let running = start(ours, parts);
  return {
    client,
    charts,
    artifacts,
    requests: () => requests,
    apply: (yaml) => applyAll(client, yaml),
    get: (kind, path) => find(client, kind, path),
    condition: (kind, path, wanted) => condition(client, { kind, path }, wanted),
    async events(kind, name) {
      await running.told();
      return events(client, kind, name);
    },
    eventually,
    idle: () => running.controllers.idle(),
    stop: () => running.stop(),
    async restart() {
      await running.stop();
      running = start(ours, parts);
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await charts[Symbol.asyncDispose]();
      await ours.close();
      await client.close();
      await sandbox.close();
      rmSync(folder, { recursive: true });
    },
  };
}

interface Parts {
  readonly catalogue: Catalogue;
  readonly artifacts: ArtifactStorage;
  readonly tenancy: Tenancy;
  readonly runtime: ControllerRuntime;
}

function start(client: KubeClient, { catalogue, artifacts, tenancy, runtime }: Parts) {
  const clock = systemClock();
  const create = (name: string, of: KubeClient): Cluster =>
    createCluster({
      name,
      client: of,
      schemaOf: (kind) => catalogue.kind(kind),
      ownerReaders: [],
      keepsWhole: ({ kind }) => kind === 'ConfigMap' || kind === 'Secret',
      clock,
    });
  const cluster = create('in-cluster', client);
  const clusters = new ClusterPool({ create });
  const recorders = {
    source: createEventRecorder({ client, component: 'source-controller', clock }),
    helm: createEventRecorder({ client, component: 'helm-controller', clock }),
  };
  const controllers = createHelmControllers({
    client,
    cluster,
    clusters,
    tenancy,
    runtime,
    artifacts,
    unpack: (bytes) => readArchive(bytes),
    events: recorders,
    clock,
  });
  const abort = new AbortController();
  const watched = cluster.live.ensure([
    { group: '', kind: 'ConfigMap' },
    { group: '', kind: 'Secret' },
  ]);
  const ended = controllers.run({ signal: abort.signal }).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  let isStopped = false;
  return {
    controllers,
    /** Events stand back while there is anything else to do. */
    async told() {
      for (const one of Object.values(recorders)) await one.flush();
    },
    async stop() {
      if (isStopped) return;
      isStopped = true;
      await watched;
      abort.abort(new Error('stopped'));
      await ended;
      for (const one of Object.values(recorders)) await one[Symbol.asyncDispose]();
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

const GROUPS: Readonly<Record<string, string>> = {
  HelmRepository: 'source.toolkit.fluxcd.io/v1',
  HelmChart: 'source.toolkit.fluxcd.io/v1',
  GitRepository: 'source.toolkit.fluxcd.io/v1',
  OCIRepository: 'source.toolkit.fluxcd.io/v1',
  ExternalArtifact: 'source.toolkit.fluxcd.io/v1',
  HelmRelease: 'helm.toolkit.fluxcd.io/v2',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
};

export function refTo(kind: string, path: string) {
  const [namespace = '', name = ''] = path.includes('/') ? path.split('/') : ['', path];
  return { apiVersion: GROUPS[kind] ?? 'v1', kind, namespace, name };
}

async function find(
  client: KubeClient,
  kind: string,
  path: string,
): Promise<KubeObject | undefined> {
  return client.find(refTo(kind, path));
}

async function condition(
  client: KubeClient,
  { kind, path }: { readonly kind: string; readonly path: string },
  wanted: string,
): Promise<string> {
  const [type = '', status = '', reason] = wanted.split(/[= ]/);
  const fits = (one: Json): boolean =>
    at(one, 'type') === type &&
    at(one, 'status') === status &&
    (reason === undefined || at(one, 'reason') === reason);
  const found = await eventually(
    () => find(client, kind, path),
    (object) => {
      const isObserved = at(object, 'status', 'observedGeneration') === object?.metadata.generation;
      return (isObserved || type !== 'Ready' || status !== 'True') && conditions(object).some(fits);
    },
  );
  return String(at(conditions(found).find(fits), 'message'));
}

export function conditions(object: KubeObject | undefined): readonly Json[] {
  const list = at(object, 'status', 'conditions');
  return Array.isArray(list) ? list : [];
}

export function at(
  value: Json | undefined,
  ...path: readonly (string | number)[]
): Json | undefined {
  let found: unknown = value;
  for (const key of path) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined;
  }
  return found as Json | undefined;
}

async function events(client: KubeClient, kind: string, name: string): Promise<readonly string[]> {
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Event' });
  return items
    .filter((one) => at(one, 'involvedObject', 'kind') === kind)
    .filter((one) => at(one, 'involvedObject', 'name') === name)
    .toSorted((a, b) =>
      String(at(a, 'firstTimestamp')).localeCompare(String(at(b, 'firstTimestamp'))),
    )
    .map(
      (one) =>
        `${String(at(one, 'type'))} ${String(at(one, 'reason'))}: ${String(at(one, 'message'))}`,
    );
}
