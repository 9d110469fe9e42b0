import assert from 'node:assert/strict';
import type { KubeObject } from '@capstan/kube-object';
import { listAt, textAt, valueAt } from '../views/fields.ts';
import { APPLICATION, application, configMap, deployment, until, type World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly run: (world: World) => Promise<Readonly<Record<string, number>> | undefined>;
}

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const;

/** How long a first sync may take on a busy machine; the promises proper have bounds of their own. */
const PATIENCE_MS = 20_000;
/** A real garbage collector learns of a new kind within half a minute, and foreground deletion waits for it. */
const DELETION_MS = 60_000;
const PUSH_MS = 2_000;
const HEAL_MS = 1_000;

async function readValue(world: World, namespace: string, name: string): Promise<string> {
  return textAt(await world.get({ ...CONFIG, namespace, name }), 'data', 'value');
}

function readApp(world: World, name: string): Promise<KubeObject | undefined> {
  return world.get({ ...APPLICATION, name });
}

/** Waits until an app says that this commit is in place. Answers how long it took. */
export async function untilSynced(world: World, name: string, revision: string): Promise<number> {
  const { tookMs } = await until(
    `${name} synced to ${revision.slice(0, 8)}`,
    PATIENCE_MS,
    async () => {
      const app = await readApp(world, name);
      const isThere =
        textAt(app, 'status', 'sync', 'status') === 'Synced' &&
        textAt(app, 'status', 'sync', 'revision') === revision &&
        textAt(app, 'status', 'operationState', 'phase') === 'Succeeded';
      return isThere;
    },
  );
  return tookMs;
}

/** The one error condition of an app, once its status has it. */
async function untilFailed(world: World, name: string): Promise<string> {
  const { value } = await until(`${name} says what is wrong`, PATIENCE_MS, async () => {
    const app = await readApp(world, name);
    const messages = listAt(app, 'status', 'conditions')
      .filter((condition) => textAt(condition, 'type').endsWith('Error'))
      .map((condition) => textAt(condition, 'message'));
    assert.ok(
      messages.length <= 1,
      `one condition, not ${messages.length}: ${messages.join(' | ')}`,
    );
    // While a failed sync is tried again, the operation says why.
    const operation = valueAt(app, 'status', 'operationState');
    const isRetried = valueAt(operation, 'retryCount') !== undefined;
    return messages[0] ?? (isRetried && textAt(operation, 'message'));
  });
  assert.doesNotMatch(value, /canary|\n\s+at |Error:/, 'no secret, no stack');
  return value;
}

export const APPLICATION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a push is applied within two seconds, and what Git no longer holds is pruned',
    run: async (world) => {
      const repository = await world.repository('pushed');
      const first = await repository.push({
        'app/a.yaml': configMap('a', 'one'),
        'app/b.yaml': configMap('b', 'stays'),
      });
      await world.apply(application('pushed', { url: repository.url, path: 'app' }));
      await untilSynced(world, 'pushed', first);
      assert.equal(await readValue(world, 'pushed', 'a'), 'one');
      const second = repository.push({ 'app/a.yaml': configMap('a', 'two') });
      await second;
      const applied = await until(
        'the change',
        PUSH_MS,
        async () => (await readValue(world, 'pushed', 'a')) === 'two',
      );
      await untilSynced(world, 'pushed', await second);
      const third = await repository.push({ 'app/b.yaml': null });
      const pruned = await until(
        'the removal',
        PUSH_MS,
        async () => (await world.get({ ...CONFIG, namespace: 'pushed', name: 'b' })) === undefined,
      );
      await untilSynced(world, 'pushed', third);
      return { appliedMs: applied.tookMs, prunedMs: pruned.tookMs };
    },
  },
  {
    name: 'what is deleted or scaled by hand comes back within a second',
    run: async (world) => {
      const repository = await world.repository('healed');
      const commit = await repository.push({ 'web.yaml': deployment('web', 2) });
      await world.apply(application('healed', { url: repository.url, path: '.' }));
      await untilSynced(world, 'healed', commit);
      const ref = { ...DEPLOYMENT, namespace: 'healed', name: 'web' };
      const { metadata } = await world.client.get(ref);
      await world.client.delete(ref, { propagation: 'Background' });
      const back = await until('the deployment', HEAL_MS, async () => {
        const found = await world.get(ref);
        return found !== undefined && found.metadata.uid !== metadata.uid;
      });
      await world.client.patch(
        ref,
        { spec: { replicas: 7 } },
        { type: 'merge', fieldManager: 'kubectl' },
      );
      const scaled = await until(
        'its replicas',
        HEAL_MS,
        async () => valueAt(await world.get(ref), 'spec', 'replicas') === 2,
      );
      return { recreatedMs: back.tookMs, scaledBackMs: scaled.tookMs };
    },
  },
  {
    name: 'a broken commit changes nothing and is one condition with file and line; the next good one recovers',
    run: async (world) => {
      const repository = await world.repository('broken');
      const good = await repository.push({
        'app/a.yaml': configMap('a', 'one'),
        'app/b.yaml': configMap('b', 'b'),
      });
      await world.apply(application('broken', { url: repository.url, path: 'app' }));
      await untilSynced(world, 'broken', good);
      await repository.push({
        'app/a.yaml': configMap('a', 'two'),
        'app/b.yaml': `${configMap('b', 'b')}metadata: [\n`,
      });
      const message = await untilFailed(world, 'broken');
      assert.match(message, /app\/b\.yaml:\d+/);
      assert.equal(await readValue(world, 'broken', 'a'), 'one');
      assert.equal(await readValue(world, 'broken', 'b'), 'b');
      const fixed = await repository.push({ 'app/b.yaml': configMap('b', 'fixed') });
      await untilSynced(world, 'broken', fixed);
      assert.equal(await readValue(world, 'broken', 'a'), 'two');
      assert.equal(await readValue(world, 'broken', 'b'), 'fixed');
      const app = await readApp(world, 'broken');
      assert.deepEqual(listAt(app, 'status', 'conditions'), []);
      return undefined;
    },
  },
  {
    name: 'an empty render prunes nothing unless it may be empty',
    run: async (world) => {
      const repository = await world.repository('emptied');
      const commit = await repository.push({
        'app/a.yaml': configMap('a', 'kept'),
        'app/readme': 'x',
      });
      await world.apply(application('emptied', { url: repository.url, path: 'app' }));
      await untilSynced(world, 'emptied', commit);
      await repository.push({ 'app/a.yaml': null });
      assert.match(await untilFailed(world, 'emptied'), /wipe out all resources/);
      assert.equal(await readValue(world, 'emptied', 'a'), 'kept');
      await world.client.patch(
        { ...APPLICATION, name: 'emptied' },
        { spec: { syncPolicy: { automated: { allowEmpty: true } } } },
        { type: 'merge' },
      );
      await until(
        'the last object',
        PATIENCE_MS,
        async () => (await world.get({ ...CONFIG, namespace: 'emptied', name: 'a' })) === undefined,
      );
      return undefined;
    },
  },
  {
    name: 'an app of apps brings in its children, whose overlays are built by kustomize',
    run: async (world) => {
      const repository = await world.repository('fleet');
      const child = (name: string) =>
        JSON.stringify(application(name, { url: repository.url, path: `overlays/${name}` }));
      const commit = await repository.push({
        'apps/fleet-a.json': child('fleet-a'),
        'apps/fleet-b.json': child('fleet-b'),
        'base/kustomization.yaml': 'resources: [c.yaml]\n',
        'base/c.yaml': configMap('c', 'base'),
        'overlays/fleet-a/kustomization.yaml': 'resources: [../../base]\nnamePrefix: a-\n',
        'overlays/fleet-b/kustomization.yaml': 'resources: [../../base]\nnamePrefix: b-\n',
      });
      await world.apply(
        application('fleet', { url: repository.url, path: 'apps' }, { namespace: 'argocd' }),
      );
      for (const name of ['fleet', 'fleet-a', 'fleet-b']) await untilSynced(world, name, commit);
      assert.deepEqual(listAt(await readApp(world, 'fleet'), 'status', 'conditions'), []);
      assert.equal(await readValue(world, 'fleet-a', 'a-c'), 'base');
      const next = await repository.push({ 'base/c.yaml': configMap('c', 'changed') });
      for (const name of ['fleet-a', 'fleet-b']) await untilSynced(world, name, next);
      assert.equal(await readValue(world, 'fleet-b', 'b-c'), 'changed');
      await repository.push({ 'apps/fleet-b.json': null });
      await until(
        'the child',
        DELETION_MS,
        async () => (await readApp(world, 'fleet-b')) === undefined,
      );
      return undefined;
    },
  },
  {
    name: 'a restart of the control plane loses nothing and repeats nothing',
    run: async (world) => {
      const repository = await world.repository('restarted');
      const commit = await repository.push({ 'a.yaml': configMap('a', 'one') });
      await world.apply(application('restarted', { url: repository.url, path: '.' }));
      await untilSynced(world, 'restarted', commit);
      const before = await world.client.get({ ...CONFIG, namespace: 'restarted', name: 'a' });
      await world.restart();
      const next = await repository.push({ 'b.yaml': configMap('b', 'two') });
      await untilSynced(world, 'restarted', next);
      const after = await world.client.get({ ...CONFIG, namespace: 'restarted', name: 'a' });
      assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
      return undefined;
    },
  },
];

/** Each mistake that people make, with what its one condition must say: what, where, what to do. */
export const MISTAKES: readonly {
  readonly name: string;
  readonly make: (world: World) => Promise<KubeObject>;
  readonly says: readonly RegExp[];
}[] = [
  {
    name: 'wrong-url',
    make: async (world) => {
      const { url } = await world.repository('mistakes');
      return application('wrong-url', { url: url.replace('mistakes', 'none'), path: 'app' });
    },
    says: [/there is no repository at http/, /check the address/],
  },
  {
    name: 'unreachable',
    make: async () => application('unreachable', { url: 'http://127.0.0.1:9/x.git', path: 'app' }),
    says: [/the host of http:\/\/127\.0\.0\.1:9\/x\.git cannot be reached/, /network/],
  },
  {
    name: 'no-credentials',
    make: async (world) => {
      const { url, push } = await world.repository('locked');
      await push({ 'app/a.yaml': configMap('a', 'x') });
      return application('no-credentials', { url, path: 'app' });
    },
    says: [/refused the credentials/, /Secret/],
  },
  {
    name: 'wrong-revision',
    make: async (world) => {
      const { url } = await world.repository('mistakes');
      return application('wrong-revision', { url, path: 'app', revision: 'nope' });
    },
    says: [/no revision "nope"/, /its branches are main/],
  },
  {
    name: 'wrong-path',
    make: async (world) => {
      const { url } = await world.repository('mistakes');
      return application('wrong-path', { url, path: 'ap' });
    },
    says: [/the folder "ap" does not exist at main/, /app/],
  },
  {
    name: 'wrong-yaml',
    make: async (world) => {
      const { url } = await world.repository('mistakes');
      return application('wrong-yaml', { url, path: 'bad-yaml' });
    },
    says: [/bad-yaml\/a\.yaml:5/, /invalid YAML/],
  },
  {
    name: 'missing-crd',
    make: async (world) => {
      const { url } = await world.repository('mistakes');
      return application('missing-crd', { url, path: 'missing-crd' });
    },
    says: [/Gizmo/, /example\.com/],
  },
  {
    name: 'forbidden',
    make: async (world) => {
      const { url } = await world.repository('mistakes');
      await world.apply({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'narrow', namespace: 'argocd' },
        spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: 'other' }] },
      });
      return application('forbidden', { url, path: 'app' }, { project: 'narrow' });
    },
    says: [/narrow/, /destination|permitted/],
  },
];

export const MISTAKEN_FILES: Readonly<Record<string, string>> = {
  'app/a.yaml': configMap('a', 'x'),
  'bad-yaml/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n data: x\n',
  'missing-crd/a.yaml': 'apiVersion: example.com/v1\nkind: Gizmo\nmetadata:\n  name: g\n',
};

export const MISTAKE_SCENARIO: Scenario = {
  name: 'each mistake that people make is one condition with what, where and what to do',
  run: async (world) => {
    const repository = await world.repository('mistakes');
    await repository.push(MISTAKEN_FILES);
    for (const { make } of MISTAKES) await world.apply(await make(world));
    const wrong: string[] = [];
    for (const { name, says } of MISTAKES) {
      const message = await untilFailed(world, name).catch(String);
      for (const pattern of says) {
        if (!pattern.test(message)) wrong.push(`${name}: ${pattern} not in: ${message}`);
      }
    }
    assert.deepEqual(wrong, []);
    return undefined;
  },
};
