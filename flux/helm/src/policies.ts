/** What the spec of a HelmRelease says about trying again, with the original's defaults. */
import type { HelmRelease } from '@capstan/flux-api';
import { parseDurationMs } from '@capstan/flux-controllers';

export interface Remediation {
  readonly retries: number;
  readonly strategy: 'rollback' | 'uninstall';
  /** Whether the last failure is remediated too, when no retries are left. */
  readonly remediatesLast: boolean;
  readonly ignoresTestFailures: boolean;
  readonly counter: 'installFailures' | 'upgradeFailures';
  readonly failures: number;
  /** No attempts are left. Negative retries are without end. */
  readonly isExhausted: boolean;
}

export const TIMEOUT_DEFAULT = '5m0s';
const RETRY_INTERVAL_DEFAULT = '5m';
export const HISTORY_MAX_DEFAULT = 5;

export function remediationOf(release: HelmRelease, action: 'install' | 'upgrade'): Remediation {
  const { spec, status } = release;
  const given = spec[action]?.remediation ?? {};
  const { retries = 0 } = given;
  const counter = action === 'install' ? 'installFailures' : 'upgradeFailures';
  const failures = status[counter] ?? 0;
  const isUpgrade = action === 'upgrade';
  return {
    retries,
    strategy: isUpgrade && given.strategy !== 'uninstall' ? 'rollback' : 'uninstall',
    remediatesLast: given.remediateLastFailure ?? (isUpgrade && retries > 0),
    ignoresTestFailures: given.ignoreTestFailures ?? spec.test?.ignoreFailures ?? false,
    counter,
    failures,
    isExhausted: retries >= 0 && failures > retries,
  };
}

/** That of the last attempted action; undefined before any. */
export function activeRemediation(release: HelmRelease): Remediation | undefined {
  const action = release.status.lastAttemptedReleaseAction;
  return action === undefined ? undefined : remediationOf(release, action);
}

/** After how long a failed action is simply tried again; undefined when it is remediated instead. */
export function retryIntervalMs(
  { spec }: HelmRelease,
  action: 'install' | 'upgrade',
): number | undefined {
  const strategy = spec[action]?.strategy;
  if (strategy?.name !== 'RetryOnFailure') return undefined;
  const field = `spec.${action}.strategy.retryInterval`;
  return parseDurationMs(strategy.retryInterval ?? RETRY_INTERVAL_DEFAULT, field);
}

export function activeRetryMs(release: HelmRelease): number | undefined {
  const action = release.status.lastAttemptedReleaseAction;
  return action === undefined ? undefined : retryIntervalMs(release, action);
}

export type TimedAction = 'install' | 'upgrade' | 'test' | 'rollback' | 'uninstall';

export function timeoutMs({ spec }: HelmRelease, action?: TimedAction): number {
  const own = action === undefined ? undefined : spec[action]?.timeout;
  const field = own === undefined ? 'spec.timeout' : `spec.${action}.timeout`;
  return parseDurationMs(own ?? spec.timeout ?? TIMEOUT_DEFAULT, field);
}

export function detectsDrift({ spec }: HelmRelease): boolean {
  const mode = spec.driftDetection?.mode;
  return mode === 'enabled' || mode === 'warn';
}
