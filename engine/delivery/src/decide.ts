import { backoffDelayMs } from '@capstan/lib-std';
import type {
  Automation,
  OperationRequest,
  OperationState,
  Problem,
  RetryPolicy,
  SyncHold,
  SyncStatus,
} from './types.ts';

/** All that the decision depends on. */
export interface Situation {
  readonly automation: Automation;
  readonly preempt: 'afterHook' | 'immediately' | 'never';
  readonly prune: boolean;
  /** A request that was made and not yet taken up. */
  readonly request: OperationRequest | undefined;
  readonly operation: OperationState | undefined;
  /** A hook of the running operation has not ended. */
  readonly hookRuns: boolean;
  readonly sync: SyncStatus;
  readonly revisions: readonly string[];
  readonly desiredDigest: string;
  /** Only objects to prune make it OutOfSync. */
  readonly onlyExtra: boolean;
  /** Nothing is desired any more, and something is live. */
  readonly wouldWipe: boolean;
  readonly hold?: SyncHold | undefined;
}

export type Decision =
  | { readonly kind: 'rest'; readonly problem?: Problem }
  /** A person's request, or automation's own. Ends a running operation. */
  | { readonly kind: 'start'; readonly request: OperationRequest }
  | { readonly kind: 'continue' }
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** A new request (or the running operation) stands as it is until it may go on. */
  | { readonly kind: 'hold'; readonly request?: OperationRequest; readonly hold: SyncHold };

/** Heals that follow each other within this time count as one fight with somebody else. */
const FIGHT_WINDOW_MS = 600_000;
/** So many heals in a fight go without delay. */
const FREE_HEALS = 5;

/**
 * What to do now, from what is observed alone. The rules are those of Argo CD's automated sync (documentation: "Automated
 * Sync Policy"), except that a newer desired state pre-empts a sync that waits or retries, and that heals are not delayed
 * until they turn into a fight.
 */
export function decide(situation: Situation, nowMs: number): Decision {
  const { operation, request, hold } = situation;
  if (request !== undefined && request.id !== operation?.request.id)
    return hold?.requests === true ? { kind: 'hold', request, hold } : { kind: 'start', request };
  if (operation?.phase === 'Running') return decideRunning(operation, situation, nowMs);
  if (situation.automation.kind === 'manual') return { kind: 'rest' };
  return decideAutomation(situation.automation, situation, nowMs);
}

function decideRunning(operation: OperationState, situation: Situation, nowMs: number): Decision {
  const { hold } = situation;
  if (hold?.running === true) return { kind: 'hold', hold };
  if (isSuperseded(operation, situation)) {
    const next = decideAutomation(
      situation.automation,
      { ...situation, operation: undefined },
      nowMs,
    );
    if (next.kind === 'start') return next;
  }
  const due = operation.nextAttemptAtMs;
  if (due !== undefined && due > nowMs) return { kind: 'wait', untilMs: due };
  return { kind: 'continue' };
}

function isSuperseded(operation: OperationState, situation: Situation): boolean {
  if (situation.preempt === 'never' || operation.request.initiatedBy.kind !== 'automation')
    return false;
  if (situation.hookRuns && situation.preempt === 'afterHook') return false;
  return !isSameAttempt(operation, situation);
}

function decideAutomation(automation: Automation, situation: Situation, nowMs: number): Decision {
  const { operation, sync } = situation;
  if (automation.kind === 'manual' || sync !== 'OutOfSync') return { kind: 'rest' };
  const { hold } = situation;
  if (hold?.automation === true)
    return hold.untilMs === undefined ? { kind: 'rest' } : { kind: 'wait', untilMs: hold.untilMs };
  if (situation.onlyExtra && !situation.prune) return { kind: 'rest' };
  if (situation.wouldWipe && situation.prune && !automation.allowEmpty) {
    return { kind: 'rest', problem: wouldWipe(situation.revisions) };
  }
  if (operation === undefined || !isSameAttempt(operation, situation)) {
    return { kind: 'start', request: automatic(automation, situation, { healAttempt: 0, nowMs }) };
  }
  if (operation.phase !== 'Succeeded') return { kind: 'rest', problem: gaveUp(operation) };
  if (!automation.selfHeal) return { kind: 'rest' };
  return decideHeal(automation, operation, { situation, nowMs });
}

function decideHeal(
  automation: Automation & { readonly kind: 'automatic' },
  operation: OperationState,
  { situation, nowMs }: { readonly situation: Situation; readonly nowMs: number },
): Decision {
  const finishedAt = operation.finishedAtMs ?? operation.startedAtMs;
  const isFight = nowMs - finishedAt < FIGHT_WINDOW_MS;
  const healAttempt = isFight ? operation.request.healAttempt + 1 : 1;
  const delays = healAttempt - 1 - FREE_HEALS;
  const dueMs = delays < 0 ? 0 : finishedAt + backoffDelayMs(automation.healBackoff, delays, 0);
  if (dueMs > nowMs) return { kind: 'wait', untilMs: dueMs };
  return { kind: 'start', request: automatic(automation, situation, { healAttempt, nowMs }) };
}

function automatic(
  { retry }: { readonly retry: RetryPolicy },
  { revisions, desiredDigest }: Situation,
  { healAttempt, nowMs }: { readonly healAttempt: number; readonly nowMs: number },
): OperationRequest {
  return {
    id: ['auto', ...revisions, desiredDigest, healAttempt, nowMs].join(' '),
    initiatedBy: { kind: 'automation' },
    policy: {},
    retry,
    healAttempt,
  };
}

/** After a restart the digest is not known any more; then the revisions decide. */
function isSameAttempt(
  operation: OperationState,
  { revisions, desiredDigest }: Situation,
): boolean {
  if (operation.desiredDigest !== '' && desiredDigest !== '') {
    return operation.desiredDigest === desiredDigest;
  }
  return operation.revisions.join(' ') === revisions.join(' ');
}

/** What follows a failed attempt: another one after a pause, or the end. */
export function decideRetry(
  operation: OperationState,
  { retryable, nowMs }: { readonly retryable: boolean; readonly nowMs: number },
): { readonly kind: 'end' } | { readonly kind: 'again'; readonly atMs: number } {
  const { limit, backoff } = operation.request.retry;
  if (!retryable || (limit >= 0 && operation.retryCount >= limit)) return { kind: 'end' };
  return { kind: 'again', atMs: nowMs + backoffDelayMs(backoff, operation.retryCount, 0) };
}

function wouldWipe(revisions: readonly string[]): Problem {
  return {
    stage: 'sync',
    severity: 'error',
    code: 'WOULD_WIPE',
    message: `Skipping sync attempt to [${revisions.join(' ')}]: auto-sync will wipe out all resources`,
    hint: 'allow an empty state (allowEmpty), or bring the manifests back',
    kind: 'stalled',
  };
}

function gaveUp({ revisions, message }: OperationState): Problem {
  return {
    stage: 'sync',
    severity: 'error',
    code: 'SYNC_FAILED',
    message: `Failed last sync attempt to [${revisions.join(' ')}]: ${message}`,
    kind: 'stalled',
  };
}
