/**
 * Carries an operation as far as it can go now: performs the steps that may run, judges the running ones by live objects,
 * and returns when it is over or has to wait for something. What it returns is all that is needed to go on later, in this
 * process or another.
 */
import { cleanHook, isPredecessor, releaseHook } from '@capstan/engine-apply';
import {
  type DiffEntry,
  type FieldWriter,
  ownIgnoreRules,
  respectIgnored,
} from '@capstan/engine-diff';
import {
  CLEAN_PROGRESS,
  type HookObject,
  type NextSteps,
  nextSteps,
  type PlannedWave,
  planSync,
  readHints,
  recordCleaned,
  recordObservation,
  recordResult,
  type StepResult,
  type SyncPlan,
  type SyncPolicy,
  type SyncProgress,
  type SyncStep,
  selectorOf,
  stepsOf,
} from '@capstan/engine-sync';
import type { ResourceKind } from '@capstan/kube-client';
import { type KubeObject, keyOf, keyString, parseApiVersion } from '@capstan/kube-object';
import { applyAll, applyPorts, CONCURRENCY } from './apply-all.ts';
import { decideRetry } from './decide.ts';
import { mapLimited } from './map-limited.ts';
import { observeStep } from './observe-step.ts';
import { progressOf, resultsOf } from './operation-results.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import type { PreparedState } from './prepare-desired.ts';
import { rehearse } from './rehearse.ts';
import type { Delivery, OperationResult, OperationState } from './types.ts';

export interface OperationInput {
  readonly delivery: Delivery;
  readonly operation: OperationState;
  readonly prepared: PreparedState;
  readonly entries: readonly DiffEntry[];
  /** Told when the operation has more to do than can be done at once, before it begins. */
  readonly onStart: (operation: OperationState) => Promise<void>;
}

export async function performOperation(
  input: OperationInput,
  ports: DeliveryPorts,
  options: SignalOptions,
): Promise<OperationState> {
  const { operation } = input;
  const refused = await findRefused(input, () => ports.cluster.client.discovery.kinds(options));
  if (refused.length > 0) return refuse(operation, refused, ports);
  const plan = makePlan(input, ports);
  const begun = operation.results.length > 0;
  if (!begun) {
    if (needsAnnouncement(plan, input)) await input.onStart(operation);
    const isStaged = input.delivery.sync.rehearsal === 'always';
    const refusal = isStaged
      ? undefined
      : await rehearsed({ plan, progress: CLEAN_PROGRESS, input }, { ports, ...options });
    if (refusal !== undefined) return refusal;
  }
  const progress = adoptHooks(
    plan,
    begun ? progressOf(plan, operation.results) : CLEAN_PROGRESS,
    operation,
  );
  return advance({ plan, progress, input }, ports, options);
}

/**
 * A hook that this operation has made already, though nobody lived to tell: it is awaited, not run again. A later attempt
 * makes its hooks anew.
 */
function adoptHooks(
  plan: SyncPlan,
  progress: SyncProgress,
  operation: OperationState,
): SyncProgress {
  if (operation.retryCount > 0) return progress;
  const startedAt = Math.floor(operation.startedAtMs / 1000) * 1000;
  return stepsOf(plan).reduce((current, step) => {
    const { creationTimestamp = '', uid = '', deletionTimestamp } = step.live?.metadata ?? {};
    const madeAt = Date.parse(creationTimestamp);
    const isOurs =
      step.verb === 'hook' &&
      madeAt >= startedAt &&
      deletionTimestamp === undefined &&
      operation.priorHooks?.includes(uid) !== true &&
      !current.states.has(step.id);
    if (!isOurs) return current;
    const result: StepResult = {
      stepId: step.id,
      key: step.key,
      outcome: 'created',
      message: 'created',
    };
    return recordResult(current, step, result);
  }, progress);
}

interface Running {
  readonly plan: SyncPlan;
  readonly progress: SyncProgress;
  readonly input: OperationInput;
}

async function advance(
  { plan, progress: before, input }: Running,
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<OperationState> {
  const { delivery, operation } = input;
  let progress = before;
  for (;;) {
    signal.throwIfAborted();
    progress = await observeRunning(plan, progress, { delivery, ports }, { signal });
    await releaseEnded(plan, progress, ports, { signal });
    const next = nextSteps(plan, progress);
    if (next.kind === 'run') {
      const refusal = await rehearsedWave(next.steps, { plan, progress, input }, { ports, signal });
      if (refusal !== undefined) return refusal;
      const results = await applyAll(next.steps, delivery, { ports, signal });
      progress = recordAll(progress, next.steps, results);
    } else if (next.kind === 'clean') {
      await mapLimited(next.steps, CONCURRENCY, (step) =>
        cleanHook(step, applyPorts(ports), { signal }),
      );
      progress = next.steps.reduce(recordCleaned, progress);
    } else {
      const results = allResults(operation, plan, progress);
      return settle({ ...operation, results }, next, { delivery, nowMs: ports.clock.now() });
    }
  }
}

/** Hooks whose verdict is known may go: nothing keeps them any more. */
async function releaseEnded(
  plan: SyncPlan,
  progress: SyncProgress,
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<void> {
  const ended = stepsOf(plan).filter(({ id, finalizer }) => {
    const state = progress.states.get(id)?.kind;
    return finalizer !== undefined && state !== undefined && state !== 'running';
  });
  await release(ended, ports, { signal });
}

async function release(
  steps: readonly SyncStep[],
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<void> {
  await mapLimited(steps, CONCURRENCY, async ({ key, finalizer }) => {
    const live = ports.cluster.live.get(key)?.read();
    if (live !== undefined) await releaseHook(live, finalizer, { ...applyPorts(ports), signal });
  });
}

/** What was done earlier may need no step any more: a namespace that exists, an object that is gone. It stays on record. */
function allResults(
  operation: OperationState,
  plan: SyncPlan,
  progress: SyncProgress,
): readonly OperationResult[] {
  const planned = new Set(stepsOf(plan).map(({ id }) => id));
  const earlier = operation.results.filter(({ stepId }) => !planned.has(stepId));
  return [...earlier, ...resultsOf(plan, progress)];
}

/** The operation's state after nothing more can be done now. */
function settle(
  operation: OperationState,
  next: Exclude<NextSteps, { kind: 'run' | 'clean' }>,
  { delivery, nowMs }: { readonly delivery: Delivery; readonly nowMs: number },
): OperationState {
  if (next.kind === 'wait') return { ...operation, phase: 'Running', message: next.message };
  const { outcome } = next;
  if (outcome.kind === 'failed') return fail(operation, outcome, nowMs);
  const { nextAttemptAtMs: _done, ...rest } = operation;
  if (delivery.sync.gate !== undefined && rest.request.policy.dryRun !== true) {
    return { ...rest, phase: 'Running', message: outcome.message, appliedAtMs: nowMs };
  }
  return { ...rest, phase: 'Succeeded', message: outcome.message, finishedAtMs: nowMs };
}

/** Ends the operation, or has it tried again after a pause. */
export function fail(
  operation: OperationState,
  { message, retryable }: { readonly message: string; readonly retryable: boolean },
  nowMs: number,
): OperationState {
  const { nextAttemptAtMs: _past, appliedAtMs: _applied, ...rest } = operation;
  const retry = decideRetry(operation, { retryable, nowMs });
  if (retry.kind === 'end') {
    const { retryCount } = operation;
    const told = retryCount === 0 ? message : `${message} (retried ${retryCount} times).`;
    return { ...rest, phase: 'Failed', message: told, finishedAtMs: nowMs };
  }
  return {
    ...rest,
    phase: 'Running',
    message: `${message}. Retrying attempt #${operation.retryCount + 1} at ${timeText(retry.atMs)}.`,
    retryCount: operation.retryCount + 1,
    nextAttemptAtMs: retry.atMs,
  };
}

function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

export function makePlan(
  { delivery, operation, prepared, entries }: Omit<OperationInput, 'onStart'>,
  ports: Pick<DeliveryPorts, 'cluster' | 'verdicts'>,
): SyncPlan {
  const { live } = ports.cluster;
  const policy = policyOf(delivery, operation);
  const hooks = prepared.hooks.map((desired): HookObject => {
    const held = live.get(keyOf(desired.object));
    return held === undefined ? { desired } : { desired, live: held.read() };
  });
  const name = policy.createNamespace?.name ?? '';
  const namespace = live.get({ group: '', kind: 'Namespace', namespace: '', name })?.read();
  const diff = {
    entries: delivery.compare.respectIgnored === false ? entries : entries.map(respect),
  };
  return planSync(
    { diff, hooks, ...(namespace === undefined ? {} : { liveNamespace: namespace }) },
    policy,
  );

  /** Who applies beside us, and goes on to. */
  function isRival(writer: FieldWriter): boolean {
    const { manager, operation, subresource } = writer;
    if (operation !== 'Apply' || subresource !== undefined || manager === delivery.fieldManager)
      return false;
    return !delivery.sync.takeOverFrom.some((one) => isPredecessor(writer, one));
  }

  function respect(entry: DiffEntry): DiffEntry {
    if (entry.desired === undefined || entry.live === undefined) return entry;
    const { ignore, ignoreAnnotation, respectIgnored: respectIgnoredAs } = delivery.compare;
    const object = respectIgnored(entry.desired.object, entry.live, {
      rules: [...ignore, ...ownIgnoreRules(entry.desired.object, ignoreAnnotation)],
      evaluator: ports.verdicts.paths,
      ...(respectIgnoredAs === 'release' ? { isRival } : {}),
    });
    return { ...entry, desired: { ...entry.desired, object } };
  }
}

function policyOf(
  delivery: Delivery,
  { request, revisions, startedAtMs }: OperationState,
): SyncPolicy {
  const short = (revisions[0] ?? '').slice(0, 7);
  const hookSuffix = `${short}-{phase}-${Math.floor(startedAtMs / 1000)}`;
  const { namespace } = delivery.destination;
  const home = namespace === '' ? {} : { home: namespace };
  return { dryRun: false, hookSuffix, ...home, ...delivery.sync, ...request.policy };
}

/** Whether others should hear of it before it is over: it waits somewhere, or a person asked. */
function needsAnnouncement(plan: SyncPlan, { operation, delivery }: OperationInput): boolean {
  const waves = plan.phases.flatMap(({ waves: inPhase }) => inPhase);
  const hasHooks = stepsOf(plan).some(({ verb }) => verb === 'hook');
  const byPerson = operation.request.initiatedBy.kind === 'person';
  return byPerson || hasHooks || waves.length > 1 || delivery.sync.gate !== undefined;
}

/** A wave is rehearsed when its turn comes: what it builds on is in place by then, as in the original's staged apply. */
async function rehearsedWave(
  [first]: readonly SyncStep[],
  { plan, progress, input }: Running,
  context: RehearsalContext,
): Promise<OperationState | undefined> {
  if (input.delivery.sync.rehearsal !== 'always') return undefined;
  const wave = plan.phases
    .flatMap(({ waves }) => waves)
    .find(({ batches }) => batches.some((batch) => batch.some(({ id }) => id === first?.id)));
  const isBegun = wave?.batches.flat().some(({ id }) => progress.states.has(id)) ?? true;
  return isBegun ? undefined : rehearsed({ plan, progress, input }, { ...context, wave });
}

interface RehearsalContext {
  readonly ports: DeliveryPorts;
  readonly signal: AbortSignal;
  /** Only this is rehearsed; absent: the whole plan. */
  readonly wave?: PlannedWave | undefined;
}

/** Stops before anything of it has changed when the server would refuse an object: the operation as it failed then. */
async function rehearsed(
  { plan, progress, input }: Running,
  { ports, signal, wave }: RehearsalContext,
): Promise<OperationState | undefined> {
  const { delivery, operation, prepared } = input;
  if (policyOf(delivery, operation).dryRun) return undefined;
  const part =
    wave === undefined ? plan : { ...plan, phases: [{ name: wave.phase, waves: [wave] }] };
  const refused = await rehearse(part, { delivery, prepared, ports }, { signal });
  if (refused.length === 0) return undefined;
  const steps = refused.map(({ step }) => step);
  const results = refused.map(({ result }) => result);
  const ids = new Set(steps.map(({ id }) => id));
  const all = allResults(operation, plan, recordAll(progress, steps, results));
  const kept = all.filter(({ stepId, status }) => status === 'SyncFailed' || !ids.has(stepId));
  const failed = kept.filter(({ status }) => status === 'SyncFailed');
  const reasons = failed.map(({ message }) => message).join('; ');
  const message = `one or more objects failed to apply (dry run), reason: ${reasons}`;
  return { ...fail(operation, { message, retryable: true }, ports.clock.now()), results: kept };
}

function recordAll(
  progress: SyncProgress,
  steps: readonly SyncStep[],
  results: readonly StepResult[],
): SyncProgress {
  return steps.reduce((current, step, i) => {
    const result = results[i];
    return result === undefined ? current : recordResult(current, step, result);
  }, progress);
}

async function observeRunning(
  plan: SyncPlan,
  progress: SyncProgress,
  { delivery, ports }: { readonly delivery: Delivery; readonly ports: DeliveryPorts },
  { signal }: SignalOptions,
): Promise<SyncProgress> {
  let current = progress;
  const options = { rules: delivery.health.rules, nowMs: ports.clock.now() };
  for (const step of stepsOf(plan)) {
    if (current.states.get(step.id)?.kind !== 'running') continue;
    const held = ports.cluster.live.get(step.key)?.read();
    const live =
      held === undefined && step.goal !== 'gone' ? await askFor(step, ports, signal) : held;
    if (live === 'unknown') continue;
    current = recordObservation(current, step, observeStep(step, live, options));
  }
  return current;
}

/** Of a kind that came with this sync nothing is watched yet: before an object counts as missing, the server is asked. */
async function askFor(
  { key }: SyncStep,
  { cluster }: DeliveryPorts,
  signal: AbortSignal,
): Promise<KubeObject | undefined | 'unknown'> {
  try {
    return await cluster.client.find(key, { signal });
  } catch {
    signal.throwIfAborted();
    return 'unknown';
  }
}

interface RefusedObject {
  readonly object: KubeObject;
  readonly why: string;
  /** It may be allowed later without a change in Git. */
  readonly retryable: boolean;
}

/** What stops an operation before it begins: objects that the project forbids, and kinds that the cluster does not know. */
async function findRefused(
  { delivery, operation, prepared }: OperationInput,
  served: () => Promise<readonly ResourceKind[]>,
): Promise<readonly RefusedObject[]> {
  const policy = policyOf(delivery, operation);
  const isSelected = selectorOf(policy);
  const unknown: KubeObject[] = [];
  const refused = prepared.objects.flatMap(({ object, refusal, scope }): RefusedObject[] => {
    if (!isSelected(keyOf(object))) return [];
    if (refusal !== undefined) return [{ object, why: refusal, retryable: false }];
    const { options } = readHints(object, policy.vocabulary);
    const tolerated =
      policy.skipDryRunOnMissingKind || options['SkipDryRunOnMissingResource'] === 'true';
    if (scope === 'unknown' && !tolerated) unknown.push(object);
    return [];
  });
  if (unknown.length === 0) return refused;
  const kinds = await served();
  return [
    ...refused,
    ...unknown.map((object) => ({ object, why: unknownKind(object, kinds), retryable: true })),
  ];
}

/** In the words of Argo CD: with the version, or the group, under which the cluster has such a kind. */
function unknownKind(object: KubeObject, served: readonly ResourceKind[]): string {
  const { group, kind, namespace, name } = keyOf(object);
  const { version } = parseApiVersion(object.apiVersion);
  const place = `${namespace}/${name}`;
  const alike = served.filter((one) => one.kind === kind);
  const other = alike.find((one) => one.group === group) ?? alike[0];
  return other === undefined
    ? `The Kubernetes API could not find ${group}/${kind} for requested resource ${place}. Make sure the "${kind}" CRD is installed on the destination cluster.`
    : `The Kubernetes API could not find version "${version}" of ${group}/${kind} for requested resource ${place}. Version "${other.version}" of ${other.group}/${kind} is installed on the destination cluster.`;
}

function refuse(
  operation: OperationState,
  refused: readonly RefusedObject[],
  { clock }: DeliveryPorts,
): OperationState {
  const results = refused.map(({ object, why }): OperationResult => {
    const key = keyOf(object);
    return {
      stepId: `apply/Sync/${keyString(key)}`,
      key,
      version: object.apiVersion.split('/').at(-1) ?? '',
      phase: 'Sync',
      hook: false,
      status: 'SyncFailed',
      state: 'Failed',
      message: why,
      images: [],
    };
  });
  const reasons = [...new Set(results.map(({ message }) => message))].sort().join('; ');
  const message = `one or more synchronization tasks are not valid: ${reasons}`;
  const retryable = refused.every((one) => one.retryable);
  return { ...fail(operation, { message, retryable }, clock.now()), results };
}

/** Deletes the hooks that run, and ends the operation. One that is over by now keeps its own verdict. */
export async function terminateOperation(
  input: Omit<OperationInput, 'onStart'>,
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<OperationState> {
  const { delivery, operation } = input;
  const plan = makePlan(input, ports);
  const recorded = progressOf(plan, operation.results);
  const progress = await observeRunning(plan, recorded, { delivery, ports }, { signal });
  const hooks = stepsOf(plan).filter(
    ({ id, verb }) => verb === 'hook' && recorded.states.get(id)?.kind === 'running',
  );
  const runs = hooks.filter(({ id }) => progress.states.get(id)?.kind === 'running');
  const due = hooks.filter(
    (step) => runs.includes(step) || step.hookDeletePolicies.includes('HookFailed'),
  );
  await release([...hooks, ...due], ports, { signal });
  await mapLimited(due, CONCURRENCY, (step) => cleanHook(step, applyPorts(ports), { signal }));
  const ended = runs.reduce(
    (current, step) => recordObservation(current, step, { kind: 'missed', message: 'Terminated' }),
    progress,
  );
  const results = allResults(operation, plan, ended);
  const { nextAttemptAtMs: _due, endedBy, ...rest } = operation;
  const finishedAtMs = ports.clock.now();
  const cause = endedBy === undefined ? '' : `, triggered by ${endedBy}`;
  const message = `Operation terminated${cause}`;
  return { ...rest, results, phase: 'Failed', message, finishedAtMs };
}
