/** Both directions of the door as tables: resources → Delivery, DeliveryStatus → conditions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Delivery,
  DeliveryStatus,
  OperationResult,
  OperationState,
  Problem,
} from '@capstan/engine-delivery';
import {
  type GitRepository,
  type Kustomization,
  type KustomizationStatus,
  parseGitRepository,
  parseKustomization,
} from '@capstan/flux-api';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { createCelCompiler } from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';
import { findUnready } from './dependencies.ts';
import { formatDuration, parseDurationMs } from './durations.ts';
import { formatEntry, parseEntry } from './inventory.ts';
import { timeoutMs, toDelivery } from './to-delivery.ts';
import { readStatus, suspendedStatus, toKustomizationStatus } from './to-kustomization-status.ts';
import { formatRevision, toSourceSpec } from './to-source.ts';

type Fields = { readonly [key: string]: Json };
const PINNED = {
  kind: 'git' as const,
  url: 'u',
  revision: { kind: 'commit' as const, commit: 'c' },
};
const SHA = 'a'.repeat(40);

test('the fields of a GitRepository become a source', () => {
  const rows: readonly (readonly [ref: Fields, expected: unknown])[] = [
    [{}, { kind: 'branch', branch: 'master' }],
    [{ branch: 'main' }, { kind: 'branch', branch: 'main' }],
    [
      { branch: 'main', tag: 'v1' },
      { kind: 'tag', tag: 'v1' },
    ],
    [
      { tag: 'v1', semver: '>=1' },
      { kind: 'tag', tag: 'v1' },
    ],
    [
      { semver: '>=1', branch: 'b' },
      { kind: 'semver', range: '>=1' },
    ],
    [
      { semver: '>=1', name: 'refs/heads/x' },
      { kind: 'ref', ref: 'refs/heads/x' },
    ],
    [
      { name: 'refs/heads/x', commit: SHA, branch: 'b' },
      { kind: 'commit', commit: SHA, branch: 'b' },
    ],
  ];
  for (const [ref, expected] of rows)
    assert.deepEqual(toSourceSpec(repository({ ref })).revision, expected);
  const spec = toSourceSpec(repository({ timeout: '20s', ignore: '*.md' }));
  assert.deepEqual([spec.timeoutMs, spec.ignore?.patterns], [20_000, '*.md']);
});

test('an annotation says whether a newer revision waits for an apply that runs', () => {
  const context = { source: PINNED, variables: {} };
  const plain = kustomization({});
  const annotations = { 'capstan.dev/preempt': 'never' };
  const told = { ...plain, metadata: { ...plain.metadata, annotations } };
  assert.equal(toDelivery(plain, context).preempt, 'afterHook');
  assert.equal(toDelivery(told, context).preempt, 'never');
});

test('what cannot be fetched safely is refused', () => {
  assert.match(
    refusal(() => toSourceSpec(repository({ url: 'git@host:x' }))),
    /URL_INVALID .*ssh:\/\/host\/path/,
  );
});

test('revisions, durations and inventory ids are written as Flux writes them', () => {
  assert.equal(formatRevision({ id: SHA, name: 'main' }), `main@sha1:${SHA}`);
  assert.equal(formatRevision({ id: SHA, name: '' }), `sha1:${SHA}`);
  assert.equal(formatRevision({ id: 'b'.repeat(64), name: 'v1' }), `v1@sha256:${'b'.repeat(64)}`);
  assert.deepEqual(
    ['1m30s', '2h', '500ms', '1.5s'].map((text) => parseDurationMs(text, 'f')),
    [90_000, 7_200_000, 500, 1500],
  );
  assert.deepEqual([120_000, 5_400_000, 1500, 30].map(formatDuration), [
    '2m0s',
    '1h30m0s',
    '1.5s',
    '30ms',
  ]);
  assert.match(
    refusal(() => parseDurationMs('soon', 'spec.interval')),
    /spec\.interval: "soon" is not a duration/,
  );
  for (const [id, key] of [
    [
      'prod_web_apps_Deployment',
      { namespace: 'prod', name: 'web', group: 'apps', kind: 'Deployment' },
    ],
    ['_prod__Namespace', { namespace: '', name: 'prod', group: '', kind: 'Namespace' }],
    [
      '_system__view_rbac.authorization.k8s.io_ClusterRole',
      {
        namespace: '',
        name: 'system:view',
        group: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
      },
    ],
  ] as const) {
    assert.equal(formatEntry({ key, version: 'v1' }).id, id);
    assert.deepEqual(parseEntry({ id, v: 'v1' }), { key, version: 'v1' });
  }
  assert.equal(parseEntry({ id: 'nonsense', v: 'v1' }), undefined);
});

test('the fields of a Kustomization become a Delivery', () => {
  const rows: readonly (readonly [
    spec: Fields,
    read: (delivery: Delivery) => unknown,
    expected: unknown,
  ])[] = [
    [
      {},
      (d) => d.sources[0]?.render,
      {
        ...{ kind: 'kustomize', path: './deploy', generateMissing: true, overlay: {} },
        loadRestriction: 'none',
        remote: { schemes: ['https', 'http', 'ssh'], hosts: ['*'] },
      },
    ],
    [
      {
        targetNamespace: 'prod',
        namePrefix: 'p-',
        images: [{ name: 'a', newTag: 'b' }],
        commonMetadata: { labels: { x: 'y' } },
        components: ['c'],
      },
      (d) => render(d)['overlay'],
      {
        namespace: 'prod',
        namePrefix: 'p-',
        images: [{ name: 'a', newTag: 'b' }],
        components: ['c'],
        commonMetadata: { labels: { x: 'y' } },
      },
    ],
    [
      {},
      ({ tracking }) => [tracking.labels, tracking.find],
      [
        {
          'kustomize.toolkit.fluxcd.io/name': 'app',
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
        'inventory',
      ],
    ],
    [{ prune: false }, ({ sync }) => sync.prune, false],
    [{}, ({ sync }) => sync.gate, undefined],
    [
      { wait: true, timeout: '2m' },
      ({ sync }) => sync.gate,
      { objects: 'all', timeoutMs: 120_000, failFast: true },
    ],
    [
      { healthChecks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'w' }] },
      ({ sync }) => sync.gate,
      {
        objects: [
          {
            group: 'apps',
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: 'w',
            namespace: 'flux-system',
          },
        ],
        timeoutMs: 570_000,
        failFast: true,
      },
    ],
    [
      { healthChecks: [{ kind: 'Deployment', name: 'w', namespace: 'n' }] },
      ({ sync }) => sync.gate,
      {
        objects: [
          { group: 'apps', apiVersion: 'apps/v1', kind: 'Deployment', name: 'w', namespace: 'n' },
        ],
        timeoutMs: 570_000,
        failFast: true,
      },
    ],
    [
      { retryInterval: '1m' },
      ({ automation }) =>
        automation.kind === 'automatic' && [
          automation.retry.limit,
          automation.retry.backoff.baseMs,
        ],
      [-1, 60_000],
    ],
    [
      { ignore: [{ paths: ['/spec/replicas'], target: { kind: 'Deploy.*' } }] },
      ({ compare }) => compare.ignore,
      [
        {
          target: { syntax: 'regex', kind: 'Deploy.*' },
          jsonPointers: ['/spec/replicas'],
          pathExpressions: [],
          managers: [],
        },
      ],
    ],
    [{ suspend: true }, ({ suspended }) => suspended, true],
  ];
  for (const [spec, read, expected] of rows) {
    assert.deepEqual(
      read(toDelivery(kustomization(spec), { source: PINNED, variables: undefined })),
      expected,
      JSON.stringify(spec),
    );
  }
  const substituted = toDelivery(kustomization({ postBuild: { substituteStrategy: 'Always' } }), {
    source: PINNED,
    variables: { a: 'b' },
  });
  assert.deepEqual(render(substituted)['substitute'], {
    variables: { a: 'b' },
    strict: true,
    always: true,
    except: { key: 'kustomize.toolkit.fluxcd.io/substitute', value: 'disabled' },
  });
  assert.equal(timeoutMs(kustomization({ interval: '40s' })), 30_000);
});

const failedResult: OperationResult = {
  stepId: 'apply/Sync/s',
  key: { group: '', kind: 'Secret', namespace: 'apps', name: 's' },
  version: 'v1',
  phase: 'Sync',
  hook: false,
  status: 'SyncFailed',
  state: 'Failed',
  outcome: 'failed',
  message: '',
  images: [],
};

test('each state has the conditions of the original', () => {
  const rows: readonly (readonly [
    delivery: Partial<DeliveryStatus>,
    spec: Fields,
    expected: readonly string[],
  ])[] = [
    [
      { operation: operation({}) },
      {},
      ['Ready=True ReconciliationSucceeded Applied revision: main@sha1:c'],
    ],
    [
      { operation: operation({}) },
      { wait: true },
      [
        'Ready=True ReconciliationSucceeded Applied revision: main@sha1:c',
        'Healthy=True Succeeded Health check passed',
      ],
    ],
    [
      { operation: operation({ phase: 'Running', appliedAtMs: 1 }) },
      { wait: true, timeout: '1m' },
      [
        'Reconciling=True Progressing Running health checks for revision main@sha1:c with a timeout of 1m0s',
        'Ready=Unknown Progressing Reconciliation in progress',
        'Healthy=Unknown Progressing Running health checks for revision main@sha1:c with a timeout of 1m0s',
      ],
    ],
    [
      {
        operation: operation({
          phase: 'Running',
          nextAttemptAtMs: 5,
          message: 'x is invalid. Retrying attempt #1 at 10:00AM.',
        }),
      },
      {},
      [
        'Reconciling=True ProgressingWithRetry Detecting drift for revision main@sha1:c with a timeout of 9m30s',
        'Ready=False ReconciliationFailed x is invalid',
      ],
    ],
    [
      {
        operation: operation({
          phase: 'Running',
          nextAttemptAtMs: 5,
          message: 'health check failed after 3s: timeout',
        }),
      },
      {},
      [
        'Reconciling=True ProgressingWithRetry Running health checks for revision main@sha1:c with a timeout of 9m30s',
        'Ready=False HealthCheckFailed health check failed after 3s: timeout',
        'Healthy=False HealthCheckFailed timeout',
      ],
    ],
    [
      {
        operation: operation({
          phase: 'Running',
          nextAttemptAtMs: 5,
          message: 'one or more objects failed to apply (dry run), reason: cannot apply …',
          results: [
            {
              ...failedResult,
              message: 'cannot apply Secret apps/s: Secret "s" is invalid: data: Forbidden',
            },
          ],
        }),
      },
      {},
      [
        'Reconciling=True ProgressingWithRetry Detecting drift for revision main@sha1:c with a timeout of 9m30s',
        'Ready=False ReconciliationFailed Secret/apps/s dry-run failed (Invalid): Secret "s" is invalid: data: Forbidden',
      ],
    ],
    [
      { problems: [problem('render', { message: 'bad', location: { file: 'a.yaml', line: 2 } })] },
      {},
      [
        'Reconciling=True ProgressingWithRetry Building manifests for revision main@sha1:c with a timeout of 9m30s',
        'Ready=False BuildFailed kustomize build failed: a.yaml:2: bad',
      ],
    ],
    [
      { problems: [problem('source', { message: 'gone' })] },
      {},
      [
        'Reconciling=True ProgressingWithRetry Fetching manifests for revision main@sha1:c with a timeout of 9m30s',
        'Ready=False ArtifactFailed gone',
      ],
    ],
    [
      { problems: [problem('spec', { code: 'DependencyNotReady', message: 'wait' })] },
      {},
      ['Ready=False DependencyNotReady wait'],
    ],
    [
      { problems: [problem('spec', { message: 'bad', hint: 'fix' })] },
      {},
      ['Stalled=True InvalidSpec bad (fix)', 'Ready=False InvalidSpec bad (fix)'],
    ],
  ];
  for (const [delivery, spec, expected] of rows) {
    const status = raise(kustomization(spec), delivery);
    assert.deepEqual(
      status.conditions?.map((one) => `${one.type}=${one.status} ${one.reason} ${one.message}`),
      expected,
    );
  }
});

test('what was found of the objects stays until they are looked at again', () => {
  const spec = { wait: true };
  const healthy = raise(kustomization(spec), { operation: operation({}) });
  const next = (delivery: Partial<DeliveryStatus>, of: Fields = spec) =>
    raise(kustomization(of, healthy), delivery).conditions?.find(({ type }) => type === 'Healthy');
  const found = next({ operation: operation({}) });
  assert.equal(found?.status, 'True');
  assert.deepEqual(next({ operation: operation({ phase: 'Running' }) }), found);
  assert.deepEqual(next({ problems: [problem('render', { message: 'bad' })] }), found);
  const checked = next({ operation: operation({ phase: 'Running', appliedAtMs: 1 }) });
  assert.equal(checked?.status, 'Unknown');
  assert.equal(next({ operation: operation({}) }, {}), undefined);
});

test('what waits for others has tried nothing, and says of its progress what it said before', () => {
  const waits = { problems: [problem('spec', { code: 'DependencyNotReady', message: 'wait' })] };
  const message = 'Building manifests for revision main@sha1:b with a timeout of 9m30s';
  const before = { type: 'Reconciling', status: 'True' as const, reason: 'Progressing', message };
  const status = raise(kustomization({}, { conditions: [before] }), waits);
  assert.deepEqual(
    status.conditions?.map((one) => `${one.type}=${one.status} ${one.reason} ${one.message}`),
    [`Reconciling=True ProgressingWithRetry ${message}`, 'Ready=False DependencyNotReady wait'],
  );
  assert.equal(status.lastAttemptedRevision, undefined);
});

test('what is suspended counts as seen where it is ready, as health checks of its parent need it', () => {
  const of = (status: 'True' | 'False') => {
    const ready = { type: 'Ready', status, reason: '', message: '' };
    const reconciling = { ...ready, type: 'Reconciling', status: 'True' as const };
    const given = { observedGeneration: 2, conditions: [reconciling, ready] };
    const told = suspendedStatus(kustomization({ suspend: true }, given));
    return [told.observedGeneration, told.conditions?.map(({ type }) => type)];
  };
  assert.deepEqual(of('True'), [3, ['Ready']]);
  assert.deepEqual(of('False'), [2, ['Reconciling', 'Ready']]);
});

test('an expression of a health check that cannot be read is refused', () => {
  const healthCheckExprs = [
    { apiVersion: 'v1', kind: 'ConfigMap', current: 'true', inProgress: 'a.' },
  ];
  const spec = kustomization({ healthCheckExprs });
  assert.throws(
    () =>
      toDelivery(spec, {
        source: { kind: 'git', url: 'https://h/r', revision: { kind: 'branch', branch: 'main' } },
        variables: undefined,
      }),
    /healthchecks\[0\]: failed to parse the expression InProgress: failed to parse the CEL expression 'a\.'/,
  );
});

test('what is in place and what was tried is told, and read again', () => {
  const key = { group: '', kind: 'ConfigMap', namespace: 'n', name: 'x' };
  const done = raise(kustomization({}), {
    operation: operation({}),
    inventory: [{ key, version: 'v1' }],
  });
  assert.deepEqual(
    [done.lastAppliedRevision, done.lastAttemptedRevision, done.observedGeneration],
    ['main@sha1:c', 'main@sha1:c', 3],
  );
  assert.equal(done.history?.[0]?.totalReconciliations, 1);
  const again = kustomization({}, { ...done });
  assert.deepEqual(
    raise(again, { operation: operation({}), inventory: [{ key, version: 'v1' }] }, 99_000),
    done,
  );
  const read = readStatus(again);
  assert.deepEqual(
    [read?.inventory, read?.operation?.phase, read?.operation?.revisions],
    [[{ key, version: 'v1' }], 'Succeeded', ['c']],
  );
  const failed = raise(again, {
    operation: operation({ phase: 'Running', nextAttemptAtMs: 5, message: 'm' }),
  });
  assert.deepEqual([failed.lastAppliedRevision, failed.observedGeneration], ['main@sha1:c', 3]);
  assert.equal(readStatus(kustomization({}, { ...failed }))?.operation, undefined);
});

test('a dependency must be there, observed, ready, and of the same revision of the same source', () => {
  const compileCel = createCelCompiler();
  const waiting = kustomization({ dependsOn: [{ name: 'base' }] });
  const base = (status: KustomizationStatus) => kustomization({}, status, 'base');
  const ready = {
    observedGeneration: 3,
    conditions: [{ type: 'Ready', status: 'True' as const, reason: '', message: '' }],
  };
  const why = (found: Kustomization | undefined) =>
    findUnready(waiting, 'main@sha1:c', { find: () => found, tenancy: {}, compileCel });
  assert.equal(
    why(undefined),
    `dependency 'flux-system/base' not found: kustomizations.kustomize.toolkit.fluxcd.io "base" not found`,
  );
  assert.equal(
    why(base({ ...ready, observedGeneration: 2 })),
    "dependency 'flux-system/base' is not ready",
  );
  assert.equal(
    why(base({ ...ready, conditions: [] })),
    "dependency 'flux-system/base' is not ready",
  );
  assert.equal(
    why(base({ ...ready, lastAppliedRevision: 'main@sha1:old' })),
    "dependency 'flux-system/base' revision is not up to date",
  );
  assert.equal(why(base({ ...ready, lastAppliedRevision: 'main@sha1:c' })), undefined);
  const asks = (readyExpr: string, found: Kustomization) =>
    findUnready(kustomization({ dependsOn: [{ name: 'base', readyExpr }] }), 'main@sha1:c', {
      find: () => found,
      tenancy: {},
      compileCel,
    });
  const labelled = { ...base({}), metadata: { ...base({}).metadata, labels: { tier: 'web' } } };
  assert.equal(
    asks("dep.metadata.labels['tier'] == 'web' && self.spec.prune", labelled),
    undefined,
  );
  assert.equal(
    asks("dep.metadata.labels['tier'] == 'db'", labelled),
    "dependency 'flux-system/base' is not ready according to readyExpr eval",
  );
  assert.equal(
    asks('dep.status.nothing == 1', labelled),
    "failed to evaluate the CEL expression 'dep.status.nothing == 1': no such key: nothing",
  );
  assert.throws(() => asks('dep.status.ready', labelled), {
    code: 'CEL_INVALID',
    message:
      'failed to evaluate dependency base: CEL expression output type mismatch: expected bool, got dyn',
  });
  assert.throws(() => asks('dep.metadata.', labelled), { code: 'CEL_INVALID' });
  assert.throws(() => asks('self.spec.prune == deps.spec.prune', labelled), {
    code: 'CEL_INVALID',
  });
  const foreign = kustomization({ dependsOn: [{ name: 'base', namespace: 'other' }] });
  assert.throws(
    () =>
      findUnready(foreign, 'main@sha1:c', {
        find: () => base(ready),
        tenancy: { noCrossNamespaceRefs: true },
        compileCel,
      }),
    {
      code: 'ACCESS_DENIED',
      message:
        "can't access 'Kustomization/other/base', cross-namespace references have been blocked",
    },
  );
});

function repository(spec: Fields): GitRepository {
  const parsed = parseGitRepository(
    object('GitRepository', { url: 'https://h/r', interval: '1m', ...spec }, {}, 'app'),
  );
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

function kustomization(
  spec: Fields,
  status: KustomizationStatus = {},
  name = 'app',
): Kustomization {
  const base = {
    interval: '10m',
    path: './deploy',
    prune: true,
    sourceRef: { kind: 'GitRepository', name: 'r' },
  };
  const parsed = parseKustomization(object('Kustomization', { ...base, ...spec }, status, name));
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

function object(kind: string, spec: Fields, status: JsonObject, name: string): KubeObject {
  return {
    apiVersion: 'x/v1',
    kind,
    metadata: { name, namespace: 'flux-system', generation: 3 },
    spec,
    status,
  };
}

function render(delivery: Delivery): Fields {
  return JSON.parse(JSON.stringify(delivery.sources[0]?.render));
}

function operation(part: Partial<OperationState>): OperationState {
  const { phase = 'Succeeded' } = part;
  return {
    request: {
      id: 'a',
      initiatedBy: { kind: 'automation' },
      policy: {},
      retry: { limit: -1, backoff: { baseMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
      healAttempt: 0,
    },
    phase,
    message: '',
    startedAtMs: 0,
    retryCount: 0,
    revisions: ['c'],
    desiredDigest: 'd',
    results: [],
    ...(phase === 'Succeeded' ? { finishedAtMs: 1000 } : {}),
    ...part,
  };
}

function problem(stage: Problem['stage'], part: Partial<Problem>): Problem {
  return { stage, severity: 'error', code: 'X', message: '', kind: 'stalled', ...part };
}

function raise(one: Kustomization, part: Partial<DeliveryStatus>, nowMs = 0) {
  const delivery: DeliveryStatus = {
    revisions: [{ id: 'c', name: '' }],
    desiredDigest: 'd',
    sync: 'Synced',
    health: { status: 'Healthy' },
    objects: [],
    problems: [],
    inventory: [],
    renderKinds: [],
    observedAtMs: 0,
    ...part,
  };
  return toKustomizationStatus(one, delivery, {
    nowMs,
    revision: 'main@sha1:c',
    handledReconcileAt: undefined,
  });
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CapstanError)
      return `${error.code} ${error.message} | ${error.hint ?? ''}`;
    throw error;
  }
  return 'accepted';
}
