import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '@capstan/argocd-api';
import { CapstanError } from '@capstan/lib-std';
import { toApplicationStatus } from './to-application-status.ts';
import { unusableStatus } from './unusable-spec.ts';

const ERROR = new CapstanError('SPEC_INVALID', 'no such cluster', { hint: 'add it' });
const NOW = Date.parse('2026-01-02T00:00:00Z');
const APP: Application = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web', namespace: 'argocd' },
  spec: { project: 'default', destination: { name: 'gone', namespace: 'web' } },
  status: {
    reconciledAt: '2026-01-01T00:00:00Z',
    resources: [{ kind: 'ConfigMap', name: 'a', version: 'v1' }],
    sync: { status: 'Synced', revision: 'abc' },
    summary: { images: ['x'] },
  },
};

function raise(app: Application) {
  const status = unusableStatus(app, undefined, { error: ERROR, nowMs: NOW });
  const context = { nowMs: NOW, controlNamespace: 'argocd', operation: app.operation };
  return toApplicationStatus(app, status, context);
}

test('what was known of the application stands, but for its state', () => {
  const time = '2026-01-02T00:00:00Z';
  assert.deepEqual(raise(APP), {
    ...APP.status,
    conditions: [
      { lastTransitionTime: time, message: 'no such cluster (add it)', type: 'InvalidSpecError' },
    ],
    health: { lastTransitionTime: time, status: 'Unknown' },
    sync: { revision: 'abc', status: 'Unknown' },
  });
});

test('an operation that cannot be begun is over, and says why', () => {
  const operation = { initiatedBy: { username: 'ann' }, sync: { revision: 'def' } };
  const { operationState } = raise({ ...APP, operation });
  assert.equal(operationState?.phase, 'Error');
  assert.equal(operationState?.message, 'no such cluster');
  assert.equal(operationState?.finishedAt, '2026-01-02T00:00:00Z');
  assert.deepEqual(operationState?.operation, operation);
});
