import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { applicationOwners } from './application-owners.ts';

const ownersOf = applicationOwners('argocd');
const tracked = (kind: string, name: string, id: string, owned = false): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: {
    name,
    namespace: 'web',
    annotations: { 'argocd.argoproj.io/tracking-id': id },
    ...(owned
      ? { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'w', uid: 'u' }] }
      : {}),
  },
});

test("a ReplicaSet with the annotations of its Deployment is not the application's, an owned object of its own is", () => {
  const id = 'shop:apps/Deployment:web/w';
  assert.deepEqual(ownersOf(tracked('Deployment', 'w', id)), ['Application/argocd/shop']);
  assert.deepEqual(ownersOf(tracked('ReplicaSet', 'w-5d4f', id, true)), []);
  assert.deepEqual(ownersOf(tracked('Deployment', 'w', id, true)), ['Application/argocd/shop']);
  assert.deepEqual(
    ownersOf(tracked('Deployment', 'copied', id)),
    ['Application/argocd/shop'],
    'what somebody copied is told of, as in the original',
  );
  assert.deepEqual(ownersOf(tracked('Deployment', 'w', 'team_shop:apps/Deployment:web/w')), [
    'Application/team/shop',
  ]);
});
