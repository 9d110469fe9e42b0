/** A small world for tests: a cluster in this process, sources in memory, the controller over both. */
import { argocdCrds } from '@capstan/argocd-api';
import { type Cluster, createCluster, createVerdictCache } from '@capstan/engine-delivery';
import { eventually, MemorySources } from '@capstan/engine-delivery/testing';
import { RenderCache } from '@capstan/engine-render';
import { createKubeClient, type KubeClient, type Transport } from '@capstan/kube-client';
import { createEventRecorder, systemClock } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { type Catalogue, loadCatalogue } from '@capstan/kube-schema';
import { parseYaml } from '@capstan/lib-yaml';
import {
  type ApplicationController,
  applicationOwners,
  createApplicationController,
  singleCluster,
} from '../index.ts';

export interface World extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The test's own connection. */
  readonly client: KubeClient;
  /** How many requests other than watches the controllers made so far. */
  requests(): number;
  /** How often the controllers looked at an application so far. */
  looks(): number;
  readonly cluster: Cluster;
  readonly sources: MemorySources;
  readonly controller: ApplicationController;
  /** Applies the objects of a YAML text with the manager `kubectl`. */
  kubectlApply(yaml: string): Promise<void>;
  get(kind: string, path: string): Promise<KubeObject | undefined>;
  /** Waits until `read` gives a value for which `holds`; fails with the last one when that takes too long. */
  readonly eventually: typeof eventually;
  /** Ends the controller as a crash would, and starts another one on the same cluster. */
  restart(): Promise<void>;
}

export interface WorldOptions {
  /** What the controllers' connection goes through. */
  readonly through?: (transport: Transport) => Transport;
  /** Told of each request of the controllers, counted from 1; what it throws is what the request gives. */
  readonly onRequest?: (count: number, method: string, path: string) => void;
  /** The cluster is looked into in these alone. */
  readonly namespaces?: readonly string[];
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const known = await loadCatalogue();
  const sandbox = await startSandbox();
  let requests = 0;
  const client = createKubeClient(sandbox.transport);
  const transport = options.through?.(sandbox.transport) ?? sandbox.transport;
  const ours = createKubeClient({
    ...transport,
    async request(request: Parameters<typeof transport.request>[0]) {
      if (request.path.includes('watch=')) return transport.request(request);
      requests++;
      options.onRequest?.(requests, request.method, request.path);
      return transport.request(request);
    },
  });
  for (const crd of argocdCrds) await client.create(crd);
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } });
  const sources = new MemorySources();
  let looks = 0;
  const { namespaces } = options;
  const begin = () => start(ours, sources, { catalogue: known, onLook: () => looks++, namespaces });
  let running = begin();
  return {
    sandbox,
    client,
    requests: () => requests,
    looks: () => looks,
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
      running = begin();
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      await ours.close();
      await client.close();
      await sandbox.close();
    },
  };
}

function start(
  client: KubeClient,
  sources: MemorySources,
  {
    catalogue,
    onLook,
    namespaces,
  }: {
    readonly catalogue: Catalogue;
    readonly onLook: () => void;
    readonly namespaces: WorldOptions['namespaces'];
  },
) {
  const clock = systemClock();
  const cluster = createCluster({
    name: 'in-cluster',
    client,
    schemaOf: (kind) => catalogue.kind(kind),
    definitionOf: (name) => catalogue.definition(name),
    ownerReaders: [applicationOwners('argocd')],
    ...(namespaces === undefined ? {} : { namespaces }),
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
        onLook();
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
