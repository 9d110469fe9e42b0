import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKubeClient, createLiveState } from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { createOfferReader } from './chart-offer.ts';
import { eventually } from './testing/index.ts';

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

test('a cluster offers its version and what it serves, also what comes later', async () => {
  const sandbox = await startSandbox();
  const client = createKubeClient(sandbox.transport);
  const { signal } = new AbortController();
  await using live = createLiveState({ client, isManaged: () => false });
  const offered = createOfferReader({ client, live, now: () => Date.now() });
  const first = await offered({ signal });
  assert.match(first.kubeVersion, /^v1\.\d+/);
  assert.ok(
    first.apiVersions.includes('apps/v1') && first.apiVersions.includes('apps/v1/Deployment'),
  );
  assert.equal(await offered({ signal }), first, 'nothing is put together twice');
  await client.create(DEFINITION);
  const later = await eventually(
    () => offered({ signal }),
    ({ apiVersions }) => apiVersions.includes('example.com/v1/Thing'),
  );
  assert.notEqual(later.id, first.id);
  await client.close();
  await sandbox.close();
});

test('a cluster that does not answer offers nothing, not little', async () => {
  const client = createKubeClient({
    server: 'nowhere',
    request: async () => {
      throw new Error('unreachable');
    },
    close: async () => undefined,
  });
  const offered = createOfferReader({
    client,
    live: { ensure: async () => [], subscribe: () => () => undefined },
    now: () => 0,
  });
  await assert.rejects(offered({ signal: new AbortController().signal }), /unreachable/);
});
