/**
 * Reconciles HelmReleases: observes what a release needs, lets `runRelease` bring it to what is wanted, and writes the status
 * at the single exit (and while long actions run). Level-based; woken by the object, its source, what it depends on, the
 * configuration that asks to be watched, and its interval. It renders and applies nothing itself: that is kube/helm.
 */
import {
  type Artifact,
  FINALIZER,
  HELM_GROUP,
  type HelmRelease,
  parseHelmRelease,
  REQUESTED_AT,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import {
  canActAs,
  type DestinationPorts,
  type FluxSettings,
  isWatched,
  type NamedKey,
  openDestination,
  overriddenManagers,
  parseDurationMs,
  reconcileDurations,
  setFinalizer,
  writeStatus,
} from '@capstan/flux-controllers';
import { isNotFound, type LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EventRecorder,
  type ReconcileResult,
  StatusWrites,
} from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import type { ChartCache } from './chart-cache.ts';
import { isKnown } from './chart-source.ts';
import { reconcileTemplate } from './chart-template.ts';
import {
  conditionOf,
  isTrue,
  mark,
  markReconciling,
  markStalled,
  withStatus,
} from './conditions.ts';
import {
  type HelmControlState,
  isAsking,
  isNewSource,
  keyOf,
  keyText,
  requireParsed,
} from './control-state.ts';
import { withDefaults } from './default-spec.ts';
import { valuesDigest } from './digests.ts';
import { knownCluster } from './known-cluster.ts';
import { releaseName, releaseNamespace, sourceOf, storageNamespace } from './names.ts';
import { forget, type Observed, observeRelease } from './observe-release.ts';
import { type ActionPorts, uninstall, withoutFailures } from './perform-action.ts';
import type { ReleaseExpressions } from './release-expressions.ts';
import { releaseMerge } from './release-merge.ts';
import { changedTarget, mustResetFailures } from './release-state.ts';
import { takeRequest } from './requests.ts';
import { type RunResult, runRelease } from './run-release.ts';
import { recordEvent } from './tell.ts';
import { createWaits, type HealthCheck } from './waits.ts';

export interface HelmReleasePorts extends DestinationPorts {
  readonly control: HelmControlState;
  readonly charts: ChartCache;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
  readonly expressions: ReleaseExpressions;
  /** With `cancelsHealthChecks`, what is under way when something newer comes counts as failed. */
  readonly settings?: FluxSettings;
}

interface Bench {
  readonly ports: HelmReleasePorts;
  /** Of the reconciles that run: ends their waits when something newer comes. */
  readonly running: Map<string, AbortController>;
  readonly statuses: StatusWrites;
}

const FIELD_MANAGER = 'helm-controller';
const WATCH_LABEL = 'reconcile.fluxcd.io/watch';
const BACKOFF = { baseMs: 750, factor: 2, maxMs: 900_000, jitter: 0.1 };

/** What asked for a reconcile while one was running. */
class Trigger extends Error {
  readonly by: string;

  constructor(by: string) {
    super(`New reconciliation triggered by ${by}`);
    this.by = by;
  }
}

export function createHelmReleaseController(ports: HelmReleasePorts): {
  readonly controller: Controller<NamedKey>;
  start(): () => void;
} {
  const bench: Bench = {
    ports,
    running: new Map(),
    statuses: new StatusWrites((key, options) => controller.enqueue(key, options)),
  };
  const controller = createController<NamedKey>({
    name: 'helmrelease',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: keyText,
    concurrency: 8,
    backoff: BACKOFF,
    clock: ports.clock,
    ...reconcileDurations(
      'HelmRelease',
      ports.runtime,
      (key) => ports.control.find('HelmRelease', key) !== undefined,
    ),
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    controller,
    start() {
      const stops = [
        ports.control.live.subscribe((change) => wake(change, controller, bench)),
        ports.cluster.live.subscribe((change) => wakeReferrers(change, controller, bench)),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

/** The object itself, those whose chart it is, those that wait for it. */
function wake(change: LiveChange, controller: Controller<NamedKey>, bench: Bench): void {
  const { group, kind, namespace, name } = change.key;
  const key = { namespace, name };
  const ask = (one: NamedKey, reason: string): void => {
    controller.enqueue(one, { reason });
    if (bench.ports.settings?.cancelsHealthChecks !== true) return;
    bench.running.get(keyText(one))?.abort(new Trigger(`${kind}/${keyText(key)}`));
  };
  if (group === HELM_GROUP && kind === 'HelmRelease') {
    if (isAsking(change)) ask(key, 'helmrelease');
    else bench.statuses.see(change);
    for (const one of bench.ports.control.releasesBy('dependency', { kind, ...key })) {
      // One that runs may be about to tell of this one as it was.
      const isRunning = bench.running.has(keyText(keyOf(one)));
      if (isRunning || conditionOf(one, 'Ready')?.reason === 'DependencyNotReady')
        controller.enqueue(keyOf(one), { reason: 'dependency' });
    }
  } else if (group === SOURCE_GROUP && isNewSource(change)) {
    const status: unknown = change.after?.read()['status'];
    const artifact = artifactOf(status);
    for (const one of bench.ports.control.releasesBy('source', { kind, ...key })) {
      const waits = conditionOf(one, 'Ready')?.reason === 'SourceNotReady';
      // Why it is not ready may have changed; another chart may bear the same version.
      if (artifact === undefined || waits) {
        if (waits) controller.enqueue(keyOf(one), { reason: 'source' });
        continue;
      }
      const isSettled = isTrue(one, 'Ready') || isTrue(one, 'Reconciling');
      if (isSettled && isKnown(one, kind, artifact)) continue;
      ask(keyOf(one), 'source');
    }
  }
}

function artifactOf(status: unknown): Artifact | undefined {
  const artifact: unknown =
    typeof status === 'object' && status !== null ? Reflect.get(status, 'artifact') : undefined;
  return typeof artifact === 'object' && artifact !== null ? (artifact as Artifact) : undefined;
}

/** Those that take values or access from a ConfigMap or Secret which asks for that by its label. */
function wakeReferrers(
  { key, before, after }: LiveChange,
  controller: Controller<NamedKey>,
  { ports }: Bench,
): void {
  if (key.group !== '' || (key.kind !== 'ConfigMap' && key.kind !== 'Secret')) return;
  const referrers = ports.control.releasesBy('configuration', key);
  if (referrers.length === 0) return;
  const isWatched = [before, after].some(
    (one) => one?.read().metadata.labels?.[WATCH_LABEL] === 'Enabled',
  );
  if (!isWatched) return;
  for (const one of referrers) controller.enqueue(keyOf(one), { reason: 'configuration' });
}

/** One reconcile: what was last written, so that only changes are, and what may end its waits. */
interface Session {
  readonly ports: HelmReleasePorts;
  readonly signal: AbortSignal;
  readonly interrupt: AbortSignal;
  readonly statuses: StatusWrites;
  written: KubeObject;
}

async function reconcile(
  key: NamedKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, running, statuses } = bench;
  const object = ports.control.find('HelmRelease', key);
  if (object === undefined) return { kind: 'settled' };
  const interrupt = new AbortController();
  running.set(keyText(key), interrupt);
  try {
    const session = { ports, signal, interrupt: interrupt.signal, statuses, written: object };
    return await reconcileObject(object, session);
  } finally {
    running.delete(keyText(key));
  }
}

async function reconcileObject(object: KubeObject, session: Session): Promise<ReconcileResult> {
  const { ports, signal } = session;
  const { settings = {} } = ports;
  if (!isWatched(object, settings)) return { kind: 'settled' };
  const release = withDefaults(requireParsed(parseHelmRelease(object), object), settings);
  if (release.metadata.deletionTimestamp !== undefined) return finalize(release, session);
  if (sourceOf(release) === undefined) {
    const error = new CapstanError('CHART_REFERENCE', 'invalid Chart reference', {
      kind: 'stalled',
      hint: 'set spec.chart or spec.chartRef, not both',
    });
    return { kind: 'stalled', error };
  }
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  const held = await setFinalizer(object, true, write);
  if (held !== undefined) {
    ports.control.live.observeWrite(held);
    session.written = held;
  }
  const current =
    held === undefined
      ? release
      : withDefaults(requireParsed(parseHelmRelease(held), held), settings);
  if (current.spec.suspend === true) {
    await report(handled(current, true), session);
    return { kind: 'settled' };
  }
  return finish(await bring(current, session), session);
}

/** Everything up to the end of the run; what is thrown becomes a failure of it. */
async function bring(given: HelmRelease, session: Session): Promise<RunResult> {
  const { ports, signal } = session;
  const { client, control, tenancy, events, clock } = ports;
  let release = given;
  try {
    const check = healthCheckOf(release, ports);
    release = await reconcileTemplate(release, { client, control, tenancy, events, signal });
    if (isNews(release)) {
      const message = 'Fulfilling prerequisites';
      // Written with what comes next, which does not wait for anything.
      release = markReconciling(release, 'Progressing', message, clock.now());
    }
    const observed = await observeRelease(release, {
      ...ports,
      signal,
      isReadyByExpression: ports.expressions.isReady,
    });
    if (observed.kind === 'incomplete') return incomplete(observed, session);
    return await releaseChart(observed, { session, check });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CapstanError && error.code === 'CEL_INVALID') {
      return invalidExpression(release, error, session);
    }
    const problem =
      error instanceof CapstanError
        ? error
        : new CapstanError('INTERNAL', messageOf(error), { kind: 'bug', cause: error });
    const reason = problem.code === 'ACCESS_DENIED' ? 'AccessDenied' : 'ReconcileError';
    const state = { type: 'Ready', status: 'False' as const, reason, message: problem.message };
    return {
      release: mark(release, state, clock.now()),
      end: { kind: problem.kind === 'stalled' ? 'stalled' : 'failed', error: problem },
    };
  }
}

/** Whether there is something to tell beforehand: at rest nothing is written. */
function isNews({ metadata, status }: HelmRelease): boolean {
  const requested = metadata.annotations?.[REQUESTED_AT];
  return (
    status.observedGeneration !== metadata.generation ||
    (requested !== undefined && requested !== status.lastHandledReconcileAt)
  );
}

function healthCheckOf(release: HelmRelease, { expressions }: HelmReleasePorts): HealthCheck {
  const { healthCheckExprs = [] } = release.spec;
  if (healthCheckExprs.length === 0) return () => undefined;
  return expressions.healthCheck(healthCheckExprs);
}

function invalidExpression(
  release: HelmRelease,
  error: CapstanError,
  { ports }: Session,
): RunResult {
  const nowMs = ports.clock.now();
  const reason = 'InvalidCELExpression';
  const message = `Reconciliation failed terminally due to configuration error: ${error.message}`;
  recordEvent(ports.events, release, { type: 'Warning', reason, message: error.message });
  const state = { type: 'Ready', status: 'False' as const, reason, message };
  const marked = markStalled(mark(release, state, nowMs), reason, message, nowMs);
  return { release: marked, end: { kind: 'stalled', error } };
}

function incomplete(
  { release, event, end }: Extract<Observed, { readonly kind: 'incomplete' }>,
  { ports }: Session,
): RunResult {
  if (event !== undefined) recordEvent(ports.events, release, event);
  if (end.kind !== 'wait') return { release, end };
  return { release, end: { kind: 'waits', afterMs: end.afterMs } };
}

async function releaseChart(
  observed: Extract<Observed, { readonly kind: 'complete' }>,
  { session, check }: { readonly session: Session; readonly check: HealthCheck },
): Promise<RunResult> {
  const { chart, values, ociDigest } = observed;
  let { release } = observed;
  let actions: ActionPorts;
  try {
    actions = await actionPorts(release, { session, check });
  } catch (error) {
    session.signal.throwIfAborted();
    return unreachable(release, error, session);
  }
  release = forget(release, ['RESTClientError', 'FactoryError'], actions.clock.now());
  const moved = await leaveOldTarget(release, chart.metadata.name, actions);
  if (moved !== undefined) return moved;
  const storage = storageNamespace(release);
  const asked = takeRequest(withStatus(release, { storageNamespace: storage }), 'reset');
  release = asked.release;
  const { name, version } = chart.metadata;
  if (mustResetFailures(release, { chart: { name, version }, values }, asked.isAsked)) {
    release = withoutFailures(release);
  }
  release = withStatus(release, {
    lastAttemptedGeneration: release.metadata.generation ?? 0,
    lastAttemptedRevision: version,
    lastAttemptedRevisionDigest: ociDigest || undefined,
    lastAttemptedConfigDigest: valuesDigest(values),
    lastAttemptedValuesChecksum: undefined,
    lastReleaseRevision: undefined,
  } as unknown as Partial<HelmRelease['status']>);
  const run = { ...actions, report: (one: HelmRelease) => report(one, session) };
  const result = await runRelease(release, { chart, values }, run);
  session.signal.throwIfAborted();
  return session.interrupt.aborted ? cancelled(result, session) : result;
}

/** The cluster, or the account to act as, cannot be had. */
function unreachable(release: HelmRelease, cause: unknown, { ports }: Session): RunResult {
  const message = messageOf(cause);
  const state = { type: 'Ready', status: 'False' as const, reason: 'RESTClientError', message };
  const error =
    cause instanceof CapstanError && cause.kind !== 'stalled'
      ? cause
      : new CapstanError('RELEASE_DESTINATION', message, { kind: 'retry', cause });
  return { release: mark(release, state, ports.clock.now()), end: { kind: 'failed', error } };
}

async function actionPorts(
  release: HelmRelease,
  { session, check }: { readonly session: Session; readonly check: HealthCheck },
): Promise<ActionPorts> {
  const { ports, signal, interrupt } = session;
  const { clock, events } = ports;
  const destination = await openDestination(release, ports, signal);
  const { client } = destination;
  const cluster = knownCluster(client);
  return {
    client,
    cluster,
    clock,
    events,
    signal,
    language: ports.charts.language,
    merge: releaseMerge((kind) => destination.schemaOf(kind)),
    waits: createWaits({ cluster, clock, check, interrupt }),
    formerManagers: overriddenManagers(ports.settings ?? {}),
  };
}

/** A release that is to live elsewhere is uninstalled where it was, and installed anew. */
async function leaveOldTarget(
  release: HelmRelease,
  chartName: string,
  actions: ActionPorts,
): Promise<RunResult | undefined> {
  const changed = changedTarget(release, {
    storageNamespace: storageNamespace(release),
    namespace: releaseNamespace(release),
    name: releaseName(release),
    chartName,
  });
  const stays = release.spec.upgrade?.chartNameChangeStrategy === 'InPlaceUpdate';
  if (changed === undefined || (changed === 'chart name' && stays)) return undefined;
  const { release: left, error } = await uninstall(release, actions);
  if (error !== undefined) {
    const failure = new CapstanError('RELEASE_UNINSTALL', error.message, { kind: 'retry' });
    return { release: left, end: { kind: 'failed', error: failure } };
  }
  const cleared = { history: undefined, storageNamespace: undefined };
  return {
    release: withStatus(withoutFailures(left), cleared as unknown as HelmRelease['status']),
    end: { kind: 'requeue' },
  };
}

/** Something newer came while objects were waited for. */
function cancelled({ release, end }: RunResult, { ports, interrupt }: Session): RunResult {
  const { reason } = interrupt;
  if (end.kind === 'done' || !(reason instanceof Trigger)) return { release, end };
  const { by } = reason;
  recordEvent(ports.events, release, {
    type: 'Normal',
    reason: 'HealthCheckCanceled',
    message: `Health checks canceled due to new reconciliation triggered by ${by}`,
  });
  const message = `New reconciliation triggered by ${by}`;
  const state = { status: 'False' as const, reason: 'HealthCheckCanceled', message };
  return {
    release: mark(release, { type: 'Ready', ...state }, ports.clock.now()),
    end: { kind: 'requeue' },
  };
}

async function report(release: HelmRelease, session: Session): Promise<void> {
  const { ports, signal, statuses } = session;
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  const { history, ...status } = release.status;
  const told = history === undefined || history.length === 0 ? status : release.status;
  const written = await statuses.write(keyOf(release), ports.control.live, () =>
    writeStatus(session.written, told, write),
  );
  if (written !== undefined) session.written = written;
}

function handled(release: HelmRelease, isObserved: boolean): HelmRelease {
  const { annotations, generation = 0 } = release.metadata;
  const requested = annotations?.[REQUESTED_AT];
  return withStatus(release, {
    ...(requested === undefined ? {} : { lastHandledReconcileAt: requested }),
    ...(isObserved ? { observedGeneration: generation } : {}),
  });
}

/** The single exit: the status, and when to look again. */
async function finish({ release, end }: RunResult, session: Session): Promise<ReconcileResult> {
  const { kind } = end;
  const isObserved = kind === 'done' || kind === 'retry' || kind === 'stalled';
  await report(handled(release, isObserved), session);
  switch (end.kind) {
    case 'done':
      return {
        kind: 'settled',
        recheckAfterMs: Math.max(1, parseDurationMs(release.spec.interval, 'spec.interval')),
      };
    case 'retry':
      return { kind: 'settled', recheckAfterMs: end.afterMs };
    case 'waits':
      return { kind: 'settled', recheckAfterMs: end.afterMs };
    case 'requeue': {
      const error = new CapstanError('RELEASE_AGAIN', 'there is more to do', { kind: 'retry' });
      return { kind: 'retry', error };
    }
    case 'failed':
      return { kind: 'retry', error: end.error };
    case 'stalled':
      return { kind: 'stalled', error: end.error };
    default:
      return end satisfies never;
  }
}

/** Uninstalls what there is, deletes the chart, and lets the object go; a suspended one goes as it is. */
async function finalize(given: HelmRelease, session: Session): Promise<ReconcileResult> {
  const { ports, signal } = session;
  const { client, control, tenancy, events } = ports;
  if (!given.metadata.finalizers?.includes(FINALIZER)) return { kind: 'settled' };
  let release = given;
  if (given.spec.suspend !== true) {
    const removed = await removeRelease(given, session);
    release = removed.release;
    if (removed.error !== undefined) {
      await report(release, session);
      const { message } = removed.error;
      const error = new CapstanError('RELEASE_UNINSTALL', message, { kind: 'retry' });
      return { kind: 'retry', error };
    }
    release = await reconcileTemplate(release, { client, control, tenancy, events, signal });
    await report(release, session);
  }
  await setFinalizer(session.written, false, { client, fieldManager: FIELD_MANAGER, signal });
  return { kind: 'settled' };
}

async function removeRelease(
  release: HelmRelease,
  session: Session,
): Promise<{ readonly release: HelmRelease; readonly error?: Error }> {
  const { ports, signal } = session;
  if (!release.status.storageNamespace) return { release };
  // Without the access or the account that it would need, nothing can be uninstalled: the object is not held back.
  if (!(await canActAs(release, ports, signal))) return { release };
  let actions: ActionPorts;
  try {
    actions = await actionPorts(release, { session, check: () => undefined });
  } catch (error) {
    const cause: unknown = error instanceof CapstanError ? error.cause : undefined;
    const isMissing = cause instanceof CapstanError && cause.code === 'SECRET_MISSING';
    if (isMissing || isNotFound(error)) return { release };
    const message = `failed to build REST client getter to uninstall release: ${messageOf(error)}`;
    const state = { type: 'Ready', status: 'False' as const, reason: 'UninstallFailed', message };
    return { release: mark(release, state, ports.clock.now()), error: new Error(message) };
  }
  const result = await uninstall(release, actions);
  if (result.error !== undefined) return result;
  const cleared = { history: undefined, storageNamespace: undefined };
  return { release: withStatus(result.release, cleared as unknown as HelmRelease['status']) };
}
