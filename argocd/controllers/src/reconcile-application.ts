/**
 * One run for one Application: it is observed with what it refers to, the engine looks at its delivery, and what came of it is
 * written once, at the single exit.
 */
import {
  ANNOTATION,
  type Application,
  type ApplicationStatus,
  type SourceHydratorStatus,
} from '@capstan/argocd-api';
import {
  type AwaitedObjects,
  type Cluster,
  type Delivery,
  type DeliveryLook,
  type DeliveryStatus,
  type ObjectStatus,
  type OperationRequest,
  OWNER_INDEX,
  problemOf,
  runDelivery,
  type SourceWatches,
} from '@capstan/engine-delivery';
import type { ReconcileResult, StatusWrites } from '@capstan/kube-controller';
import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { ApplicationControllerPorts } from './application-controller.ts';
import { type AppKey, isTerminating } from './control-state.ts';
import { deleteApplication } from './delete-application.ts';
import { portsFor, renderLate } from './delivery-ports.ts';
import { ensureDeleteFinalizers } from './end-of-application.ts';
import { drySpecs, type HydrationBench, hydrateFirst } from './hydrate-first.ts';
import { isOverdue, limitAtMs, spreadMs } from './look-times.ts';
import { contextOf } from './lowering-context.ts';
import { findOrphans } from './orphaned-resources.ts';
import { readStatus } from './read-status.ts';
import { toApplicationStatus } from './to-application-status.ts';
import { accountFor, type LoweringContext, ownerName, toDelivery } from './to-delivery.ts';
import { eventLabels, toEvents } from './to-events.ts';
import { toOperationRequest } from './to-operation-request.ts';
import { unusableStatus } from './unusable-spec.ts';
import { writeStatus } from './write-status.ts';

/** Everything a reconcile uses. */
export interface Bench extends HydrationBench {
  readonly ports: ApplicationControllerPorts;
  readonly watches: SourceWatches;
  readonly awaited: AwaitedObjects;
  readonly statuses: StatusWrites;
  /** When everything of an application was last made anew (timeout.hard.reconciliation). */
  readonly hardAtMs: Map<string, number>;
  readonly leisure: { end(): void };
  /** The engine's last word on each application. */
  readonly known: Map<string, { readonly uid: string; readonly status: DeliveryStatus }>;
}

/** What is wanted and not this application's own. */
function awaitedOf(
  id: string,
  { objects }: DeliveryStatus,
  cluster: Cluster,
): readonly ObjectKey[] {
  return objects
    .filter(({ hook, requiresPruning }) => !hook && !requiresPruning)
    .filter(({ key }) => cluster.live.get(key)?.indexedBy(OWNER_INDEX).includes(id) !== true)
    .map(({ key }) => key);
}

/** Not at once: what the cache holds may be gone without its having heard of it. */
const COME_AGAIN_MS = 500;

/** Told to be missing, and made by somebody before it was awaited. */
function isThere({ key, health }: ObjectStatus, { live }: Cluster): boolean {
  return health?.status === 'Missing' && live.get(key) !== undefined;
}

export function forget(id: string, { watches, known, awaited, hardAtMs }: Bench): void {
  watches.forget(id);
  known.delete(id);
  awaited.forget(id);
  hardAtMs.delete(id);
}

export async function reconcile(
  key: AppKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
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
    current = await reportStatus(current, status, {
      bench,
      isFinal: false,
      hydration,
      begun: app,
      signal,
    });
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
  await reportStatus(current, status, { bench, isFinal: true, hydration, begun: app, signal });
  return hydration?.currentOperation?.phase === 'Failed'
    ? withRecheck(status, ports.clock.now() + HYDRATION_AGAIN_MS)
    : status;
}

/** What could not be hydrated is tried again, as in the original. */
const HYDRATION_AGAIN_MS = 120_000;

function withRecheck(status: DeliveryStatus, atMs: number): DeliveryStatus {
  const { recheckAtMs = Number.POSITIVE_INFINITY } = status;
  return { ...status, recheckAtMs: Math.min(recheckAtMs, atMs) };
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
    if (cluster !== undefined) bench.awaited.set(id, cluster, awaitedOf(id, status, cluster));
    const hasCome = cluster !== undefined && status.objects.some((one) => isThere(one, cluster));
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
      ...(hasCome ? withRecheck(status, ports.clock.now() + COME_AGAIN_MS) : status),
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
  } finally {
    watches.looked(id);
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
  /** As it was when the look began: what people wrote since is for the next one. */
  readonly begun: Application;
  readonly signal: AbortSignal;
}

/** The single exit: one patch, and the events that tell what it changed. */
async function reportStatus(
  app: Application,
  delivery: DeliveryStatus,
  { bench, isFinal, hydration, begun, signal }: ReportOptions,
): Promise<Application> {
  const { ports, control, controlNamespace, statuses } = bench;
  const { namespace = '', name = '' } = app.metadata;
  const before: ApplicationStatus = app.status ?? {};
  const after = toApplicationStatus({ ...begun, status: before }, delivery, {
    nowMs: ports.clock.now(),
    controlNamespace,
    operation: begun.operation,
    hydration,
  });
  const isDone = begun.operation !== undefined && delivery.operation?.finishedAtMs !== undefined;
  const written = await statuses.write({ namespace, name }, control, () =>
    writeStatus(app, after, {
      client: ports.client,
      isFinal,
      clearsOperation: isFinal && isDone && isSameRequest(app, begun),
      seen: begun.metadata.annotations ?? {},
      signal,
    }),
  );
  if (written === undefined) return app;
  const labels = eventLabels(app, control.project(app.spec.project), control.settings());
  for (const event of toEvents(before, after))
    ports.events.record({ object: eventObject(app), ...event, ...labels });
  return control.parse(written);
}

function isSameRequest(one: Application, other: Application): boolean {
  return JSON.stringify(one.operation) === JSON.stringify(other.operation);
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

export function lookUp(key: AppKey, bench: Bench): DeliveryLook | undefined {
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
