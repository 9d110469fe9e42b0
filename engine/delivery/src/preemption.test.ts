import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { PREEMPT, readPreemption } from './index.ts';

const object = (annotations?: Record<string, string>): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'App',
  metadata: { name: 'a', ...(annotations === undefined ? {} : { annotations }) },
});

test('an annotation says what a newer revision does to a sync that runs', () => {
  assert.equal(readPreemption(object()), 'afterHook');
  assert.equal(readPreemption(object({ other: 'never' })), 'afterHook');
  assert.equal(readPreemption(object({ [PREEMPT]: 'after-hook' })), 'afterHook');
  assert.equal(readPreemption(object({ [PREEMPT]: 'immediately' })), 'immediately');
  assert.equal(readPreemption(object({ [PREEMPT]: 'never' })), 'never');
  for (const word of ['', 'Never', 'constructor'])
    assert.throws(() => readPreemption(object({ [PREEMPT]: word })), {
      code: 'PREEMPT_INVALID',
      hint: 'write after-hook, immediately, never',
    });
});
