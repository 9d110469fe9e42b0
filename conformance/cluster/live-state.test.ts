import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  compareResourceVersions,
  createLiveState,
  type KubeClient,
  type LiveState,
} from '@capstan/kube-client';
import { createController, enqueueChanges } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, configMap, eventually, makeNamespace } from './support.ts';

const trackingLabel = 'app.kubernetes.io/instance';

describe('LiveState over a real API server', { skip: whyNoCluster() }, () => liveStateTests(true));
describe('LiveState over the sandbox', () => liveStateTests(false));

function liveStateTests(isReal: boolean): void {
  let cluster: AnyCluster;
  /** For what only a process of its own can be asked. */
  let real: Cluster | undefined;
  let client: KubeClient;
  let live: LiveState;
  const namespace = 'live';

  before(async () => {
    real = isReal ? await startCluster() : undefined;
    cluster = real ?? (await startSandboxCluster());
    client = await clientOf(cluster);
    await makeNamespace(client, namespace);
    live = createLiveState({
      client,
      isManaged: ({ metadata }) => metadata.labels?.[trackingLabel] !== undefined,
      indexes: { app: appOf },
      onError: (error) => assert.fail(String(error)),
    });
  });
  after(async () => {
    await live[Symbol.asyncDispose]();
    await client.close();
    await cluster.stop();
  });

  function deployment(name: string, replicas: number): KubeObject {
    const labels = { app: name };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name, labels: { [trackingLabel]: name } },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'm', image: 'i:1' }] } },
      },
    };
  }

  test('many who ask for a kind share one watch; a kind that is not there is told, not thrown', async () => {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const answers = await Promise.all([
      live.ensure([kind]),
      live.ensure([kind]),
      live.ensure([{ group: '', kind: 'ConfigMap' }]),
    ]);
    assert.deepEqual(answers, [[], [], []]);
    assert.equal(live.watched().length, 1);
    const [missed] = await live.ensure([{ apiVersion: 'example.com/v1', kind: 'Nothing' }]);
    assert.equal(at(missed?.error as never, 'code'), 'KIND_NOT_SERVED');
    assert.equal(live.watched().length, 1);
    if (real === undefined) return;
    // Ours and those of the control plane itself; asking again must not add one.
    const open = openWatches(real);
    await live.ensure([kind]);
    assert.equal(openWatches(real), open);
  });

  test('managed objects are whole, their children trimmed, and found by owner down to the Pods', async () => {
    assert.deepEqual(await live.ensureAll(), []);
    const made = await client.apply(deployment('web', 2), { fieldManager: 'test' });
    live.observeWrite(made);
    // The write at least: a controller may have written since, and its event may have come before our answer.
    const seen = live.byIndex('app', 'web')[0]?.resourceVersion;
    assert.ok(seen !== undefined);
    assert.ok(compareResourceVersions(seen, made.metadata.resourceVersion ?? '') >= 0, seen);
    await live.waitUntilFresh(made, made.metadata.resourceVersion ?? '');
    const children = () =>
      live.ownedBy(made.metadata.uid ?? '').flatMap((replicaSet) => live.ownedBy(replicaSet.uid));
    await eventually(
      () =>
        children().filter((child) => at(child.read(), 'status', 'phase') === 'Running').length ===
        2,
      'two running pods in the cache',
    );
    const [held] = live.byIndex('app', 'web');
    assert.ok(held?.whole);
    let real: KubeObject | undefined;
    await eventually(async () => {
      real = await client.get({ ...held.key, apiVersion: held.apiVersion });
      return live.get(held.key)?.resourceVersion === real.metadata.resourceVersion;
    }, 'the cache to be in step');
    assert.deepEqual(live.get(held.key)?.read(), real);
    const [pod] = children();
    assert.equal(pod?.whole, false);
    assert.equal(pod?.read().metadata.managedFields, undefined);
    assert.deepEqual(at(pod?.read(), 'spec', 'containers'), [{ name: 'm', image: 'i:1' }]);
  });

  test('the content of a Secret that nobody manages is not held', async () => {
    const secret = await client.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'private' },
      stringData: { password: 'canary-7f3a' },
    });
    await live.waitUntilFresh(secret, secret.metadata.resourceVersion ?? '');
    const held = live.get({ group: '', kind: 'Secret', namespace, name: 'private' });
    assert.deepEqual(Object.keys(held?.read() ?? {}), ['apiVersion', 'kind', 'metadata']);
  });

  test('a new kind is watched soon after its CRD comes, and forgotten after it goes', async () => {
    await client.apply(definition, { fieldManager: 'test' });
    await eventually(
      () => live.watched().some(({ resource }) => resource.kind === 'Gadget'),
      'the kind to be watched',
    );
    const gadget = {
      apiVersion: 'example.com/v1',
      kind: 'Gadget',
      metadata: { namespace, name: 'g' },
    };
    await client.apply(gadget, { fieldManager: 'test' });
    const kind = { group: 'example.com', kind: 'Gadget' };
    await eventually(() => live.list(kind).length === 1, 'the object to be seen');
    await client.delete({ ...definition, name: definition.metadata.name });
    await eventually(() => live.list(kind).length === 0, 'the object to be gone');
    await eventually(
      () =>
        live.watched().find(({ resource }) => resource.kind === 'Gadget')?.state.kind === 'failed',
      'the kind to be gone',
    );
    await client.apply(definition, { fieldManager: 'test' });
    await eventually(
      async () => (await live.ensure([kind])).length === 0,
      'the kind to be watched again',
    );
  });

  test('a deletion is seen and undone within a second', async () => {
    const runs: string[] = [];
    const controller = createController<string>({
      name: 'heal',
      keyString: (key) => key,
      reconcile: async (key, { signal }) => {
        runs.push(key);
        if (live.get({ group: '', kind: 'ConfigMap', namespace, name: key }) === undefined) {
          await client.apply(configMap(namespace, key, { a: '1' }), {
            fieldManager: 'heal',
            signal,
          });
        }
        return { kind: 'settled' };
      },
    });
    const off = enqueueChanges(live, controller, {
      kinds: [{ apiVersion: 'v1', kind: 'ConfigMap' }],
      keysOf: ({ key }) => (key.name === 'healed' ? [key.name] : []),
    });
    const stop = new AbortController();
    const running = controller.run({ signal: stop.signal });
    controller.enqueue('healed');
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'healed' };
    await eventually(async () => (await client.find(ref)) !== undefined, 'the object to be made');
    const deletedMs = Date.now();
    await client.delete(ref);
    await eventually(async () => (await client.find(ref)) !== undefined, 'the object to come back');
    assert.ok(Date.now() - deletedMs < 1_000, `came back after ${Date.now() - deletedMs} ms`);
    off();
    stop.abort();
    await running;
  });

  test('a cache of some namespaces holds nothing of the others, and works with rights for those only', async () => {
    await makeNamespace(client, 'tenant');
    for (const object of tenantRights) await client.apply(object, { fieldManager: 'test' });
    await using own = createLiveState({
      client: client.as({ user: 'tenant' }),
      namespaces: ['tenant'],
      isManaged: () => true,
    });
    const kinds = [
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { apiVersion: 'v1', kind: 'Secret' },
    ];
    const missed = await own.ensure(kinds);
    assert.deepEqual(
      missed.map(({ kind, error }) => [kind.kind, at(error as never, 'code')]),
      [['Secret', 'FORBIDDEN']],
    );
    const made = await client.apply(configMap('tenant', 'mine', {}), { fieldManager: 'test' });
    await own.waitUntilFresh(made, made.metadata.resourceVersion ?? '');
    assert.deepEqual(
      own
        .list({ group: '', kind: 'ConfigMap' })
        .map(({ key }) => `${key.namespace}/${key.name}`)
        .sort(),
      ['tenant/kube-root-ca.crt', 'tenant/mine'],
    );
  });

  if (isReal) {
    test('after a restart of the API server the cache is in step again, for every kind', async () => {
      const maps = { group: '', kind: 'ConfigMap' };
      for (let i = 0; i < 30; i++)
        await client.apply(configMap(namespace, `c-${i}`, {}), { fieldManager: 'test' });
      await real?.kill9();
      await eventually(
        () => live.watched().every(({ state }) => state.kind !== 'synced'),
        'the cache to notice',
      );
      await real?.restart();
      for (let i = 0; i < 10; i++) await client.delete({ ...maps, namespace, name: `c-${i}` });
      await client.apply(deployment('after', 1), { fieldManager: 'test' });
      await eventually(
        () =>
          live
            .watched()
            .every(({ state, resource }) => state.kind === 'synced' || resource.kind === 'Gadget'),
        'all kinds to be synced',
      );
      await eventually(async () => {
        const { items } = await client.list({ group: '', kind: 'ConfigMap' }, { namespace });
        const real = items.map(({ metadata }) => metadata.resourceVersion).sort();
        const held = live
          .list(maps, namespace)
          .map(({ resourceVersion }) => resourceVersion)
          .sort();
        return JSON.stringify(real) === JSON.stringify(held);
      }, 'the cache to be in step');
      assert.equal(live.byIndex('app', 'after').length, 1);
    });
  }
}

function openWatches(cluster: Cluster): string | undefined {
  const { stdout } = cluster.kubectl(['get', '--raw', '/metrics']);
  return /^apiserver_longrunning_requests\{.*resource="configmaps",scope="cluster".*verb="WATCH".*\} (\d+)/m.exec(
    stdout,
  )?.[1];
}

function appOf({ metadata }: KubeObject): string[] {
  const name = metadata.labels?.[trackingLabel];
  return name === undefined ? [] : [name];
}

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Gadget', plural: 'gadgets' },
    scope: 'Namespaced',
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

const tenantRights: readonly KubeObject[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { namespace: 'tenant', name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace: 'tenant', name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }],
  },
];
