import { join } from 'node:path';
import type { AppRef } from '@capstan/apps-contract';
import { createApplicationSetController } from '@capstan/argocd-application-sets';
import {
  applicationDependency,
  type ClusterDirectoryOptions,
  createApplicationController,
  createClusterDirectory,
  fitsListed,
  type Settings,
} from '@capstan/argocd-controllers';
import {
  type Cluster,
  type ClusterPool,
  createVerdictCache,
  type DeliveryLook,
  DependencyGraph,
  type FieldTrace,
  inspectObject,
  type ObjectInsight,
  previewSync,
  type SyncPreview,
  traceField,
  withAuthor,
} from '@capstan/engine-delivery';
import { type HealthRules, popularRules } from '@capstan/engine-health';
import { type FieldQuestion, RenderCache } from '@capstan/engine-render';
import type { SourceStore, SourceWriter } from '@capstan/engine-source';
import { readArchive } from '@capstan/engine-source/store';
import {
  createFluxControllers,
  type FluxSettings,
  kustomizationDependency,
  type Tenancy,
} from '@capstan/flux-controllers';
import { createHelmControllers } from '@capstan/flux-helm';
import type { ArtifactStorage } from '@capstan/flux-server';
import type { KubeClient } from '@capstan/kube-client';
import {
  type ControllerRuntime,
  createEventRecorder,
  currentReconcileId,
  type EventInput,
  type EventRecorder,
  pinKeys,
} from '@capstan/kube-controller';
import type { ObjectKey } from '@capstan/kube-object';
import { type BackoffPolicy, backoffDelayMs, type Clock, messageOf } from '@capstan/lib-std';
import { awsSurroundings } from './aws-surroundings.ts';
import { createProbeController } from './probes/probe-controller.ts';
import { RemoteContents } from './render/remote-contents.ts';
import { RenderPool } from './render/render-pool.ts';
import { RenderStore } from './render/render-store.ts';

export interface ControllerPorts {
  readonly client: KubeClient;
  readonly cluster: Cluster;
  /** Further clusters, opened as kubeconfigs of Flux's resources ask for them. */
  readonly clusters: ClusterPool;
  readonly tenancy: Tenancy;
  readonly fluxSettings: FluxSettings;
  /** Makes further clusters, as Secrets register them. */
  readonly createCluster: NonNullable<ClusterDirectoryOptions['create']>;
  readonly sources: SourceStore;
  /** For results of renders. */
  readonly cacheFolder: string;
  /** Commits what Applications have hydrated. */
  readonly writer: SourceWriter;
  readonly artifacts: ArtifactStorage;
  /** How programs of Argo CD's image are called here, by their names there. */
  readonly programs?: { readonly [name: string]: readonly string[] } | undefined;
  /** Told what Argo CD's administrator sets, when it is known and whenever it changes. */
  readonly onSettings: (settings: Settings) => void;
  readonly clock: Clock;
  readonly runtime: ControllerRuntime;
  readonly log: (message: string, keys?: Readonly<Record<string, unknown>>) => void;
  /** Told of each event of a reconciled object, beside its being written to the cluster. */
  readonly onEvent?: (event: ControlPlaneEvent) => void;
}

export interface ControlPlaneEvent {
  /** The original's name of the controller, e.g. `kustomize-controller`. */
  readonly component: string;
  readonly event: EventInput;
  /** Of the reconcile that told it. */
  readonly reconcileId?: string;
}

export interface RunningControllers {
  /** What is desired of one object of an app; undefined while that is not known. */
  inspect(app: AppRef, key: ObjectKey): Promise<ObjectInsight | undefined>;
  /** What a sync would do now; undefined while that is not known. */
  preview(app: AppRef): Promise<SyncPreview | undefined>;
  /** Which lines made a field of an object of an app; undefined while that is not known. */
  traceField(app: AppRef, question: FieldQuestion): Promise<FieldTrace | undefined>;
  /** Those of argocd-cm, as they stand. */
  healthRules(): HealthRules;
  /** Resolves when all have ended after the signal. */
  readonly ended: Promise<void>;
}

const INSPECT_MS = 20_000;
const AGAIN: BackoffPolicy = { baseMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0 };

interface Generation {
  run(signal: AbortSignal): Promise<void>;
  inspect(app: AppRef, key: ObjectKey): Promise<ObjectInsight | undefined>;
  preview(app: AppRef): Promise<SyncPreview | undefined>;
  traceField(app: AppRef, question: FieldQuestion): Promise<FieldTrace | undefined>;
  healthRules(): HealthRules;
}

/** Runs the controllers of both families until the signal. When they cannot go on, all are made anew after a pause. */
export function runControllers(ports: ControllerPorts, signal: AbortSignal): RunningControllers {
  const renders = new RenderCache();
  const store = new RenderStore(join(ports.cacheFolder, 'renders'));
  void store.removeUnused(ports.clock.now());
  const pool = new RenderPool({
    renders,
    store,
    now: () => ports.clock.now(),
    remotes: new RemoteContents({ sources: ports.sources, now: () => ports.clock.now() }),
  });
  let current: Generation | undefined;
  const loop = async () => {
    for (let attempt = 0; !signal.aborted; attempt++) {
      current = createGeneration(ports, pool);
      try {
        await current.run(signal);
      } catch (error) {
        if (signal.aborted) return;
        ports.log('the controllers stopped and are started again', { error: messageOf(error) });
        await pause(ports.clock, backoffDelayMs(AGAIN, attempt, 0), signal);
      }
    }
  };
  return {
    inspect: async (app, key) => current?.inspect(app, key),
    preview: async (app) => current?.preview(app),
    traceField: async (app, question) => current?.traceField(app, question),
    healthRules: () => current?.healthRules() ?? { base: 'workload', custom: [] },
    ended: loop().finally(() => pool.close()),
  };
}

function createGeneration(ports: ControllerPorts, renders: RenderPool): Generation {
  const { client, cluster, sources, clock } = ports;
  const recorders = {
    application: recorder(ports, 'argocd-application-controller', false),
    applicationSet: recorder(ports, 'applicationset-controller', false),
    source: recorder(ports, 'source-controller', true),
    kustomize: recorder(ports, 'kustomize-controller', true),
    watcher: recorder(ports, 'source-watcher', true),
    helm: recorder(ports, 'helm-controller', true),
  };
  const common = {
    client,
    shared: cluster.live,
    sources,
    clock,
    runtime: ports.runtime,
    verdicts: createVerdictCache(),
    dependencies: new DependencyGraph({
      live: cluster.live,
      readers: [applicationDependency, kustomizationDependency],
      healthRules: { base: 'workload', custom: popularRules() },
      now: () => clock.now(),
    }),
    render: async (...[snapshot, spec, options]: Parameters<RenderPool['render']>) =>
      renders.render(snapshot, spec, options),
  };
  const clusters = createClusterDirectory({
    own: cluster,
    create: ports.createCluster,
    onError: (error) => ports.log('a cluster was not closed', { error: messageOf(error) }),
  });
  let toldSets = '';
  const applications = createApplicationController(
    {
      ...common,
      clusters,
      writer: ports.writer,
      onSettings: (settings) => {
        ports.onSettings(settings);
        const { applicationSets: ofSets, applicationSetNamespaces: places } = settings;
        const text = JSON.stringify([ofSets, places]);
        if (text !== toldSets) applicationSets.wakeAll();
        toldSets = text;
      },
      events: recorders.application,
    },
    { programs: ports.programs },
  );
  const applicationSets = createApplicationSetController({
    client,
    sources,
    clock,
    runtime: ports.runtime,
    events: recorders.applicationSet,
    shared: cluster.live,
    outside: { aws: awsSurroundings(process.env), environment: process.env },
    settings: () => applications.settings().applicationSets,
    isServed: (namespace) =>
      applications
        .settings()
        .applicationSetNamespaces.some((pattern) => fitsListed(pattern, namespace)),
    accessTo: (repository) => applications.accessTo(repository),
  });
  // Artifacts lie on the disk of the replica that made them.
  const artifactRuntime = pinKeys(ports.runtime, 'artifacts');
  const flux = createFluxControllers({
    ...common,
    sourceRuntime: artifactRuntime,
    cluster,
    clusters: ports.clusters,
    tenancy: ports.tenancy,
    settings: ports.fluxSettings,
    artifacts: ports.artifacts,
    random: Math.random,
    events: recorders,
  });
  const helm = createHelmControllers({
    client,
    cluster,
    shared: cluster.live,
    clusters: ports.clusters,
    tenancy: ports.tenancy,
    settings: ports.fluxSettings,
    artifacts: ports.artifacts,
    unpack: (bytes) => readArchive(bytes),
    runtime: artifactRuntime,
    events: recorders,
    clock,
  });
  const probes = createProbeController({
    client,
    live: cluster.live,
    clock,
    runtime: ports.runtime,
  });
  const look = async <T>(
    app: AppRef,
    use: (found: DeliveryLook, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> => {
    if (app.kind === 'HelmRelease') return undefined;
    const signal = AbortSignal.timeout(INSPECT_MS);
    const found =
      app.kind === 'Application' ? applications.lookUp(app) : await flux.lookUp(app, { signal });
    return found && (await use(found, signal));
  };
  const traceRelease = async (
    app: AppRef,
    question: FieldQuestion,
  ): Promise<FieldTrace | undefined> => {
    const signal = AbortSignal.timeout(INSPECT_MS);
    const found = await helm.traceField(app, question, { signal });
    const lines = (found?.lines ?? []).map((line) => withAuthor(line, sources));
    return found && { ...found, lines: await Promise.all(lines) };
  };
  return {
    run: async (signal) => {
      await using _clusters = clusters;
      await runTogether(
        [applications, applicationSets, flux, helm, probes],
        Object.values(recorders),
        signal,
      );
    },
    inspect: (app, key) =>
      look(app, ({ delivery, ports }, signal) => inspectObject(delivery, key, { ports, signal })),
    preview: (app) =>
      look(app, ({ delivery, ports, inventory }, signal) =>
        previewSync(delivery, ports, { inventory, signal }),
      ),
    traceField: (app, question) =>
      app.kind === 'HelmRelease'
        ? traceRelease(app, question)
        : look(app, ({ delivery, ports }, signal) =>
            traceField(delivery, question, { ports, signal }),
          ),
    healthRules: () => applications.settings().healthRules,
  };
}

function recorder(
  { client, clock, log, onEvent }: ControllerPorts,
  component: string,
  aggregates: boolean,
): EventRecorder {
  const onError = (error: unknown) => log('an event is lost', { error: messageOf(error) });
  const events = createEventRecorder({ client, component, aggregates, clock, onError });
  if (onEvent === undefined) return events;
  return {
    record(event) {
      const reconcileId = currentReconcileId();
      onEvent({ component, event, ...(reconcileId === undefined ? {} : { reconcileId }) });
      events.record(event);
    },
    flush: () => events.flush(),
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  };
}

/** When one of them fails the others end too, so that they can be started again together. */
async function runTogether(
  controllers: readonly { run(options: { readonly signal: AbortSignal }): Promise<void> }[],
  recorders: readonly EventRecorder[],
  signal: AbortSignal,
): Promise<void> {
  const life = new AbortController();
  const stop = () => life.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const runs = controllers.map(async (controller) => {
      try {
        await controller.run({ signal: life.signal });
      } finally {
        stop();
      }
    });
    const failed = (await Promise.allSettled(runs)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  } finally {
    signal.removeEventListener('abort', stop);
    for (const events of recorders) await events[Symbol.asyncDispose]();
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, resolve);
  const stop = () => resolve();
  signal.addEventListener('abort', stop, { once: true });
  return promise.finally(() => {
    cancel();
    signal.removeEventListener('abort', stop);
  });
}
