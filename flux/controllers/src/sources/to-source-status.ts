import type { Artifact, Condition, SourceStatus } from '@capstan/flux-api';
import { type NewCondition, setConditions } from '../conditions.ts';
import type { FailedOutcome, SourceOutcome, StoredOutcome } from './source-outcome.ts';

export interface SourceView {
  readonly status: SourceStatus;
  readonly generation: number;
  /** The artifact of the status as far as it is still in storage. */
  readonly current: Artifact | undefined;
}

export interface RaisingContext {
  readonly nowMs: number;
  readonly handledReconcileAt: string | undefined;
}

/**
 * The status that Flux's source-controller would write after this outcome (its summarize package). Pure. A failure keeps the
 * artifact, what it was made with, and that it was verified; a failed verification is told as the cause of all.
 */
export function toSourceStatus(
  { status, generation, current }: SourceView,
  outcome: SourceOutcome,
  { nowMs, handledReconcileAt }: RaisingContext,
): SourceStatus {
  const handled = handledReconcileAt ?? status.lastHandledReconcileAt;
  const previous = status.conditions ?? [];
  const wanted =
    outcome.kind === 'stored'
      ? succeeded(outcome)
      : failed(outcome, { status, generation, current });
  const fresh = setConditions(previous, wanted, { generation, nowMs });
  const kept = keptConditions(previous, outcome, current);
  const { artifact: _artifact, conditions: _conditions, ...rest } = status;
  const artifact = outcome.kind === 'stored' ? outcome.artifact : current;
  const isSettled = outcome.kind === 'stored' || outcome.response === 'stall';
  return {
    ...(outcome.kind === 'stored' ? outcome.observed : rest),
    ...(artifact === undefined ? {} : { artifact }),
    conditions: sortConditions([...fresh, ...kept]),
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
    observedGeneration: isSettled ? generation : (status.observedGeneration ?? -1),
  };
}

function succeeded({ message, verified }: StoredOutcome): readonly NewCondition[] {
  const is = (type: string, text: string): NewCondition => ({
    type,
    status: 'True',
    reason: 'Succeeded',
    message: text,
  });
  return [
    is('Ready', message),
    is('ArtifactInStorage', message),
    ...(verified === undefined ? [] : [is('SourceVerified', verified)]),
  ];
}

function failed(
  { condition, reason, message, response }: FailedOutcome,
  view: SourceView,
): readonly NewCondition[] {
  const isVerification = condition === 'SourceVerified';
  return [
    response === 'stall'
      ? { type: 'Stalled', status: 'True', reason, message }
      : {
          type: 'Reconciling',
          status: 'True',
          reason: 'ProgressingWithRetry',
          message: progressOf(view),
        },
    { type: 'Ready', status: 'False', reason, message },
    ...(condition === 'none'
      ? []
      : [{ type: condition, status: isVerification ? 'False' : 'True', reason, message } as const]),
  ];
}

/** How far the original had come when it failed, in its words. */
export function progressOf({
  status,
  generation,
  current,
}: {
  readonly status: { readonly artifact?: unknown; readonly observedGeneration?: number };
  readonly generation: number;
  /** The artifact that is in place. */
  readonly current: unknown;
}): string {
  if (current === undefined) {
    return status.artifact === undefined
      ? 'building artifact'
      : 'building artifact: disappeared from storage';
  }
  const observed = status.observedGeneration ?? 0;
  return observed === generation
    ? 'reconciliation in progress'
    : `processing object: new generation ${observed} -> ${generation}`;
}

function keptConditions(
  previous: readonly Condition[],
  outcome: SourceOutcome,
  current: Artifact | undefined,
): readonly Condition[] {
  return previous.filter(({ type, status }) => {
    const isVerified = type === 'SourceVerified' && status === 'True';
    if (outcome.kind === 'stored') return isVerified && outcome.isVerificationKept === true;
    if (type === 'ArtifactInStorage') return current !== undefined;
    return isVerified && outcome.condition !== 'SourceVerified';
  });
}

const WEIGHTS: Readonly<Record<string, number>> = { Stalled: 0, Reconciling: 1, Ready: 2 };

/** Those that people look for come first. */
function sortConditions(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.toSorted(
    (a, b) =>
      (WEIGHTS[a.type] ?? 3) - (WEIGHTS[b.type] ?? 3) ||
      (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0) ||
      (a.type < b.type ? -1 : 1),
  );
}
