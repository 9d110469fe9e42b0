import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '@capstan/kube-object';
import { assessHealth } from './assess-health.ts';
import { POPULAR_RULES } from './popular-rules.ts';

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
      ['bitnami.com/v1alpha1 SealedSecret', [condition('Synced', 'True', '')], 'Healthy'],
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
    const health = assessHealth(object, { base: 'workload', custom: POPULAR_RULES });
    const told =
      health === undefined
        ? 'none'
        : [health.status, health.message].filter((part) => part !== undefined).join(': ');
    assert.equal(told, expected, kind);
  }
});

test('no kind has two rules', () => {
  const names = POPULAR_RULES.map(({ group, kind }) => `${group}/${kind}`);
  assert.equal(new Set(names).size, names.length);
});
