import { mkdirSync } from 'node:fs';
import { argocdCrds } from '@capstan/argocd-api';
import {
  applicationOwners,
  readSettings,
  type TrackingSettings,
} from '@capstan/argocd-controllers';
import { type Cluster, ClusterPool, createCluster } from '@capstan/engine-delivery';
import type { SourceStore } from '@capstan/engine-source';
import { createSourceStore, withArtifacts } from '@capstan/engine-source/store';
import { fluxCrds } from '@capstan/flux-api';
import { type FluxSettings, kustomizationOwners, type Tenancy } from '@capstan/flux-controllers';
import { isAlreadyExists, type KubeClient } from '@capstan/kube-client';
import { createRegistry, type Registry, systemClock } from '@capstan/kube-controller';
import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { loadCatalogue } from '@capstan/kube-schema';
import { type Clock, messageOf } from '@capstan/lib-std';
import { clusterSchemas } from './cluster-schemas.ts';
import { guardRequests } from './http/guard.ts';
import { staticFiles } from './http/static-files.ts';
import { webhookEndpoint } from './http/webhook-endpoint.ts';
import { type CrdPolicy, type InstalledCrds, installCrds } from './install-crds.ts';
import { type JoinedReplicas, joinReplicas, type ReplicaOptions } from './join-replicas.ts';
import { type ArtifactOptions, openArtifacts } from './open-artifacts.ts';
import { createPageApi, type PageApiPorts } from './page-api.ts';
import { capstanCrds } from './probes/probe-crd.ts';
import { PROBE_KIND } from './probes/probe-spec.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import {
  type ControlPlaneEvent,
  type RunningControllers,
  runControllers,
} from './run-controllers.ts';
import { AppActions } from './views/app-actions.ts';
import { AppViews } from './views/app-views.ts';

export interface ControlPlaneOptions {
  readonly client: KubeClient;
  /** What to call the cluster on the page. */
  readonly clusterName: string;
  /** Caches; may be deleted while nothing runs. */
  readonly cacheFolder: string;
  /** The built page. */
  readonly pageFolder: string;
  /** Shown to newcomers: where to push. */
  readonly gitUrl: string | null;
  /** Names under which the page may be asked for, beside loopback. */
  readonly hosts?: readonly string[];
  /** Remotes may be folders of this machine. */
  readonly allowFileRemotes?: boolean;
  /** How artifacts of Flux's sources are served. */
  readonly artifacts?: ArtifactOptions;
  /** What keeps tenants of Flux's resources apart. */
  readonly tenancy?: Tenancy;
  /** What Flux's controllers are told. */
  readonly fluxSettings?: FluxSettings;
  /** How programs of Argo CD's image are called here, by their names there. */
  readonly programs?: { readonly [name: string]: readonly string[] };
  /** One of several processes that share the work; absent: this one does it all. */
  readonly replica?: ReplicaOptions;
  /** What the process counts; given by who counts its requests as well. */
  readonly registry?: Registry;
  readonly version: string;
  /** What becomes of definitions that the cluster has already: by default nothing. */
  readonly crds?: CrdPolicy;
  readonly log: (message: string, keys?: Readonly<Record<string, unknown>>) => void;
  readonly onEvent?: (event: ControlPlaneEvent) => void;
  readonly clock?: Clock;
}

const ARGOCD_NAMESPACE = 'argocd';
/** What the page shows, schemas are read from and the controllers work on, though no delivery may have put it there. */
const KEPT_KINDS = new Set([
  'Application',
  'ApplicationSet',
  'AppProject',
  'CustomResourceDefinition',
  PROBE_KIND,
]);

function isKept({ apiVersion, kind }: KubeObject): boolean {
  return KEPT_KINDS.has(kind) || parseApiVersion(apiVersion).group.endsWith('.fluxcd.io');
}

export interface ControlPlane {
  /** The page and its API. */
  readonly handle: (request: Request) => Promise<Response>;
  /** Tells of a push to a repository, as a webhook does. */
  readonly notifyPush: (url: string) => number;
  close(): Promise<void>;
}

function tellCrds(
  { created, replaced, older }: InstalledCrds,
  policy: CrdPolicy,
  log: ControlPlaneOptions['log'],
): void {
  if (created.length > 0) log('installed definitions', { count: created.length });
  if (replaced.length > 0) log('replaced older definitions', { names: replaced.join(' ') });
  for (const [definition, lacks] of older) {
    log('an older definition stays: the API server drops fields that it lacks', {
      definition,
      lacks: lacks.join(', '),
      hint:
        policy === 'Create'
          ? 'replace it: capstan serve --crds CreateReplace'
          : 'it is not replaced, for it has versions or fields that are not known here',
    });
  }
}

/** Wires one cluster: definitions, sources, renders, the controllers of both families, the page. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const clock = options.clock ?? systemClock();
  const stop = new AbortController();
  const { signal } = stop;
  const { client, log } = options;
  mkdirSync(options.cacheFolder, { recursive: true });
  const { version } = options;
  const definitions = [...argocdCrds, ...fluxCrds, ...capstanCrds];
  const policy = options.crds ?? 'Create';
  const installed = await installCrds(client, definitions, { clock, signal, version, policy });
  tellCrds(installed, policy, log);
  await ensureNamespace(client, ARGOCD_NAMESPACE, signal);
  const artifacts = await openArtifacts(options.cacheFolder, options.artifacts ?? {}, clock);
  const { storage } = artifacts;
  const git = createSourceStore({
    folder: options.cacheFolder,
    clock,
    random: Math.random,
    readArchive: (url) => storage.read(url),
    allowFile: options.allowFileRemotes === true,
  });
  const sources = withArtifacts(git, { clock, random: Math.random });
  let tracking = await readTracking(client, signal);
  let sensitiveAnnotations: readonly string[] = [];
  const open = await clusterOpener(clock, () => tracking);
  const cluster = open({ name: 'in-cluster' }, client);
  const clusters = new ClusterPool({
    create: (name, other) => open({ name }, other),
    onError: (error) => log('a cluster did not close cleanly', { error: messageOf(error) }),
  });
  const watched = cluster.live.ensureAll({ signal });
  const registry = options.registry ?? createRegistry();
  registerProcessMetrics(registry, () => [cluster, ...clusters.list()]);
  const replicas =
    options.replica && (await join(options.replica, { client, sources, clock, log }));
  const gate = replicas?.membership;
  const runtime = { registry, ...(gate === undefined ? {} : { gate }) };
  const controllers = runControllers(
    {
      client,
      cluster,
      clusters,
      createCluster: open,
      onSettings: (settings) => {
        tracking = settings;
        sensitiveAnnotations = settings.sensitiveAnnotations;
      },
      writer: git,
      programs: options.programs,
      tenancy: options.tenancy ?? {},
      fluxSettings: options.fluxSettings ?? {},
      sources,
      artifacts: storage,
      cacheFolder: options.cacheFolder,
      clock,
      log,
      runtime,
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    },
    signal,
  );
  await watched;
  const notifyPush = (url: string) => {
    gate?.announce(url);
    return sources.notify(url);
  };
  const { inspect, preview, traceField, healthRules } = controllers;
  return {
    handle: createPage({
      options,
      cluster,
      sources,
      clock,
      inspect,
      preview,
      traceField,
      healthRules,
      sensitiveAnnotations: () => sensitiveAnnotations,
      notifyPush,
      registry,
    }),
    notifyPush,
    close: async () => {
      stop.abort(new Error('Capstan stops'));
      await controllers.ended;
      await replicas?.leave();
      await artifacts.close();
      await sources.close();
      await clusters[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      await client.close();
    },
  };
}

function join(
  replica: ReplicaOptions,
  {
    client,
    sources,
    clock,
    log,
  }: Pick<ControlPlaneOptions, 'client' | 'log'> & {
    readonly sources: SourceStore;
    readonly clock: Clock;
  },
): Promise<JoinedReplicas> {
  const onPush = (url: string) => void sources.notify(url);
  return joinReplicas({ replica, client, namespace: ARGOCD_NAMESPACE, clock, log, onPush });
}

/** The home of Applications and projects, as the original's installation makes it. */
async function ensureNamespace(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name };
  if ((await client.find(ref, { signal })) !== undefined) return;
  const { apiVersion, kind } = ref;
  await client
    .create({ apiVersion, kind, metadata: { name } }, { fieldManager: 'capstan', signal })
    .catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
}

/** How objects say which Application they belong to, before the controllers follow the settings. */
async function readTracking(client: KubeClient, signal: AbortSignal): Promise<TrackingSettings> {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'argocd-cm' };
  const found = await client.find({ ...ref, namespace: ARGOCD_NAMESPACE }, { signal });
  return readSettings({ ...(found?.['data'] as { readonly [key: string]: string } | undefined) });
}

type OpenCluster = (
  which: {
    readonly name: string;
    readonly namespaces?: readonly string[];
    readonly clusterResources?: boolean;
  },
  client: KubeClient,
) => Cluster;

async function clusterOpener(clock: Clock, tracking: () => TrackingSettings): Promise<OpenCluster> {
  const catalogue = await loadCatalogue();
  return ({ name, namespaces = [], clusterResources = false }, client) => {
    const cluster: Cluster = createCluster({
      name,
      client,
      schemaOf: clusterSchemas(catalogue, () => cluster.live),
      definitionOf: (name) => catalogue.definition(name),
      ownerReaders: [applicationOwners(ARGOCD_NAMESPACE, tracking), kustomizationOwners],
      keepsWhole: isKept,
      ...(namespaces.length === 0 ? {} : { namespaces, clusterObjects: clusterResources }),
      clock,
    });
    return cluster;
  };
}

function createPage(parts: {
  readonly options: ControlPlaneOptions;
  readonly cluster: Cluster;
  readonly sources: SourceStore;
  readonly clock: Clock;
  readonly inspect: PageApiPorts['inspect'];
  readonly preview: PageApiPorts['preview'];
  readonly traceField: PageApiPorts['traceField'];
  readonly healthRules: RunningControllers['healthRules'];
  readonly sensitiveAnnotations: () => readonly string[];
  readonly notifyPush: (url: string) => number;
  readonly registry: Registry;
}): (request: Request) => Promise<Response> {
  const { options, cluster, sources, clock, healthRules, notifyPush, registry } = parts;
  const { inspect, preview, traceField, sensitiveAnnotations } = parts;
  const { client, live } = cluster;
  const views = new AppViews({ live, findCommit: commitFinder(sources), healthRules, clock });
  const api = createPageApi({
    client,
    live,
    views,
    clock,
    inspect,
    preview,
    traceField,
    sensitiveAnnotations,
    actions: new AppActions({ client, views, clock, user: 'admin' }),
    info: { version: options.version, cluster: options.clusterName, gitUrl: options.gitUrl },
  });
  const files = staticFiles(options.pageFolder);
  const webhook = webhookEndpoint({ client, clock, notifyPush });
  const handle = (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === '/api/webhook') return webhook(request);
    if (pathname === '/metrics') return metricsPage(registry);
    return pathname.startsWith('/api/') ? api(request) : files(request);
  };
  return guardRequests(handle, { hosts: options.hosts ?? [] });
}

/** For Prometheus, in its text format. */
async function metricsPage(registry: Registry): Promise<Response> {
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  return new Response(registry.text(), { headers });
}

function commitFinder(
  sources: SourceStore,
): ConstructorParameters<typeof AppViews>[0]['findCommit'] {
  return ({ repo }, revision) => {
    const commit = sources.findCommit(repo, revision);
    if (commit === undefined) return null;
    const { id, author, date, message } = commit;
    return { sha: id, author, date, message };
  };
}
