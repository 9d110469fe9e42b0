import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Json, KubeObject } from '@capstan/kube-object';
import { assessHealth } from './assess-health.ts';
import { popularRules } from './popular-rules.ts';

const RULES = popularRules();

const condition = (type: string, status: string, message: string): Json => ({
  type,
  status,
  message,
});

test('kinds of other operators are judged by their condition', () => {
  const rows: readonly (readonly [kind: string, conditions: readonly Json[], expected: string])[] =
    [
      [
        'cert-manager.io/v1 Certificate',
        [condition('Ready', 'True', 'up to date')],
        'Healthy: up to date',
      ],
      [
        'cert-manager.io/v1 Certificate',
        [condition('Issuing', 'True', 'renewing'), condition('Ready', 'False', 'expired')],
        'Progressing: renewing',
      ],
      [
        'cert-manager.io/v1 Certificate',
        [condition('Ready', 'False', 'no issuer')],
        'Degraded: no issuer',
      ],
      ['cert-manager.io/v1 ClusterIssuer', [], 'Progressing: Initializing ClusterIssuer'],
      [
        'external-secrets.io/v1 ExternalSecret',
        [condition('Ready', 'False', 'no store')],
        'Degraded: no store',
      ],
      ['external-secrets.io/v1beta1 PushSecret', [], 'Progressing: Waiting for PushSecret'],
      [
        'bitnami.com/v1alpha1 SealedSecret',
        [condition('Synced', 'True', '')],
        'Progressing: Waiting for Sealed Secret to be decrypted',
      ],
      [
        'kyverno.io/v1 Policy',
        [condition('Ready', 'False', 'loading')],
        'Progressing: Waiting for Policy to be ready',
      ],
      ['rabbitmq.com/v1beta1 Queue', [], 'Unknown: RabbitMQ queue status is unknown'],
      ['example.io/v1 Other', [condition('Ready', 'False', 'x')], 'none'],
    ];
  for (const [kind, conditions, expected] of rows) {
    const [apiVersion = '', name = ''] = kind.split(' ');
    const object: KubeObject = {
      apiVersion,
      kind: name,
      metadata: { name: 'x' },
      status: { conditions },
    };
    const health = assessHealth(object, { base: 'workload', custom: RULES }, { nowMs: 0 });
    const told =
      health === undefined
        ? 'none'
        : [health.status, health.message].filter((part) => part !== undefined).join(': ');
    assert.equal(told, expected, kind);
  }
});

test('no kind has two rules', () => {
  const names = RULES.map(({ group, kind }) => `${group}/${kind}`);
  assert.equal(new Set(names).size, names.length);
});

/** `group/Kind | the object's fields as JSON | verdict[: message]` */
function judgeRow(row: string): { readonly told: string; readonly expected: string } {
  const [kind = '', fields = '', expected = ''] = row.split(' | ').map((part) => part.trim());
  const slash = kind.indexOf('/');
  const object: KubeObject = {
    apiVersion: `${kind.slice(0, slash)}/v1`,
    kind: kind.slice(slash + 1),
    ...JSON.parse(fields),
    metadata: { name: 'x', ...JSON.parse(fields).metadata },
  };
  const health = assessHealth(object, { base: 'workload', custom: RULES }, { nowMs: 0 });
  const told = [health?.status, health?.message].filter((part) => part !== undefined).join(': ');
  return { told, expected };
}

test('fixtures of popular kinds get the verdict and the words of the original', () => {
  const rows = readFileSync(new URL('../testdata/popular.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const kinds = new Set(rows.map((row) => row.split(' | ')[0]));
  assert.ok(kinds.size >= 100, `${kinds.size} kinds`);
  for (const row of rows) {
    const { told, expected } = judgeRow(row);
    assert.equal(told, expected, row);
  }
});

test('no rule fails on an object that has neither spec nor status yet', () => {
  for (const { group, kind } of RULES) {
    const apiVersion = `${group.replace('*', 'x')}/v1`;
    const metadata = { name: 'x', generation: 1 };
    const object: KubeObject = {
      apiVersion,
      kind: kind.replace('*', 'XPolicy'),
      metadata,
      spec: {},
    };
    const health = assessHealth(object, { base: 'workload', custom: RULES }, { nowMs: 0 });
    assert.doesNotMatch(
      health?.message ?? '',
      /expected an|cannot|not defined/,
      `${group}/${kind}`,
    );
  }
});
