/**
 * Which action a release needs next. Pure: state and HelmRelease in, decision out, with what the HelmRelease then says of
 * itself. The rules are those of Flux's helm-controller: an action runs once in a reconcile, a remediation ends it.
 */
import type { HelmRelease } from '@capstan/flux-api';
import type { Release } from '@capstan/kube-helm';
import { conditionOf, isReady, isTrue, mark, unmark, withStatus } from './conditions.ts';
import { type DriftReport, summarizeDrift } from './drift-report.ts';
import { MESSAGES } from './messages.ts';
import { activeRemediation, activeRetryMs, detectsDrift, remediationOf } from './policies.ts';
import { type ReleaseState, verifySnapshot } from './release-state.ts';
import { takeRequest } from './requests.ts';
import { fullName, latest, previous, truncate, truncateToNewest } from './snapshots.ts';
import { summarize } from './summarize.ts';

export type ActionName =
  | 'install'
  | 'upgrade'
  | 'test'
  | 'rollback'
  | 'uninstall'
  | 'unlock'
  | 'correct cluster drift';

export type Decision =
  | { readonly kind: 'run'; readonly action: ActionName }
  | { readonly kind: 'done' }
  /** Nothing more can be tried until something changes. */
  | { readonly kind: 'stalled'; readonly reason: string; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export interface Next {
  readonly release: HelmRelease;
  readonly decision: Decision;
  readonly drift?: DriftReport;
}

export type StateWithDrift =
  | ReleaseState
  | { readonly kind: 'drifted'; readonly drift: DriftReport };

export interface DecideContext {
  readonly nowMs: number;
  /** All of Helm's records of the release, oldest first. */
  readonly records: readonly Release[];
}

export function nextAction(
  given: HelmRelease,
  state: StateWithDrift,
  { nowMs, records }: DecideContext,
): Next {
  const { release, isAsked: isForced } = takeRequest(given, 'force');
  switch (state.kind) {
    case 'in-sync':
      return inSync(release, isForced, nowMs);
    case 'locked':
      return run(release, 'unlock');
    case 'absent':
      return unlessExhausted(release, 'install', isForced);
    case 'unmanaged':
      return run(withStatus(release, { history: [] }), 'upgrade');
    case 'out-of-sync':
      return unlessExhausted(release, 'upgrade', isForced);
    case 'drifted':
      return drifted(release, state.drift, nowMs);
    case 'untested':
      return run(replaceRemediated(release, nowMs), 'test');
    case 'failed':
      return failed(release, isForced, records);
    case 'unknown':
      return { release, decision: { kind: 'failed', message: state.problem } };
    default:
      return state satisfies never;
  }
}

function run(release: HelmRelease, action: ActionName): Next {
  return { release, decision: { kind: 'run', action } };
}

/** Tells the failures of the last attempted action, as the original counts them. */
export function exhausted(release: HelmRelease): Extract<Decision, { kind: 'stalled' }> {
  const failures = activeRemediation(release)?.failures ?? 0;
  const action = release.status.lastAttemptedReleaseAction ?? '';
  return {
    kind: 'stalled',
    reason: 'RetriesExceeded',
    message: `Failed to ${action} after ${failures} attempt(s)`,
  };
}

function unlessExhausted(
  release: HelmRelease,
  action: 'install' | 'upgrade',
  isForced: boolean,
): Next {
  if (!remediationOf(release, action).isExhausted || isForced) return run(release, action);
  return { release, decision: exhausted(release) };
}

function inSync(given: HelmRelease, isForced: boolean, nowMs: number): Next {
  let release = forgetOld(given);
  if (isForced) return run(release, 'upgrade');
  release = replaceRemediated(release, nowMs);
  if (!isReady(release) || !isTrue(release, 'Released')) release = restoreReleased(release, nowMs);
  if (detectsDrift(release)) {
    const message = 'No drift detected against the cluster state';
    const state = { status: 'False' as const, reason: 'NoDriftDetected', message };
    release = mark(release, { type: 'Drifted', ...state }, nowMs);
  }
  return { release, decision: { kind: 'done' } };
}

/** Only what may still be rolled back to is kept. */
function forgetOld(release: HelmRelease): HelmRelease {
  const { history = [] } = release.status;
  if (activeRetryMs(release) !== undefined)
    return withStatus(release, { history: truncateToNewest(history) });
  const ignores =
    activeRemediation(release)?.ignoresTestFailures ?? release.spec.test?.ignoreFailures ?? false;
  return withStatus(release, { history: truncate(history, ignores) });
}

/** A rollback may have led to exactly what is wanted: then it counts as an upgrade that succeeded. */
function replaceRemediated(release: HelmRelease, nowMs: number): HelmRelease {
  const seen = latest(release.status.history);
  if (!isTrue(release, 'Remediated') || seen === undefined) return release;
  const { lastTransitionTime } = conditionOf(release, 'Remediated') ?? {};
  const message = MESSAGES.upgraded(seen);
  const state = { type: 'Released', status: 'True' as const, reason: 'UpgradeSucceeded', message };
  const marked = mark(unmark(release, 'Released', 'Remediated'), state, nowMs);
  if (lastTransitionTime === undefined) return marked;
  const conditions = (marked.status.conditions ?? []).map((one) =>
    one.type === 'Released' ? { ...one, lastTransitionTime } : one,
  );
  return withStatus(marked, { conditions });
}

/** What an earlier failure said is over, as the release is in place. */
function restoreReleased(release: HelmRelease, nowMs: number): HelmRelease {
  const seen = latest(release.status.history);
  const was = conditionOf(release, 'Released')?.reason;
  // What others left there may tell nothing of it at all.
  const isLost = was === undefined;
  if (seen === undefined || !(isLost || was === 'InstallFailed' || was === 'UpgradeFailed'))
    return release;
  const isInstall = isLost ? seen.action === 'install' : was === 'InstallFailed';
  const reason = isInstall ? 'InstallSucceeded' : 'UpgradeSucceeded';
  const message = isInstall ? MESSAGES.installed(seen) : MESSAGES.upgraded(seen);
  const state = { type: 'Released', status: 'True' as const, reason, message };
  return summarize(mark(release, state, nowMs), nowMs);
}

function drifted(release: HelmRelease, drift: DriftReport, nowMs: number): Next {
  const seen = latest(release.status.history);
  const name = seen === undefined ? '' : fullName(seen);
  const message = `Cluster state of release ${name} has drifted from the desired state:\n${summarizeDrift(drift)}`;
  const state = { type: 'Drifted', status: 'True' as const, reason: 'DriftDetected', message };
  const marked = mark(release, state, nowMs);
  const corrects = release.spec.driftDetection?.mode === 'enabled';
  const decision: Decision = corrects
    ? { kind: 'run', action: 'correct cluster drift' }
    : { kind: 'done' };
  return { release: marked, decision, drift };
}

function failed(release: HelmRelease, isForced: boolean, records: readonly Release[]): Next {
  const { history = [] } = release.status;
  if (activeRetryMs(release) !== undefined) {
    return run(withStatus(release, { history: truncateToNewest(history) }), 'upgrade');
  }
  const remediation = activeRemediation(release);
  // Without failures counted, something has changed since: an upgrade may help.
  if (remediation === undefined || remediation.failures <= 0 || isForced)
    return run(release, 'upgrade');
  if (remediation.isExhausted && !remediation.remediatesLast) {
    return { release, decision: exhausted(release) };
  }
  const { ignoresTestFailures, strategy } = remediation;
  const kept = withStatus(release, { history: truncate(history, ignoresTestFailures) });
  if (strategy === 'uninstall') return run(kept, 'uninstall');
  return rollBack(kept, ignoresTestFailures, records);
}

function rollBack(
  release: HelmRelease,
  ignoresTestFailures: boolean,
  records: readonly Release[],
): Next {
  const target = previous(release.status.history, ignoresTestFailures);
  if (target === undefined) {
    const problem = 'missing target release for rollback: cannot remediate failed release';
    const message = `Failed to perform remediation: ${problem}`;
    return { release, decision: { kind: 'stalled', reason: 'MissingRollbackTarget', message } };
  }
  const record = records.find(
    ({ name, revision }) => name === target.name && revision === target.version,
  );
  // What is gone or was changed cannot be gone back to; trying the upgrade again is all that is left.
  const isSound = record !== undefined && verifySnapshot(target, record) === undefined;
  return run(release, isSound ? 'rollback' : 'upgrade');
}
