/** A DeliveryStatus as the original would write it, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryStatus, ObjectStatus, Problem } from '@capstan/engine-delivery';
import { readStatus } from './read-status.ts';
import { operationOf } from './testing/fixtures.ts';
import { application } from './testing/lowering.ts';
import { toApplicationStatus } from './to-application-status.ts';

test('problems become the conditions of the original, each with what, where and what to do', () => {
  const rows: readonly (readonly [problem: Partial<Problem>, expected: string | undefined])[] = [
    [
      { stage: 'source', message: 'cannot reach it', hint: 'check the URL' },
      'ComparisonError: Failed to load target state: cannot reach it (check the URL)',
    ],
    [
      { stage: 'render', message: 'bad', location: { file: 'a.yaml', line: 3 } },
      'ComparisonError: Failed to load target state: failed to generate manifests: a.yaml:3: bad',
    ],
    [
      { stage: 'compare', message: 'no' },
      'ComparisonError: Failed to compare desired state to live state: no',
    ],
    [{ stage: 'spec', message: 'no' }, 'InvalidSpecError: no'],
    [{ stage: 'sync', message: 'no' }, 'SyncError: no'],
    [
      { stage: 'render', severity: 'warning', code: 'REPEATED_RESOURCE', message: 'twice' },
      'RepeatedResourceWarning: twice',
    ],
    [{ stage: 'compare', severity: 'warning', message: 'odd' }, undefined],
  ];
  for (const [problem, expected] of rows) {
    const full: Problem = {
      stage: 'sync',
      severity: 'error',
      code: 'X',
      message: '',
      kind: 'stalled',
      ...problem,
    };
    const [condition] = raise({ problems: [full] }).conditions ?? [];
    assert.equal(condition && `${condition.type}: ${condition.message}`, expected);
  }
});

test('times of conditions and of health stay while nothing changes', () => {
  const problem: Problem = {
    stage: 'sync',
    severity: 'error',
    code: 'X',
    message: 'm',
    kind: 'stalled',
  };
  const before = raise(
    { problems: [problem], health: { status: 'Degraded' }, objects: [object({})] },
    application({}),
    1000,
  );
  const after = raise(
    { problems: [problem], health: { status: 'Degraded' }, objects: [object({})] },
    application({ status: before }),
    9000,
  );
  assert.deepEqual(after.conditions, before.conditions);
  assert.deepEqual(after.health, before.health);
  assert.equal(after.reconciledAt, '1970-01-01T00:00:09Z');
});

test('objects become the list of resources and the summary', () => {
  const status = raise({
    objects: [
      object({ wave: 2, images: ['b', 'a'], externalUrls: ['http://x/'] }),
      object({
        key: { group: '', kind: 'Namespace', namespace: '', name: 'n' },
        requiresPruning: true,
        sync: 'OutOfSync',
        health: undefined,
      }),
    ],
  });
  assert.deepEqual(status.resources, [
    {
      group: 'apps',
      health: { status: 'Healthy' },
      kind: 'Deployment',
      name: 'x',
      namespace: 'n',
      status: 'Synced',
      syncWave: 2,
      version: 'v1',
    },
    { kind: 'Namespace', name: 'n', requiresPruning: true, status: 'OutOfSync', version: 'v1' },
  ]);
  assert.deepEqual(status.summary, { externalURLs: ['http://x/'], images: ['a', 'b'] });
});

test('history keeps one entry for each deployment, up to its limit', () => {
  const done = (revision: string, startedAtMs: number): Partial<DeliveryStatus> => ({
    operation: operationOf({
      startedAtMs,
      finishedAtMs: startedAtMs + 1000,
      revisions: [revision],
    }),
  });
  let app = application({ spec: { revisionHistoryLimit: 2 } });
  for (const [index, revision] of ['r1', 'r1', 'r2', 'r3'].entries()) {
    const at = revision === 'r1' ? 0 : index * 10_000;
    app = application({
      spec: { revisionHistoryLimit: 2 },
      status: raise(done(revision, at), app, 0),
    });
  }
  assert.deepEqual(
    app.status?.history?.map(({ id, revision }) => [id, revision]),
    [
      [1, 'r2'],
      [2, 'r3'],
    ],
  );
});

test('a status that was written is read again as the same operation', () => {
  const status = raise({
    operation: operationOf({
      healAttempt: 2,
      phase: 'Running',
      message: 'waiting',
      startedAtMs: 5000,
      retryCount: 1,
      revisions: ['r1'],
      results: [
        {
          stepId: 'hook/PreSync/batch/Job/n/migrate',
          key: { group: 'batch', kind: 'Job', namespace: 'n', name: 'migrate' },
          version: 'v1',
          phase: 'PreSync',
          hook: true,
          status: 'Synced',
          state: 'Running',
          message: 'm',
          images: [],
        },
      ],
    }),
    objects: [object({})],
  });
  const read = readStatus(application({ status }));
  assert.equal(read?.operation?.results[0]?.stepId, 'hook/PreSync/batch/Job/n/migrate');
  assert.equal(read?.operation?.results[0]?.state, 'Running');
  assert.deepEqual(
    [
      read?.operation?.phase,
      read?.operation?.startedAtMs,
      read?.operation?.retryCount,
      read?.operation?.request.healAttempt,
    ],
    ['Running', 5000, 1, 2],
  );
  assert.deepEqual(read?.inventory, [
    { key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'x' }, version: 'v1' },
  ]);
});

function object(
  part: { readonly [K in keyof ObjectStatus]?: ObjectStatus[K] | undefined },
): ObjectStatus {
  const full = {
    key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'x' },
    version: 'v1',
    sync: 'Synced' as const,
    health: { status: 'Healthy' as const },
    hook: false,
    requiresPruning: false,
    requiresConfirmation: false,
    wave: 0,
    images: [],
    externalUrls: [],
    differences: [],
    ...part,
  };
  const { health, ...rest } = full;
  return { ...rest, ...(health === undefined ? {} : { health }) } as ObjectStatus;
}

function raise(part: Partial<DeliveryStatus>, app = application({}), nowMs = 0) {
  const delivery: DeliveryStatus = {
    revisions: [{ id: 'r1', name: 'main' }],
    desiredDigest: 'd',
    sync: 'Synced',
    health: { status: 'Healthy' },
    objects: [],
    problems: [],
    inventory: [],
    renderKinds: ['kustomize'],
    observedAtMs: 0,
    ...part,
  };
  return toApplicationStatus(app, delivery, {
    nowMs,
    controlNamespace: 'argocd',
    operation: undefined,
  });
}
