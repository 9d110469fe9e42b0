import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OrderedMap } from './ordered-map.ts';

/** A small linear congruential generator, so that a failure can be run again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state;
  };
}

test('agrees with a plain map over random changes, forks included', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = numbers(seed);
    let map = new OrderedMap<number>();
    let plain = new Map<string, number>();
    const frozen: { map: OrderedMap<number>; expected: [string, number][] }[] = [];
    for (let i = 0; i < 3000; i++) {
      const key = `k${next() % 700}`;
      if (next() % 3 === 0) assert.equal(map.delete(key), plain.delete(key));
      else {
        map.set(key, i);
        plain.set(key, i);
      }
      if (i % 500 === 0) {
        const other = map.fork();
        frozen.push({ map: i % 1000 === 0 ? other : map, expected: sorted(plain) });
        if (i % 1000 !== 0) map = other;
        plain = new Map(plain);
      }
    }
    assert.deepEqual([...map.entries()], sorted(plain));
    assert.equal(map.size, plain.size);
    for (const { map: old, expected } of frozen) assert.deepEqual([...old.entries()], expected);
  }
});

test('walks a range and counts what lies before a key', () => {
  const map = new OrderedMap<number>();
  for (let i = 0; i < 1000; i++) map.set(String(i).padStart(4, '0'), i);
  assert.deepEqual(
    [...map.entries('0997')].map(([, value]) => value),
    [997, 998, 999],
  );
  assert.deepEqual(
    [...map.entries('0100', '0103')].map(([, value]) => value),
    [100, 101, 102],
  );
  assert.equal(map.rank('0500'), 500);
  assert.equal(map.rank('zzz'), 1000);
  assert.deepEqual([...map.entries('zzz')], []);
});

function sorted(map: Map<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
