import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueAt } from './value-at.ts';

test('a path leads through members and elements, and nowhere else', () => {
  const data = { a: [{ b: null }, { b: { c: 1 } }], length: 3 };
  assert.equal(valueAt(data, 'a', 1, 'b', 'c'), 1);
  assert.equal(valueAt(data, 'a', 0, 'b'), null);
  assert.equal(valueAt(data), data);
  for (const path of [
    ['a', 2],
    ['a', 'length'],
    ['a', 0, 'b', 'c'],
    ['toString'],
    ['__proto__'],
    ['length', 'toFixed'],
  ]) {
    assert.equal(valueAt(data, ...path), undefined, path.join('.'));
  }
  assert.equal(valueAt(undefined, 'a'), undefined);
});
