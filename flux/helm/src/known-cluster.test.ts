import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { knownCluster } from './known-cluster.ts';

let sandbox: Sandbox;
let client: KubeClient;
let lists = 0;

before(async () => {
  sandbox = await startSandbox({ nodes: 0 });
  const { transport } = sandbox;
  client = createKubeClient({
    ...transport,
    request(request) {
      if (request.path.includes('labelSelector')) lists++;
      return transport.request(request);
    },
  });
});
after(async () => {
  await client.close();
  await sandbox.close();
});

const namespace = 'default';

const record = (release: string, revision: number, status = 'deployed'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: `sh.helm.release.v1.${release}.v${revision}`,
    namespace,
    labels: { owner: 'helm', name: release, status },
  },
});

test('records are listed once, and known as they are written since', async () => {
  const cluster = knownCluster(client);
  const listed = async () => {
    const labelSelector = 'name=web.v1,owner=helm';
    const { items } = await cluster.list(
      { apiVersion: 'v1', kind: 'Secret' },
      { namespace, labelSelector },
    );
    return items.map(
      ({ metadata }) => `${metadata.name?.slice(-2)} ${metadata.labels?.['status']}`,
    );
  };
  await client.create(record('web.v1', 1));
  const before = lists;
  assert.deepEqual(await listed(), ['v1 deployed']);
  await cluster.create(record('web.v1', 2, 'pending-upgrade'));
  await cluster.create(record('other', 1));
  await cluster.update(record('web.v1', 1, 'superseded'));
  assert.deepEqual(await listed(), ['v1 superseded', 'v2 pending-upgrade']);
  await cluster.delete({
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    name: 'sh.helm.release.v1.web.v1.v1',
  });
  assert.deepEqual(await listed(), ['v2 pending-upgrade']);
  assert.equal(lists, before + 1);
  // Another was there: what is known may be wrong.
  await client.create(record('web.v1', 3));
  await assert.rejects(cluster.create(record('web.v1', 3)));
  assert.deepEqual(await listed(), ['v2 pending-upgrade', 'v3 deployed']);
});

test('what was written is known once, but for custom kinds, whose status is yet to come', async () => {
  const cluster = knownCluster(client);
  const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace };
  await cluster.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } },
    { fieldManager: 'test' },
  );
  assert.equal(cluster.takeWritten(config)?.metadata.name, 'a');
  assert.equal(cluster.takeWritten(config), undefined);
  await cluster.apply(definition, { fieldManager: 'test' });
  client.discovery.invalidate();
  const thing = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'a', namespace };
  await client.find(thing);
  await cluster.create({
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'a', namespace },
  });
  assert.equal(cluster.takeWritten(thing), undefined);
});

const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Thing', plural: 'things' },
    scope: 'Namespaced',
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};
