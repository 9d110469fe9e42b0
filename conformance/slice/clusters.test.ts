/** Two real clusters under one control plane: what goes to one that hangs or is gone waits, and holds up nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  APPLICATION,
  application,
  configMap,
  createWorld,
  until,
  untilSynced,
  type World,
} from '@capstan/apps-server/slice';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { clientOf } from '../cluster/support.ts';

/** More than are reconciled at once. */
const APPS = 12;

describe('two clusters', { skip: whyNoCluster() }, () => {
  let own: Cluster;
  let other: Cluster;
  let otherClient: KubeClient;
  let world: World;

  before(async () => {
    [own, other] = await Promise.all([startCluster(), startCluster()]);
    const connection = await loadKubeconfig({ file: own.kubeconfig });
    world = await createWorld({ connect: () => connect(connection), clusterName: 'own' });
    otherClient = await clientOf(other);
    await world.apply(clusterSecret(other));
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await otherClient.close();
    await Promise.all([own.stop(), other.stop()]);
  });

  function clusterSecret({ server, token, caFile }: Cluster): KubeObject {
    const caData = readFileSync(caFile).toString('base64');
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'other-cluster',
        namespace: 'argocd',
        labels: { 'argocd.argoproj.io/secret-type': 'cluster' },
      },
      stringData: {
        name: 'other',
        server,
        config: JSON.stringify({ bearerToken: token, tlsClientConfig: { caData } }),
      },
    };
  }

  function toOther(app: KubeObject, namespace: string): KubeObject {
    const spec = app['spec'] as JsonObject;
    return { ...app, spec: { ...spec, destination: { name: 'other', namespace } } };
  }

  async function valueOn(client: KubeClient, namespace: string): Promise<unknown> {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'a' };
    const data = (await client.find(ref))?.['data'] as { readonly value?: string } | undefined;
    return data?.value;
  }

  test('a cluster that hangs or is gone holds up its own applications alone', async () => {
    const repository = await world.repository('two-clusters');
    const contents = (value: string) => ({
      'here/a.yaml': configMap('a', value),
      ...Object.fromEntries(
        Array.from({ length: APPS }, (_, i) => [`there-${i}/a.yaml`, configMap('a', value)]),
      ),
    });
    const first = await repository.push(contents('one'));
    await world.apply(application('here', { url: repository.url, path: 'here' }));
    for (let i = 0; i < APPS; i++) {
      const app = application(`there-${i}`, { url: repository.url, path: `there-${i}` });
      await world.apply(toOther(app, `there-${i}`));
    }
    await untilSynced(world, 'here', first);
    for (let i = 0; i < APPS; i++) await untilSynced(world, `there-${i}`, first);
    assert.equal(await valueOn(otherClient, 'there-0'), 'one');
    assert.equal(await valueOn(world.client, 'there-0'), undefined);

    await other.freeze();
    await repository.push(contents('two'));
    const hung = await until('the own cluster', 10_000, async () => {
      return (await valueOn(world.client, 'here')) === 'two';
    });
    assert.ok(hung.tookMs < 5_000, `took ${hung.tookMs} ms beside a cluster that hangs`);
    // By now every worker that could wait for the other cluster does.
    await pause(500);
    await repository.push(contents('three'));
    await until('the own cluster', 5_000, async () => {
      return (await valueOn(world.client, 'here')) === 'three';
    });
    other.thaw();
    await until('the other cluster', 90_000, async () => {
      return (await valueOn(otherClient, `there-${APPS - 1}`)) === 'three';
    });

    await other.kill9();
    const fourth = await repository.push(contents('four'));
    await untilSynced(world, 'here', fourth);
    await until('those of the other to say so', 60_000, async () => {
      const app = await world.get({ ...APPLICATION, name: 'there-0' });
      return /connect|ECONN|reach|refused|socket/i.test(JSON.stringify(app?.['status'] ?? ''));
    });
    await other.restart();
    await until('the other cluster', 120_000, async () => {
      return (await valueOn(otherClient, 'there-3')) === 'four';
    });
  });
});
