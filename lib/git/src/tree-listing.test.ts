import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TreeListing } from './tree-listing.ts';

type Row = readonly [mode: string, name: string, id: number];

const MODES = ['100644', '40000', '120000', '160000'];

/** As git writes it: folders stand where their name with a slash would. */
function treeOf(rows: readonly Row[]): TreeListing {
  const key = ([mode, name]: Row) => (mode === '40000' ? `${name}/` : name);
  const sorted = rows.toSorted((a, b) => Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))));
  const bytes = sorted.flatMap(([mode, name, id]) => [
    Buffer.from(`${mode} ${name}\0`),
    Buffer.alloc(20, id),
  ]);
  return new TreeListing(Buffer.concat(bytes), 20);
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

const NAMES = [
  'a',
  'a.b',
  'a-b',
  'a b',
  'b',
  'ab',
  'b a',
  'a a',
  'é',
  'A',
  'z',
  '..a',
  'x\ty',
  '0',
];

test('what differs, and what a name finds, is what reading both whole would say', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const below = randomFrom(seed);
    const names = NAMES.filter(() => below(3) > 0);
    const rows = names.map((name): Row => [MODES[below(4)] ?? '', name, below(3)]);
    const kept = rows.filter(() => below(5) > 0);
    const changed = kept.map(
      (row): Row => (below(4) > 0 ? row : [MODES[below(4)] ?? '', row[1], below(3)]),
    );
    const [before, after] = [treeOf(rows), treeOf(changed)];
    const [old, now] = [treeOf(rows).entries, treeOf(changed).entries];
    const named = (list: typeof old, name: string) => list.find((entry) => entry.name === name);
    const expected = NAMES.flatMap((name) => {
      const [a, b] = [named(old, name), named(now, name)];
      return a?.id === b?.id && a?.kind === b?.kind ? [] : [{ old: a, now: b }];
    });
    const place = (pair: (typeof expected)[number]) => (pair.now ?? pair.old)?.name ?? '';
    const sorted = (pairs: readonly (typeof expected)[number][]) =>
      pairs.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
    assert.deepEqual(sorted(before.changes(after)), sorted(expected), `seed ${seed}`);
    for (const name of [...NAMES, 'missing', ' a', 'b '])
      assert.deepEqual(before.find(name), named(old, name), `${name}, seed ${seed}`);
  }
});

test('in a large folder the one place is found that changed', () => {
  const rows = Array.from({ length: 20_000 }, (_, i): Row => ['100644', `f${i}`, i % 7]);
  const before = treeOf(rows);
  const after = treeOf(rows.map((row): Row => (row[1] === 'f777' ? ['100644', 'f777', 9] : row)));
  const [pair, ...more] = before.changes(after);
  assert.deepEqual([pair?.now?.name, pair?.old?.name, more.length], ['f777', 'f777', 0]);
});
