import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createKubeClient } from '@capstan/kube-client';
import type { Json } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { at, condition, ready, settle } from './testing/look.ts';
import { createWorld, type World } from './testing/world.ts';

const REPO = 'https://git.example.com/org/my-app.git';
const REF = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'my-app',
};

const base = (extra = '', source = 'flux-system') => `
apiVersion: v1
kind: Namespace
metadata: {name: production}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: my-app, namespace: ${source}}
spec: {interval: 1m, url: "${REPO}", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system}
spec:
  interval: 10m
  targetNamespace: production
  sourceRef: {kind: GitRepository, name: my-app, namespace: ${source}}
  path: ./deploy
  prune: true
${extra}`;
const config = (name: string, value = '1') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: "${value}"}\n`;

test('a kubeconfig in a Secret leads to another cluster: applied, healed, pruned and deleted there', async () => {
  const remote = await startSandbox();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => remote.close());
  const there = createKubeClient(remote.transport);
  stack.defer(() => there.close());
  await using world = await createWorld();
  await there.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'production' } });
  world.sources.push(REPO, { 'deploy/a.yaml': config('a'), 'deploy/b.yaml': config('b') });
  await world.kubectlApply(base('  kubeConfig: {secretRef: {name: east}}\n'));
  const missing = await condition(world, 'Ready', isRefused);
  assert.match(
    String(at(missing, 'message')),
    /^unable to read KubeConfig secret 'flux-system\/east' error: secrets "east" not found/,
  );
  await putKubeconfig(world, 'other', await readFile(remote.kubeconfigPath, 'utf8'));
  const wrong = await condition(world, 'Ready', (one) =>
    /^KubeConfig secret 'flux-system\/east' does not contain a 'value' key with a kubeconfig/.test(
      textOf(one),
    ),
  );
  assert.equal(at(wrong, 'reason'), 'ReconciliationFailed');
  await putKubeconfig(world, 'value', await readFile(remote.kubeconfigPath, 'utf8'));
  await ready(world, 'Applied revision');
  const find = (name: string) =>
    there.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'production', name });
  assert.equal(at(await find('a'), 'data', 'key'), '1');
  assert.equal(await world.get('ConfigMap', 'production/a'), undefined);
  await there.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'production', name: 'a' });
  await world.eventually(
    () => find('a'),
    (one) => one !== undefined,
  );
  await world.client.delete(REF);
  await world.eventually(
    () => find('b'),
    (one) => one === undefined,
  );
});

test('a kubeconfig that would run a program, or trust a server unseen, is refused, and nothing runs', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': config('a') });
  await world.kubectlApply(base('  kubeConfig: {secretRef: {name: east}}\n'));
  const user = {
    exec: { command: 'touch', args: ['/tmp/x'], apiVersion: 'client.authentication.k8s.io/v1' },
  };
  await putKubeconfig(
    world,
    'value',
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'u', user }],
    }),
  );
  const told = await condition(world, 'Ready', (one) => /exec/.test(textOf(one)));
  assert.equal(at(told, 'status'), 'False');
  const cluster = { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true };
  await putKubeconfig(
    world,
    'value',
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'canary' } }],
    }),
  );
  const unseen = await condition(world, 'Ready', (one) => /insecure-skip-tls/.test(textOf(one)));
  assert.doesNotMatch(textOf(unseen), /canary/);
  assert.equal(await world.get('ConfigMap', 'production/a'), undefined);
});

test('without cross-namespace references a source of another namespace is denied', async () => {
  await using world = await createWorld({ tenancy: { noCrossNamespaceRefs: true } });
  world.sources.push(REPO, { 'deploy/a.yaml': config('a') });
  await world.kubectlApply('apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n');
  await world.kubectlApply(base('', 'other'));
  const told = await condition(world, 'Stalled', (one) => at(one, 'status') === 'True');
  assert.equal(at(told, 'reason'), 'AccessDenied');
  assert.equal(
    textOf(told),
    "can't access 'GitRepository/other/my-app', cross-namespace references have been blocked",
  );
  assert.equal(await world.get('ConfigMap', 'production/a'), undefined);
});

test('a default service account is acted as, and may do what it may do only', async () => {
  await using world = await createWorld({ tenancy: { defaultServiceAccount: 'tenant' } });
  world.sources.push(REPO, { 'deploy/a.yaml': config('a') });
  await world.kubectlApply(base());
  const denied = await condition(world, 'Ready', isRefused);
  assert.match(textOf(denied), /system:serviceaccount:flux-system:tenant/);
  await world.kubectlApply(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: tenant, namespace: flux-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: production}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{kind: ServiceAccount, name: tenant, namespace: flux-system}]
`);
  const annotations = { 'reconcile.fluxcd.io/requestedAt': '1' };
  await world.client.patch(REF, { metadata: { annotations } }, { type: 'merge' });
  await ready(world, 'Applied revision');
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    namespace: 'flux-system',
    name: 'tenant',
  };
  await world.client.delete(account);
  await world.client.delete(REF);
  await world.eventually(
    () => world.get('Kustomization', 'flux-system/my-app'),
    (one) => one === undefined,
  );
  // As in Flux, what can no longer be deleted in the account's name is left, and told.
  assert.ok(await world.get('ConfigMap', 'production/a'));
});

test('Orphan leaves the objects, Delete takes them though prune is off, WaitForTermination waits for their end', async () => {
  await using world = await createWorld();
  const held = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [example.com/hold]}\n`;
  world.sources.push(REPO, { 'deploy/a.yaml': held });
  const spec = (policy: string) =>
    base(`  deletionPolicy: ${policy}\n`).replace('prune: true', 'prune: false');
  const gone = () =>
    world.eventually(
      () => world.get('Kustomization', 'flux-system/my-app'),
      (one) => one === undefined,
    );
  await world.kubectlApply(spec('Orphan'));
  await ready(world, 'Applied revision');
  await world.client.delete(REF);
  await gone();
  assert.equal(
    (await world.get('ConfigMap', 'production/a'))?.metadata.deletionTimestamp,
    undefined,
  );
  await world.kubectlApply(spec('WaitForTermination'));
  await ready(world, 'Applied revision');
  await world.client.delete(REF);
  await world.eventually(
    () => world.get('ConfigMap', 'production/a'),
    (one) => one?.metadata.deletionTimestamp !== undefined,
  );
  await settle();
  assert.ok(await world.get('Kustomization', 'flux-system/my-app'));
  const a = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'production', name: 'a' };
  await world.client.patch(a, { metadata: { finalizers: null } }, { type: 'merge' });
  await gone();
  await world.kubectlApply(spec('Delete'));
  await ready(world, 'Applied revision');
  await world.client.delete(REF);
  await gone();
  assert.ok((await world.get('ConfigMap', 'production/a'))?.metadata.deletionTimestamp);
});

test('a ConfigMap that asks to be watched reconciles who takes values from it at once', async () => {
  await using world = await createWorld();
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the language that is rendered
  world.sources.push(REPO, { 'deploy/a.yaml': config('a', '${size}') });
  const settings = (size: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system, labels: {reconcile.fluxcd.io/watch: Enabled}}\ndata: {size: ${size}}\n`;
  await world.kubectlApply(settings('small'));
  await world.kubectlApply(
    base('  postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}\n'),
  );
  await ready(world, 'Applied revision');
  await world.kubectlApply(settings('large'));
  await world.eventually(
    () => world.get('ConfigMap', 'production/a'),
    (one) => at(one, 'data', 'key') === 'large',
  );
});

async function putKubeconfig(world: World, key: string, text: string): Promise<void> {
  await world.client.apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'east',
        namespace: 'flux-system',
        labels: { 'reconcile.fluxcd.io/watch': 'Enabled' },
      },
      data: { [key]: Buffer.from(text).toString('base64') },
    },
    { fieldManager: 'kubectl', force: true },
  );
}

function textOf(condition: Parameters<typeof at>[0]): string {
  return String(at(condition, 'message'));
}

/** Not ready for another reason than that its source is not there yet. */
function isRefused(one: Json | undefined): boolean {
  return at(one, 'status') === 'False' && at(one, 'reason') !== 'ArtifactFailed';
}
