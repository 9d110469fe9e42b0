import assert from 'node:assert/strict';
import { test } from 'node:test';
import { application, CONTEXT, type Fields } from './testing/lowering.ts';
import { toOperationRequest } from './to-operation-request.ts';

test('manifests that stand in an operation are never applied: they would go past Git (row 42)', () => {
  const refusalOf = (operation: Fields) =>
    toOperationRequest(application({ operation }), undefined, CONTEXT)?.refusal;
  assert.match(
    refusalOf({ sync: { manifests: ['kind: ConfigMap'] } }) ?? '',
    /operation\.sync\.manifests: local manifests are not applied/,
  );
  assert.equal(refusalOf({}), 'Invalid operation request: no operation specified');
  assert.equal(refusalOf({ sync: {} }), undefined);
});

test('an operation is the same request until it is over', () => {
  const app = application({
    operation: {
      sync: {
        revision: 'r',
        prune: true,
        resources: [{ kind: 'A', name: 'x' }],
        syncStrategy: { apply: { force: true } },
      },
      initiatedBy: { username: 'ann' },
    },
  });
  const first = toOperationRequest(app, undefined, CONTEXT);
  assert.deepEqual(first?.revisions, ['r']);
  assert.deepEqual(first?.policy, {
    prune: true,
    dryRun: false,
    skipHooks: true,
    force: true,
    selected: [{ group: '', kind: 'A', namespace: '', name: 'x' }],
  });
  assert.ok(first);
  const state = {
    request: first,
    phase: 'Running' as const,
    message: '',
    startedAtMs: 0,
    retryCount: 0,
    revisions: [],
    desiredDigest: '',
    results: [],
  };
  assert.equal(toOperationRequest(app, state, CONTEXT)?.id, first.id);
  assert.notEqual(
    toOperationRequest(app, { ...state, phase: 'Succeeded', finishedAtMs: 5 }, CONTEXT)?.id,
    first.id,
  );
  assert.equal(toOperationRequest(application({}), undefined, CONTEXT), undefined);
});
