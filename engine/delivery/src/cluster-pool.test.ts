import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { type Cluster, createCluster } from './cluster.ts';
import { actAs, ClusterPool, serviceAccount } from './cluster-pool.ts';

test('a cluster is opened once for the same access, anew for another, and closed when nobody needs it', async () => {
  await using sandbox = await disposable();
  const closed: string[] = [];
  const opened: string[] = [];
  await using pool = new ClusterPool({ create: clusterOf(closed) });
  const stop = pool.onOpen(({ name }) => {
    opened.push(name);
    return () => closed.push(`stopped ${name}`);
  });
  const access = (fingerprint: string) => ({
    fingerprint,
    connect: () => createKubeClient(sandbox.transport),
  });
  const first = pool.use('east', access('1'));
  assert.equal(pool.use('east', access('1')), first);
  assert.equal(pool.find('east'), first);
  const renewed = pool.use('east', access('2'));
  assert.notEqual(renewed, first);
  pool.use('west', access('1'));
  assert.deepEqual(opened, ['east', 'east', 'west']);
  assert.deepEqual(
    pool.list().map(({ name }) => name),
    ['east', 'west'],
  );
  pool.keepOnly(['west']);
  await pool[Symbol.asyncDispose]();
  assert.equal(pool.find('east'), undefined);
  assert.deepEqual(closed.toSorted(), [
    'closed east',
    'closed east',
    'closed west',
    'stopped east',
    'stopped east',
    'stopped west',
  ]);
  stop();
});

test('who listens later hears of what is open, and only until it stops', async () => {
  await using sandbox = await disposable();
  await using pool = new ClusterPool({ create: clusterOf([]) });
  const access = { fingerprint: '', connect: () => createKubeClient(sandbox.transport) };
  pool.use('east', access);
  const heard: string[] = [];
  const stop = pool.onOpen(({ name }) => {
    heard.push(`+${name}`);
    return () => heard.push(`-${name}`);
  });
  stop();
  pool.use('west', access);
  assert.deepEqual(heard, ['+east', '-east']);
});

test('who acts as a service account is that account, and nobody at all is refused', async () => {
  await using sandbox = await disposable();
  await using client = closing(createKubeClient(sandbox.transport));
  const cluster = clusterOf([])('own', client.client);
  const tenant = actAs(cluster, serviceAccount('apps', 'deployer'));
  assert.equal(tenant.live, cluster.live);
  const question = { verb: 'create', group: 'apps', resource: 'deployments', namespace: 'apps' };
  assert.equal((await cluster.client.canI(question)).allowed, true);
  assert.equal((await tenant.client.canI(question)).allowed, false);
  assert.throws(() => actAs(cluster, { user: '' }), /IDENTITY_EMPTY|empty/);
  await cluster[Symbol.asyncDispose]();
});

function clusterOf(closed: string[]): (name: string, client: KubeClient) => Cluster {
  return (name, client) => {
    const cluster = createCluster({ name, client, schemaOf: () => undefined, ownerReaders: [] });
    return {
      ...cluster,
      [Symbol.asyncDispose]: async () => {
        await cluster[Symbol.asyncDispose]();
        closed.push(`closed ${name}`);
      },
    };
  };
}

async function disposable() {
  const sandbox = await startSandbox();
  return { transport: sandbox.transport, [Symbol.asyncDispose]: () => sandbox.close() };
}

function closing(client: KubeClient) {
  return { client, [Symbol.asyncDispose]: () => client.close() };
}
