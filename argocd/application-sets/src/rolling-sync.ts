/**
 * Progressive syncs (documentation: "Progressive Syncs"): a set's Applications are synced step by step, each step when all
 * of the one before are healthy, at most maxUpdate of a step at once. Decided from what is observed alone. Pure.
 */
import type { ApplicationSet, ApplicationSetRolloutStep, RolloutStatus } from '@capstan/argocd-api';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { NewCondition } from './application-set-status.ts';
import { isRecord } from './json.ts';
import { type AssignedSteps, assignSteps, describeIssues } from './rollout-steps.ts';

export interface RolloutInput {
  readonly set: ApplicationSet;
  /** The set's Applications as they are. */
  readonly current: readonly KubeObject[];
  /** As they are wanted, with their labels. */
  readonly desired: readonly KubeObject[];
  /** Names whose spec is about to be changed. */
  readonly changed: ReadonlySet<string>;
  readonly now: string;
}

export interface Rollout {
  readonly statuses: readonly RolloutStatus[];
  /** Operations to start, by name. */
  readonly operations: readonly { readonly name: string; readonly operation: JsonObject }[];
  /** Applications that have to be looked at before anything goes on. */
  readonly refresh: readonly string[];
  readonly conditions: readonly NewCondition[];
}

/** Whether the set is rolled out in steps. */
export function stepsOf({ spec }: ApplicationSet): readonly ApplicationSetRolloutStep[] {
  if (spec.strategy?.type !== 'RollingSync') return [];
  return spec.strategy.rollingSync?.steps ?? [];
}

export function isReversed(set: ApplicationSet): boolean {
  return stepsOf(set).length > 0 && set.spec.strategy?.deletionOrder?.toLowerCase() === 'reverse';
}

/** Automation off, as the set starts the syncs itself. */
export function withoutAutomation(application: KubeObject): KubeObject {
  const spec = isRecord(application['spec']) ? application['spec'] : {};
  const policy = isRecord(spec['syncPolicy']) ? spec['syncPolicy'] : undefined;
  const automated =
    policy !== undefined && isRecord(policy['automated']) ? policy['automated'] : undefined;
  if (policy === undefined || automated === undefined) return application;
  const syncPolicy = { ...policy, automated: { ...automated, enabled: false } };
  return { ...application, spec: { ...spec, syncPolicy } };
}

export function planRollout(input: RolloutInput): Rollout {
  const { set, current, desired, now } = input;
  const steps = stepsOf(set);
  const assigned = assignSteps(steps, desired);
  const before = new Map(
    (set.status?.applicationStatus ?? []).map((one) => [one.application, one]),
  );
  const waitingSince = latestChange([...before.values()]);
  const evaluated = current.map((application) =>
    evaluate(application, { input, assigned, before }),
  );
  const since = waitingSince ?? latestChange(evaluated);
  const unseen = since === undefined ? [] : current.filter((one) => !isSeenSince(one, since));
  const refresh = unseen.flatMap((one) => (isRefreshing(one) ? [] : [one.metadata.name ?? '']));
  if (unseen.length > 0) {
    return {
      statuses: evaluated,
      operations: [],
      refresh,
      conditions: conditionsOf(set, evaluated, assigned, []),
    };
  }
  const due = dueApplications(assigned, { current, statuses: evaluated });
  const { statuses, invalid } = advance(evaluated, { steps, assigned, due, now });
  return {
    statuses,
    operations: operationsFor(statuses, { due, desired, current }),
    refresh: [],
    conditions: conditionsOf(set, statuses, assigned, invalid),
  };
}

const BOTH_CHANGED =
  'Application has pending changes (revision and spec differ), setting status to Waiting';
const REVISION_CHANGED = 'Application has pending changes, setting status to Waiting';
const SPEC_CHANGED = 'Application has pending changes (spec differs), setting status to Waiting';

interface EvaluateContext {
  readonly input: RolloutInput;
  readonly assigned: AssignedSteps;
  readonly before: ReadonlyMap<string, RolloutStatus>;
}

function evaluate(
  application: KubeObject,
  { input, assigned, before }: EvaluateContext,
): RolloutStatus {
  const { now, changed } = input;
  const name = application.metadata.name ?? '';
  const revisions = revisionsOf(application);
  const known = before.get(name);
  const current: RolloutStatus = known ?? {
    application: name,
    targetRevisions: revisions,
    lastTransitionTime: now,
    message: 'No Application status found, defaulting status to Waiting',
    status: 'Waiting',
    step: '-1',
  };
  const step = String((assigned.stepOf.get(name) ?? -2) + 1);
  const hasNewRevision = !sameTexts(current.targetRevisions ?? [], revisions);
  const hasNewSpec = changed.has(name);
  let next: RolloutStatus = { ...current, step };
  if (hasNewRevision || hasNewSpec) {
    const message = hasNewRevision ? (hasNewSpec ? BOTH_CHANGED : REVISION_CHANGED) : SPEC_CHANGED;
    next = {
      ...next,
      targetRevisions: revisions,
      message,
      status: 'Waiting',
      lastTransitionTime: now,
    };
  }
  const moved = nextState(next, current, application);
  return moved === undefined ? next : { ...next, ...moved, lastTransitionTime: now };
}

function nextState(
  next: RolloutStatus,
  before: RolloutStatus,
  application: KubeObject,
): Pick<RolloutStatus, 'status' | 'message'> | undefined {
  const isSynced = statusText(application, 'sync') === 'Synced';
  const isHealthy = statusText(application, 'health') === 'Healthy';
  if (next.status === 'Waiting') {
    if (!isSynced) return undefined;
    const status = isHealthy ? 'Healthy' : 'Progressing';
    return { status, message: `Application resource has synced, updating status to ${status}` };
  }
  if (before.status === 'Pending') return afterPending(next, before, application);
  if (before.status === 'Progressing' && isHealthy && isSynced) {
    const message =
      'Application resource became Healthy, updating status from Progressing to Healthy';
    return { status: 'Healthy', message };
  }
  return undefined;
}

/** A sync that began after the application was told to, or an error that keeps it from beginning. */
function afterPending(
  next: RolloutStatus,
  before: RolloutStatus,
  application: KubeObject,
): Pick<RolloutStatus, 'status' | 'message'> | undefined {
  const reconciledAt = timeOf(valueAt(application, 'reconciledAt'));
  const movedAt = timeOf(next.lastTransitionTime);
  if (reconciledAt !== undefined && movedAt !== undefined && reconciledAt <= movedAt)
    return undefined;
  const operation = valueAt(application, 'operationState');
  const startedAt = isRecord(operation) ? timeOf(operation['startedAt']) : undefined;
  const pendingAt = timeOf(before.lastTransitionTime) ?? 0;
  if (startedAt !== undefined && startedAt > pendingAt) {
    const phase = isRecord(operation) ? operation['phase'] : '';
    const what =
      phase === 'Succeeded'
        ? 'completed a sync successfully'
        : phase === 'Failed' || phase === 'Error'
          ? 'completed a sync'
          : 'became Progressing';
    return {
      status: 'Progressing',
      message: `Application resource ${what}, updating status from Pending to Progressing`,
    };
  }
  if (!hasError(application)) return undefined;
  const message = 'Application resource has error and cannot sync, updating status to Progressing';
  return { status: 'Progressing', message };
}

function hasError(application: KubeObject): boolean {
  const conditions = valueAt(application, 'conditions');
  return (
    Array.isArray(conditions) &&
    conditions.some(
      (one: Json) =>
        isRecord(one) && (one['type'] === 'InvalidSpecError' || one['type'] === 'UnknownError'),
    )
  );
}

/** When the last of the changes was seen for which applications wait. */
function latestChange(statuses: readonly RolloutStatus[]): number | undefined {
  const times = statuses.flatMap(({ status, message, lastTransitionTime }) => {
    const isChange = [BOTH_CHANGED, REVISION_CHANGED, SPEC_CHANGED].includes(message ?? '');
    const time = timeOf(lastTransitionTime);
    return status === 'Waiting' && isChange && time !== undefined ? [time] : [];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}

function isSeenSince(application: KubeObject, sinceMs: number): boolean {
  const at = timeOf(valueAt(application, 'reconciledAt'));
  return at !== undefined && at >= sinceMs;
}

function isRefreshing({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['argocd.argoproj.io/refresh'] !== undefined;
}

/** Those of every step up to the first that is not healthy throughout. */
function dueApplications(
  { steps }: AssignedSteps,
  {
    current,
    statuses,
  }: { readonly current: readonly KubeObject[]; readonly statuses: readonly RolloutStatus[] },
): ReadonlySet<string> {
  const exists = new Set(current.map(({ metadata }) => metadata.name));
  const healthy = new Set(
    statuses.filter(({ status }) => status === 'Healthy').map((one) => one.application),
  );
  const due = new Set<string>();
  for (const names of steps) {
    for (const name of names) due.add(name);
    if (!names.every((name) => exists.has(name) && healthy.has(name))) break;
  }
  return due;
}

interface AdvanceContext {
  readonly steps: readonly ApplicationSetRolloutStep[];
  readonly assigned: AssignedSteps;
  readonly due: ReadonlySet<string>;
  readonly now: string;
}

/** Those that wait and are due become Pending, as far as maxUpdate lets them. */
function advance(
  statuses: readonly RolloutStatus[],
  { steps, assigned, due, now }: AdvanceContext,
): { readonly statuses: readonly RolloutStatus[]; readonly invalid: readonly number[] } {
  // An application that no step selects counts into the first one, as in the original.
  const indexOf = (name: string) => assigned.stepOf.get(name) ?? 0;
  const total = steps.map(() => 0);
  const updating = steps.map(() => 0);
  for (const { application, status } of statuses) {
    const index = indexOf(application);
    total[index] = (total[index] ?? 0) + 1;
    if (status === 'Pending' || status === 'Progressing')
      updating[index] = (updating[index] ?? 0) + 1;
  }
  const invalid = new Set<number>();
  const moved = statuses.map((one): RolloutStatus => {
    const index = indexOf(one.application);
    const max = maxUpdate(steps[index]?.maxUpdate, total[index] ?? 0);
    if (max === 'invalid') invalid.add(index);
    const limit = max === 'invalid' ? 0 : max;
    const isFree = limit === undefined || (updating[index] ?? 0) < limit;
    if (one.status !== 'Waiting' || !due.has(one.application) || !isFree) return one;
    updating[index] = (updating[index] ?? 0) + 1;
    return {
      ...one,
      lastTransitionTime: now,
      status: 'Pending',
      message:
        'Application moved to Pending status, watching for the Application resource to start Progressing',
    };
  });
  return { statuses: moved, invalid: [...invalid] };
}

/** A number, or a share of the step rounded down, but one at least when it is more than none. */
function maxUpdate(given: Json | undefined, total: number): number | 'invalid' | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'number') return given;
  const percent = typeof given === 'string' ? /^(\d+)%$/.exec(given) : null;
  if (percent === null) return 'invalid';
  const share = Math.floor((Number(percent[1]) * total) / 100);
  return given !== '0%' && share < 1 ? 1 : share;
}

function operationsFor(
  statuses: readonly RolloutStatus[],
  {
    due,
    desired,
    current,
  }: {
    readonly due: ReadonlySet<string>;
    readonly desired: readonly KubeObject[];
    readonly current: readonly KubeObject[];
  },
): Rollout['operations'] {
  const live = new Map(current.map((one) => [one.metadata.name ?? '', one]));
  return desired.flatMap((application) => {
    const name = application.metadata.name ?? '';
    const status = statuses.find((one) => one.application === name);
    const isStarted = live.get(name)?.['operation'] !== undefined;
    if (status?.status !== 'Pending' || !due.has(name) || isStarted) return [];
    return [{ name, operation: operationOf(application, status.targetRevisions ?? []) }];
  });
}

/** A sync to the revisions that were seen when the step was let go, whatever is pushed meanwhile. */
function operationOf(application: KubeObject, revisions: readonly string[]): JsonObject {
  const spec = isRecord(application['spec']) ? application['spec'] : {};
  const policy = isRecord(spec['syncPolicy']) ? spec['syncPolicy'] : {};
  const automated = isRecord(policy['automated']) ? policy['automated'] : {};
  const isAutomated = isRecord(policy['automated']) && automated['enabled'] !== false;
  const hasSeveral = Array.isArray(spec['sources']) && spec['sources'].length > 0;
  const options = policy['syncOptions'];
  return {
    info: [
      {
        name: 'Reason',
        value: 'ApplicationSet RollingSync triggered a sync of this Application resource',
      },
    ],
    initiatedBy: { username: 'applicationset-controller', automated: true },
    retry: isRecord(policy['retry']) ? policy['retry'] : { limit: 5 },
    sync: {
      ...(isAutomated && automated['prune'] === true ? { prune: true } : {}),
      ...(hasSeveral
        ? { revisions }
        : revisions[0] === undefined
          ? {}
          : { revision: revisions[0] }),
      ...(options === undefined ? {} : { syncOptions: options }),
    },
  };
}

function conditionsOf(
  set: ApplicationSet,
  statuses: readonly RolloutStatus[],
  assigned: AssignedSteps,
  invalid: readonly number[],
): readonly NewCondition[] {
  const unfinished = stepsOf(set).findIndex((_, index) => {
    const own = statuses.filter(({ step }) => step === String(index + 1));
    return own.some(({ status }) => status !== 'Healthy');
  });
  const progressing: NewCondition =
    unfinished >= 0
      ? {
          type: 'RolloutProgressing',
          status: 'True',
          reason: 'ApplicationSetModified',
          message: `ApplicationSet is performing rollout of step ${unfinished + 1}`,
        }
      : {
          type: 'RolloutProgressing',
          status: 'False',
          reason: 'ApplicationSetRolloutComplete',
          message: 'ApplicationSet Rollout has completed',
        };
  const issue = describeIssues(assigned, stepsOf(set), invalid);
  const config: NewCondition =
    issue === undefined
      ? {
          type: 'InvalidRolloutConfig',
          status: 'False',
          reason: 'ApplicationSetValidRolloutConfig',
          message: 'Rolling Sync Configured correctly',
        }
      : {
          type: 'InvalidRolloutConfig',
          status: 'True',
          reason: 'ApplicationSetInvalidRolloutConfig',
          message: issue,
        };
  return [config, progressing];
}

function revisionsOf(application: KubeObject): readonly string[] {
  const sync = valueAt(application, 'sync');
  if (!isRecord(sync)) return [''];
  const { revisions, revision } = sync;
  if (Array.isArray(revisions) && revisions.length > 0) return revisions.map(String);
  return [typeof revision === 'string' ? revision : ''];
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}

function valueAt(application: KubeObject, field: string): Json | undefined {
  const status: Json | undefined = application['status'];
  return isRecord(status) ? status[field] : undefined;
}

function statusText(application: KubeObject, field: 'sync' | 'health'): string {
  const part = valueAt(application, field);
  const text = isRecord(part) ? part['status'] : undefined;
  return typeof text === 'string' ? text : '';
}

function timeOf(value: Json | undefined): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
