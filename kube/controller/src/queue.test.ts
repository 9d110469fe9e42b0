/** When a key runs that is wished for several times, at several times and with several priorities. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CapstanError, ManualClock } from '@capstan/lib-std';
import type { EnqueueOptions, ReconcileResult } from './controller-types.ts';
import { createController } from './create-controller.ts';
import { createRegistry } from './metrics.ts';
import { fastSlowLimiter } from './rate-limiter.ts';

const settled: ReconcileResult = { kind: 'settled' };

/** A controller whose runs end when the test says so, one at a time. */
class Bench {
  readonly clock = new ManualClock();
  readonly registry = createRegistry();
  readonly runs: string[] = [];
  readonly #ends: ((result: ReconcileResult) => void)[] = [];
  readonly #stop = new AbortController();
  readonly #controller = createController<string>({
    name: 'test',
    keyString: (key) => key,
    concurrency: 1,
    clock: this.clock,
    runtime: { registry: this.registry },
    rateLimiter: fastSlowLimiter({ fastMs: 10, slowMs: 1_000, fastTries: 2 }),
    reconcile: (key) => {
      this.runs.push(key);
      return new Promise((resolve) => this.#ends.push(resolve));
    },
  });
  #running: Promise<void> | undefined;

  add(key: string, options?: EnqueueOptions): this {
    this.#controller.enqueue(key, options);
    return this;
  }

  async start(): Promise<void> {
    this.#running = this.#controller.run({ signal: this.#stop.signal });
    await this.#pass();
  }

  async end(result: ReconcileResult = settled): Promise<void> {
    this.#ends.shift()?.(result);
    await this.#pass();
  }

  async endAll(): Promise<string> {
    while (this.#ends.length > 0) await this.end();
    return this.runs.join(' ');
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.#pass();
  }

  queued(): number {
    return this.#controller.stats().queued;
  }

  /** `priority:keys` of the depth, and the counters. */
  metrics(): { readonly depth: string; readonly adds: number; readonly retries: number } {
    const text = this.registry.text();
    const depth = [...text.matchAll(/^workqueue_depth\{.*priority="(.*)"\} (.*)$/gm)];
    const count = (name: string) =>
      Number(new RegExp(`^${name}\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
    return {
      depth: depth.map(([, priority, keys]) => `${priority}:${keys}`).join(' '),
      adds: count('workqueue_adds_total'),
      retries: count('workqueue_retries_total'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const end of this.#ends) end(settled);
    await this.#running;
  }

  async #pass(): Promise<void> {
    for (let i = 0; i < 5; i++) await turn();
  }
}

test('a raised priority puts a key behind those that have it, a lower wish changes nothing', async () => {
  await using bench = new Bench();
  bench.add('a').add('b').add('c', { priority: 1 }).add('d', { priority: 3 });
  bench.add('a', { priority: 1 }).add('d', { priority: -5 }).add('c', { priority: 0 });
  assert.equal(bench.queued(), 4);
  await bench.start();
  assert.equal(await bench.endAll(), 'd c a b');
});

test('of several times the earliest counts, and of several priorities the highest', async () => {
  await using bench = new Bench();
  bench.add('late', { afterMs: 3_600_000, priority: 9 }).add('late', { afterMs: 100 });
  bench.add('soon', { afterMs: 100, priority: 1 }).add('soon', { afterMs: 3_600_000, priority: 5 });
  bench.add('now', { afterMs: 100, priority: 7 });
  await bench.start();
  assert.equal(bench.queued(), 0);
  await bench.pass(99);
  assert.deepEqual(bench.runs, []);
  bench.add('busy', { priority: 20 });
  await bench.pass(1);
  assert.equal(await bench.endAll(), 'busy late now soon');
});

test('who waits for a time and is wished for at once runs once, with the higher priority of the two', async () => {
  await using bench = new Bench();
  bench.add('a', { afterMs: 1_000, priority: 2 }).add('a').add('b', { priority: 1 });
  assert.equal(bench.queued(), 2);
  await bench.start();
  assert.equal(await bench.endAll(), 'a b');
  await bench.pass(5_000);
  assert.equal(await bench.endAll(), 'a b');
});

test('who is queued stays so when a later time is wished for, and takes its priority', async () => {
  await using bench = new Bench();
  bench.add('a').add('b').add('b', { afterMs: 1_000, priority: 1 });
  await bench.start();
  assert.equal(await bench.endAll(), 'b a');
  await bench.pass(5_000);
  assert.equal(bench.runs.length, 2);
});

test('a priority with a bound of its own starts while fewer than that run, and holds up no other', async () => {
  const runs: string[] = [];
  const ends: (() => void)[] = [];
  const stop = new AbortController();
  const controller = createController<string>({
    name: 'bounds',
    keyString: (key) => key,
    concurrency: 3,
    concurrencyOf: (priority) => (priority < 0 ? 1 : 3),
    reconcile: (key) => {
      runs.push(key);
      return new Promise((resolve) => ends.push(() => resolve(settled)));
    },
  });
  const pass = async () => {
    for (let i = 0; i < 5; i++) await turn();
  };
  for (const key of ['low', 'lower']) controller.enqueue(key, { priority: -1 });
  for (const key of ['a', 'b']) controller.enqueue(key);
  const running = controller.run({ signal: stop.signal });
  await pass();
  assert.deepEqual(
    runs,
    ['a', 'b'],
    'there is room for a third, but not for one of a low priority',
  );
  controller.enqueue('c');
  await pass();
  assert.deepEqual(runs, ['a', 'b', 'c']);
  for (let ended = 0; ended < 5; ended++) {
    ends.shift()?.();
    await pass();
  }
  assert.deepEqual(runs, ['a', 'b', 'c', 'low', 'lower']);
  stop.abort();
  await running;
});

test('a key whose time comes stands behind those that were queued before', async () => {
  await using bench = new Bench();
  bench.add('first', { afterMs: 30 }).add('second', { afterMs: 20 }).add('third');
  await bench.start();
  await bench.pass(60);
  assert.equal(await bench.endAll(), 'third second first');
});

test('a key that is wished for while it runs waits for its end, in the place that it then has', async () => {
  await using bench = new Bench();
  bench.add('a');
  await bench.start();
  bench.add('b').add('a', { priority: -1 }).add('c').add('a', { priority: 1 });
  assert.deepEqual(bench.metrics(), { depth: '0:2 -1:0 1:1', adds: 4, retries: 0 });
  await bench.end();
  assert.equal(await bench.endAll(), 'a a b c');
  assert.deepEqual(bench.metrics(), { depth: '0:0 -1:0 1:0', adds: 4, retries: 0 });
});

test('retries and rechecks keep the priority of their run', async () => {
  await using bench = new Bench();
  const error = new CapstanError('X', 'no luck', { kind: 'retry' });
  bench.add('again', { priority: -100 }).add('later', { priority: 50 });
  await bench.start();
  await bench.end({ kind: 'settled', recheckAfterMs: 10 });
  await bench.end({ kind: 'retry', error });
  bench.add('busy', { priority: 99 }).add('plain');
  await bench.pass(10);
  assert.equal(await bench.endAll(), 'later again busy later plain again');
});

test('failures wait as the limiter says, and a success begins anew', async () => {
  await using bench = new Bench();
  const failure: ReconcileResult = {
    kind: 'retry',
    error: new CapstanError('X', 'no luck', { kind: 'retry' }),
  };
  bench.add('a');
  await bench.start();
  for (const waitMs of [10, 10, 1_000]) {
    await bench.end(failure);
    const { length } = bench.runs;
    await bench.pass(waitMs - 1);
    assert.equal(bench.runs.length, length);
    await bench.pass(1);
    assert.equal(bench.runs.length, length + 1);
  }
  await bench.end(settled);
  bench.add('a');
  await bench.pass(0);
  await bench.end(failure);
  await bench.pass(10);
  assert.equal(bench.runs.length, 6);
});

test('metrics count a key when it is queued, by its priority, and whatever waits as a retry', async () => {
  await using bench = new Bench();
  bench.add('a', { afterMs: 1_000 });
  assert.deepEqual(bench.metrics(), { depth: '', adds: 0, retries: 1 });
  bench.add('a', { priority: 1 }).add('b').add('b', { priority: 1 });
  assert.deepEqual(bench.metrics(), { depth: '1:2 0:0', adds: 2, retries: 1 });
  await bench.start();
  await bench.end({ kind: 'settled', recheckAfterMs: 60_000 });
  await bench.end();
  assert.deepEqual(bench.metrics(), { depth: '1:0 0:0', adds: 2, retries: 2 });
  const results = [...bench.registry.text().matchAll(/reconcile_total\{.*result="(.*)"\} (.*)$/gm)];
  assert.deepEqual(
    results.map(([, result, count]) => `${result} ${count}`),
    ['success 1', 'error 0', 'requeue 0', 'requeue_after 1'],
  );
});

test('how long a key waited counts from when it was queued, also if it ran then', async () => {
  await using bench = new Bench();
  bench.add('a');
  await bench.start();
  bench.add('a');
  await bench.pass(3_000);
  await bench.endAll();
  assert.match(bench.registry.text(), /^workqueue_queue_duration_seconds_sum\{.*\} 3$/m);
});
