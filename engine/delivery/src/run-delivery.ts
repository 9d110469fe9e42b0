/**
 * One look at a delivery: observe (source, desired, live), decide, act, and say how things stand. Level-triggered: it may
 * be run at any time and as often as one likes; with nothing to do it writes nothing, and asks nobody but the caches.
 */
import { type DiffEntry, sameJson } from '@capstan/engine-diff';
import type { Health } from '@capstan/engine-health';
import { type DeletePhase, isDeleteHook, isLeftAlone } from '@capstan/engine-sync';
import { keyOf, keyString } from '@capstan/kube-object';
import { awaitDependencies, type Waiting } from './await-dependencies.ts';
import { arbitrate, type ComparedState, compareLive } from './compare-live.ts';
import { composeHealth, composeObjects, composeSync, isIgnoredExtra } from './compose-status.ts';
import { type Decision, decide } from './decide.ts';
import { gateChangesAtMs, isClearedAway, passGate } from './health-gate.ts';
import { listInventory } from './list-inventory.ts';
import { type LoadedState, loadDesired, problemOf } from './load-desired.ts';
import { performOperation, terminateOperation } from './perform-operation.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import type { LoadedRender } from './source-watches.ts';
import type {
  Delivery,
  DeliveryStatus,
  InventoryEntry,
  OperationRequest,
  OperationState,
  Problem,
  SyncStatus,
} from './types.ts';

export interface Look {
  readonly delivery: Delivery;
  /** What is known from before: the last status, or what the custom resource keeps of it. */
  readonly previous: DeliveryStatus | undefined;
  readonly request?: OperationRequest | undefined;
  /** Ask the remotes, instead of taking what is known of them. */
  readonly refresh: boolean;
  /** Told before an operation that will take longer begins, so that it is on record. */
  readonly onProgress: (status: DeliveryStatus) => Promise<void>;
  /** Told what was rendered, so that changes of the sources can be held against it. */
  readonly onLoaded?: (renders: readonly LoadedRender[]) => void;
}

export async function runDelivery(
  look: Look,
  ports: DeliveryPorts,
  options: SignalOptions,
): Promise<DeliveryStatus> {
  const { heldWakes } = ports.cluster;
  const { owner } = look.delivery.tracking;
  heldWakes.begin(owner);
  let goesOn = true;
  try {
    const status = await run(look, ports, options);
    const { phase } = status.operation ?? {};
    goesOn = phase === 'Running' || phase === 'Terminating';
    return status;
  } finally {
    heldWakes.end(owner, { goesOn });
  }
}

async function run(
  look: Look,
  ports: DeliveryPorts,
  options: SignalOptions,
): Promise<DeliveryStatus> {
  const { delivery, previous } = look;
  const isRenewal = renewsAt(previous?.operation, ports.clock.now());
  const maxAgeMs = look.refresh || isRenewal ? 0 : Number.POSITIVE_INFINITY;
  const loaded = await loadDesired(delivery, ports, { ...options, maxAgeMs });
  look.onLoaded?.(loaded.renders);
  const inventory = previous?.inventory ?? [];
  const onRead = () => ports.cluster.heldWakes.seen(delivery.tracking.owner);
  const first = await compareSafely(delivery, loaded, { ports, inventory, onRead, ...options });
  const waiting = awaitDependencies(delivery, loaded, ports);
  const fresh: View = { look, loaded, compared: first, operation: previous?.operation };
  const known = await recallDigest(fresh, ports, options);
  const view: View = { ...fresh, operation: known, waiting };
  const settled = await judge(view, ports, options);
  const decision = decide(situationOf(settled, ports.clock.now()), ports.clock.now());
  const operation = await act(decision, settled, { ports, ...options });
  if (operation === undefined || operation === known) {
    return statusOf({ ...settled, operation }, decision, ports);
  }
  const after = await compareSafely(delivery, loaded, {
    ports,
    inventory: inventoryOf(settled, operation),
    onRead,
    ...options,
  });
  const entries = await arbitrateWhere(after.entries, delivery, { ports, ...options });
  const applied: View = { ...settled, compared: { ...after, entries }, operation };
  const final: View = { ...applied, operation: gateOf(applied, ports) };
  // What would be decided next is told at once, and done at the next look.
  const nowMs = ports.clock.now();
  return statusOf(final, decide(situationOf(final, nowMs), nowMs), ports);
}

/** Another attempt is due that is to take the newest revisions. */
function renewsAt(operation: OperationState | undefined, nowMs: number): boolean {
  const { phase, nextAttemptAtMs = Number.POSITIVE_INFINITY, request } = operation ?? {};
  return phase === 'Running' && request?.retry.refresh === true && nextAttemptAtMs <= nowMs;
}

interface View {
  readonly look: Look;
  readonly loaded: LoadedState;
  readonly compared: ComparedState;
  readonly operation: OperationState | undefined;
  readonly waiting?: Waiting | undefined;
}

export async function compareSafely(
  delivery: Delivery,
  loaded: LoadedState,
  context: {
    readonly ports: DeliveryPorts;
    readonly inventory: readonly InventoryEntry[];
    readonly signal: AbortSignal;
    readonly onRead?: () => void;
  },
): Promise<ComparedState> {
  try {
    return await compareLive(delivery, loaded.prepared, context);
  } catch (error) {
    context.signal.throwIfAborted();
    return { entries: [], hooks: [], problems: [problemOf(error, 'compare')], failed: true };
  }
}

/**
 * After a restart a status tells by its commits alone what an operation was about. When another commit is current by now,
 * what the old one asked for is rendered once more: the same desired state is the same operation, whose hooks ran already.
 */
async function recallDigest(
  { look, loaded, compared, operation }: View,
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<OperationState | undefined> {
  if (operation === undefined || operation.desiredDigest !== '' || loaded.digest === '') {
    return operation;
  }
  const { request, revisions, phase } = operation;
  const isSettled =
    phase !== 'Running' && compared.entries.every(({ verdict }) => verdict === 'same');
  const isOther = request.revisions !== undefined || request.sources !== undefined;
  const current = loaded.revisions.map(({ id }) => id);
  if (isSettled || isOther || revisions.length !== current.length) return operation;
  if (sameJson([...revisions], current)) return operation;
  const past = await loadDesired(look.delivery, ports, {
    signal,
    maxAgeMs: Number.POSITIVE_INFINITY,
    revisions,
  });
  return past.digest === loaded.digest ? { ...operation, desiredDigest: loaded.digest } : operation;
}

/** A new desired state is applied without asking the server first; drift is asked about, before anyone hears of it. */
async function judge(view: View, ports: DeliveryPorts, { signal }: SignalOptions): Promise<View> {
  const { look, loaded, compared, operation } = view;
  const isNew =
    look.delivery.automation.kind === 'automatic' && operation?.desiredDigest !== loaded.digest;
  if (isNew && operation?.desiredDigest !== '') return view;
  const entries = await arbitrateWhere(compared.entries, look.delivery, { ports, signal });
  return { ...view, compared: { ...compared, entries } };
}

export async function arbitrateWhere(
  entries: readonly DiffEntry[],
  delivery: Delivery,
  context: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<readonly DiffEntry[]> {
  const doubtful = entries.some(({ verdict }) => verdict === 'different' || verdict === 'unknown');
  return doubtful ? arbitrate(entries, delivery, context) : entries;
}

function situationOf(view: View, nowMs: number) {
  const { look, loaded, compared, operation, waiting } = view;
  const { delivery, request } = look;
  const isDue = reclaims(view, nowMs);
  const ownMarks = isDue ? [] : Object.entries(delivery.tracking.labels);
  // What is on its way out needs nothing further from us, nor what is to be left as it is.
  const entries = compared.entries.filter(
    (entry) =>
      !(entry.verdict === 'extra' && entry.live?.metadata.deletionTimestamp !== undefined) &&
      !isLeftAlone(entry, delivery.sync.vocabulary) &&
      !isClaimed(entry, ownMarks) &&
      (isDue || !isSpent(entry)),
  );
  const outOfSync = entries.filter(({ verdict }) => verdict !== 'same');
  const desired = loaded.prepared?.objects.length ?? 0;
  return {
    automation: delivery.automation,
    preempt: delivery.preempt,
    prune: delivery.sync.prune,
    request,
    operation,
    hookRuns: operation !== undefined && hookRunsIn(operation),
    sync: syncOf({ ...compared, entries }, delivery),
    revisions: loaded.revisions.map(({ id }) => id),
    desiredDigest: loaded.digest,
    onlyExtra: outOfSync.every(({ verdict }) => verdict === 'extra'),
    wouldWipe: desired === 0 && entries.length > 0,
    hold: waiting?.hold ?? delivery.hold,
  };
}

/**
 * Whether it is time to take back what another delivery claims, and to run again what the cluster cleared away: with a new
 * desired state, or some time after the last sync.
 */
function reclaims({ look, loaded, operation }: View, nowMs: number): boolean {
  const { automation } = look.delivery;
  const afterMs = automation.kind === 'automatic' ? automation.reclaimAfterMs : undefined;
  if (afterMs === undefined || operation?.phase !== 'Succeeded') return true;
  const isOther = operation.desiredDigest !== '' && operation.desiredDigest !== loaded.digest;
  return isOther || nowMs >= (operation.finishedAtMs ?? 0) + afterMs;
}

/** Bears the mark of another owner of the same family. */
function isClaimed({ live }: DiffEntry, marks: readonly (readonly [string, string])[]): boolean {
  return marks.some(([name, value]) => (live?.metadata.labels?.[name] ?? value) !== value);
}

/** A Job that the cluster has cleared away once it had run: with each heal it would run again. */
function isSpent({ live, desired }: DiffEntry): boolean {
  return live === undefined && desired !== undefined && isClearedAway(desired.object);
}

function hookRunsIn({ results }: OperationState): boolean {
  return results.some(({ hook, state }) => hook && state === 'Running');
}

async function act(
  decision: Decision,
  view: View,
  context: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<OperationState | undefined> {
  const { operation } = view;
  if (operation?.phase === 'Terminating') return terminate(view, operation, context);
  switch (decision.kind) {
    case 'rest':
    case 'wait':
      return operation;
    case 'hold':
      return holdOperation(decision, view, context.ports);
    case 'start':
      // What it was about is over; a hook of it that runs would run beside those to come.
      if (operation?.phase === 'Running' && hookRunsIn(operation))
        await terminate(view, operation, context);
      return perform(view, startOperation(decision.request, view, context.ports), context);
    case 'continue':
      return operation === undefined ? undefined : goOn(view, operation, context);
  }
}

/** Taken up, or as it was, with the reason why it waits. */
function holdOperation(
  { request, hold }: Decision & { readonly kind: 'hold' },
  view: View,
  ports: DeliveryPorts,
): OperationState | undefined {
  const { message } = hold;
  if (request !== undefined) return { ...startOperation(request, view, ports), message };
  const { operation } = view;
  return operation === undefined || operation.message === message
    ? operation
    : { ...operation, message };
}

function startOperation(
  request: OperationRequest,
  { loaded, compared }: View,
  { clock }: DeliveryPorts,
): OperationState {
  return {
    request,
    phase: 'Running',
    message: '',
    startedAtMs: clock.now(),
    retryCount: 0,
    revisions: loaded.revisions.map(({ id }) => id),
    desiredDigest: loaded.digest,
    results: [],
    priorHooks: compared.hooks.flatMap(({ metadata }) => metadata.uid ?? []),
  };
}

async function goOn(
  view: View,
  operation: OperationState,
  context: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<OperationState> {
  if (operation.appliedAtMs !== undefined) return { ...operation };
  const { nextAttemptAtMs, ...rest } = operation;
  if (nextAttemptAtMs === undefined) return perform(view, rest, context);
  // A new attempt begins from the start, as in the original.
  const { revisions, digest: desiredDigest } = view.loaded;
  const renewed =
    operation.request.retry.refresh === true
      ? { revisions: revisions.map(({ id }) => id), desiredDigest }
      : {};
  return perform(view, { ...rest, ...renewed, results: [] }, context);
}

async function perform(
  view: View,
  started: OperationState,
  { ports, signal }: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<OperationState> {
  const { delivery } = view.look;
  const message = started.request.refusal ?? delivery.refusal;
  if (message !== undefined)
    return { ...started, phase: 'Error', message, finishedAtMs: ports.clock.now() };
  const target = await targetOf(view, started, { ports, signal });
  const { prepared, revisions, digest } = target.loaded;
  const operation: OperationState = {
    ...started,
    // With the same desired state it stays the operation that it was: its hooks are named after its own commits.
    revisions: target === view ? started.revisions : revisions.map(({ id }) => id),
    desiredDigest: digest,
  };
  if (prepared === undefined || target.compared.failed) {
    const problems = [...target.loaded.problems, ...target.compared.problems];
    const message = problems.map((problem) => problem.message).join('; ');
    return { ...operation, phase: 'Error', message, finishedAtMs: ports.clock.now() };
  }
  const shared = target.compared.problems.filter(({ code }) => code === 'SHARED_RESOURCE');
  if (delivery.sync.failOnShared && shared.length > 0) {
    const message = `Shared resource found: ${shared.map((problem) => problem.message).join('; ')}`;
    return { ...operation, phase: 'Failed', message, finishedAtMs: ports.clock.now() };
  }
  const selected = healSelection(operation, target.compared.entries);
  const onStart = async (running: OperationState) =>
    view.look.onProgress(statusOf({ ...view, operation: running }, { kind: 'continue' }, ports));
  const policy = { ...operation.request.policy, ...selected };
  const request = { ...operation.request, policy };
  return performOperation(
    {
      delivery,
      operation: { ...operation, request },
      prepared,
      entries: target.compared.entries,
      onStart,
    },
    ports,
    { signal },
  );
}

/** A heal concerns what drifted, and runs no hooks; as in Argo CD. */
function healSelection(operation: OperationState, entries: readonly DiffEntry[]) {
  if (operation.request.healAttempt === 0 || operation.request.policy.selected !== undefined)
    return {};
  return { selected: entries.filter(({ verdict }) => verdict !== 'same').map(({ key }) => key) };
}

/**
 * The state to sync to: what is compared with, or another revision, which the request names, or which the operation began
 * with and has to end with (a hook of it runs, or it is a person's).
 */
async function targetOf(
  view: View,
  { request, revisions: begunWith, desiredDigest, retryCount }: OperationState,
  { ports, signal }: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<Pick<View, 'loaded' | 'compared'>> {
  const { delivery, previous } = view.look;
  const current = view.loaded.revisions.map(({ id }) => id);
  const { sources } = request;
  const asked = request.retry.refresh === true && retryCount > 0 ? undefined : request.revisions;
  const revisions = asked ?? (desiredDigest === view.loaded.digest ? undefined : begunWith);
  const asksOther = revisions !== undefined && !sameJson([...revisions], current);
  if (!asksOther && sources === undefined) return view;
  const loaded = await loadDesired(delivery, ports, { signal, maxAgeMs: 0, revisions, sources });
  const inventory = previous?.inventory ?? [];
  return { loaded, compared: await compareSafely(delivery, loaded, { ports, inventory, signal }) };
}

async function terminate(
  view: View,
  operation: OperationState,
  { ports, signal }: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<OperationState> {
  const { loaded, compared } = await targetOf(view, operation, { ports, signal });
  const prepared = loaded.prepared ?? { objects: [], hooks: [], problems: [] };
  const { delivery } = view.look;
  const input = { delivery, operation, prepared, entries: compared.entries };
  return terminateOperation(input, ports, { signal });
}

function gateOf(view: View, { cluster, clock }: DeliveryPorts): OperationState | undefined {
  const { operation, look } = view;
  if (operation?.phase !== 'Running') return operation;
  const inventory = inventoryOf(view, operation);
  const fleeting = fleetingOf(view);
  return passGate(operation, look.delivery, { cluster, inventory, fleeting, nowMs: clock.now() });
}

function fleetingOf({ loaded }: View): ReadonlySet<string> {
  const objects = loaded.prepared?.objects ?? [];
  return new Set(
    objects.flatMap(({ object }) => (isClearedAway(object) ? [keyString(keyOf(object))] : [])),
  );
}

function inventoryOf(
  { loaded, compared, look }: View,
  operation: OperationState | undefined,
): readonly InventoryEntry[] {
  const previous = look.previous?.inventory ?? [];
  return listInventory({ loaded, compared, previous, operation });
}

function syncOf(compared: ComparedState, delivery: Delivery): SyncStatus {
  const sync = (verdict: DiffEntry['verdict']): SyncStatus =>
    verdict === 'same' ? 'Synced' : verdict === 'unknown' ? 'Unknown' : 'OutOfSync';
  const counted = compared.entries.filter(
    (entry) => !isIgnoredExtra(entry, delivery.compare.ignoresExtra),
  );
  const all = counted.map(({ verdict }) => sync(verdict));
  if (compared.failed) return 'Unknown';
  return all.includes('OutOfSync') ? 'OutOfSync' : all.includes('Unknown') ? 'Unknown' : 'Synced';
}

function statusOf(
  view: View,
  decision: Decision,
  { clock, cluster }: DeliveryPorts,
): DeliveryStatus {
  const { look, loaded, compared, operation } = view;
  const { delivery } = look;
  const prepared = new Map(
    (loaded.prepared?.objects ?? []).map((one) => [keyString(keyOf(one.object)), one]),
  );
  const objects = composeObjects({
    delivery,
    entries: compared.entries,
    prepared,
    hooks: compared.hooks,
    nowMs: clock.now(),
  });
  const told: readonly Problem[] =
    decision.kind === 'rest' && decision.problem ? [decision.problem] : [];
  const waits = view.waiting === undefined ? [] : [view.waiting.problem];
  const health: Health = composeHealth(objects, { entries: compared.entries, delivery });
  const inventory = inventoryOf(view, operation);
  const recheckAtMs = recheckOf(view, decision, {
    cluster,
    inventory,
    fleeting: fleetingOf(view),
    nowMs: clock.now(),
  });
  return {
    revisions: loaded.revisions,
    desiredDigest: loaded.digest,
    sync: composeSync(objects, {
      failed: compared.failed,
      entries: compared.entries,
      ignoresExtra: delivery.compare.ignoresExtra,
    }),
    health,
    objects,
    problems: [...loaded.problems, ...compared.problems, ...told, ...waits],
    ...(operation === undefined ? {} : { operation }),
    inventory,
    renderKinds: loaded.renderKinds,
    ...deletePhasesOf(loaded, delivery),
    observedAtMs: clock.now(),
    ...(recheckAtMs === undefined ? {} : { recheckAtMs }),
  };
}

const DELETE_PHASES = ['PreDelete', 'PostDelete'] as const;

function deletePhasesOf(
  { prepared }: LoadedState,
  { sync: { vocabulary } }: Delivery,
): Pick<DeliveryStatus, 'deletePhases'> {
  if (prepared === undefined) return {};
  const declares = (phase: DeletePhase) =>
    prepared.hooks.some(({ object }) => isDeleteHook(object, phase, vocabulary));
  return { deletePhases: DELETE_PHASES.filter(declares) };
}

function recheckOf(
  { operation, look }: View,
  decision: Decision,
  context: Parameters<typeof passGate>[2],
): number | undefined {
  const times = [
    operation?.phase === 'Running' ? operation.nextAttemptAtMs : undefined,
    operation?.phase === 'Running' ? gateChangesAtMs(operation, look.delivery, context) : undefined,
    decision.kind === 'wait' ? decision.untilMs : undefined,
    decision.kind === 'hold' ? decision.hold.untilMs : undefined,
    decision.kind === 'start' ? context.nowMs : undefined,
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}
