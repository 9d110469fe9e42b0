import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CapstanError, ManualClock } from '@capstan/lib-std';
import type { Reconcile, ReconcileResult } from './controller-types.ts';
import { createController } from './create-controller.ts';
import { Moved, Shutdown, Superseded } from './interruption.ts';
import type { GateTenant } from './key-gate.ts';
import { createRegistry } from './metrics.ts';

const settled: ReconcileResult = { kind: 'settled' };
const failed = new CapstanError('X', 'no luck', { kind: 'retry' });

function harness(reconcile: Reconcile<string>, concurrency = 1) {
  const clock = new ManualClock();
  const registry = createRegistry();
  const stop = new AbortController();
  const results: string[] = [];
  const controller = createController<string>({
    name: 'test',
    reconcile,
    keyString: (key) => key,
    concurrency,
    clock,
    random: () => 0,
    backoff: { baseMs: 10, factor: 2, maxMs: 35, jitter: 0.5 },
    runtime: { registry },
    onResult: (key, result) => results.push(`${key} ${result.kind}`),
  });
  return { clock, registry, stop, results, controller };
}

test('a key enqueued many times while it waits runs once; while it runs, once more', async () => {
  const runs: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { controller, stop } = harness(async (key) => {
    runs.push(key);
    if (runs.length === 1) await gate.promise;
    return settled;
  });
  for (let i = 0; i < 5; i++) controller.enqueue('a');
  const done = controller.run({ signal: stop.signal });
  await turn();
  for (let i = 0; i < 5; i++) controller.enqueue('a');
  assert.deepEqual(controller.stats(), { queued: 0, delayed: 0, running: 1 });
  gate.resolve();
  await controller.idle();
  assert.deepEqual(runs, ['a', 'a']);
  stop.abort();
  await done;
});

test('the highest priority runs first, first come first served within one', async () => {
  const runs: string[] = [];
  const { controller, stop } = harness(async (key) => {
    runs.push(key);
    return settled;
  });
  controller.enqueue('low', { priority: -100 });
  controller.enqueue('a');
  controller.enqueue('b');
  controller.enqueue('high', { priority: 5 });
  controller.enqueue('low2', { priority: -100 });
  controller.enqueue('low2', { priority: 7 });
  const done = controller.run({ signal: stop.signal });
  await controller.idle();
  assert.deepEqual(runs, ['low2', 'high', 'a', 'b', 'low']);
  stop.abort();
  await done;
});

test('failures back off per key to a limit, success forgets them', async () => {
  const at: number[] = [];
  let isBroken = true;
  const { clock, controller, stop, results } = harness(async () => {
    at.push(clock.now());
    return isBroken ? { kind: 'retry', error: failed } : settled;
  });
  controller.enqueue('a');
  const done = controller.run({ signal: stop.signal });
  for (let ms = 0; ms < 120; ms += 5) {
    await turn();
    clock.advance(5);
  }
  assert.deepEqual(at, [0, 10, 30, 65, 100]);
  isBroken = false;
  for (let ms = 0; ms < 40; ms += 5) {
    await turn();
    clock.advance(5);
  }
  assert.equal(results.at(-1), 'a settled');
  assert.deepEqual(controller.stats(), { queued: 0, delayed: 0, running: 0 });
  stop.abort();
  await done;
});

test('what is thrown is a retry, unless it says that a person must act', async () => {
  const { controller, stop, results, registry } = harness(async (key) => {
    if (key === 'bug') throw new TypeError('oops');
    throw new CapstanError('BAD', 'bad input', { kind: 'stalled' });
  });
  controller.enqueue('bug');
  controller.enqueue('user');
  const done = controller.run({ signal: stop.signal });
  await controller.idle();
  assert.deepEqual(results, ['bug retry', 'user stalled']);
  assert.deepEqual(controller.stats(), { queued: 0, delayed: 1, running: 0 });
  const text = registry.text();
  assert.match(text, /controller_runtime_reconcile_errors_total\{controller="test"\} 2/);
  assert.match(text, /controller_runtime_terminal_reconcile_errors_total\{controller="test"\} 1/);
  assert.match(text, /controller_runtime_reconcile_panics_total\{controller="test"\} 1/);
  assert.match(text, /workqueue_retries_total\{controller="test",name="test"\} 1/);
  stop.abort();
  await done;
});

test('work that is under way can be seen, and how long the longest takes', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { controller, stop, clock, registry } = harness(async (key) => {
    await gates[Number(key)]?.promise;
    return settled;
  }, 2);
  const seen = (): string[] =>
    [...registry.text().matchAll(/^workqueue_(unfinished|longest)\w*\{[^}]*\} (.*)$/gm)].map(
      ([, what, value]) => `${what} ${value}`,
    );
  controller.enqueue('0');
  const done = controller.run({ signal: stop.signal });
  await turn();
  clock.advance(3000);
  controller.enqueue('1');
  await turn();
  clock.advance(2000);
  assert.deepEqual(seen(), ['longest 5', 'unfinished 7']);
  for (const { resolve } of gates) resolve();
  await controller.idle();
  assert.deepEqual(seen(), ['longest 0', 'unfinished 0']);
  stop.abort();
  await done;
});

test('supersede aborts what runs and runs the key again at once, without backoff', async () => {
  const reasons: unknown[] = [];
  const { controller, stop, clock, results } = harness(async (_key, { signal }) => {
    if (reasons.length > 0) return settled;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => {
      reasons.push(signal.reason);
      aborted.reject(signal.reason);
    });
    return aborted.promise;
  });
  controller.enqueue('a');
  const done = controller.run({ signal: stop.signal });
  await turn();
  controller.enqueue('a', { supersede: true, reason: 'newer commit' });
  await controller.idle();
  assert.ok(reasons[0] instanceof Superseded);
  assert.match(String(reasons[0]), /superseded: newer commit/);
  assert.deepEqual(results, ['a settled']);
  assert.equal(clock.now(), 0);
  stop.abort();
  await done;
});

test('supersede with nothing running starts a run, and does not abort it', async () => {
  const { controller, stop, results } = harness(async (_key, { signal }) => {
    signal.throwIfAborted();
    return settled;
  });
  const done = controller.run({ signal: stop.signal });
  controller.enqueue('a', { supersede: true });
  await controller.idle();
  assert.deepEqual(results, ['a settled']);
  stop.abort();
  await done;
});

test('a recheck comes when it is due, an earlier wish wins, and forget cancels it', async () => {
  const at: string[] = [];
  const { clock, controller, stop } = harness(async (key) => {
    at.push(`${key}@${clock.now()}`);
    return at.length < 3 ? { kind: 'settled', recheckAfterMs: 100 } : settled;
  });
  const done = controller.run({ signal: stop.signal });
  controller.enqueue('a');
  await controller.idle();
  controller.enqueue('a', { afterMs: 40 });
  controller.enqueue('a', { afterMs: 400 });
  clock.advance(40);
  await controller.idle();
  clock.advance(99);
  await turn();
  clock.advance(1);
  await controller.idle();
  assert.deepEqual(at, ['a@0', 'a@40', 'a@140']);
  controller.enqueue('a', { afterMs: 10 });
  controller.forget('a');
  clock.advance(1000);
  await turn();
  assert.equal(at.length, 3);
  stop.abort();
  await done;
});

test('shutdown aborts what runs with Shutdown, waits for it, and takes nothing more', async () => {
  let reason: unknown;
  let isFinished = false;
  const { controller, stop } = harness(async (_key, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    reason = signal.reason;
    await turn();
    isFinished = true;
    return settled;
  });
  controller.enqueue('a');
  controller.enqueue('b');
  const done = controller.run({ signal: stop.signal });
  await turn();
  stop.abort();
  await done;
  assert.ok(reason instanceof Shutdown);
  assert.ok(isFinished);
  controller.enqueue('c');
  assert.deepEqual(controller.stats(), { queued: 0, delayed: 0, running: 0 });
});

test('never more at once than allowed, never one key twice, and every key at least once after its last change', async () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const running = new Set<string>();
  const wanted = new Map<string, number>();
  const seen = new Map<string, number>();
  let atOnce = 0;
  const { controller, stop, clock } = harness(async (key) => {
    assert.ok(!running.has(key), `${key} runs twice at once`);
    running.add(key);
    atOnce = Math.max(atOnce, running.size);
    const version = wanted.get(key) ?? 0;
    for (let i = random() * 3; i > 0; i--) await turn();
    seen.set(key, version);
    running.delete(key);
    return random() < 0.2 ? { kind: 'retry', error: failed } : settled;
  }, 3);
  const done = controller.run({ signal: stop.signal });
  for (let step = 0; step < 2000; step++) {
    const key = `k${Math.floor(random() * 10)}`;
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    controller.enqueue(key, { priority: Math.floor(random() * 3), supersede: random() < 0.1 });
    if (random() < 0.3) await turn();
    clock.advance(3);
  }
  await controller.idle();
  assert.equal(atOnce, 3);
  assert.deepEqual([...seen].sort(), [...wanted].sort());
  stop.abort();
  await done;
});

test('a lane that is stuck holds up its own keys alone, and lanes take turns', async () => {
  const stuck = Promise.withResolvers<void>();
  const runs: string[] = [];
  const stop = new AbortController();
  const controller = createController<string>({
    name: 'lanes',
    reconcile: async (key) => {
      runs.push(key);
      if (key.startsWith('dead')) await stuck.promise;
      return settled;
    },
    keyString: (key) => key,
    laneOf: (key) => key.split('/')[0] ?? '',
    concurrency: 2,
  });
  for (const key of ['dead/1', 'dead/2', 'dead/3', 'a/1', 'a/2', 'a/3', 'b/1', 'b/2']) {
    controller.enqueue(key);
  }
  const done = controller.run({ signal: stop.signal });
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual(runs.slice(0, 3).toSorted(), ['a/1', 'b/1', 'dead/1']);
  assert.deepEqual(runs.toSorted(), ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'dead/1', 'dead/2']);
  assert.deepEqual(controller.stats(), { queued: 1, delayed: 0, running: 2 });
  stuck.resolve();
  await controller.idle();
  assert.equal(runs.length, 8);
  stop.abort();
  await done;
});

test('behind a gate a key runs only here while it is owned, and stops before it is given away', async () => {
  let owned = new Set(['gated/a', 'gated/b']);
  let tenant: GateTenant | undefined;
  const runs: string[] = [];
  const moved: string[] = [];
  const aborted: unknown[] = [];
  const stop = new AbortController();
  const controller = createController<string>({
    name: 'gated',
    reconcile: async (key, { signal }) => {
      runs.push(key);
      if (key !== 'a' || runs.length > 3) return settled;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      aborted.push(signal.reason);
      return settled;
    },
    keyString: (key) => key,
    concurrency: 5,
    onMoved: (key) => moved.push(key),
    runtime: {
      gate: {
        owns: (key) => owned.has(key),
        join: (one) => {
          tenant = one;
          return () => undefined;
        },
      },
    },
  });
  const done = controller.run({ signal: stop.signal });
  for (const key of ['a', 'b', 'c']) controller.enqueue(key);
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual([runs, moved], [['a', 'b'], ['c']]);
  owned = new Set(['gated/c']);
  await tenant?.release();
  assert.ok(aborted[0] instanceof Moved);
  assert.deepEqual(
    [runs, moved.toSorted()],
    [
      ['a', 'b'],
      ['a', 'b', 'c'],
    ],
  );
  tenant?.resume();
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(runs, ['a', 'b', 'c']);
  owned = new Set(['gated/a', 'gated/b', 'gated/c']);
  tenant?.resume();
  await controller.idle();
  assert.deepEqual(runs, ['a', 'b', 'c', 'a', 'b']);
  stop.abort();
  await done;
});

test('a key that is given back before its run has ended runs again', async () => {
  let isOwned = true;
  let tenant: GateTenant | undefined;
  let runs = 0;
  const stop = new AbortController();
  const controller = createController<string>({
    name: 'gated',
    reconcile: async (_key, { signal }) => {
      if (++runs === 1)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      return settled;
    },
    keyString: (key) => key,
    runtime: {
      gate: {
        owns: () => isOwned,
        join: (one) => {
          tenant = one;
          return () => undefined;
        },
      },
    },
  });
  const done = controller.run({ signal: stop.signal });
  controller.enqueue('a');
  for (let i = 0; i < 5; i++) await turn();
  isOwned = false;
  const released = tenant?.release();
  isOwned = true;
  await released;
  await controller.idle();
  assert.equal(runs, 2);
  stop.abort();
  await done;
});
