import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '@capstan/argocd-api';
import type { Json, KubeObject } from '@capstan/kube-object';
import { isReversed, planRollout, withoutAutomation } from './rolling-sync.ts';
import { makeSet } from './testing/generate.ts';

const NOW = '2024-05-06T12:00:00Z';
const EARLIER = '2024-05-06T11:00:00Z';
const BETWEEN = '2024-05-06T11:30:00Z';

interface App {
  readonly env?: string;
  readonly sync?: string;
  readonly health?: string;
  readonly revision?: string;
  readonly reconciledAt?: string;
  readonly started?: string;
  readonly phase?: string;
  readonly conditions?: Json;
}

function application(name: string, app: App = {}): KubeObject {
  const { env = 'dev', sync = 'OutOfSync', health = 'Healthy', revision = 'r1' } = app;
  const { reconciledAt = NOW, started, phase = 'Running', conditions } = app;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', labels: { env } },
    spec: { syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] } },
    status: {
      sync: { status: sync, revision },
      health: { status: health },
      reconciledAt,
      ...(started === undefined ? {} : { operationState: { startedAt: started, phase } }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

const step = (values: readonly string[], more = {}): Json => ({
  matchExpressions: [{ key: 'env', operator: 'In', values }],
  ...more,
});

function plan(
  steps: readonly Json[],
  apps: readonly KubeObject[],
  {
    known = [],
    changed = [],
  }: { readonly known?: readonly RolloutStatus[]; readonly changed?: readonly string[] } = {},
) {
  const strategy = { type: 'RollingSync', rollingSync: { steps } };
  const set = { ...makeSet({ strategy } as never), status: { applicationStatus: known } };
  return planRollout({ set, current: apps, desired: apps, changed: new Set(changed), now: NOW });
}

const told = (statuses: readonly RolloutStatus[]) =>
  statuses.map(({ application: name, status, step: at }) => `${name} ${status} ${at}`);

const status = (name: string, state: string, more: Partial<RolloutStatus> = {}): RolloutStatus => ({
  application: name,
  lastTransitionTime: EARLIER,
  message: '',
  status: state,
  step: '1',
  targetRevisions: ['r1'],
  ...more,
});

const STEPS = [step(['dev']), step(['prod'])];

describe('a rollout by steps', () => {
  test('begins with the first step; the second waits', () => {
    const apps = [application('a'), application('b', { env: 'prod' })];
    const { statuses, operations, conditions } = plan(STEPS, apps);
    assert.deepEqual(told(statuses), ['a Pending 1', 'b Waiting 2']);
    assert.deepEqual(operations, [
      {
        name: 'a',
        operation: {
          info: [
            {
              name: 'Reason',
              value: 'ApplicationSet RollingSync triggered a sync of this Application resource',
            },
          ],
          initiatedBy: { username: 'applicationset-controller', automated: true },
          retry: { limit: 5 },
          sync: { prune: true, revision: 'r1', syncOptions: ['CreateNamespace=true'] },
        },
      },
    ]);
    assert.deepEqual(
      conditions.map(({ type, status: on, message }) => `${type} ${on} ${message}`),
      [
        'InvalidRolloutConfig False Rolling Sync Configured correctly',
        'RolloutProgressing True ApplicationSet is performing rollout of step 1',
      ],
    );
  });

  test('goes on when all of a step are healthy', () => {
    const apps = [
      application('a', { sync: 'Synced' }),
      application('b', { env: 'prod' }),
      application('c', { env: 'prod' }),
    ];
    const known = [status('a', 'Progressing'), status('b', 'Waiting'), status('c', 'Waiting')];
    const { statuses, operations } = plan(STEPS, apps, { known });
    assert.deepEqual(told(statuses), ['a Healthy 1', 'b Pending 2', 'c Pending 2']);
    assert.deepEqual(
      operations.map(({ name }) => name),
      ['b', 'c'],
    );
  });

  const states: readonly (readonly [App, RolloutStatus, string])[] = [
    [{ sync: 'Synced' }, status('a', 'Waiting'), 'Healthy'],
    [{ sync: 'Synced', health: 'Progressing' }, status('a', 'Waiting'), 'Progressing'],
    [{ started: BETWEEN }, status('a', 'Pending'), 'Progressing'],
    [{ started: '2024-05-06T10:00:00Z' }, status('a', 'Pending'), 'Pending'],
    [{ started: BETWEEN, reconciledAt: EARLIER }, status('a', 'Pending'), 'Pending'],
    [{ conditions: [{ type: 'InvalidSpecError' }] }, status('a', 'Pending'), 'Progressing'],
    [{ sync: 'Synced', health: 'Degraded' }, status('a', 'Progressing'), 'Progressing'],
    [{ sync: 'Synced' }, status('a', 'Progressing'), 'Healthy'],
  ];
  for (const [app, before, expected] of states) {
    test(`${before.status} with ${JSON.stringify(app)} is ${expected}`, () => {
      const { statuses } = plan([step(['dev'], { maxUpdate: 0 })], [application('a', app)], {
        known: [before],
      });
      assert.equal(statuses[0]?.status, expected);
    });
  }

  test('a new revision or another spec makes it wait, until it was looked at since', () => {
    const apps = [application('a', { revision: 'r2', reconciledAt: EARLIER, sync: 'OutOfSync' })];
    const first = plan(STEPS, apps, { known: [status('a', 'Healthy')] });
    assert.deepEqual(told(first.statuses), ['a Waiting 1']);
    assert.deepEqual([first.refresh, first.operations], [['a'], []]);
    assert.deepEqual(first.statuses[0]?.targetRevisions, ['r2']);
    const seen = [application('a', { revision: 'r2', reconciledAt: NOW })];
    const second = plan(STEPS, seen, { known: first.statuses });
    assert.deepEqual(told(second.statuses), ['a Pending 1']);
    const spec = plan(STEPS, [application('a', { reconciledAt: EARLIER })], {
      known: [status('a', 'Healthy')],
      changed: ['a'],
    });
    assert.match(spec.statuses[0]?.message ?? '', /pending changes \(spec differs\)/);
  });

  const limits: readonly (readonly [Json, number])[] = [
    [1, 1],
    ['50%', 2],
    ['10%', 1],
    ['0%', 0],
    [0, 0],
    [9, 4],
  ];
  for (const [maxUpdate, count] of limits) {
    test(`maxUpdate ${maxUpdate} of four`, () => {
      const apps = ['a', 'b', 'c', 'd'].map((name) => application(name));
      const { operations } = plan([step(['dev'], { maxUpdate })], apps);
      assert.equal(operations.length, count);
    });
  }

  const wrong: readonly (readonly [readonly Json[], RegExp])[] = [
    [[step(['dev']), step(['dev'])], /'a' is selected by multiple steps: \(1-2\)/],
    [[step(['dev']), step(['none'])], /Steps \[2\] have no applications/],
    [[step(['dev'], { maxUpdate: 'many' })], /Step 1 has an invalid maxUpdate value: many/],
    [
      [{ matchExpressions: [{ key: 'env', operator: 'Exists' }] }],
      /Step 1 has invalid matchExpression operators: Exists/,
    ],
  ];
  for (const [steps, message] of wrong) {
    test(`what is wrong is told: ${message}`, () => {
      const { conditions } = plan(steps, [application('a')]);
      const found = conditions.find(({ type }) => type === 'InvalidRolloutConfig');
      assert.equal(found?.status, 'True');
      assert.match(found?.message ?? '', message);
    });
  }
});

test('automation is off while a set syncs by steps, and nothing else changes', () => {
  const { spec } = withoutAutomation(application('a'));
  assert.deepEqual(spec, {
    syncPolicy: {
      automated: { prune: true, enabled: false },
      syncOptions: ['CreateNamespace=true'],
    },
  });
});

test('the order of deletion is reversed for sets with steps only', () => {
  const set = (strategy: Json) => makeSet({ strategy } as never);
  const rollingSync = { steps: STEPS };
  assert.ok(isReversed(set({ type: 'RollingSync', rollingSync, deletionOrder: 'Reverse' })));
  assert.ok(!isReversed(set({ type: 'RollingSync', rollingSync, deletionOrder: 'AllAtOnce' })));
  assert.ok(!isReversed(set({ type: 'RollingSync', deletionOrder: 'Reverse' })));
});
