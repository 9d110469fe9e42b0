import { type BackoffPolicy, backoffDelayMs, type Clock, passedMs } from '@capstan/lib-std';

/** How long keys that failed wait for their next try: the contract of client-go's workqueue.RateLimiter. */
export interface RateLimiter {
  /** Counts a failure of the key; its next try comes after so many milliseconds. */
  delayMs(key: string): number;
  /** The key is all right, or gone. */
  forget(key: string): void;
  /** Failures since it was last forgotten. */
  retries(key: string): number;
}

/** Each key by its own failures: `baseMs` at first, `factor` times as long after each, `maxMs` at most. */
export function exponentialLimiter(
  policy: BackoffPolicy,
  random: () => number = Math.random,
): RateLimiter {
  return countingLimiter((failures) => backoffDelayMs(policy, failures - 1, random()));
}

/** Quick for the first `fastTries`, slow from then on. */
export function fastSlowLimiter(options: {
  readonly fastMs: number;
  readonly slowMs: number;
  readonly fastTries: number;
}): RateLimiter {
  const { fastMs, slowMs, fastTries } = options;
  return countingLimiter((failures) => (failures <= fastTries ? fastMs : slowMs));
}

/** All keys together: `burst` at once, then `perSecond`; who comes too early waits for his turn. */
export function bucketLimiter(options: {
  readonly perSecond: number;
  readonly burst: number;
  readonly clock: Clock;
}): RateLimiter {
  const { perSecond, burst, clock } = options;
  let tokens = burst;
  let atMs = passedMs(clock);
  return {
    delayMs() {
      const nowMs = passedMs(clock);
      tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1000) * perSecond) - 1;
      atMs = nowMs;
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000;
    },
    forget: () => undefined,
    retries: () => 0,
  };
}

/** The longest delay of several. Each counts, also those that are not the longest. */
export function maxOfLimiters(...limiters: readonly RateLimiter[]): RateLimiter {
  return {
    delayMs: (key) => Math.max(0, ...limiters.map((limiter) => limiter.delayMs(key))),
    forget(key) {
      for (const limiter of limiters) limiter.forget(key);
    },
    retries: (key) => Math.max(0, ...limiters.map((limiter) => limiter.retries(key))),
  };
}

/** Another limiter's delay, but never more than this. */
export function cappedLimiter(limiter: RateLimiter, maxMs: number): RateLimiter {
  return {
    delayMs: (key) => Math.min(maxMs, limiter.delayMs(key)),
    forget: (key) => limiter.forget(key),
    retries: (key) => limiter.retries(key),
  };
}

function countingLimiter(delayAfter: (failures: number) => number): RateLimiter {
  const failures = new Map<string, number>();
  return {
    delayMs(key) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      return delayAfter(count);
    },
    forget: (key) => void failures.delete(key),
    retries: (key) => failures.get(key) ?? 0,
  };
}
