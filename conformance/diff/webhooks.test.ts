/** A webhook that adds a container and changes an image that we set: nothing is OutOfSync, nothing is written again. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { askServer } from '@capstan/engine-apply';
import { compareObject } from '@capstan/engine-diff';
import { startWebhookServer, type WebhookServer } from '@capstan/kube-apiserver/testing';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { loadCatalogue } from '@capstan/kube-schema';
import { startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { clientOf, eventually } from '../cluster/support.ts';

const MANAGER = 'capstan';
const catalogue = await loadCatalogue();

function deployment(replicas: number): KubeObject {
  const labels = { app: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: 'nginx:1' }] },
      },
    },
  };
}

const webhook = ({ url, caBundle }: WebhookServer): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'mesh.example.com' },
  webhooks: [
    {
      name: 'mesh.example.com',
      clientConfig: { url: `${url}/mesh`, caBundle },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      rules: [
        {
          apiGroups: ['apps'],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['deployments'],
        },
      ],
    },
  ],
});

/** What a delivery would find: the fields that differ, and what the server says of them. */
async function judged(client: KubeClient, desired: KubeObject) {
  const live = await client.get({ ...desired, namespace: 'default', name: 'web' });
  const schemaOf = (kind: Parameters<typeof catalogue.kind>[0]) => catalogue.kind(kind);
  const options = { fieldManager: MANAGER, ignore: [], schemaOf };
  const { entry } = compareObject({ object: desired }, live, options);
  const told = await askServer(desired, live, { client, fieldManager: MANAGER });
  return { paths: entry.differences.map(({ path }) => path), server: told.kind, live };
}

function checkAll(open: () => Promise<{ client: KubeClient; close: () => Promise<void> }>): void {
  let server: WebhookServer;
  let world: Awaited<ReturnType<typeof open>>;
  before(async () => {
    server = await startWebhookServer();
    world = await open();
  });
  after(async () => {
    await world.close();
    await server[Symbol.asyncDispose]();
  });

  test('what the webhook makes of an object is Synced, and drift is still seen', async () => {
    const { client } = world;
    const write = { fieldManager: MANAGER, force: true };
    await client.create(webhook(server));
    const desired = deployment(2);
    // Admission takes a moment to see what was written.
    await eventually(async () => {
      const applied = await client.apply(desired, { ...write, dryRun: true });
      return JSON.stringify(applied['spec'] as Json).includes('mirror.example/nginx:1');
    }, 'the webhook to be in force');
    await client.apply(desired, write);
    await eventually(async () => {
      const { paths, server: said } = await judged(client, desired);
      return said === 'same' && paths.every((path) => path.includes('containers'));
    }, 'the server to say same');
    await client.patch(
      { ...desired, namespace: 'default', name: 'web' },
      { spec: { replicas: 5 } },
      { type: 'merge', fieldManager: 'kubectl-edit' },
    );
    const drifted = await judged(client, desired);
    assert.equal(drifted.server, 'different');
    assert.ok(drifted.paths.includes('spec.replicas'), drifted.paths.join());
  });
}

describe('on the sandbox', () => {
  checkAll(async () => {
    const sandbox = await startSandbox();
    const client = createKubeClient(sandbox.transport);
    return {
      client,
      close: async () => {
        await client.close();
        await sandbox.close();
      },
    };
  });
});

describe('on a real control plane', { skip: whyNoCluster() }, () => {
  checkAll(async () => {
    const cluster = await startCluster();
    const client = await clientOf(cluster);
    return {
      client,
      close: async () => {
        await client.close();
        await cluster.stop();
      },
    };
  });
});
