import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@capstan/lib-std';
import {
  bucketLimiter,
  cappedLimiter,
  exponentialLimiter,
  fastSlowLimiter,
  maxOfLimiters,
  type RateLimiter,
} from './rate-limiter.ts';

const doubling = (baseMs: number, maxMs: number): RateLimiter =>
  exponentialLimiter({ baseMs, factor: 2, maxMs, jitter: 0 });

function delays(limiter: RateLimiter, key: string, count: number): number[] {
  return Array.from({ length: count }, () => limiter.delayMs(key));
}

test('each key backs off by its own failures, and begins anew when it is forgotten', () => {
  const limiter = doubling(3, 1_000);
  assert.deepEqual(delays(limiter, 'a', 5), [3, 6, 12, 24, 48]);
  assert.deepEqual(delays(limiter, 'b', 2), [3, 6]);
  assert.deepEqual([limiter.retries('a'), limiter.retries('b'), limiter.retries('c')], [5, 2, 0]);
  limiter.forget('a');
  assert.equal(limiter.retries('a'), 0);
  assert.deepEqual(delays(limiter, 'a', 1), [3]);
  assert.deepEqual(delays(limiter, 'b', 1), [12]);
});

test('however often a key fails its delay is the longest one, never more', () => {
  const limiter = doubling(60_000, 3_600_000_000);
  assert.deepEqual(delays(limiter, 'a', 5_000).slice(-1), [3_600_000_000]);
});

test('the first tries are fast, those after them slow', () => {
  const limiter = fastSlowLimiter({ fastMs: 4, slowMs: 9_000, fastTries: 2 });
  assert.deepEqual(delays(limiter, 'a', 4), [4, 4, 9_000, 9_000]);
  assert.deepEqual(delays(limiter, 'b', 1), [4]);
  limiter.forget('a');
  assert.deepEqual([limiter.retries('a'), ...delays(limiter, 'a', 1)], [0, 4]);
});

test('a bucket lets a burst through and then so many a second, whichever keys they are', () => {
  const clock = new ManualClock();
  const limiter = bucketLimiter({ perSecond: 10, burst: 3, clock });
  assert.deepEqual(
    ['a', 'b', 'a', 'c', 'd'].map((key) => limiter.delayMs(key)),
    [0, 0, 0, 100, 200],
  );
  clock.advance(200);
  assert.equal(Math.round(limiter.delayMs('e')), 100);
  clock.advance(60_000);
  assert.deepEqual(delays(limiter, 'f', 4).map(Math.round), [0, 0, 0, 100]);
  assert.equal(limiter.retries('a'), 0);
});

test('of several the longest delay counts, and each of them counts the failure', () => {
  const slow = fastSlowLimiter({ fastMs: 5, slowMs: 3_000, fastTries: 3 });
  const growing = doubling(2, 1_000);
  const limiter = maxOfLimiters(slow, growing);
  assert.deepEqual(delays(limiter, 'a', 5), [5, 5, 8, 3_000, 3_000]);
  assert.deepEqual([slow.retries('a'), growing.retries('a'), limiter.retries('a')], [5, 5, 5]);
  limiter.forget('a');
  assert.equal(limiter.retries('a'), 0);
  assert.deepEqual(delays(limiter, 'a', 1), [5]);
  assert.deepEqual(delays(maxOfLimiters(), 'a', 1), [0]);
});

test('a capped delay is never longer than its cap', () => {
  const limiter = cappedLimiter(doubling(100, 1_000_000), 500);
  assert.deepEqual(delays(limiter, 'a', 5), [100, 200, 400, 500, 500]);
  assert.equal(limiter.retries('a'), 5);
  limiter.forget('a');
  assert.deepEqual(delays(limiter, 'a', 1), [100]);
});
