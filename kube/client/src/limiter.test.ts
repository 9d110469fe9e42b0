import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Limiter } from './limiter.ts';

async function fill(limiter: Limiter, count: number): Promise<(() => void)[]> {
  return Promise.all(Array.from({ length: count }, () => limiter.enter(undefined)));
}

test('when the server refuses some, as many go on as it took, half of what was allowed at most', async () => {
  const limiter = new Limiter({ inFlightMax: 16 });
  const places = await fill(limiter, 16);
  for (let i = 0; i < 3; i++) {
    places.pop()?.();
    limiter.slowDown(30);
  }
  assert.equal(limiter.allowed, 8);
  for (let i = 0; i < 10; i++) {
    places.pop()?.();
    limiter.slowDown(30);
  }
  assert.equal(limiter.allowed, 3);
});

test('the limit rises quickly below the level that was refused, and slowly at it', async () => {
  const limiter = new Limiter({ inFlightMax: 16 });
  const places = await fill(limiter, 10);
  places.pop()?.();
  limiter.slowDown(0);
  assert.equal(limiter.allowed, 8);
  for (let i = 0; i < 12; i++) limiter.speedUp();
  assert.equal(limiter.allowed, 9);
  for (let i = 0; i < 400; i++) limiter.speedUp();
  assert.equal(limiter.allowed, 9);
  for (let i = 0; i < 2_000; i++) limiter.speedUp();
  assert.equal(limiter.allowed, 16);
});

test('at least one may always be under way', async () => {
  const limiter = new Limiter({ inFlightMax: 3 });
  for (let i = 0; i < 20; i++) {
    limiter.slowDown(0);
    await pause(1);
  }
  assert.equal(limiter.allowed, 1);
  (await limiter.enter(undefined))();
});

test('places are given in order, and one who gives up leaves the queue', async () => {
  const limiter = new Limiter({ inFlightMax: 1 });
  const leave = await limiter.enter(undefined);
  const order: string[] = [];
  const stop = new AbortController();
  const first = limiter.enter(undefined).then((done) => {
    order.push('first');
    done();
  });
  const gone = limiter.enter(stop.signal).catch((error: unknown) => order.push(String(error)));
  const second = limiter.enter(undefined).then((done) => {
    order.push('second');
    done();
  });
  stop.abort(new Error('enough'));
  await gone;
  leave();
  leave();
  await Promise.all([first, second]);
  assert.deepEqual(order, ['Error: enough', 'first', 'second']);
});

test('who waits for the server to be ready can give up', async () => {
  const limiter = new Limiter({ inFlightMax: 1 });
  limiter.slowDown(60_000);
  const leave = await limiter.enter(undefined);
  await assert.rejects(limiter.untilOpen(AbortSignal.timeout(10)));
  leave();
  (await limiter.enter(undefined))();
});

test('who can wait goes when nobody else has asked for a moment, or when the patience is over', async () => {
  const limiter = new Limiter({ inFlightMax: 4 });
  const [leave] = await fill(limiter, 1);
  let isIn = false;
  const patient = limiter.enter(undefined, 60_000).then((left) => {
    isIn = true;
    return left;
  });
  await pause(250);
  assert.equal(isIn, false);
  const impatient = await limiter.enter(undefined, 50);
  assert.equal(isIn, false);
  impatient();
  leave?.();
  (await patient)();
  assert.equal(isIn, true);
});
