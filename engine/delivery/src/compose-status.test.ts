import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '@capstan/engine-health';
import { type KubeObject, keyOf } from '@capstan/kube-object';
import { composeHealth } from './compose-status.ts';
import type { Delivery, ObjectStatus } from './types.ts';

function live(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'n' } };
}

function healthOf(
  all: Readonly<Record<string, Health['status']>>,
  overlooks?: Delivery['health']['overlooks'],
): Health {
  const objects = Object.entries(all).map(
    ([name, status]) =>
      ({ key: keyOf(live(name)), sync: 'Synced', hook: false, health: { status } }) as ObjectStatus,
  );
  const entries = Object.keys(all).map((name) => ({
    key: keyOf(live(name)),
    verdict: 'same' as const,
    live: live(name),
    differences: [],
  }));
  const health = {
    rules: { base: 'workload', custom: [] },
    rollUp: true,
    ...(overlooks && { overlooks }),
  };
  return composeHealth(objects, { entries, delivery: { health } as unknown as Delivery });
}

test('as bad as the worst, but for what is overlooked', () => {
  assert.deepEqual(healthOf({ a: 'Healthy', b: 'Progressing' }), {
    status: 'Progressing',
    message: 'Caused by Service:n/b',
  });
  const own = (object: KubeObject) => object.metadata.name === 'b';
  assert.deepEqual(healthOf({ a: 'Healthy', b: 'Progressing' }, own), { status: 'Healthy' });
  const unknown = (_: KubeObject, { status }: Health) => status === 'Unknown';
  assert.equal(healthOf({ a: 'Degraded', b: 'Unknown' }, unknown).status, 'Degraded');
});
