import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@capstan/kube-object';
import { at, condition, ready, settle } from './testing/look.ts';
import { REPO, trackedApp } from './testing/tracked-app.ts';
import { createWorld } from './testing/world.ts';

const tracked = (extra = '') => trackedApp(`  path: ./deploy\n${extra}`);
const rights = (kind: string, place = '') => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata: {name: reader${place}}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}Binding
metadata: {name: reader${place}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ${kind}, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: flux-system}]
`;
const text = (one: Json | undefined) => String(at(one, 'message'));

test('definitions go first, then classes, then the kinds of a stage of their own, then the rest', async () => {
  const settings = { customStageKinds: [{ group: 'rbac.authorization.k8s.io', kind: 'Role' }] };
  const order: string[] = [];
  await using world = await createWorld({
    settings,
    onWrite: (path) => order.push(path.replace(/^.*\/(\w+)\/[^/]*$/, '$1')),
  });
  const commit = world.sources.push(REPO, {
    'deploy/a.yaml': `${rights('Role', ', namespace: flux-system')}---${rights('ClusterRole')}`,
    'deploy/b.yaml':
      'apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 1\n',
  });
  await world.kubectlApply(tracked());
  await ready(world, `Applied revision: main@sha1:${commit}`);
  assert.deepEqual(
    order.filter((kind) => /role|priority/.test(kind)),
    ['clusterroles', 'priorityclasses', 'roles', 'clusterrolebindings', 'rolebindings'],
  );
});

const config = (value: string, more = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: flux-system${more}}\ndata: {key: "${value}"}\n`;
const NOTE = 'kustomize.toolkit.fluxcd.io/reconcile';

test('what is to be left alone is not fought over, and is healed at once when it is not any more', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': config('1') });
  await world.kubectlApply(tracked());
  await ready(world, 'Applied revision');
  const change = async (data: object, value: string) => {
    const patch = { metadata: { annotations: { [NOTE]: value } }, data: { ...data } };
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'flux-system', name: 'a' };
    await world.client.patch(ref, patch, { type: 'merge' });
  };
  await change({ key: 'by hand' }, 'disabled');
  await settle();
  const before = world.requests();
  const commit = world.sources.push(REPO, { 'deploy/a.yaml': config('1'), other: '' });
  await ready(world, `Applied revision: main@sha1:${commit}`);
  await settle();
  assert.ok(world.requests() - before < 12, `${world.requests() - before} requests`);
  assert.equal(at(await world.get('ConfigMap', 'flux-system/a'), 'data', 'key'), 'by hand');
  await change({}, 'enabled');
  await world.eventually(
    () => world.get('ConfigMap', 'flux-system/a'),
    (one) => at(one, 'data', 'key') === '1',
  );
});

test('what another Kustomization marked as its own is not grabbed back, nor deleted with this one', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': config('1') });
  await world.kubectlApply(tracked());
  await ready(world, 'Applied revision');
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'flux-system', name: 'a' };
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'other' };
  await world.client.patch(ref, { metadata: { labels } }, { type: 'merge' });
  await settle();
  const owner = async () =>
    at(
      await world.get('ConfigMap', 'flux-system/a'),
      'metadata',
      'labels',
      'kustomize.toolkit.fluxcd.io/name',
    );
  assert.equal(await owner(), 'other');
  const commit = world.sources.push(REPO, { 'deploy/a.yaml': config('2') });
  await ready(world, `Applied revision: main@sha1:${commit}`);
  assert.equal(await owner(), 'my-app');
  await world.client.patch(ref, { metadata: { labels } }, { type: 'merge' });
  const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
  await world.client.delete({ ...app, namespace: 'flux-system', name: 'my-app' });
  await world.eventually(
    () => world.get('Kustomization', 'flux-system/my-app'),
    (one) => one === undefined,
  );
  assert.equal(await owner(), 'other');
});

test('a Job that the cluster cleared away has run, and runs again with the next revision alone', async () => {
  await using world = await createWorld();
  const job =
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: once, namespace: flux-system}\nspec:\n  ttlSecondsAfterFinished: 0\n  template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}\n';
  const push = (value: string) =>
    world.sources.push(REPO, { 'deploy/a.yaml': `${config(value)}---\n${job}` });
  const ref = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'flux-system', name: 'once' };
  const live = () => world.client.find(ref);
  const clearAway = async () => {
    await world.eventually(live, (one) => one !== undefined);
    await world.client.delete(ref);
  };
  let commit = push('1');
  await world.kubectlApply(tracked('  wait: true\n'));
  await clearAway();
  await ready(world, `Applied revision: main@sha1:${commit}`);
  await settle();
  assert.equal(await live(), undefined);
  commit = push('2');
  await clearAway();
  await ready(world, `Applied revision: main@sha1:${commit}`);
});

test('an object without apiVersion is a failed build that names it, and none of its content', async () => {
  await using world = await createWorld();
  const broken = 'kind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n';
  world.sources.push(REPO, { 'deploy/a.yaml': `${config('1')}---\n${broken}` });
  await world.kubectlApply(tracked());
  const told = await condition(world, 'Ready', (one) => at(one, 'reason') === 'BuildFailed');
  assert.match(
    text(told),
    /failed to decode Kubernetes apiVersion, kind and name from: .*"name":"s"/,
  );
  assert.doesNotMatch(text(told), /hunter2/);
});

test('a failed health check is one entry of the history, another spec is tried at once', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': config('1') });
  const failing =
    '  wait: true\n  retryInterval: 1h\n  healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, failed: "true", current: "false"}]\n';
  await world.kubectlApply(tracked(failing));
  const told = await condition(world, 'Ready', (one) => at(one, 'reason') === 'HealthCheckFailed');
  assert.match(
    text(told),
    /^health check failed after \d+s: failed early due to stalled resources: \[ConfigMap\/flux-system\/a status: 'Failed'/,
  );
  const history = async () => {
    const entries = at(await world.get('Kustomization', 'flux-system/my-app'), 'status', 'history');
    return (Array.isArray(entries) ? entries : []).map(
      (one) => `${at(one, 'lastReconciledStatus')} ${at(one, 'totalReconciliations')}`,
    );
  };
  assert.deepEqual(await history(), ['HealthCheckFailed 1']);
  await world.kubectlApply(tracked('  wait: true\n  retryInterval: 1h\n'));
  await ready(world, 'Applied revision');
  assert.deepEqual(await history(), ['ReconciliationSucceeded 1', 'HealthCheckFailed 1']);
});

test("what is dropped while pruning is off, or is to be kept, is nobody's any more", async () => {
  await using world = await createWorld();
  const kept = config('1').replace(
    'name: a',
    'name: kept, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}',
  );
  world.sources.push(REPO, { 'deploy/a.yaml': config('1'), 'deploy/kept.yaml': kept });
  await world.kubectlApply(tracked());
  await ready(world, 'Applied revision');
  const ids = async () => {
    const entries = at(
      await world.get('Kustomization', 'flux-system/my-app'),
      'status',
      'inventory',
      'entries',
    );
    return (Array.isArray(entries) ? entries : []).map((one) => at(one, 'id'));
  };
  assert.deepEqual(await ids(), ['flux-system_a__ConfigMap', 'flux-system_kept__ConfigMap']);
  const second = world.sources.push(REPO, { 'deploy/a.yaml': config('1') });
  await ready(world, `Applied revision: main@sha1:${second}`);
  assert.deepEqual(await ids(), ['flux-system_a__ConfigMap']);
  assert.ok(await world.get('ConfigMap', 'flux-system/kept'));

  await world.kubectlApply(tracked().replace('prune: true', 'prune: false'));
  const third = world.sources.push(REPO, {
    'deploy/b.yaml': config('1').replace('name: a', 'name: b'),
  });
  await ready(world, `Applied revision: main@sha1:${third}`);
  assert.deepEqual(await ids(), ['flux-system_b__ConfigMap']);
  await world.kubectlApply(tracked());
  await settle();
  assert.ok(await world.get('ConfigMap', 'flux-system/a'));
});

test('a kustomization may read whatever its artifact holds', async () => {
  await using world = await createWorld();
  const commit = world.sources.push(REPO, {
    'shared/patch.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: flux-system}\ndata: {more: "2"}\n',
    'shared/app.env': 'A=1\n',
    'deploy/a.yaml': config('1'),
    'deploy/kustomization.yaml': `resources: [a.yaml]
patches: [{path: ../shared/patch.yaml}]
configMapGenerator: [{name: b, namespace: flux-system, envs: [../shared/app.env], options: {disableNameSuffixHash: true}}]
`,
  });
  await world.kubectlApply(tracked());
  await ready(world, `Applied revision: main@sha1:${commit}`);
  assert.deepEqual(at(await world.get('ConfigMap', 'flux-system/a'), 'data'), {
    key: '1',
    more: '2',
  });
  assert.deepEqual(at(await world.get('ConfigMap', 'flux-system/b'), 'data'), { A: '1' });
});
