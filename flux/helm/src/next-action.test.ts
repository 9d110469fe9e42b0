import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HelmRelease, ReleaseSnapshot } from '@capstan/flux-api';
import type { Release } from '@capstan/kube-helm';
import { valuesDigest } from './digests.ts';
import { nextAction, type StateWithDrift } from './next-action.ts';
import { snapshotOf } from './observe-records.ts';
import { changedTarget, judgeRelease, mustResetFailures } from './release-state.ts';
import { takeRequest } from './requests.ts';
import { sampleRelease } from './testing/sample-release.ts';

type Spec = Partial<HelmRelease['spec']>;
type Status = Partial<HelmRelease['status']>;

function releaseWith(spec: Spec = {}, status: Status = {}, annotations = {}): HelmRelease {
  return {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'web', namespace: 'apps', generation: 2, annotations },
    spec: { interval: '10m', ...spec },
    status: { observedGeneration: 2, storageNamespace: 'apps', ...status },
  };
}

const wanted = { chart: { name: 'shop', version: '1.2.3' }, values: { color: 'blue' } };
const record = (change: Partial<Release> = {}): Release =>
  sampleRelease({ config: wanted.values, ...change });
const seen = (
  change: Partial<Release> = {},
  more: Partial<ReleaseSnapshot> = {},
): ReleaseSnapshot => ({
  ...snapshotOf(record(change)),
  ...more,
});

describe('how a release stands', () => {
  const rows: readonly (readonly [string, HelmRelease, Release | undefined, string])[] = [
    ['nothing is stored', releaseWith(), undefined, 'absent no release in storage for object'],
    [
      'left pending',
      releaseWith(),
      record({ status: 'pending-upgrade' }),
      "locked release with status 'pending-upgrade'",
    ],
    ['never seen', releaseWith(), record(), 'unmanaged found existing release in storage'],
    [
      'never seen, uninstalled',
      releaseWith(),
      record({ status: 'uninstalled' }),
      'absent found uninstalled release in storage',
    ],
    ['seen as it is', releaseWith({}, { history: [seen()] }), record(), 'in-sync'],
    [
      'changed by somebody',
      releaseWith({}, { history: [seen()] }),
      record({ description: 'by hand' }),
      'unmanaged release not observed to be made for object',
    ],
    [
      'a digest that is none',
      releaseWith({}, { history: [seen({}, { digest: 'x' })] }),
      record(),
      'unmanaged release digest verification error',
    ],
    [
      'seen by an older version',
      releaseWith({}, { history: [seen({}, { digest: 'x', apiVersion: 'v1' })] }),
      record(),
      'in-sync',
    ],
    [
      'failed',
      releaseWith({}, { history: [seen({ status: 'failed' })] }),
      record({ status: 'failed' }),
      'failed ',
    ],
    [
      'uninstalled',
      releaseWith({}, { history: [seen({ status: 'uninstalled' })] }),
      record({ status: 'uninstalled' }),
      'absent found uninstalled release in storage',
    ],
    [
      'superseded',
      releaseWith({}, { history: [seen({ status: 'superseded' })] }),
      record({ status: 'superseded' }),
      "unknown unable to determine state for release with status 'superseded'",
    ],
    [
      'other values',
      releaseWith({}, { history: [seen({ config: { color: 'red' } })] }),
      record({ config: { color: 'red' } }),
      'out-of-sync release config values changed',
    ],
    [
      'tests to be run',
      releaseWith({ test: { enable: true } }, { history: [seen()] }),
      record(),
      'untested',
    ],
    [
      'tests run',
      releaseWith({ test: { enable: true } }, { history: [seen({}, { testHooks: {} })] }),
      record(),
      'in-sync',
    ],
    [
      'tests failed',
      releaseWith(
        { test: { enable: true } },
        {
          lastAttemptedReleaseAction: 'upgrade',
          history: [seen({}, { testHooks: { t: { phase: 'Failed' } } })],
        },
      ),
      record(),
      'failed release has test in failed phase',
    ],
    [
      'tests failed, and that is ignored',
      releaseWith(
        { test: { enable: true, ignoreFailures: true } },
        {
          lastAttemptedReleaseAction: 'upgrade',
          history: [seen({}, { testHooks: { t: { phase: 'Failed' } } })],
        },
      ),
      record(),
      'in-sync',
    ],
    [
      'other common metadata in a new generation',
      releaseWith(
        { commonMetadata: { labels: { a: 'b' } } },
        { observedGeneration: 1, history: [seen()] },
      ),
      record(),
      'out-of-sync common metadata digest has changed',
    ],
    [
      'other post-renderers in a new generation',
      releaseWith(
        { postRenderers: [{ kustomize: {} }] },
        { observedGeneration: 1, history: [seen()] },
      ),
      record(),
      'out-of-sync postrenderers digest has changed',
    ],
  ];
  for (const [name, release, last, expected] of rows) {
    test(name, () => {
      const state = judgeRelease(release, last, wanted);
      const why =
        'reason' in state ? ` ${state.reason}` : 'problem' in state ? ` ${state.problem}` : '';
      assert.equal(`${state.kind}${why}`, expected);
    });
  }

  test('another chart is out of sync', () => {
    const other = { ...wanted, chart: { name: 'shop', version: '2.0.0' } };
    const state = judgeRelease(releaseWith({}, { history: [seen()] }), record(), other);
    assert.deepEqual(state, { kind: 'out-of-sync', reason: 'release chart changed' });
  });
});

describe('what comes next', () => {
  const context = {
    nowMs: 0,
    records: [record({ revision: 2, status: 'superseded' }), record({ status: 'failed' })],
  };
  const failed = { kind: 'failed', reason: '' } as const;
  const retries = (count: number, more = {}): Spec => ({
    install: { remediation: { retries: count, ...more } },
    upgrade: { remediation: { retries: count, ...more } },
  });
  const history = [
    seen({ status: 'failed' }),
    seen({ revision: 2, status: 'superseded' }),
    seen({ revision: 1, status: 'superseded' }),
  ];
  const upgraded: Status = { lastAttemptedReleaseAction: 'upgrade', history };
  const asked = { 'reconcile.fluxcd.io/requestedAt': 'now', 'reconcile.fluxcd.io/forceAt': 'now' };
  const rows: readonly (readonly [string, HelmRelease, StateWithDrift, string])[] = [
    ['absent: installs', releaseWith(), { kind: 'absent', reason: '' }, 'install'],
    [
      'absent, no retries left',
      releaseWith({}, { installFailures: 1, lastAttemptedReleaseAction: 'install' }),
      { kind: 'absent', reason: '' },
      'stalled RetriesExceeded Failed to install after 1 attempt(s)',
    ],
    [
      'absent, no retries left, forced',
      releaseWith({}, { installFailures: 1 }, asked),
      { kind: 'absent', reason: '' },
      'install',
    ],
    [
      'absent, retries without end',
      releaseWith(retries(-1), { installFailures: 9 }),
      { kind: 'absent', reason: '' },
      'install',
    ],
    ['locked: unlocks', releaseWith(), { kind: 'locked', reason: '' }, 'unlock'],
    ['unmanaged: upgrades', releaseWith(), { kind: 'unmanaged', reason: '' }, 'upgrade'],
    ['out of sync: upgrades', releaseWith(), { kind: 'out-of-sync', reason: '' }, 'upgrade'],
    [
      'out of sync, no retries left',
      releaseWith({}, { ...upgraded, upgradeFailures: 1 }),
      { kind: 'out-of-sync', reason: '' },
      'stalled RetriesExceeded Failed to upgrade after 1 attempt(s)',
    ],
    ['untested: tests', releaseWith(), { kind: 'untested' }, 'test'],
    ['in sync: nothing', releaseWith(), { kind: 'in-sync' }, 'done'],
    ['in sync, forced: upgrades', releaseWith({}, {}, asked), { kind: 'in-sync' }, 'upgrade'],
    [
      'in sync, forced before',
      releaseWith({}, { lastHandledForceAt: 'now', lastHandledReconcileAt: 'now' }, asked),
      { kind: 'in-sync' },
      'done',
    ],
    ['failed, nothing attempted', releaseWith({}, { history }), failed, 'upgrade'],
    ['failed, no failures counted', releaseWith(retries(1), upgraded), failed, 'upgrade'],
    [
      'failed upgrade: rolls back',
      releaseWith(retries(1), { ...upgraded, upgradeFailures: 1 }),
      failed,
      'rollback',
    ],
    [
      'failed upgrade, the last one too',
      releaseWith(retries(1), { ...upgraded, upgradeFailures: 2 }),
      failed,
      'rollback',
    ],
    [
      'failed upgrade, not the last one',
      releaseWith(retries(1, { remediateLastFailure: false }), { ...upgraded, upgradeFailures: 2 }),
      failed,
      'stalled RetriesExceeded Failed to upgrade after 2 attempt(s)',
    ],
    [
      'failed upgrade without retries',
      releaseWith({}, { ...upgraded, upgradeFailures: 1 }),
      failed,
      'stalled RetriesExceeded Failed to upgrade after 1 attempt(s)',
    ],
    [
      'failed upgrade, to be uninstalled',
      releaseWith(
        { upgrade: { remediation: { retries: 1, strategy: 'uninstall' } } },
        { ...upgraded, upgradeFailures: 1 },
      ),
      failed,
      'uninstall',
    ],
    [
      'failed upgrade, nothing to go back to',
      releaseWith(retries(1), { ...upgraded, upgradeFailures: 1, history: history.slice(0, 1) }),
      failed,
      'stalled MissingRollbackTarget Failed to perform remediation: missing target release for rollback: cannot remediate failed release',
    ],
    [
      'failed upgrade, forced',
      releaseWith(retries(1), { ...upgraded, upgradeFailures: 1 }, asked),
      failed,
      'upgrade',
    ],
    [
      'failed install: uninstalls',
      releaseWith(retries(1), {
        lastAttemptedReleaseAction: 'install',
        installFailures: 1,
        history,
      }),
      failed,
      'uninstall',
    ],
    [
      'failed, to be tried again',
      releaseWith(
        { upgrade: { strategy: { name: 'RetryOnFailure' } } },
        { ...upgraded, upgradeFailures: 5 },
      ),
      failed,
      'upgrade',
    ],
    ['not told', releaseWith(), { kind: 'unknown', problem: 'odd' }, 'failed odd'],
  ];
  for (const [name, release, state, expected] of rows) {
    test(name, () => {
      const { decision } = nextAction(release, state, context);
      const text =
        decision.kind === 'run'
          ? decision.action
          : decision.kind === 'stalled'
            ? `stalled ${decision.reason} ${decision.message}`
            : decision.kind === 'failed'
              ? `failed ${decision.message}`
              : decision.kind;
      assert.equal(text, expected);
    });
  }

  test('a record to go back to that was changed is not gone back to', () => {
    const records = [record({ revision: 2, status: 'superseded', description: 'by hand' })];
    const release = releaseWith(retries(1), { ...upgraded, upgradeFailures: 1 });
    const { decision } = nextAction(release, failed, { nowMs: 0, records });
    assert.deepEqual(decision, { kind: 'run', action: 'upgrade' });
  });

  test('drift is told, and corrected when that is enabled', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'apps' },
    };
    const patch = [{ op: 'replace' as const, path: '/data/a', value: 'b' }];
    const drift = [
      { kind: 'changed' as const, object, patch },
      { kind: 'missing' as const, object },
    ];
    for (const [mode, expected] of [
      ['enabled', 'run'],
      ['warn', 'done'],
    ] as const) {
      const release = releaseWith({ driftDetection: { mode } }, { history: [seen()] });
      const next = nextAction(release, { kind: 'drifted', drift }, context);
      assert.equal(next.decision.kind, expected);
      assert.equal(
        next.release.status.conditions?.find(({ type }) => type === 'Drifted')?.message,
        'Cluster state of release apps/web.v3 has drifted from the desired state:\nConfigMap/apps/a changed (0 additions, 1 changes, 0 removals)\nConfigMap/apps/a removed',
      );
    }
  });
});

describe('what is forgotten', () => {
  test('failures are, when generation, chart or values differ, or when that is asked for', () => {
    const same: Status = {
      lastAttemptedGeneration: 2,
      lastAttemptedRevision: '1.2.3',
      lastAttemptedConfigDigest: valuesDigest(wanted.values),
    };
    assert.equal(mustResetFailures(releaseWith({}, same), wanted, false), false);
    assert.equal(mustResetFailures(releaseWith({}, same), wanted, true), true);
    for (const change of [
      { lastAttemptedGeneration: 1 },
      { lastAttemptedRevision: '1.2.2' },
      { lastAttemptedConfigDigest: valuesDigest({}) },
    ]) {
      assert.equal(mustResetFailures(releaseWith({}, { ...same, ...change }), wanted, false), true);
    }
  });

  test('a reset is asked for once, by a token that is new in both annotations', () => {
    const at = (requested: string, reset: string) => ({
      'reconcile.fluxcd.io/requestedAt': requested,
      'reconcile.fluxcd.io/resetAt': reset,
    });
    const rows: readonly (readonly [object, Status, boolean])[] = [
      [at('now', 'now'), {}, true],
      [at('now', 'before'), {}, false],
      [at('now', 'now'), { lastHandledResetAt: 'now' }, false],
      [at('now', 'now'), { lastHandledReconcileAt: 'now' }, false],
      [{}, {}, false],
    ];
    for (const [annotations, status, expected] of rows) {
      const { release, isAsked } = takeRequest(releaseWith({}, status, annotations), 'reset');
      assert.equal(isAsked, expected, JSON.stringify([annotations, status]));
      const token = 'reconcile.fluxcd.io/resetAt' in annotations ? annotations : undefined;
      const handled = token && Object.values(token)[1];
      assert.equal(release.status.lastHandledResetAt, handled ?? status.lastHandledResetAt);
    }
  });

  test('the old target is, when any part of it changes', () => {
    const target = { storageNamespace: 'apps', namespace: 'apps', name: 'web', chartName: 'shop' };
    const release = releaseWith({}, { history: [seen()] });
    assert.equal(changedTarget(release, target), undefined);
    assert.equal(changedTarget(release, { ...target, storageNamespace: 'x' }), 'storage namespace');
    assert.equal(changedTarget(release, { ...target, namespace: 'x' }), 'release namespace');
    assert.equal(changedTarget(release, { ...target, name: 'x' }), 'release name');
    assert.equal(changedTarget(release, { ...target, chartName: 'x' }), 'chart name');
    assert.equal(changedTarget(releaseWith(), { ...target, name: 'x' }), undefined);
  });
});
