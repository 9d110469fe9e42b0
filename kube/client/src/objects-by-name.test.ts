import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectsByName } from './objects-by-name.ts';

interface Thing {
  readonly namespace: string;
  readonly name: string;
  readonly n: number;
}

test('it holds what a map of whole keys would hold, after any sequence of changes', () => {
  const objects = new ObjectsByName<Thing>();
  const expected = new Map<string, Thing>();
  let seed = 3;
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  const sorted = (list: readonly Thing[]): string[] =>
    list.map(({ namespace, name, n }) => `${namespace}/${name}=${n}`).sort();
  for (let n = 0; n < 3_000; n++) {
    const namespace = ['', 'a', 'b'][random(3)] ?? '';
    const name = `n${random(4)}`;
    if (random(5) < 2) {
      objects.delete(namespace, name);
      expected.delete(`${namespace}/${name}`);
    } else {
      objects.set({ namespace, name, n });
      expected.set(`${namespace}/${name}`, { namespace, name, n });
    }
    assert.equal(objects.size, expected.size);
    assert.deepEqual(objects.get(namespace, name), expected.get(`${namespace}/${name}`));
    assert.deepEqual(sorted(objects.all()), sorted([...expected.values()]));
    const inside = [...expected.values()].filter((one) => one.namespace === namespace);
    assert.deepEqual(sorted(objects.inNamespace(namespace)), sorted(inside));
  }
});
