import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwaitedObjects } from './awaited-objects.ts';

test('who waits for an object is told, until it waits for others or for none', () => {
  const awaited = new AwaitedObjects();
  awaited.set('a', ['x', 'y']);
  awaited.set('b', ['x']);
  assert.deepEqual([...awaited.ownersOf('x')], ['a', 'b']);
  assert.deepEqual([...awaited.ownersOf('y')], ['a']);
  awaited.set('a', ['z']);
  assert.deepEqual([...awaited.ownersOf('x')], ['b']);
  assert.deepEqual([...awaited.ownersOf('y')], []);
  awaited.forget('b');
  awaited.set('a', []);
  assert.deepEqual([...awaited.ownersOf('x'), ...awaited.ownersOf('z')], []);
});
