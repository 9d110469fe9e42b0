/** What becomes of a cache when the kinds and the rights that it stands on change while it watches. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  createHttpTransport,
  createKubeClient,
  createLiveState,
  type KubeClient,
  type LiveState,
  loadKubeconfig,
} from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, codeOf, eventually, makeNamespace } from './support.ts';
import { WatchLine } from './watch-line.ts';

describe('a cache over a real API server', { skip: whyNoCluster() }, () => churnTests(true));
describe('a cache over the sandbox', () => churnTests(false));

function churnTests(isReal: boolean): void {
  let cluster: AnyCluster;
  let client: KubeClient;
  let live: LiveState;
  const namespace = 'churn';

  before(async () => {
    cluster = isReal ? await startCluster() : await startSandboxCluster();
    client = await clientOf(cluster);
    await makeNamespace(client, namespace);
    live = createLiveState({ client, isManaged: () => true, onError: () => {} });
    await live.ensureAll();
  });
  after(async () => {
    await live[Symbol.asyncDispose]();
    await client.close();
    await cluster.stop();
  });

  async function define(definition: KubeObject): Promise<void> {
    await client.apply(definition, { fieldManager: 'test' });
    const [version] = (definition['spec'] as { versions: { name: string }[] }).versions;
    const { group, names } = definition['spec'] as { group: string; names: { kind: string } };
    const ref = { apiVersion: `${group}/${version?.name}`, kind: names.kind };
    await eventually(
      async () => (await codeOf(client.list(ref, { namespace }))) === 'no error',
      'the kind to be served',
    );
  }

  test('a kind that is deleted and made anew at once is in step with its new objects only', async () => {
    const kind = { group: 'example.com', kind: 'Phoenix' };
    const definition = definitionOf('Phoenix', 'phoenixes', {});
    await define(definition);
    for (const name of ['old', 'both']) await client.create(objectOf('Phoenix', name, { a: 1 }));
    await eventually(() => live.list(kind).length === 2, 'the first objects to be seen');
    const ashes = live.list(kind).map(({ uid }) => uid);
    const ref = { ...definition, name: definition.metadata.name ?? '' };
    await client.delete(ref);
    await eventually(async () => (await client.find(ref)) === undefined, 'the kind to be gone');
    await define(definition);
    for (const name of ['both', 'new']) await client.create(objectOf('Phoenix', name, { a: 2 }));
    await eventually(() => {
      const names = live.list(kind).map(({ key }) => key.name);
      return names.sort().join() === 'both,new';
    }, 'the cache to hold the new objects');
    for (const object of live.list(kind)) {
      assert.ok(!ashes.includes(object.uid));
      assert.equal(at(object.read(), 'spec', 'a'), 2);
    }
  });

  test('objects read otherwise at the same version, once their schema has a default or drops a field', async () => {
    const kind = { group: 'example.com', kind: 'Chameleon' };
    await define(definitionOf('Chameleon', 'chameleons', { hue: { type: 'string' } }));
    const made = await client.create(objectOf('Chameleon', 'c', { hue: 'red' }));
    const key = { ...kind, namespace, name: 'c' };
    await eventually(() => live.get(key) !== undefined, 'the object to be seen');
    const spec = () => live.get(key)?.read()['spec'];
    await client.apply(
      definitionOf('Chameleon', 'chameleons', { shade: { type: 'string', default: 'dark' } }),
      { fieldManager: 'test' },
    );
    await eventually(
      () => JSON.stringify(spec()) === '{"shade":"dark"}',
      'the object to read anew',
    );
    assert.equal(live.get(key)?.resourceVersion, made.metadata.resourceVersion);
  });

  test('a version that is served no more gives way to the one that is, and who waits for the kind is told', async () => {
    const kind = { group: 'example.com', kind: 'Moth' };
    const caterpillar = definitionOf('Moth', 'moths', {});
    await define(caterpillar);
    await client.create(objectOf('Moth', 'm', { a: 1 }));
    await eventually(() => live.list(kind).length === 1, 'the object to be seen');
    const [v1] = (caterpillar['spec'] as { versions: JsonObject[] }).versions;
    const versions = [
      { ...v1, name: 'v2', storage: true },
      { ...v1, served: false, storage: false },
    ];
    const spec = { ...(caterpillar['spec'] as JsonObject), versions };
    let isSeen = false;
    const asking = (async () => {
      for (; !isSeen; await pause(20)) await live.ensure([kind]);
      return 'told';
    })();
    await define({ ...caterpillar, spec });
    await eventually(
      () => live.list(kind)[0]?.read().apiVersion === 'example.com/v2',
      'the object to be seen in the other version',
    );
    isSeen = true;
    assert.equal(await Promise.race([asking, pause(10_000)]), 'told');
  });

  test('a kind that may no longer be listed is told to who asks for it, until it may be again', async () => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'guest' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
    };
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'guest' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'guest' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'guest' }],
    };
    for (const object of [role, binding]) await client.apply(object, { fieldManager: 'test' });
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const line = new WatchLine();
    const transport = createHttpTransport(await loadKubeconfig({ file: cluster.kubeconfig }));
    const guest = createKubeClient(line.over(transport)).as({ user: 'guest' });
    const isAllowed = async () => (await codeOf(guest.list(kind, { namespace }))) === 'no error';
    await eventually(isAllowed, 'the right to be there');
    await using own = createLiveState({ client: guest, isManaged: () => true });
    assert.deepEqual(await own.ensure([kind]), []);
    const held = () => own.list({ group: '', kind: 'ConfigMap' }).length;
    const before = held();
    assert.ok(before > 0);
    await client.delete({ ...binding, name: 'guest' });
    await eventually(async () => !(await isAllowed()), 'the right to be gone');
    // A watch that is open goes on, as rights are asked at its beginning.
    assert.deepEqual(await own.ensure([kind]), []);
    line.cut();
    line.mend();
    await eventually(async () => (await own.ensure([kind])).length > 0, 'the refusal to be told');
    const [missed] = await own.ensure([kind]);
    assert.equal(at(missed as unknown as JsonObject, 'error', 'code'), 'FORBIDDEN');
    assert.equal(held(), before);
    await client.apply(binding, { fieldManager: 'test' });
    await eventually(async () => (await own.ensure([kind])).length === 0, 'all to be well again');
    await client.create({ ...kind, metadata: { namespace, name: 'afterwards' } });
    await eventually(() => held() > before, 'the watch to go on');
    await transport.close();
  });
}

function objectOf(kind: string, name: string, spec: JsonObject): KubeObject {
  return { apiVersion: 'example.com/v1', kind, metadata: { namespace: 'churn', name }, spec };
}

function definitionOf(kind: string, plural: string, fields: JsonObject): KubeObject {
  const spec = {
    type: 'object',
    ...(Object.keys(fields).length === 0
      ? { 'x-kubernetes-preserve-unknown-fields': true }
      : { properties: fields, default: {} }),
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      names: { kind, plural },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
}
