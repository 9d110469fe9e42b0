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

test('a hundred clusters are watched side by side, and one that never answers holds up none', async () => {
  await using sandbox = await disposable();
  await using pool = new ClusterPool({ create: clusterOf([]) });
  const kinds = [
    { group: 'apps', kind: 'Deployment' },
    { group: '', kind: 'ConfigMap' },
  ];
  const silent = {
    ...sandbox.transport,
    request: ({ signal }: { readonly signal?: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
  const clusters = Array.from({ length: 100 }, (_, i) => {
    const transport = i === 50 ? silent : sandbox.transport;
    const access = { fingerprint: '', connect: () => createKubeClient(transport) };
    return pool.use(`cluster-${i}`, access);
  });
  const patience = new AbortController();
  const stuck = clusters[50]?.live.ensure(kinds, { signal: patience.signal });
  stuck?.catch(() => undefined);
  const answers = await Promise.all(
    clusters.filter((_, i) => i !== 50).map(({ live }) => live.ensure(kinds)),
  );
  assert.deepEqual(answers.flat(), []);
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'm', namespace: 'default' },
  };
  await clusters[0]?.client.create(map);
  const key = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'm' };
  const last = clusters.at(-1);
  for (let i = 0; i < 200 && last?.live.get(key) === undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(last?.live.get(key), 'each hears of every change');
  patience.abort(new Error('enough'));
  assert.ok(stuck);
  await assert.rejects(stuck, /enough/);
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
