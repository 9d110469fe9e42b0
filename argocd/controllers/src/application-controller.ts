/**
 * Reconciles Applications. Each run observes the  and what it refers to, lets the engine look at the delivery,
 * and writes status, events and the cleared `operation` and refresh annotation in one patch at the single exit. It is
 * level-based and idempotent; it neither renders nor plans. Woken by the Application, its project and credentials, its
 * sources, its objects in the cluster, and the times that the engine names.
 */
import { ANNOTATION, GROUP } from '@capstan/argocd-api';
import {
  AwaitedObjects,
  type DeliveryLook,
  type DeliveryPorts,
  type DependencyGraph,
  keyOfOwner,
  persist,
  SourceWatches,
  type VerdictCache,
  type Weight,
  watchOwners,
} from '@capstan/engine-delivery';
import type { SourceAuth, SourceStore, SourceWriter, VerifyRequest } from '@capstan/engine-source';
import type { KubeClient, LiveChange, LiveState } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EnqueueOptions,
  type EventRecorder,
  type ReconcileResult,
  StatusWrites,
} from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';
import type { Programs } from './cluster-secret.ts';
import type { ClusterDirectory } from './clusters.ts';
import { type AppKey, ControlState, concernsAll, isRecord, isWanted } from './control-state.ts';
import { createProjectController, wakeProjects } from './end-of-project.ts';
import { ensureDefaultProject } from './ensure-default-project.ts';
import { weighUpdate } from './idle-updates.ts';
import { asksForLabels, createClusterLabeller, wakeLabeller } from './label-clusters.ts';
import { leisureMs, leisureOf } from './look-times.ts';
import { type Bench, forget, lookUp, reconcile } from './reconcile-application.ts';
import { repositoryAccess } from './repositories.ts';
import type { Settings } from './settings.ts';
import { toVerification } from './source-integrity.ts';
import { ownerName } from './to-delivery.ts';

export interface ApplicationControllerPorts {
  /** The control plane's own cluster, where Applications live. */
  readonly client: KubeClient;
  readonly clusters: ClusterDirectory;
  readonly sources: SourceStore;
  readonly render: DeliveryPorts['render'];
  /** Commits what is hydrated; absent: hydrated applications are synced from their branch, and nothing is committed. */
  readonly writer?: SourceWriter;
  readonly verdicts: VerdictCache;
  readonly events: EventRecorder;
  /** Told what the administrator sets, when it is known and whenever it changes. */
  readonly onSettings?: (settings: Settings) => void;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
  /** Absent: nothing waits for anything. */
  readonly dependencies?: DependencyGraph;
  /** A cache of the control plane's cluster that holds Applications and projects whole; absent: they are watched once more. */
  readonly shared?: LiveState;
}

export interface ApplicationControllerOptions {
  /** `argocd` by default. */
  readonly namespace?: string;
  /** Further namespaces whose Applications are served. */
  readonly applicationNamespaces?: readonly string[];
  /** Between two looks at a remote; by default what argocd-cm says (timeout.reconciliation), or 120 s. */
  readonly pollIntervalMs?: number;
  readonly concurrency?: number;
  readonly programs?: Programs | undefined;
  readonly onResult?: (app: AppKey, result: ReconcileResult, durationMs: number) => void;
}

export interface ApplicationController {
  run(options: { readonly signal: AbortSignal }): Promise<void>;
  /** The application as the engine takes it, for a look that changes nothing; undefined when there is none. */
  lookUp(app: AppKey): DeliveryLook | undefined;
  /** What the administrator sets, as it stands. */
  settings(): Settings;
  /** How a repository is reached, and what the project ('' for none) demands of its commits. */
  accessTo(repository: { readonly url: string; readonly project: string }): {
    readonly auth: SourceAuth | undefined;
    readonly plainHttp?: boolean;
    readonly lfs?: boolean;
    readonly submodules?: boolean;
    readonly verify: VerifyRequest | undefined;
  };
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
}

export function createApplicationController(
  ports: ApplicationControllerPorts,
  options: ApplicationControllerOptions = {},
): ApplicationController {
  const controlNamespace = options.namespace ?? 'argocd';
  const control = new ControlState(ports.client, {
    namespace: controlNamespace,
    namespaces: options.applicationNamespaces ?? [],
    shared: ports.shared,
    programs: options.programs,
  });
  const concurrency = options.concurrency ?? CONCURRENCY;
  const pollIntervalMs = () => options.pollIntervalMs ?? intervalOf(control.settings());
  const leisure = leisureOf(ports.clock, () => {
    for (const { namespace, name } of control.applications()) {
      const afterMs = leisureMs(ownerName(namespace, name));
      controller.enqueue({ namespace, name }, { afterMs, priority: -100, reason: 'leisure' });
    }
  });
  const watches = new SourceWatches(
    ports.sources,
    (id) => controller.enqueue(keyOfOwner(id), URGENT),
    { rendersAtOnce: true, onElsewhere: leisure.begin },
  );
  const bench: Bench = {
    ports,
    control,
    watches,
    leisure,
    controlNamespace,
    pollIntervalMs,
    hydrations: new Map(),
    awaited: new AwaitedObjects(),
    statuses: new StatusWrites((key, options) => controller.enqueue(key, options)),
    hardAtMs: new Map(),
    known: new Map(),
  };
  const controller = createController<AppKey>({
    name: 'application',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: ({ namespace, name }) => ownerName(namespace, name),
    concurrency,
    concurrencyOf: (priority) =>
      priority === HEALTH_PRIORITY ? Math.min(concurrency, HEALTH_CONCURRENCY) : concurrency,
    // A cluster that hangs holds up its own applications alone.
    laneOf: (key) => destinationOf(control.read(key)),
    onMoved: ({ namespace, name }) => {
      const id = ownerName(namespace, name);
      forget(id, bench);
    },
    clock: ports.clock,
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
    ...(options.onResult === undefined ? {} : { onResult: options.onResult }),
  });
  return {
    run: ({ signal }) => run(controller, bench, signal),
    lookUp: (key) => lookUp(key, bench),
    settings: () => control.settings(),
    accessTo: (repository) => {
      const project = control.project(repository.project)?.spec;
      const verify = project && toVerification(project, repository.url, control.keys());
      const known = { credentials: control.credentials(), trust: control.trust() };
      const { submodules } = control.settings().applicationSets;
      return { ...repositoryAccess(repository, known), verify, submodules };
    },
    idle: () => controller.idle(),
  };
}

const NEVER_MS = 2_000_000_000;
/**
 * A reconcile mostly waits for its turn at the server, which is asked over a bounded number of connections however many are under way
 * here. With hundreds at once a fleet is applied before the cluster's own controllers, which have a few workers each, have gone
 * through what follows from it (docs/decisions/0016).
 */
const CONCURRENCY = 512;
/** How objects fare changes several times while they start: it is looked at once few are under way, and details a second later. */
const HEALTH_CONCURRENCY = 32;
const HEALTH_PRIORITY = -110;
const WAKES: Readonly<Record<Weight, EnqueueOptions>> = {
  content: { reason: 'live object' },
  health: { reason: 'live health', priority: HEALTH_PRIORITY },
  note: { reason: 'live status', priority: HEALTH_PRIORITY, afterMs: 1_000 },
};

/** 0 in the settings: remotes are asked by webhooks and refreshes only. */
function intervalOf({ pollIntervalMs }: Settings): number {
  return pollIntervalMs === 0 ? NEVER_MS : pollIntervalMs;
}

function destinationOf(object: KubeObject | undefined): string {
  const spec = object?.['spec'];
  const destination = isRecord(spec) ? spec['destination'] : undefined;
  if (!isRecord(destination)) return '';
  return String(destination['server'] || destination['name'] || '').replace(/\/+$/, '');
}

const URGENT: EnqueueOptions = { priority: 10, reason: 'source' };

async function run(
  controller: Controller<AppKey>,
  bench: Bench,
  signal: AbortSignal,
): Promise<void> {
  const { control, ports, watches } = bench;
  const { client, clock, runtime } = ports;
  const projects = createProjectController({ client, control, clock, runtime });
  const labeller = createClusterLabeller({
    client,
    clusters: ports.clusters,
    control,
    clock,
    runtime,
  });
  const stops = [
    ports.clusters.onOpen((cluster) =>
      watchOwners(
        cluster,
        'Application',
        (app, weight) => controller.enqueue(app, WAKES[weight]),
        (change) => weigh(change, bench),
      ),
    ),
    ports.clusters.onOpen((cluster) =>
      bench.awaited.watch(cluster, (owner) => controller.enqueue(keyOfOwner(owner), AWAITED)),
    ),
    followDependencies(controller, bench, signal),
  ];
  try {
    const patience = { clock: ports.clock, signal };
    await persist(() => control.start({ signal }), patience);
    takeSettings(bench);
    stops.push(
      control.subscribe((change) => {
        if (change.key.kind === 'Secret' || change.key.kind === 'ConfigMap') takeSettings(bench);
        wakeConcerned(change, controller, bench);
        wakeProjects(change, projects);
        wakeLabeller(change, labeller);
      }),
    );
    const made = await persist(
      () => ensureDefaultProject(ports.client, bench.controlNamespace, { signal }),
      patience,
    );
    if (made !== undefined) control.observeWrite(made);
    for (const key of control.applications()) controller.enqueue(key, { priority: -100 });
    for (const name of control.leavingProjects()) projects.enqueue(name);
    for (const name of control.secretNames())
      if (asksForLabels(control.secret(name))) labeller.enqueue(name);
    await Promise.all([controller, projects, labeller].map((one) => one.run({ signal })));
  } finally {
    for (const stop of stops) stop();
    bench.leisure.end();
    watches.close();
    await control[Symbol.asyncDispose]();
  }
}

/** In doubt it is looked at. */
function weigh(change: LiveChange, { control, ports }: Bench): Weight | 'none' {
  const { clock, verdicts } = ports;
  const tools = { evaluator: verdicts.paths, nowMs: clock.now() };
  try {
    return weighUpdate(change, control.settings(), tools);
  } catch {
    return 'content';
  }
}

/** Somebody else's object may change often. */
const AWAITED: EnqueueOptions = { afterMs: 500, reason: 'awaited object' };

function takeSettings({ control, ports }: Bench): void {
  const settings = control.settings();
  ports.onSettings?.(settings);
  ports.clusters.register(control.clusters(), { ownEnabled: settings.inClusterEnabled });
}

/** Wakes who waits, and has a dependency look at its source which may be behind only because nothing of it changed. */
function followDependencies(
  controller: Controller<AppKey>,
  { ports, control }: Bench,
  signal: AbortSignal,
): () => void {
  const stop = ports.dependencies?.subscribe({
    wake: ({ kind, namespace, name }) => {
      if (kind === 'Application') controller.enqueue({ namespace, name }, { reason: 'dependency' });
    },
    refresh: ({ kind, namespace, name }) => {
      if (kind !== 'Application') return;
      const known = control.read({ namespace, name })?.metadata.annotations ?? {};
      if (known[ANNOTATION.refresh] !== undefined) return;
      void askForRefresh({ namespace, name }, ports.client, signal);
    },
  });
  return stop ?? (() => undefined);
}

/** By the annotation that people use, since another replica may be the one to look. */
async function askForRefresh(key: AppKey, client: KubeClient, signal: AbortSignal): Promise<void> {
  const ref = { group: GROUP, kind: 'Application', ...key };
  const patch = { metadata: { annotations: { [ANNOTATION.refresh]: 'normal' } } };
  await client.patch(ref, patch, { type: 'merge', signal }).catch(() => undefined);
}

function wakeConcerned(
  change: LiveChange,
  controller: Controller<AppKey>,
  { control, statuses }: Bench,
): void {
  const { key } = change;
  if (key.group === GROUP && key.kind === 'Application') {
    if (isWanted(change)) controller.enqueue(key, { reason: 'application' });
    else statuses.see(change);
  } else if (concernsAll(change)) {
    for (const app of control.applications()) controller.enqueue(app, { reason: key.kind });
  }
}
