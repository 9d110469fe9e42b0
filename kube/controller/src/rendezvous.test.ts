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

test('when a member leaves, only its keys move; when one comes, only those that it gets', () => {
  const rest = members.filter((member) => member !== 'capstan-2');
  for (const key of keys) {
    const before = ownerOf(key, members);
    if (before !== 'capstan-2') assert.equal(ownerOf(key, rest), before);
  }
  const moved = keys.filter(
    (key) => ownerOf(key, [...members, 'capstan-4']) !== ownerOf(key, members),
  );
  assert.ok(
    Math.abs(moved.length - 2000) < 200,
    `${moved.length} of 10000 keys moved to a fifth member`,
  );
});

test('the order in which members are listed does not matter, and nobody owns without members', () => {
  for (const key of keys.slice(0, 100)) {
    assert.equal(ownerOf(key, members), ownerOf(key, members.toReversed()));
  }
  assert.equal(ownerOf('a', []), undefined);
});
