export interface BackoffPolicy {
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Fraction of the delay that is random, 0 to 1. */
  readonly jitter: number;
}

/** The delay before try `attempt` (0 is the first retry). `random` in [0, 1) makes it testable. */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number, random: number): number {
  const delay = Math.min(policy.maxMs, policy.baseMs * policy.factor ** Math.min(attempt, 1000));
  return Math.round(delay * (1 - policy.jitter * random));
}
