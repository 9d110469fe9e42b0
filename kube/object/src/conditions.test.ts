import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionsOf, isConditionTrue, removeCondition, setCondition } from './conditions.ts';

test('setting a condition moves its time only when its status changes', () => {
  const first = setCondition([], { type: 'Ready', status: 'False', reason: 'A' }, 't1');
  const second = setCondition(first, { type: 'Ready', status: 'False', reason: 'B' }, 't2');
  const third = setCondition(second, { type: 'Ready', status: 'True', reason: 'B' }, 't3');
  assert.deepEqual(
    [first, second, third].map(([c]) => [c?.reason, c?.lastTransitionTime]),
    [
      ['A', 't1'],
      ['B', 't1'],
      ['B', 't3'],
    ],
  );
  assert.equal(setCondition(third, { type: 'Ready', status: 'True' }, 't4'), third);
  assert.deepEqual(removeCondition(third, 'Ready'), []);
});

test('what is not a condition is not read as one', () => {
  const conditions = conditionsOf({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {},
    status: { conditions: [null, { type: 'Ready' }, { type: 'Ready', status: 'True' }] },
  });
  assert.equal(conditions.length, 1);
  assert.ok(isConditionTrue(conditions, 'Ready'));
});
