/**
 * A DeliveryStatus as the status that Flux's kustomize-controller would write, and the way back. Pure: times come in, and a
 * condition that did not change keeps its time.
 */

import {
  type DeliveryStatus,
  type OperationState,
  type Problem,
  unlookedStatus,
} from '@capstan/engine-delivery';
import {
  type HistoryEntry,
  type Kustomization,
  type KustomizationStatus,
  REQUESTED_AT,
} from '@capstan/flux-api';
import { findCondition, type NewCondition, setConditions } from './conditions.ts';
import { formatDuration, formatTime } from './durations.ts';
import { formatEntry, parseEntry } from './inventory.ts';
import { compareKeys } from './kind-order.ts';
import { timeoutMs } from './to-delivery.ts';
import { commitOf } from './to-source.ts';

export interface RaisingContext {
  readonly nowMs: number;
  /** The artifact's revision, e.g. `main@sha1:…`; '' without an artifact. */
  readonly revision: string;
  readonly handledReconcileAt: string | undefined;
  /** Of the artifact's metadata: what it was made from in the first place. */
  readonly originRevision?: string;
}

export function toKustomizationStatus(
  kustomization: Kustomization,
  delivery: DeliveryStatus,
  context: RaisingContext,
): KustomizationStatus {
  const { status } = kustomization;
  const verdict = judge(delivery);
  const { generation = 0 } = kustomization.metadata;
  const isReady = verdict.kind === 'ready';
  const reachedBuild = verdict.kind !== 'failed' || !BEFORE_BUILD.has(verdict.reason);
  const attempted =
    reachedBuild && context.revision !== '' ? context.revision : status.lastAttemptedRevision;
  const applied = isReady ? context.revision : status.lastAppliedRevision;
  const inventory = delivery.inventory
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .map(formatEntry);
  const handled = context.handledReconcileAt ?? status.lastHandledReconcileAt;
  const history = toHistory(status.history ?? [], delivery, {
    verdict,
    nowMs: context.nowMs,
    metadata: {
      revision: context.revision,
      ...(context.originRevision === undefined ? {} : { originRevision: context.originRevision }),
    },
  });
  const origin = isReady ? context.originRevision : status.lastAppliedOriginRevision;
  return {
    conditions: setConditions(
      status.conditions ?? [],
      toConditions(verdict, kustomization, { ...context, checked: tookToCheck(delivery) }),
      {
        generation,
        nowMs: context.nowMs,
        // What was found of the objects last stays until they are looked at again.
        ...(isReady ? {} : { kept: ['Healthy'] }),
      },
    ),
    ...(history.length === 0 ? {} : { history }),
    ...(inventory.length === 0 && status.inventory === undefined && !isReady
      ? {}
      : { inventory: { entries: inventory } }),
    ...(applied === undefined ? {} : { lastAppliedRevision: applied }),
    ...(origin === undefined ? {} : { lastAppliedOriginRevision: origin }),
    ...(attempted === undefined ? {} : { lastAttemptedRevision: attempted }),
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
    // A generation counts as observed once it is in place or cannot be; what flags forbid may be allowed to it yet.
    ...(isReady || (verdict.kind === 'stalled' && !FORBIDDEN.has(verdict.reason))
      ? { observedGeneration: generation }
      : { observedGeneration: status.observedGeneration ?? -1 }),
  };
}

const FORBIDDEN = new Set(['AccessDenied', 'FeatureGateDisabled']);
const BEFORE_BUILD = new Set(['ArtifactFailed', 'DependencyNotReady']);

/** What a Kustomization says once it is suspended: as it stands, it was seen. */
export function suspendedStatus({ status, metadata }: Kustomization): KustomizationStatus {
  const handled = metadata.annotations?.[REQUESTED_AT];
  const { conditions = [] } = status;
  return {
    ...status,
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
    ...(findCondition(conditions, 'Ready')?.status === 'True'
      ? {
          conditions: conditions.filter(({ type }) => type !== 'Reconciling'),
          observedGeneration: metadata.generation ?? 0,
        }
      : {}),
  };
}

type Verdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progressing'; readonly stage: 'sync' | 'health' }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly message: string;
      readonly stage: Problem['stage'];
      readonly hasBegun?: true;
    }
  /** Its source or what it depends on is not there: nothing was tried. */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly message: string;
      readonly hasBegun: false;
    }
  | { readonly kind: 'stalled'; readonly reason: string; readonly message: string };

/** What is said of a Kustomization before the engine was asked: its source or a dependency is not ready. */
export function notReady(
  reason: string,
  message: string,
  previous: DeliveryStatus | undefined,
  nowMs: number,
): DeliveryStatus {
  return unlookedStatus({
    problems: [{ stage: 'spec', severity: 'error', code: reason, message, kind: 'wait' }],
    inventory: previous?.inventory ?? [],
    observedAtMs: nowMs,
    ...(previous?.operation === undefined ? {} : { operation: previous.operation }),
  });
}

function judge(delivery: DeliveryStatus): Verdict {
  const problem = delivery.problems.find(
    ({ severity, stage }) => severity === 'error' && stage !== 'sync',
  );
  if (problem !== undefined) return judgeProblem(problem);
  const { operation } = delivery;
  if (operation === undefined || operation.phase === 'Succeeded') {
    return delivery.sync === 'Synced' || operation !== undefined ? { kind: 'ready' } : PROGRESSING;
  }
  if (operation.phase === 'Running' && operation.nextAttemptAtMs === undefined) {
    if (operation.appliedAtMs === undefined) return PROGRESSING;
    return { kind: 'progressing', stage: 'health' };
  }
  const reason = reasonOf(operation);
  const stage = reason === 'HealthCheckFailed' ? 'health' : 'sync';
  const message = dryRunFailure(operation) ?? withoutRetry(operation.message);
  return { kind: 'failed', reason, stage, message };
}

const PROGRESSING: Verdict = { kind: 'progressing', stage: 'sync' };

/** How long the wait for health took; undefined when that is not known any more. */
export function tookToCheck({ operation }: DeliveryStatus): string | undefined {
  const { appliedAtMs, finishedAtMs } = operation ?? {};
  if (appliedAtMs === undefined || finishedAtMs === undefined) return undefined;
  return `Health check passed in ${formatDuration(finishedAtMs - appliedAtMs)}`;
}

const PROGRESS: Readonly<Record<Problem['stage'], string>> = {
  spec: 'Fetching manifests',
  source: 'Fetching manifests',
  render: 'Building manifests',
  compare: 'Detecting drift',
  sync: 'Detecting drift',
  health: 'Running health checks',
};

/** What the original says it is doing; it stays when that fails. */
function progressAt(
  stage: Problem['stage'],
  kustomization: Kustomization,
  { revision }: RaisingContext,
): string {
  if (revision === '') return 'Reconciliation in progress';
  const limit = formatDuration(timeoutMs(kustomization));
  return `${PROGRESS[stage]} for revision ${revision} with a timeout of ${limit}`;
}

const REASON_OF_STAGE: Readonly<Record<Problem['stage'], string>> = {
  spec: 'ReconciliationFailed',
  source: 'ArtifactFailed',
  render: 'BuildFailed',
  compare: 'ReconciliationFailed',
  sync: 'ReconciliationFailed',
  health: 'HealthCheckFailed',
};

function judgeProblem(problem: Problem): Verdict {
  const { stage, code, message, location, hint } = problem;
  const place =
    location === undefined
      ? ''
      : `${[location.file, location.line].filter((part) => part !== undefined).join(':')}: `;
  const tail = hint === undefined ? '' : ` (${hint})`;
  if (BEFORE_BUILD.has(code)) return { kind: 'failed', reason: code, message, hasBegun: false };
  if (code === 'FeatureGateDisabled') return { kind: 'stalled', reason: code, message };
  if (code === 'ACCESS_DENIED') return { kind: 'stalled', reason: 'AccessDenied', message };
  if (code === 'CEL_INVALID') {
    const told = `Reconciliation failed terminally due to configuration error: ${message}`;
    return { kind: 'stalled', reason: 'InvalidCELExpression', message: told };
  }
  if (stage === 'spec')
    return { kind: 'stalled', reason: 'InvalidSpec', message: `${message}${tail}` };
  if (stage === 'render' && code === 'PATH_MISSING') {
    return {
      kind: 'failed',
      reason: 'ArtifactFailed',
      stage,
      message: `kustomization path not found: ${message}${tail}`,
    };
  }
  if (code === 'SUBSTITUTION_FAILED') {
    return {
      kind: 'failed',
      reason: 'BuildFailed',
      stage,
      message: `${message} (${place}${hint})`,
    };
  }
  const isOfBuild = stage === 'render' && !code.startsWith('SOPS_') && code !== 'SECRET_MISSING';
  const head = isOfBuild ? 'kustomize build failed: ' : '';
  return {
    kind: 'failed',
    reason: REASON_OF_STAGE[stage],
    stage,
    message: `${head}${place}${message}${tail}`,
  };
}

function reasonOf({ message, results }: OperationState): string {
  if (message.startsWith('health check failed')) return 'HealthCheckFailed';
  const failed = results.filter(({ status }) => status === 'SyncFailed');
  const onlyPrunes = failed.length > 0 && failed.every(({ stepId }) => stepId.startsWith('prune/'));
  return onlyPrunes ? 'PruneFailed' : 'ReconciliationFailed';
}

/** The first object that the server would refuse, in the original's words. */
function dryRunFailure({ message, results }: OperationState): string | undefined {
  const failed = results.find(({ status }) => status === 'SyncFailed');
  if (failed === undefined || !failed.stepId.startsWith('apply/')) return undefined;
  const { group, kind, namespace, name } = failed.key;
  const subject = [kind, namespace, name].filter((part) => part !== '').join('/');
  if (message.startsWith('one or more synchronization tasks are not valid')) {
    const apiVersion = group === '' ? failed.version : `${group}/${failed.version}`;
    return `${subject} dry-run failed: no matches for kind "${kind}" in version "${apiVersion}"`;
  }
  if (!message.startsWith('one or more objects failed to apply')) return undefined;
  const told = failed.message.replace(/^cannot apply \S+ \S+: /, '');
  if (/ not found$/.test(told))
    return `${subject} ${namespace === '' ? 'namespace not specified' : 'not found'}: ${told}`;
  const reason = REFUSALS.find(([, pattern]) => pattern.test(told))?.[0];
  return `${subject} dry-run failed${reason === undefined ? '' : ` (${reason})`}: ${told}`;
}

/** What the server calls such a refusal. */
const REFUSALS: readonly (readonly [reason: string, pattern: RegExp])[] = [
  ['Invalid', / is invalid: /],
  ['Forbidden', / is forbidden: | denied the request/],
  ['Conflict', /^Apply failed with \d+ conflict| the object has been modified/],
  ['BadRequest', /strict decoding error|cannot be handled as a /],
];

/** The engine's word on retries is Argo CD's way of telling; Flux says it in a condition. */
function withoutRetry(message: string): string {
  return message.replace(/\. Retrying attempt #\d+ at [^.]*\.$/, '');
}

function toConditions(
  verdict: Verdict,
  kustomization: Kustomization,
  context: RaisingContext & { readonly checked: string | undefined },
): readonly NewCondition[] {
  const { revision } = context;
  const { spec } = kustomization;
  const hasGate = spec.wait === true || (spec.healthChecks?.length ?? 0) > 0;
  switch (verdict.kind) {
    case 'ready': {
      const ready = condition(
        'Ready',
        'True',
        'ReconciliationSucceeded',
        `Applied revision: ${revision}`,
      );
      if (!hasGate) return [ready];
      const before = findCondition(kustomization.status.conditions, 'Healthy');
      const known = before?.status === 'True' ? before.message : 'Health check passed';
      return [ready, condition('Healthy', 'True', 'Succeeded', context.checked ?? known)];
    }
    case 'progressing': {
      const { stage } = verdict;
      const message = progressAt(stage, kustomization, context);
      const isAwaited = hasGate && stage === 'health';
      return [
        condition('Reconciling', 'True', 'Progressing', message),
        condition('Ready', 'Unknown', 'Progressing', 'Reconciliation in progress'),
        ...(isAwaited ? [condition('Healthy', 'Unknown', 'Progressing', message)] : []),
      ];
    }
    case 'failed': {
      const { reason, message } = verdict;
      // What waits for others says of its own progress what it said before.
      const progress =
        verdict.hasBegun === false
          ? findCondition(kustomization.status.conditions, 'Reconciling')?.message
          : progressAt(verdict.stage, kustomization, context);
      const why = message.replace(/^health check failed after \S+: /, '');
      return [
        ...(progress === undefined
          ? []
          : [condition('Reconciling', 'True', 'ProgressingWithRetry', progress)]),
        condition('Ready', 'False', reason, message),
        ...(reason === 'HealthCheckFailed' ? [condition('Healthy', 'False', reason, why)] : []),
      ];
    }
    case 'stalled':
      return [
        condition('Stalled', 'True', verdict.reason, verdict.message),
        condition('Ready', 'False', verdict.reason, verdict.message),
      ];
  }
}

function condition(
  type: string,
  status: NewCondition['status'],
  reason: string,
  message: string,
): NewCondition {
  return { type, status, reason, message };
}

/**
 * One entry for each desired state and its outcome, newest first, at most five. An operation counts once for each attempt,
 * when that is over, as `History.Upsert` of the original does.
 */
function toHistory(
  previous: readonly HistoryEntry[],
  { operation }: DeliveryStatus,
  context: {
    readonly verdict: Verdict;
    readonly nowMs: number;
    readonly metadata: { readonly [name: string]: string };
  },
): readonly HistoryEntry[] {
  const endedAtMs = operation && endOfAttempt(operation);
  if (operation === undefined || endedAtMs === undefined || operation.desiredDigest === '')
    return previous;
  const { verdict, metadata } = context;
  const digest = `sha256:${operation.desiredDigest}`;
  const outcome = verdict.kind === 'failed' ? verdict.reason : 'ReconciliationSucceeded';
  const isSame = (entry: HistoryEntry) =>
    entry.digest === digest && entry.lastReconciledStatus === outcome;
  const known = previous.find(isSame);
  const finished = formatTime(endedAtMs);
  const isCounted = known !== undefined && known.lastReconciled >= finished;
  // Another revision of the same objects was reconciled too, though there was nothing to do.
  const isIdle = verdict.kind === 'ready' && known?.metadata?.['revision'] !== metadata['revision'];
  if (isCounted && !isIdle) return previous;
  if (known === undefined && isOfPast(operation, previous[0], { outcome, metadata }))
    return previous;
  const lastReconciled = isCounted ? formatTime(context.nowMs) : finished;
  const entry: HistoryEntry = {
    digest,
    firstReconciled: known?.firstReconciled ?? lastReconciled,
    lastReconciled,
    lastReconciledDuration: formatDuration(endedAtMs - operation.startedAtMs),
    lastReconciledStatus: outcome,
    metadata,
    totalReconciliations: (known?.totalReconciliations ?? 0) + 1,
  };
  return [entry, ...previous.filter((one) => !isSame(one))].slice(0, 5);
}

/**
 * Another process did it, and counted it, under its own digest: what was found in place after a restart or a take-over is
 * no reconciliation of ours.
 */
function isOfPast(
  { results }: OperationState,
  newest: HistoryEntry | undefined,
  now: { readonly outcome: string; readonly metadata: { readonly [name: string]: string } },
): boolean {
  return (
    results.length === 0 &&
    newest?.lastReconciledStatus === now.outcome &&
    newest.metadata?.['revision'] === now.metadata['revision']
  );
}

/** When the operation ended, or the attempt that failed last; undefined while one runs. */
export function endOfAttempt({ finishedAtMs, nextAttemptAtMs, request }: OperationState) {
  // Retries follow each other at one distance: the factor of a Kustomization's backoff is 1.
  return finishedAtMs ?? (nextAttemptAtMs && nextAttemptAtMs - request.retry.backoff.baseMs);
}

/** What a Kustomization's status says of the past. A failed attempt is not remembered: it is tried again. */
export function readStatus({ status }: Kustomization): DeliveryStatus | undefined {
  const ready = findCondition(status.conditions, 'Ready');
  const inventory = (status.inventory?.entries ?? []).flatMap((entry) => parseEntry(entry) ?? []);
  if (ready === undefined && inventory.length === 0) return undefined;
  const at = Date.parse(ready?.lastTransitionTime ?? '');
  const finishedAtMs = Number.isNaN(at) ? 0 : at;
  const isDone = ready?.status === 'True' && status.lastAppliedRevision !== undefined;
  return unlookedStatus({
    inventory,
    observedAtMs: 0,
    ...(isDone
      ? {
          operation: doneOperation(
            status.lastAppliedRevision ?? '',
            finishedAtMs,
            status.lastHandledReconcileAt,
          ),
        }
      : {}),
  });
}

function doneOperation(
  revision: string,
  finishedAtMs: number,
  handled: string | undefined,
): OperationState {
  return {
    request: {
      id: handled === undefined ? 'past' : requestId(handled),
      initiatedBy: { kind: 'automation' },
      policy: {},
      retry: { limit: -1, backoff: { baseMs: 60_000, factor: 1, maxMs: 60_000, jitter: 0 } },
      healAttempt: 0,
    },
    phase: 'Succeeded',
    message: '',
    startedAtMs: finishedAtMs,
    finishedAtMs,
    retryCount: 0,
    revisions: [commitOf(revision)],
    desiredDigest: '',
    results: [],
  };
}

export function requestId(requestedAt: string): string {
  return `requestedAt ${requestedAt}`;
}
