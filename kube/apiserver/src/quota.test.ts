import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiServer } from './api-server.ts';
import { valueAt } from './json.ts';
import { createLocalClient, type LocalClient } from './local-client.ts';
import { SYSTEM } from './user.ts';

async function start(): Promise<LocalClient> {
  const { core } = await createApiServer();
  const client = createLocalClient(core, SYSTEM, 'test');
  client.create('v1/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  return client;
}

function pod(name: string, resources = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'main', image: 'a', resources }] },
  };
}

test('a limit range gives defaults and keeps pods within its bounds', async () => {
  const client = await start();
  client.create('v1/limitranges', {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'r', namespace: 'default' },
    spec: {
      limits: [
        {
          type: 'Container',
          default: { cpu: '1' },
          defaultRequest: { cpu: '100m' },
          max: { cpu: '2' },
        },
      ],
    },
  });
  const made = client.create('v1/pods', pod('a'));
  assert.deepEqual(valueAt(made, 'spec', 'containers'), [
    {
      ...(valueAt(made, 'spec', 'containers') as object[])[0],
      resources: { limits: { cpu: '1' }, requests: { cpu: '100m' } },
    },
  ]);
  assert.throws(
    () => client.create('v1/pods', pod('b', { limits: { cpu: '3' } })),
    /pods "b" is forbidden: maximum cpu usage per Container is 2, but limit is 3/,
  );
});

test('a quota refuses what would exceed it', async () => {
  const client = await start();
  client.create('v1/resourcequotas', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard: { pods: '1', 'requests.cpu': '500m', 'count/configmaps': '1' } },
  });
  assert.throws(
    () => client.create('v1/pods', pod('a')),
    /failed quota: q: must specify requests.cpu for: main/,
  );
  assert.throws(
    () => client.create('v1/pods', pod('a', { requests: { cpu: '1' } })),
    /pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=0, limited: requests.cpu=500m/,
  );
  client.create('v1/pods', pod('a', { requests: { cpu: '100m' } }));
  assert.throws(
    () => client.create('v1/pods', pod('b', { requests: { cpu: '100m' } })),
    /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/,
  );
  client.create('v1/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default' },
  });
  assert.throws(
    () =>
      client.create('v1/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'b', namespace: 'default' },
      }),
    /configmaps "b" is forbidden: exceeded quota: q, requested: count\/configmaps=1/,
  );
});

test('a quota counts the devices of claims, and the claims of classes of attributes', async () => {
  const client = await start();
  const quota = (name: string, spec: object): void => {
    client.create('v1/resourcequotas', {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name, namespace: 'default' },
      spec,
    } as never);
  };
  quota('devices', { hard: { 'gpu.deviceclass.resource.k8s.io/devices': '4' } });
  const matchExpressions = [
    { scopeName: 'VolumeAttributesClass', operator: 'In', values: ['gold'] },
  ];
  quota('gold', { hard: { persistentvolumeclaims: '1' }, scopeSelector: { matchExpressions } });
  const devices = (name: string, requests: readonly object[]): void => {
    client.create('resource.k8s.io/v1/resourceclaims', {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name, namespace: 'default' },
      spec: { devices: { requests } },
    } as never);
  };
  const gpus = (count: number): object => ({ deviceClassName: 'gpu', count });
  const either = [
    { name: 'few', ...gpus(1) },
    { name: 'many', ...gpus(2) },
  ];
  devices('a', [
    { name: 'r', exactly: gpus(1) },
    { name: 's', firstAvailable: either },
  ]);
  assert.throws(
    () => devices('b', [{ name: 'r', exactly: gpus(2) }]),
    /requested: gpu.deviceclass.resource.k8s.io\/devices=2, used: .*=3, limited: .*=4/,
  );
  const claim = (name: string, className: string): void => {
    client.create('v1/persistentvolumeclaims', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        volumeAttributesClassName: className,
        resources: { requests: { storage: '1Gi' } },
      },
    });
  };
  claim('a', 'gold');
  claim('b', 'silver');
  assert.throws(
    () => claim('c', 'gold'),
    /exceeded quota: gold, requested: persistentvolumeclaims=1/,
  );
});
