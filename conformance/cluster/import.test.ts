import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { clientOf, eventually, makeNamespace } from './support.ts';

const CAPSTAN = fileURLToPath(new URL('../../apps/cli/bin/capstan.mjs', import.meta.url));

describe('a sandbox that begins with the objects of a real cluster', {
  skip: whyNoCluster(),
}, () => {
  let cluster: Cluster;
  let real: KubeClient;

  before(async () => {
    cluster = await startCluster();
    real = await clientOf(cluster);
  });
  after(async () => {
    await real.close();
    await cluster.stop();
  });

  test('has all of them as they were, keeps them so, and goes on from there', async () => {
    const namespace = await makeNamespace(real, 'shop');
    for (const object of [deployment(namespace, 3), statefulSet(namespace)]) {
      await real.apply(object, { fieldManager: 'test' });
    }
    const pods = (client: KubeClient) => client.list(POD, { namespace });
    await eventually(async () => {
      const { items } = await pods(real);
      return items.length === 5 && items.every(({ status }) => phaseOf(status) === 'Running');
    }, 'the pods');

    const child = spawn(
      process.execPath,
      [CAPSTAN, 'sandbox', '--import', cluster.kubeconfig, '--nodes', '0'],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [file] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const copy = connect(await loadKubeconfig({ file }));
    try {
      const wanted = await identities(real, namespace);
      assert.ok(wanted.length > 10, wanted.join('\n'));
      assert.deepEqual(await identities(copy, namespace), wanted);
      // The controllers of the sandbox find nothing to do.
      await pause(2000);
      assert.deepEqual(await identities(copy, namespace), wanted);
      await copy.apply(deployment(namespace, 4), { fieldManager: 'test' });
      await eventually(async () => (await pods(copy)).items.length === 6, 'one more pod');
      assert.equal((await pods(real)).items.length, 5);
    } finally {
      await copy.close();
      child.kill();
      await once(child, 'close');
    }
  });
});

const OF_THE_MOMENT = ['events', 'endpoints', 'endpointslices', 'leases'];
const POD = { apiVersion: 'v1', kind: 'Pod' };

function phaseOf(status: unknown): unknown {
  return (status as { readonly phase?: string } | undefined)?.phase;
}

/** Kind, name, uid and generation of everything in a namespace that is not of the moment. */
async function identities(client: KubeClient, namespace: string): Promise<string[]> {
  const kinds = await client.discovery.kinds({});
  const found = new Set<string>();
  for (const kind of kinds) {
    if (!kind.namespaced || !kind.verbs.includes('list')) continue;
    if (OF_THE_MOMENT.includes(kind.resource) || kind.group === 'metrics.k8s.io') continue;
    for (const { metadata } of (await client.list(kind, { namespace })).items) {
      found.add(`${kind.kind} ${metadata.name} ${metadata.uid} ${metadata.generation}`);
    }
  }
  return [...found].sort();
}

function workload(namespace: string, kind: string, spec: object): KubeObject {
  const labels = { app: kind.toLowerCase() };
  const containers = [{ name: 'main', image: 'example.com/app:1' }];
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: labels.app, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...spec,
    },
  };
}

function deployment(namespace: string, replicas: number): KubeObject {
  return workload(namespace, 'Deployment', { replicas });
}

function statefulSet(namespace: string): KubeObject {
  return workload(namespace, 'StatefulSet', { replicas: 2, serviceName: 'none' });
}
