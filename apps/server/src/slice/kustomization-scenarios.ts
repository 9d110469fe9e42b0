// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of manifests
import assert from 'node:assert/strict';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { textAt, valueAt } from '../views/fields.ts';
import { findCondition } from '../views/kustomization-summary.ts';
import type { Scenario } from './application-scenarios.ts';
import { configMap, deployment, type Repository, until, type World } from './world.ts';

const NAMESPACE = 'flux-system';
const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const;
const PATIENCE_MS = 20_000;
const PUSH_MS = 2_000;
const HEAL_MS = 1_000;

function gitRepository(name: string, url: string, spec: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace: NAMESPACE },
    spec: { interval: '1m', url, ref: { branch: 'main' }, ...spec },
  };
}

function kustomization(name: string, source: string, spec: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      interval: '10m',
      path: './app',
      prune: true,
      targetNamespace: NAMESPACE,
      sourceRef: { kind: 'GitRepository', name: source },
      ...spec,
    },
  };
}

/** A namespace, a GitRepository and a Kustomization of one name. */
async function deliver(world: World, repository: Repository, name: string, spec: JsonObject = {}) {
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await world.apply(gitRepository(name, repository.url));
  await world.apply(kustomization(name, name, spec));
}

function read(world: World, kind: 'GitRepository' | 'Kustomization', name: string) {
  const group =
    kind === 'GitRepository' ? 'source.toolkit.fluxcd.io' : 'kustomize.toolkit.fluxcd.io';
  return world.get({ group, kind, namespace: NAMESPACE, name });
}

async function untilApplied(world: World, name: string, commit: string): Promise<void> {
  await until(`${name} at ${commit.slice(0, 8)}`, PATIENCE_MS, async () => {
    const object = await read(world, 'Kustomization', name);
    if (object === undefined) return false;
    const isReady = textAt(findCondition(object, 'Ready'), 'status') === 'True';
    const applied = textAt(object, 'status', 'lastAppliedRevision');
    return isReady && applied === `main@sha1:${commit}`;
  });
}

async function untilNotReady(
  world: World,
  kind: 'GitRepository' | 'Kustomization',
  name: string,
  pattern: RegExp,
): Promise<void> {
  const { value } = await until(`${kind} ${name} says ${pattern}`, PATIENCE_MS, async () => {
    const object = await read(world, kind, name);
    if (object === undefined) return false;
    const ready = findCondition(object, 'Ready');
    const message = textAt(ready, 'status') === 'False' ? textAt(ready, 'message') : '';
    if (!pattern.test(message)) throw new Error(message);
    return message;
  });
  assert.doesNotMatch(value, /canary|\n\s+at /, 'no secret, no stack');
}

async function readValue(world: World, name: string): Promise<string> {
  return textAt(await world.get({ ...CONFIG, namespace: NAMESPACE, name }), 'data', 'value');
}

export const KUSTOMIZATION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'Flux: a push is applied within two seconds, and what Git no longer holds is pruned',
    run: async (world) => {
      const repository = await world.repository('flux-pushed');
      const first = await repository.push({
        'app/a.yaml': configMap('pushed-a', 'one'),
        'app/b.yaml': configMap('pushed-b', 'b'),
      });
      await deliver(world, repository, 'flux-pushed');
      await untilApplied(world, 'flux-pushed', first);
      const second = await repository.push({ 'app/a.yaml': configMap('pushed-a', 'two') });
      const applied = await until(
        'the change',
        PUSH_MS,
        async () => (await readValue(world, 'pushed-a')) === 'two',
      );
      await untilApplied(world, 'flux-pushed', second);
      await repository.push({ 'app/b.yaml': null });
      const pruned = await until(
        'the removal',
        PUSH_MS,
        async () =>
          (await world.get({ ...CONFIG, namespace: NAMESPACE, name: 'pushed-b' })) === undefined,
      );
      return { appliedMs: applied.tookMs, prunedMs: pruned.tookMs };
    },
  },
  {
    name: 'Flux: what is deleted or scaled by hand comes back within a second',
    run: async (world) => {
      const repository = await world.repository('flux-healed');
      const commit = await repository.push({ 'app/web.yaml': deployment('flux-web', 2) });
      await deliver(world, repository, 'flux-healed');
      await untilApplied(world, 'flux-healed', commit);
      const ref = { ...DEPLOYMENT, namespace: NAMESPACE, name: 'flux-web' };
      const { metadata } = await world.client.get(ref);
      await world.client.delete(ref, { propagation: 'Background' });
      const back = await until('the deployment', HEAL_MS, async () => {
        const found = await world.get(ref);
        return found !== undefined && found.metadata.uid !== metadata.uid;
      });
      const patch = { spec: { replicas: 7 } };
      await world.client.patch(ref, patch, { type: 'merge', fieldManager: 'kubectl' });
      const scaled = await until(
        'its replicas',
        HEAL_MS,
        async () => valueAt(await world.get(ref), 'spec', 'replicas') === 2,
      );
      return { recreatedMs: back.tookMs, scaledBackMs: scaled.tookMs };
    },
  },
  {
    name: 'Flux: a broken commit changes nothing and says file and line; the next good one recovers',
    run: async (world) => {
      const repository = await world.repository('flux-broken');
      const good = await repository.push({ 'app/a.yaml': configMap('broken-a', 'one') });
      await deliver(world, repository, 'flux-broken');
      await untilApplied(world, 'flux-broken', good);
      await repository.push({ 'app/a.yaml': `${configMap('broken-a', 'two')}metadata: [\n` });
      await untilNotReady(world, 'Kustomization', 'flux-broken', /app\/a\.yaml:\d+/);
      assert.equal(await readValue(world, 'broken-a'), 'one');
      const fixed = await repository.push({ 'app/a.yaml': configMap('broken-a', 'three') });
      await untilApplied(world, 'flux-broken', fixed);
      assert.equal(await readValue(world, 'broken-a'), 'three');
      return undefined;
    },
  },
  {
    name: 'Flux: patches, images, names and variables are laid over the folder',
    run: async (world) => {
      const repository = await world.repository('flux-overlaid');
      const commit = await repository.push({
        'app/web.yaml': deployment('web', 1),
        'app/c.yaml': configMap('c', '${greeting:=hi} ${who}'),
      });
      await deliver(world, repository, 'flux-overlaid', {
        namePrefix: 'over-',
        images: [{ name: 'nginx', newTag: '2' }],
        patches: [
          {
            target: { kind: 'Deployment' },
            patch: '[{"op":"add","path":"/metadata/labels","value":{"patched":"yes"}}]',
          },
        ],
        commonMetadata: { annotations: { team: 'a' } },
        postBuild: { substitute: { who: 'Ann' } },
      });
      await untilApplied(world, 'flux-overlaid', commit);
      assert.equal(await readValue(world, 'over-c'), 'hi Ann');
      const web = await world.client.get({ ...DEPLOYMENT, namespace: NAMESPACE, name: 'over-web' });
      assert.match(JSON.stringify(web['spec']), /"nginx:2"/);
      assert.equal(web.metadata.labels?.['patched'], 'yes');
      assert.equal(web.metadata.annotations?.['team'], 'a');
      return undefined;
    },
  },
  {
    name: 'Flux: each mistake is one condition; credentials from a Secret open a locked repository',
    run: async (world) => {
      const { url, push } = await world.repository('locked-flux');
      const commit = await push({ 'app/a.yaml': configMap('locked-a', 'open') });
      await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
      await world.apply(gitRepository('refused', url));
      await world.apply(gitRepository('none', url.replace('locked-flux', 'none')));
      await world.apply(
        gitRepository('no-branch', url, { ref: { branch: 'nope' }, secretRef: { name: 'git' } }),
      );
      await world.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'git', namespace: NAMESPACE },
        stringData: { ...world.locked },
      });
      await world.apply(gitRepository('opened', url, { secretRef: { name: 'git' } }));
      await world.apply(kustomization('opened', 'opened'));
      await world.apply(kustomization('no-path', 'opened', { path: './nope' }));
      await untilApplied(world, 'opened', commit);
      assert.equal(await readValue(world, 'locked-a'), 'open');
      const expected = [
        ['GitRepository', 'refused', /authentication required/],
        ['GitRepository', 'none', /repository not found/],
        ['GitRepository', 'no-branch', /find remote ref "refs.heads.nope"/],
        ['Kustomization', 'no-path', /nope/],
      ] as const;
      for (const [kind, name, pattern] of expected) {
        await untilNotReady(world, kind, name, pattern);
      }
      return undefined;
    },
  },
  {
    name: 'Flux: a service account without rights is refused by name, and applies once it may',
    run: async (world) => {
      const repository = await world.repository('flux-tenant');
      const commit = await repository.push({ 'app/a.yaml': configMap('tenant-a', 'one') });
      await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
      await world.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'tenant', namespace: NAMESPACE },
      });
      await deliver(world, repository, 'flux-tenant', { serviceAccountName: 'tenant' });
      await untilNotReady(
        world,
        'Kustomization',
        'flux-tenant',
        /system:serviceaccount:[a-z-]+:tenant.*cannot.*configmaps/s,
      );
      await world.apply(tenantBinding());
      const { apiVersion, kind } = kustomization('flux-tenant', 'flux-tenant');
      const ref = { apiVersion, kind, namespace: NAMESPACE, name: 'flux-tenant' };
      const asked = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
      await world.client.patch(ref, { metadata: { annotations: asked } }, { type: 'merge' });
      await untilApplied(world, 'flux-tenant', commit);
      assert.equal(await readValue(world, 'tenant-a'), 'one');
      return undefined;
    },
  },
];

function tenantBinding(): KubeObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'tenant-admin', namespace: NAMESPACE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'tenant', namespace: NAMESPACE }],
  };
}
