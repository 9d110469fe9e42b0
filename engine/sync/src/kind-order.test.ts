import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareKinds } from './kind-order.ts';

test('a custom kind that is called like an early one comes after its definition', () => {
  const kinds = [
    { group: 'servicebus.azure.com', kind: 'Namespace' },
    { group: 'apps', kind: 'Deployment' },
    { group: 'crd.projectcalico.org', kind: 'NetworkPolicy' },
    { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
    { group: 'networking.k8s.io', kind: 'NetworkPolicy' },
    { group: '', kind: 'Namespace' },
  ];
  assert.deepEqual(
    kinds.toSorted(compareKinds).map(({ group, kind }) => `${kind}.${group}`),
    [
      'Namespace.',
      'NetworkPolicy.networking.k8s.io',
      'CustomResourceDefinition.apiextensions.k8s.io',
      'Namespace.servicebus.azure.com',
      'NetworkPolicy.crd.projectcalico.org',
      'Deployment.apps',
    ],
  );
});
