/**
 * Reconciles Applications. Each run observes the Application and what it refers to, lets the engine look at the delivery,
 * and writes status, events and the cleared `operation` and refresh annotation in one patch at the single exit. It is
 * level-based and idempotent; it neither renders nor plans. Woken by the Application, its project and credentials, its
 * sources, its objects in the cluster, and the times that the engine names.
 */
import {
  ANNOTATION,
  type Application,
  type ApplicationStatus,
  GROUP,
  type SourceHydratorStatus,
} from '@capstan/argocd-api';
import {
  type Cluster,
  type Delivery,
  type DeliveryLook,
  type DeliveryPorts,
  type DeliveryStatus,
  type DependencyGraph,
  type OperationRequest,
  OWNER_INDEX,
  persist,
  problemOf,
  runDelivery,
  SourceWatches,
  type VerdictCache,
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
} from '@capstan/kube-controller';
import { type KubeObject, keyString, type ObjectKey } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { AwaitedObjects } from './awaited-objects.ts';
import type { Programs } from './cluster-secret.ts';
import type { ClusterDirectory } from './clusters.ts';
import {
  type AppKey,
  ControlState,
  concernsAll,
  isRecord,
  isTerminating,
  isWanted,
} from './control-state.ts';
import { deleteApplication } from './delete-application.ts';
import { portsFor, renderLate } from './delivery-ports.ts';
import { ensureDeleteFinalizers } from './end-of-application.ts';
import { ensureDefaultProject } from './ensure-default-project.ts';
import { drySpecs, type HydrationBench, hydrateFirst } from './hydrate-first.ts';
import { isIdleUpdate } from './idle-updates.ts';
import { isOverdue, leisureMs, leisureOf, limitAtMs, spreadMs } from './look-times.ts';
import { contextOf } from './lowering-context.ts';
import { findOrphans } from './orphaned-resources.ts';
import { readStatus } from './read-status.ts';
import { repositoryAccess } from './repositories.ts';
import type { Settings } from './settings.ts';
import { toVerification } from './source-integrity.ts';
import { toApplicationStatus } from './to-application-status.ts';
import { accountFor, type LoweringContext, ownerName, toDelivery } from './to-delivery.ts';
import { eventLabels, toEvents } from './to-events.ts';
import { toOperationRequest } from './to-operation-request.ts';
import { unusableStatus } from './unusable-spec.ts';
import { writeStatus } from './write-status.ts';

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
    readonly verify: VerifyRequest | undefined;
  };
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
}

/** Everything a reconcile uses. */
interface Bench extends HydrationBench {
  readonly ports: ApplicationControllerPorts;
  readonly watches: SourceWatches;
  readonly awaited: AwaitedObjects;
  /** When everything of an application was last made anew (timeout.hard.reconciliation). */
  readonly hardAtMs: Map<string, number>;
  readonly leisure: { end(): void };
  /** The engine's last word on each application. */
  readonly known: Map<string, { readonly uid: string; readonly status: DeliveryStatus }>;
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
  const pollIntervalMs = () => options.pollIntervalMs ?? intervalOf(control.settings());
  const leisure = leisureOf(ports.clock, () => {
    for (const { namespace, name } of control.applications()) {
      const afterMs = leisureMs(ownerName(namespace, name));
      controller.enqueue({ namespace, name }, { afterMs, priority: -100, reason: 'leisure' });
    }
  });
  const watches = new SourceWatches(
    ports.sources,
    (id) => controller.enqueue(fromOwner(id), URGENT),
    { onElsewhere: leisure.begin },
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
    hardAtMs: new Map(),
    known: new Map(),
  };
  const controller = createController<AppKey>({
    name: 'application',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: ({ namespace, name }) => ownerName(namespace, name),
    concurrency: options.concurrency ?? CONCURRENCY,
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
      return { ...repositoryAccess(repository, known), verify };
    },
    idle: () => controller.idle(),
  };
}

const NEVER_MS = 2_000_000_000;
/** A reconcile mostly waits for the server, which has many others to answer as well. */
const CONCURRENCY = 32;

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
  const stops = [
    ports.clusters.onOpen((cluster) =>
      watchOwners(
        cluster,
        (owner) => {
          if (owner.startsWith('Application/'))
            controller.enqueue(fromOwner(owner), { reason: 'live object' });
        },
        (change) => isIdle(change, bench),
      ),
    ),
    ports.clusters.onOpen((cluster) =>
      cluster.live.subscribe(({ key }) => {
        for (const owner of bench.awaited.ownersOf(awaitedKey(cluster, key)))
          controller.enqueue(fromOwner(owner), AWAITED);
      }),
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
        wakeConcerned(change, controller, control);
      }),
    );
    const made = await persist(
      () => ensureDefaultProject(ports.client, bench.controlNamespace, { signal }),
      patience,
    );
    if (made !== undefined) control.observeWrite(made);
    for (const key of control.applications()) controller.enqueue(key, { priority: -100 });
    await controller.run({ signal });
  } finally {
    for (const stop of stops) stop();
    bench.leisure.end();
    watches.close();
    await control[Symbol.asyncDispose]();
  }
}

/** In doubt it is looked at. */
function isIdle(change: LiveChange, { control, ports }: Bench): boolean {
  const { clock, verdicts } = ports;
  const tools = { evaluator: verdicts.paths, nowMs: clock.now() };
  try {
    return isIdleUpdate(change, control.settings(), tools);
  } catch {
    return false;
  }
}

/** Somebody else's object may change often. */
const AWAITED: EnqueueOptions = { afterMs: 500, reason: 'awaited object' };

function awaitedKey({ name }: Pick<Cluster, 'name'>, key: ObjectKey): string {
  return `${name} ${keyString(key)}`;
}

/** What is wanted and not this application's own. */
function awaitedOf(id: string, { objects }: DeliveryStatus, cluster: Cluster): readonly string[] {
  return objects
    .filter(({ hook, requiresPruning }) => !hook && !requiresPruning)
    .filter(({ key }) => cluster.live.get(key)?.indexedBy(OWNER_INDEX).includes(id) !== true)
    .map(({ key }) => awaitedKey(cluster, key));
}

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
  control: ControlState,
): void {
  const { key } = change;
  if (key.group === GROUP && key.kind === 'Application') {
    if (isWanted(change)) controller.enqueue(key, { reason: 'application' });
  } else if (concernsAll(change)) {
    for (const app of control.applications()) controller.enqueue(app, { reason: key.kind });
  }
}

function fromOwner(owner: string): AppKey {
  const [, namespace = '', name = ''] = owner.split('/');
  return { namespace, name };
}

function forget(id: string, { watches, known, awaited, hardAtMs }: Bench): void {
  watches.forget(id);
  known.delete(id);
  awaited.forget(id);
  hardAtMs.delete(id);
}

async function reconcile(key: AppKey, bench: Bench, signal: AbortSignal): Promise<ReconcileResult> {
  const id = ownerName(key.namespace, key.name);
  const object = bench.control.read(key);
  if (object === undefined) {
    forget(id, bench);
    return { kind: 'settled' };
  }
  const app = bench.control.parse(object);
  if (app.metadata.deletionTimestamp !== undefined) {
    bench.watches.forget(id);
    return deleteApplication(app, bench, signal);
  }
  const status = await look(app, { bench, id, signal });
  if (status === undefined) return { kind: 'settled' };
  const { ports, control, hardAtMs } = bench;
  const againAtMs = limitAtMs(status, control.settings(), hardAtMs.get(id) ?? 0);
  return toResult(status, { nowMs: ports.clock.now(), againAtMs });
}

/** Whether everything is to be made anew: somebody asks for it, or its time has come. */
function isHard(
  id: string,
  { metadata }: Application,
  { control, hardAtMs, ports }: Bench,
): boolean {
  const { hardIntervalMs } = control.settings();
  const nowMs = ports.clock.now();
  const lastMs = hardAtMs.get(id);
  if (lastMs === undefined) hardAtMs.set(id, nowMs);
  const isDue = hardIntervalMs > 0 && lastMs !== undefined && nowMs - lastMs >= hardIntervalMs;
  const isNow = isDue || metadata.annotations?.[ANNOTATION.refresh] === 'hard';
  if (isNow) hardAtMs.set(id, nowMs);
  return isNow;
}

/** Observes, acts and reports; undefined when the application is not to be touched. */
async function look(
  app: Application,
  {
    bench,
    id,
    signal,
  }: { readonly bench: Bench; readonly id: string; readonly signal: AbortSignal },
): Promise<DeliveryStatus | undefined> {
  const held = bench.known.get(id);
  const past = held !== undefined && held.uid === app.metadata.uid ? held.status : readStatus(app);
  const { control, ports } = bench;
  const isLate = isOverdue(past, control.settings(), ports.clock.now());
  const previous = isLate
    ? endOperation(past, 'controller sync timeout')
    : isTerminating(app)
      ? endOperation(past)
      : past;
  const hard = isHard(id, app, bench);
  const refresh = hard || app.metadata.annotations?.[ANNOTATION.refresh] !== undefined;
  let current = app;
  const hydration = await hydrateFirst(app, bench, signal);
  const report = async (status: DeliveryStatus) => {
    current = await reportStatus(current, status, { bench, isFinal: false, hydration, signal });
  };
  const status = await runLook(app, previous, { bench, id, refresh, hard, report, signal });
  if (status === undefined) return undefined;
  bench.known.set(id, { uid: app.metadata.uid ?? '', status });
  // Before the status tells that it is synced: who deletes it then has its hooks run.
  const { client } = bench.ports;
  const written = await ensureDeleteFinalizers(current, status.deletePhases, client, signal);
  if (written !== undefined) {
    bench.control.observeWrite(written);
    current = bench.control.parse(written);
  }
  await reportStatus(current, status, { bench, isFinal: true, hydration, signal });
  return status;
}

interface LookOptions {
  readonly bench: Bench;
  readonly id: string;
  readonly refresh: boolean;
  /** Nothing that was rendered before is taken. */
  readonly hard: boolean;
  readonly report: (status: DeliveryStatus) => Promise<void>;
  readonly signal: AbortSignal;
}

async function runLook(
  app: Application,
  previous: DeliveryStatus | undefined,
  { bench, id, refresh, hard, report, signal }: LookOptions,
): Promise<DeliveryStatus | undefined> {
  const { ports, watches } = bench;
  try {
    const context = contextOf(app, bench);
    const delivery = toDelivery(underOperation(app), context);
    if (delivery.suspended) return undefined;
    const specs = [...delivery.sources.map(({ source }) => source), ...drySpecs(app, context)];
    watches.follow(id, specs, bench.pollIntervalMs() + spreadMs(id, context.settings));
    const request = toOperationRequest(app, previous?.operation, context);
    const status = await runDelivery(
      {
        delivery,
        previous: withRequest(previous, request),
        request,
        refresh: refresh || asksForNewest(request, previous?.operation),
        onProgress: report,
        onLoaded: (renders) => watches.loaded(id, renders),
      },
      renderLate(portsFor(delivery, ports, actorOf(delivery, app, context)), app, {
        context,
        sources: [...delivery.sources, ...(request?.sources ?? [])],
        hard,
      }),
      { signal },
    );
    const stale = status.problems.some(({ stage }) => stage === 'source') ? [] : watches.errors(id);
    const cluster = ports.clusters.get(delivery.destination.cluster);
    if (cluster !== undefined) bench.awaited.set(id, awaitedOf(id, status, cluster));
    const { cluster: server, namespace } = delivery.destination;
    const orphans =
      cluster === undefined || context.project === undefined
        ? []
        : await findOrphans(
            context.project.spec,
            { cluster, server, namespace, settings: context.settings },
            { signal },
          );
    return {
      ...status,
      problems: [
        ...status.problems,
        ...stale.map((error) => problemOf(error, 'source')),
        ...orphans,
      ],
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CapstanError) || error.kind === 'bug' || error.kind === 'retry')
      throw error;
    return unusableStatus(app, previous, { error, nowMs: ports.clock.now() });
  }
}

/** Who asks for a sync without naming revisions means what the remote has by then. */
function asksForNewest(
  request: OperationRequest | undefined,
  operation: DeliveryStatus['operation'],
): boolean {
  return (
    request !== undefined && request.revisions === undefined && request.id !== operation?.request.id
  );
}

/** A person's operation has the sync options that it names, whatever the policy of the application says. */
function underOperation(app: Application): Application {
  const sync = app.operation?.sync;
  if (sync === undefined) return app;
  const syncPolicy = { ...app.spec.syncPolicy, syncOptions: sync.syncOptions ?? [] };
  return { ...app, spec: { ...app.spec, syncPolicy } };
}

function endOperation(
  previous: DeliveryStatus | undefined,
  endedBy?: string,
): DeliveryStatus | undefined {
  const operation = previous?.operation;
  if (previous === undefined || operation?.phase !== 'Running') return previous;
  const cause = endedBy === undefined ? {} : { endedBy };
  return { ...previous, operation: { ...operation, phase: 'Terminating', ...cause } };
}

/** After a restart the status tells what was done, and the application's own field what was asked for. */
function withRequest(
  previous: DeliveryStatus | undefined,
  request: OperationRequest | undefined,
): DeliveryStatus | undefined {
  const operation = previous?.operation;
  if (previous === undefined || operation === undefined || request?.id !== operation.request.id) {
    return previous;
  }
  return { ...previous, operation: { ...operation, request } };
}

interface ReportOptions {
  readonly bench: Bench;
  /** The look is over: the operation that is done and the refresh annotation go. */
  readonly isFinal: boolean;
  readonly hydration: SourceHydratorStatus | undefined;
  readonly signal: AbortSignal;
}

/** The single exit: one patch, and the events that tell what it changed. */
async function reportStatus(
  app: Application,
  delivery: DeliveryStatus,
  { bench, isFinal, hydration, signal }: ReportOptions,
): Promise<Application> {
  const { ports, control, controlNamespace } = bench;
  const before: ApplicationStatus = app.status ?? {};
  const after = toApplicationStatus(app, delivery, {
    nowMs: ports.clock.now(),
    controlNamespace,
    operation: app.operation,
    hydration,
  });
  const clearsOperation =
    isFinal && app.operation !== undefined && delivery.operation?.finishedAtMs !== undefined;
  const written = await writeStatus(app, after, {
    client: ports.client,
    isFinal,
    clearsOperation,
    signal,
  });
  if (written === undefined) return app;
  control.observeWrite(written);
  const labels = eventLabels(app, control.project(app.spec.project), control.settings());
  for (const event of toEvents(before, after))
    ports.events.record({ object: eventObject(app), ...event, ...labels });
  return control.parse(written);
}

function eventObject({ apiVersion, kind, metadata }: Application): KubeObject {
  return { apiVersion, kind, metadata };
}

function toResult(
  status: DeliveryStatus,
  { nowMs, againAtMs }: { readonly nowMs: number; readonly againAtMs: number },
): ReconcileResult {
  const again = status.problems.find(
    ({ kind, severity }) => severity === 'error' && (kind === 'retry' || kind === 'bug'),
  );
  if (again !== undefined) {
    const { code, message, kind } = again;
    return { kind: 'retry', error: new CapstanError(code, message, { kind }) };
  }
  const recheckAtMs = Math.min(status.recheckAtMs ?? againAtMs, againAtMs);
  return recheckAtMs === Number.POSITIVE_INFINITY
    ? { kind: 'settled' }
    : { kind: 'settled', recheckAfterMs: Math.max(1, recheckAtMs - nowMs) };
}

/** Who looks, and acts; what is refused is only looked at. */
function actorOf(delivery: Delivery, app: Application, context: LoweringContext) {
  return delivery.refusal === undefined ? accountFor(app, context) : undefined;
}

function lookUp(key: AppKey, bench: Bench): DeliveryLook | undefined {
  const held = bench.control.read(key);
  if (held === undefined) return undefined;
  const app = bench.control.parse(held);
  const context = contextOf(app, bench);
  const delivery = toDelivery(app, context);
  const { sources } = delivery;
  const ports = renderLate(portsFor(delivery, bench.ports, actorOf(delivery, app, context)), app, {
    context,
    sources,
  });
  return { delivery, ports, inventory: readStatus(app)?.inventory ?? [] };
}
