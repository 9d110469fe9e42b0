import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedCache } from './bounded-cache.ts';
import { ManualClock } from './clock.ts';

test('timers run in the order of their time, and a timer may set another', () => {
  const clock = new ManualClock();
  const ran: string[] = [];
  clock.after(20, () => ran.push(`b@${clock.now()}`));
  clock.after(10, () => {
    ran.push(`a@${clock.now()}`);
    clock.after(5, () => ran.push(`c@${clock.now()}`));
  });
  clock.after(12, () => ran.push('cancelled'))();
  clock.advance(30);
  assert.deepEqual(ran, ['a@10', 'c@15', 'b@20']);
});

test('the cache drops what was not used lately and refuses what is over its bound', () => {
  const cache = new BoundedCache<string, string>(5, (value) => value.length);
  cache.set('a', 'aa');
  cache.set('b', 'bb');
  cache.get('a');
  cache.set('c', 'cc');
  assert.equal(cache.get('b'), undefined);
  assert.equal(cache.get('a'), 'aa');
  cache.set('d', 'dddddd');
  assert.equal(cache.get('d'), undefined);
  assert.equal(cache.size, 4);
});
