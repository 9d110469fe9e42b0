/** The cases of fluxcd/pkg (runtime/cel: status_evaluator_test.go and status_reader_test.go). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { findHealthCheck, type HealthCheckSource, readHealthChecks } from './health-checks.ts';

const READY = {
  failed: "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'False')",
  current: "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')",
};
const BEHIND = {
  inProgress: 'has(status.observedGeneration) && metadata.generation != status.observedGeneration',
};
const DATA = { current: 'data.current', inProgress: 'data.inProgress', failed: 'data.failed' };
const data = (current: boolean, inProgress: boolean, failed: boolean) => ({
  data: { current, inProgress, failed },
});
const generations = (generation: unknown, observedGeneration: unknown) => ({
  metadata: { generation },
  status: { observedGeneration },
});

const VERDICTS: readonly (readonly [HealthCheckSource, object, string])[] = [
  [{ current: 'true' }, generations(2, 1), 'InProgress'],
  [
    { ...DATA, current: 'data.currentt' },
    data(true, false, false),
    "'data.currentt': no such key: currentt",
  ],
  [
    { ...DATA, inProgress: 'data.inProgresss' },
    data(true, false, false),
    "'data.inProgresss': no such key: inProgresss",
  ],
  [
    { ...DATA, failed: 'data.failedd' },
    data(true, false, false),
    "'data.failedd': no such key: failedd",
  ],
  [DATA, data(false, false, false), 'InProgress'],
  [DATA, data(true, true, true), 'InProgress'],
  [DATA, data(true, false, true), 'Failed'],
  [DATA, data(true, false, false), 'Current'],
  [
    { ...READY, ...BEHIND },
    {},
    `'${BEHIND.inProgress}': no such attribute(s): status.observedGeneration`,
  ],
  [READY, {}, `'${READY.failed}': no such attribute(s): status.conditions`],
  [{ ...READY, ...BEHIND }, { status: {} }, `'${READY.failed}': no such key: conditions`],
  [READY, { status: {} }, `'${READY.failed}': no such key: conditions`],
  [{ ...READY, ...BEHIND }, { status: { conditions: [] } }, 'Failed'],
  [READY, { status: { conditions: [] } }, 'Failed'],
  [{ ...READY, ...BEHIND }, generations(2, 1), 'InProgress'],
  [READY, generations(2, 1), 'InProgress'],
  [{ current: "status.observedGeneration == '2'" }, generations(2, '2'), 'Current'],
  [{ current: "metadata.generation == '2'" }, generations('2', 2), 'Current'],
  [{ current: 'data.a' }, { data: { a: 'true' } }, "as boolean: 'data.a'"],
];

for (const [at, [source, object, expected]] of VERDICTS.entries()) {
  test(`verdict ${at}: ${expected}`, () => {
    const [check] = readHealthChecks([{ apiVersion: 'v1', kind: 'Test', ...source }]);
    const verdict = check!.judge(object as KubeObject);
    if (verdict.status !== 'Unknown') return assert.equal(verdict.status, expected);
    assert.match(verdict.problem, /^failed to evaluate (the )?CEL expression /);
    assert.ok(verdict.problem.endsWith(expected), verdict.problem);
  });
}

test('an expression for what is current must be there, and every expression must parse', () => {
  const read = (source: HealthCheckSource) => () =>
    readHealthChecks([{ apiVersion: 'v1', kind: 'Test', ...source }]);
  assert.equal(read(DATA)().length, 1);
  assert.equal(read({ current: 'data.current' })().length, 1);
  assert.throws(read({}), /expression Current not specified$/);
  for (const [field, name] of [
    ['current', 'Current'],
    ['inProgress', 'InProgress'],
    ['failed', 'Failed'],
  ] as const) {
    assert.throws(read({ ...DATA, [field]: 'data.' }), {
      code: 'CEL_INVALID',
      message: new RegExp(`healthchecks\\[0\\]: failed to parse the expression ${name}: `),
    });
  }
});

test('a check serves its kind in every version, else every kind of its group', () => {
  const current = { current: 'true' };
  const failed = { current: 'false', failed: 'true' };
  const checks = readHealthChecks([
    { apiVersion: 'bitnami.com/v1alpha1', ...failed },
    { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', ...current },
  ]);
  const judge = (apiVersion: string, kind: string) => {
    const live = { apiVersion, kind, metadata: {} };
    return findHealthCheck(checks, live)?.judge(live).status;
  };
  assert.equal(judge('bitnami.com/v1alpha1', 'SealedSecret'), 'Current');
  assert.equal(judge('bitnami.com/v1', 'SealedSecret'), 'Current');
  assert.equal(judge('bitnami.com/v1alpha1', 'AnotherKind'), 'Failed');
  assert.equal(judge('other.com/v1', 'SealedSecret'), undefined);
});

test('two checks of the same kind are refused', () => {
  const check = { apiVersion: 'a.io/v1', kind: 'A', current: 'true' };
  assert.throws(
    () => readHealthChecks([check, { ...check, apiVersion: 'a.io/v2' }]),
    /^CapstanError: duplicate custom health check for GroupKind A.a.io at healthchecks\[1\]$/,
  );
});
