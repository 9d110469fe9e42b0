import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerOf } from './rendezvous.ts';

const keys = Array.from({ length: 10_000 }, (_, i) => `team-${i % 7}/app-${i}`);
const members = ['capstan-0', 'capstan-1', 'capstan-2', 'capstan-3'];

function countPerMember(list: readonly string[]): number[] {
  return list.map((member) => keys.filter((key) => ownerOf(key, list) === member).length);
}

test('keys spread evenly', () => {
  for (const count of countPerMember(members)) {
    assert.ok(Math.abs(count - 2500) < 200, `${count} of 10000 keys for one of four members`);
  }
});

test('when a member leaves, only its keys move', () => {
  const rest = members.filter((member) => member !== 'capstan-2');
  for (const key of keys) {
    const before = ownerOf(key, members);
    if (before !== 'capstan-2') assert.equal(ownerOf(key, rest), before);
  }
});

test('a member that comes gets its share, one of n + 1 keys, and nothing else moves', () => {
  for (let n = 1; n <= 9; n++) {
    const before = Array.from({ length: n }, (_, i) => `capstan-${i}`);
    const newcomer = `capstan-${n}`;
    const after = [...before, newcomer];
    const moved = keys.filter((key) => ownerOf(key, before) !== ownerOf(key, after));
    const share = keys.length / (n + 1);
    assert.ok(Math.abs(moved.length - share) < 100, `${moved.length} of 10000 keys for ${share}`);
    assert.ok(moved.every((key) => ownerOf(key, after) === newcomer));
  }
});

test('the order in which members are listed does not matter, and nobody owns without members', () => {
  for (const key of keys.slice(0, 100)) {
    assert.equal(ownerOf(key, members), ownerOf(key, members.toReversed()));
  }
  assert.equal(ownerOf('a', []), undefined);
});
