import type { Health } from '@capstan/engine-health';
import type { Probe } from './probe-spec.ts';

/** What one probe found. */
export interface Outcome {
  readonly ok: boolean;
  /** In words that stay the same while the outcome does. */
  readonly message: string;
}

/** The verdict, and the outcomes in a row that speak against it. */
export interface Verdict {
  readonly health: Health;
  readonly successes: number;
  readonly failures: number;
}

export const UNPROBED: Verdict = {
  health: { status: 'Progressing', message: 'Waiting for the first probe' },
  successes: 0,
  failures: 0,
};

/**
 * The verdict after one more outcome: it turns only after as many in a row as the thresholds say. What is Healthy keeps
 * the words with which it became so; what is Degraded says the latest failure.
 */
export function nextVerdict(
  before: Verdict,
  outcome: Outcome,
  thresholds: Pick<Probe, 'failureThreshold' | 'successThreshold'>,
): Verdict {
  const successes = outcome.ok ? before.successes + 1 : 0;
  const failures = outcome.ok ? 0 : before.failures + 1;
  const { status } = before.health;
  const { message } = outcome;
  const turnsHealthy =
    outcome.ok && status !== 'Healthy' && successes >= thresholds.successThreshold;
  if (turnsHealthy) return { health: { status: 'Healthy', message }, successes, failures };
  const isDown = status === 'Degraded' || failures >= thresholds.failureThreshold;
  if (!outcome.ok && isDown) {
    return { health: { status: 'Degraded', message }, successes, failures };
  }
  return { health: before.health, successes, failures };
}
