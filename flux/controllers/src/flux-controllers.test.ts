// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the language that is rendered
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotate, at, condition, conditions, find, ready, settle } from './testing/look.ts';
import { createWorld } from './testing/world.ts';

const REPO = 'https://git.example.com/org/my-app.git';

const repository = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: my-app, namespace: flux-system}
spec: {interval: 1m, url: "${REPO}", ref: {branch: main}}
`;
const kustomization = (extra = '', name = 'my-app') => `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec:
  interval: 10m
  targetNamespace: production
  sourceRef: {kind: GitRepository, name: my-app}
  path: ./deploy
  prune: true
${extra}`;
const variables = '${cluster}-${size:=small}-${region}';
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: production}\n';

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: "${value}"}\n`;
const deployment = (replicas: number, image = 'nginx:1') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-app}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "${image}"}]}
`;

test('a repository is told as an artifact and applied, drift is undone, what left Git is pruned, all goes with the object', async () => {
  await using world = await createWorld();
  const first = world.sources.push(REPO, {
    'deploy/a.yaml': configMap('a', '1'),
    'deploy/web.yaml': deployment(2),
  });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization()}`);
  const done = await ready(world, `Applied revision: main@sha1:${first}`);
  const source = await world.get('GitRepository', 'flux-system/my-app');
  assert.equal(at(source, 'status', 'artifact', 'revision'), `main@sha1:${first}`);
  assert.deepEqual(conditions(source), [
    `Ready=True Succeeded stored artifact for revision 'main@sha1:${first}'`,
    `ArtifactInStorage=True Succeeded stored artifact for revision 'main@sha1:${first}'`,
  ]);
  assert.deepEqual(conditions(done), [
    `Ready=True ReconciliationSucceeded Applied revision: main@sha1:${first}`,
  ]);
  assert.deepEqual(at(done, 'status', 'inventory', 'entries'), [
    { id: 'production_a__ConfigMap', v: 'v1' },
    { id: 'production_my-app_apps_Deployment', v: 'v1' },
  ]);
  assert.equal(at(done, 'status', 'lastAttemptedRevision'), `main@sha1:${first}`);
  assert.equal(at(done, 'status', 'observedGeneration'), done?.metadata.generation);
  const live = await world.get('ConfigMap', 'production/a');
  assert.deepEqual(live?.metadata.labels, {
    'kustomize.toolkit.fluxcd.io/name': 'my-app',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  });
  assert.deepEqual(
    live?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [['kustomize-controller', 'Apply']],
  );

  const ref = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'production',
    name: 'my-app',
  };
  await world.client.patch(
    ref,
    { spec: { replicas: 7 } },
    { type: 'merge', fieldManager: 'kubectl' },
  );
  await world.eventually(
    () => world.get('Deployment', 'production/my-app'),
    (one) => at(one, 'spec', 'replicas') === 2,
  );

  const second = world.sources.push(REPO, { 'deploy/web.yaml': deployment(3) });
  await ready(world, `Applied revision: main@sha1:${second}`);
  await world.eventually(
    () => world.get('ConfigMap', 'production/a'),
    (one) => one === undefined,
  );

  await world.client.delete({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name: 'my-app',
  });
  await world.eventually(
    () => world.get('Kustomization', 'flux-system/my-app'),
    (one) => one === undefined,
  );
  await world.eventually(
    () => world.get('Deployment', 'production/my-app'),
    (one) => one === undefined,
  );
});

test('a broken commit changes nothing and says file and line; the next one recovers', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': configMap('a', '1'),
    'deploy/b.yaml': configMap('b', '1'),
  });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization()}`);
  await ready(world, 'Applied revision');
  world.sources.push(REPO, {
    'deploy/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n bad: x\n',
  });
  const broken = await condition(world, 'Ready', (one) => at(one, 'reason') === 'BuildFailed');
  assert.match(String(at(broken, 'message')), /a\.yaml/);
  assert.equal(at(await world.get('ConfigMap', 'production/b'), 'data', 'key'), '1');
  const third = world.sources.push(REPO, { 'deploy/a.yaml': configMap('a', '3') });
  await ready(world, `Applied revision: main@sha1:${third}`);
});

test('a path that is not there, a missing source and a wrong repository are one condition each', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'other/a.yaml': configMap('a', '1') });
  await world.kubectlApply(`${namespace}---${kustomization()}`);
  const missing = await condition(world, 'Ready', (one) => at(one, 'status') === 'False');
  assert.equal(at(missing, 'reason'), 'ArtifactFailed');
  assert.match(
    String(at(missing, 'message')),
    /^GitRepository\.source\.toolkit\.fluxcd\.io "my-app" not found$/,
  );
  await world.kubectlApply(repository);
  const path = await condition(world, 'Ready', (one) => /path/.test(String(at(one, 'message'))));
  assert.equal(at(path, 'reason'), 'ArtifactFailed');
  assert.match(String(at(path, 'message')), /^kustomization path not found: /);
  await world.kubectlApply(repository.replace(REPO, 'https://git.example.com/none.git'));
  const fetch = await world.eventually(
    () => world.get('GitRepository', 'flux-system/my-app'),
    (one) => find(one, 'FetchFailed') !== undefined,
  );
  assert.equal(at(find(fetch, 'Ready'), 'reason'), 'GitOperationFailed');
});

test('health is awaited, and a wait that ends in vain is told', async () => {
  await using world = await createWorld();
  const first = world.sources.push(REPO, { 'deploy/web.yaml': deployment(1) });
  const check =
    '  timeout: 2m\n  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: my-app, namespace: production}]\n';
  await world.kubectlApply(`${namespace}---${repository}---${kustomization(check)}`);
  const waiting = await condition(world, 'Reconciling', (one) =>
    /Running health checks/.test(String(at(one, 'message'))),
  );
  assert.equal(
    at(waiting, 'message'),
    `Running health checks for revision main@sha1:${first} with a timeout of 2m0s`,
  );
  const done = await ready(world, 'Applied revision');
  assert.equal(at(find(done, 'Healthy'), 'status'), 'True');
  world.sources.push(REPO, { 'deploy/web.yaml': deployment(1, 'nginx:unready') });
  await condition(world, 'Healthy', (one) => at(one, 'status') === 'Unknown');
  const third = world.sources.push(REPO, { 'deploy/web.yaml': deployment(1, 'nginx:3') });
  await ready(world, `Applied revision: main@sha1:${third}`);
});

test('what depends on another one waits for it', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': configMap('a', '1'),
    'late/b.yaml': configMap('b', '1'),
  });
  const late = kustomization('  dependsOn: [{name: my-app}]\n', 'late').replace(
    './deploy',
    './late',
  );
  await world.kubectlApply(`${namespace}---${repository}---${late}`);
  const waiting = await world.eventually(
    () => world.get('Kustomization', 'flux-system/late'),
    (one) => at(find(one, 'Ready'), 'reason') === 'DependencyNotReady',
  );
  assert.equal(at(find(waiting, 'Ready'), 'status'), 'False');
  assert.equal(await world.get('ConfigMap', 'production/b'), undefined);
  await world.kubectlApply(kustomization());
  await world.eventually(
    () => world.get('ConfigMap', 'production/b'),
    (one) => one !== undefined,
  );
});

test('variables come from the spec and from ConfigMaps, and what is missing is told', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': configMap('a', variables),
  });
  const build =
    '  postBuild: {substitute: {region: eu}, substituteFrom: [{kind: ConfigMap, name: settings}]}\n';
  await world.kubectlApply(`${namespace}---${repository}---${kustomization(build)}`);
  const missing = await condition(world, 'Ready', (one) => at(one, 'reason') === 'BuildFailed');
  assert.match(
    String(at(missing, 'message')),
    /^post build failed: substitute from 'ConfigMap\/settings' error: configmaps "settings" not found/,
  );
  await world.kubectlApply(
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\ndata: {cluster: prod, region: us}\n',
  );
  await annotate(world, '2026-01-01T00:00:00Z');
  await world.eventually(
    () => world.get('ConfigMap', 'production/a'),
    (one) => at(one, 'data', 'key') === 'prod-small-eu',
  );
  const done = await ready(world, 'Applied revision');
  assert.equal(at(done, 'status', 'lastHandledReconcileAt'), '2026-01-01T00:00:00Z');
});

test('what the cluster says to leave alone is left alone, and what ends on its own leaves the inventory', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': configMap('a', '1'),
    'deploy/b.yaml': configMap('b', '1'),
  });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization()}`);
  await ready(world, 'Applied revision');
  const ref = (name: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'production',
    name,
  });
  const annotations = { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' };
  const mine = { metadata: { annotations }, data: { key: 'mine' } };
  await world.client.patch(ref('a'), mine, { type: 'merge', fieldManager: 'ann' });
  const finalizers = ['example.com/keep'];
  await world.client.patch(ref('b'), { metadata: { finalizers } }, { type: 'merge' });
  await settle();
  world.sources.push(REPO, { 'deploy/a.yaml': configMap('a', '2') });
  await world.eventually(
    () => world.get('ConfigMap', 'production/b'),
    (one) => at(one, 'metadata', 'deletionTimestamp') !== undefined,
  );
  await world.eventually(
    () => world.get('Kustomization', 'flux-system/my-app'),
    (one) => JSON.stringify(at(one, 'status', 'inventory', 'entries'))?.includes('_b_') === false,
  );
  assert.equal(at(await world.get('ConfigMap', 'production/a'), 'data', 'key'), 'mine');
  await world.client.patch(ref('b'), { metadata: { finalizers: null } }, { type: 'merge' });
});

test('suspended, nothing happens; with nothing changed, nothing is asked', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': configMap('a', '1') });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization('  suspend: true\n')}`);
  await settle();
  assert.equal(await world.get('ConfigMap', 'production/a'), undefined);
  await world.kubectlApply(kustomization('  suspend: false\n'));
  await ready(world, 'Applied revision');
  await world.controllers.idle();
  await settle();
  const before = world.requests();
  await settle();
  assert.equal(world.requests(), before);
});

test('a suspended one is seen, and an end tells what goes with it', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': configMap('a', '1') });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization()}`);
  await ready(world, 'Applied revision');
  const get = () => world.get('Kustomization', 'flux-system/my-app');
  await world.kubectlApply(kustomization('  suspend: true\n'));
  await world.eventually(
    get,
    (one) => at(one, 'status', 'observedGeneration') === one?.metadata.generation,
  );
  assert.equal(at(find(await get(), 'Ready'), 'status'), 'True');
  await world.kubectlApply(kustomization('  suspend: false\n'));
  const { apiVersion, kind } = (await get()) ?? assert.fail();
  await world.client.delete({ apiVersion, kind, namespace: 'flux-system', name: 'my-app' });
  await world.eventually(get, (one) => one === undefined);
  await world.eventually(
    async () => (await world.client.list({ apiVersion: 'v1', kind: 'Event' }, {})).items,
    (events) => events.some((one) => at(one, 'message') === 'ConfigMap/production/a deleted'),
  );
});

test('fields that a kind of Kubernetes lacks are lost, as with the types of the original', async () => {
  await using world = await createWorld();
  const odd = deployment(1).replace('name: web,', 'name: web, color: red,');
  const first = world.sources.push(REPO, {
    'deploy/a.yaml': `${configMap('a', '1')}colors: [red]\n`,
    'deploy/web.yaml': odd.replace('replicas:', 'replica: 2\n  replicas:'),
  });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization()}`);
  await ready(world, `Applied revision: main@sha1:${first}`);
  assert.equal(at(await world.get('ConfigMap', 'production/a'), 'data', 'key'), '1');
  await world.controllers.idle();
  await settle();
  const before = world.requests();
  await settle();
  assert.equal(world.requests(), before);
  const role = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: [{apiGroups: [""], resources: [pods], verbs: [get], color: red}]
`;
  world.sources.push(REPO, { 'deploy/role.yaml': role });
  const failed = await condition(world, 'Ready', (one) => at(one, 'status') === 'False');
  assert.match(String(at(failed, 'message')), /^Role\/production\/r dry-run failed.*color/);
});

test('after a restart it goes on, without another operation', async () => {
  await using world = await createWorld();
  const first = world.sources.push(REPO, {
    'deploy/a.yaml': configMap('a', '1'),
    'deploy/b.yaml': configMap('b', '1'),
  });
  await world.kubectlApply(`${namespace}---${repository}---${kustomization()}`);
  const before = await ready(world, `Applied revision: main@sha1:${first}`);
  await world.restart();
  await settle();
  assert.deepEqual(
    at(await world.get('Kustomization', 'flux-system/my-app'), 'status'),
    at(before, 'status'),
  );
  world.sources.push(REPO, { 'deploy/b.yaml': configMap('b', '2') });
  await world.eventually(
    () => world.get('ConfigMap', 'production/a'),
    (one) => one === undefined,
  );
});
