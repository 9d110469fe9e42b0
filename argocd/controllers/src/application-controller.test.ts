import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import type { Json, JsonObject } from '@capstan/kube-object';
import { createWorld, type World } from './testing/world.ts';

const REPO = 'https://git.example.com/org/repo.git';

const application = (extra = '') => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: default
  source: {repoURL: ${REPO}, targetRevision: HEAD, path: app}
  destination: {server: https://kubernetes.default.svc, namespace: web}
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [CreateNamespace=true]
${extra}`;

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: "${value}"}\n`;
const deployment = (replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1", resources: {limits: {cpu: 1000m}}}]}
`;

test('an application is applied, reported, healed, pruned, and taken away with its resources', async () => {
  await using world = await createWorld();
  const first = world.sources.push(REPO, {
    'app/a.yaml': configMap('a', '1'),
    'app/web.yaml': deployment(2),
  });
  await world.kubectlApply(application());
  const synced = await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  assert.equal(at(synced, 'sync', 'revision'), first);
  assert.equal(at(synced, 'operationState', 'phase'), 'Succeeded');
  assert.equal(at(synced, 'history', 0, 'revision'), first);
  assert.equal(at(synced, 'sourceType'), 'Directory');
  assert.deepEqual(at(synced, 'summary', 'images'), ['nginx:1']);
  const live = await world.get('ConfigMap', 'web/a');
  assert.equal(
    live?.metadata.annotations?.['argocd.argoproj.io/tracking-id'],
    'web:/ConfigMap:web/a',
  );
  assert.deepEqual(
    live?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [['argocd-controller', 'Apply']],
  );

  await world.client.patch(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'web' },
    { spec: { replicas: 7 } },
    { type: 'merge', fieldManager: 'kubectl' },
  );
  await world.eventually(
    () => world.get('Deployment', 'web/web'),
    (one) => at(one, 'spec', 'replicas') === 2,
  );
  await world.client.delete({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'web',
    name: 'web',
  });
  await world.eventually(
    () => world.get('Deployment', 'web/web'),
    (one) => at(one, 'spec', 'replicas') === 2,
  );

  const second = world.sources.push(REPO, { 'app/web.yaml': deployment(3) });
  await world.eventually(
    () => world.get('ConfigMap', 'web/a'),
    (one) => one === undefined,
  );
  await status(
    world,
    (one) => at(one, 'sync', 'revision') === second && at(one, 'sync', 'status') === 'Synced',
  );
  assert.equal(at(await world.get('Deployment', 'web/web'), 'spec', 'replicas'), 3);

  await world.client.delete({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    namespace: 'argocd',
    name: 'web',
  });
  await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => one === undefined,
  );
  assert.equal(await world.get('Deployment', 'web/web'), undefined);
});

test('with nothing changed, nothing is written and nothing is asked', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'app/web.yaml': deployment(1), 'app/a.yaml': configMap('a', '1') });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'health', 'status') === 'Healthy');
  await world.controller.idle();
  await settle();
  const before = world.requests();
  await settle();
  assert.equal(world.requests(), before);
});

test('a broken commit changes nothing and says file and line; the next one recovers', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a', '1'),
    'app/b.yaml': configMap('b', '1'),
  });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  world.sources.push(REPO, {
    'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n bad: x\n',
  });
  const broken = await status(
    world,
    (one) => at(one, 'conditions', 0, 'type') === 'ComparisonError',
  );
  assert.equal(at(broken, 'sync', 'status'), 'Unknown');
  assert.match(String(at(broken, 'conditions', 0, 'message')), /app\/a\.yaml:\d+: /);
  assert.equal(list(at(broken, 'conditions')).length, 1);
  assert.equal(at(await world.get('ConfigMap', 'web/b'), 'data', 'key'), '1');
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '2') });
  const fixed = await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  assert.equal(at(fixed, 'conditions'), undefined);
  assert.equal(at(await world.get('ConfigMap', 'web/a'), 'data', 'key'), '2');
});

test('a source that names two tools is an error of rendering: what is known of the objects stays', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1') });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  const source = { helm: { releaseName: 'a' }, kustomize: { namePrefix: 'b-' } };
  await world.client.patch(
    { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace: 'argocd', name: 'web' },
    { spec: { source } },
    { type: 'merge' },
  );
  const told = await status(world, (one) => at(one, 'sync', 'status') === 'Unknown');
  assert.equal(at(told, 'conditions', 0, 'type'), 'ComparisonError');
  assert.match(
    String(at(told, 'conditions', 0, 'message')),
    /spec\.source: multiple application sources defined: Kustomize,Helm/,
  );
  assert.equal(at(told, 'health', 'status'), 'Healthy');
  assert.deepEqual(
    list(at(told, 'resources')).map((one) => [at(one, 'kind'), at(one, 'name'), at(one, 'status')]),
    [['ConfigMap', 'a', 'Unknown']],
  );
});

test('an empty render prunes nothing', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1') });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  world.sources.push(REPO, { 'app/notes.txt': 'nothing here' });
  const told = await status(world, (one) => at(one, 'conditions', 0, 'type') === 'SyncError');
  assert.match(
    String(at(told, 'conditions', 0, 'message')),
    /auto-sync will wipe out all resources/,
  );
  assert.equal(at(await world.get('ConfigMap', 'web/a'), 'data', 'key'), '1');
});

test('a refused object stops the sync before anything has changed', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1'), 'app/web.yaml': deployment(1) });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  const bad = deployment(1).replace('replicas: 1', 'replicas: many');
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '2'), 'app/web.yaml': bad });
  const failed = await status(world, (one) =>
    String(at(one, 'operationState', 'message')).includes('(dry run)'),
  );
  assert.match(String(at(failed, 'operationState', 'message')), /Deployment/);
  assert.equal(at(await world.get('ConfigMap', 'web/a'), 'data', 'key'), '1');
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '3'), 'app/web.yaml': deployment(4) });
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  assert.equal(at(await world.get('ConfigMap', 'web/a'), 'data', 'key'), '3');
});

test('the project is held against the source, the destination and the kinds', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/role.yaml':
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n',
  });
  const project = (spec: string) => `
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team, namespace: argocd}
spec: ${spec}
`;
  await world.kubectlApply(application().replace('project: default', 'project: team'));
  await condition(world, /project team which does not exist/);
  await world.kubectlApply(
    project('{sourceRepos: ["https://other/*"], destinations: [{server: "*", namespace: "*"}]}'),
  );
  await condition(world, /repo .* is not permitted in project 'team'/);
  await world.kubectlApply(
    project('{sourceRepos: ["*"], destinations: [{server: "*", namespace: "team-*"}]}'),
  );
  await condition(world, /do not match any of the allowed destinations/);
  await world.kubectlApply(
    project('{sourceRepos: ["*"], destinations: [{server: "*", namespace: "*"}]}'),
  );
  const denied = await status(world, (one) => at(one, 'operationState', 'phase') === 'Failed');
  assert.match(
    String(at(denied, 'operationState', 'message')),
    /resource rbac.authorization.k8s.io:ClusterRole is not permitted in project team/,
  );
  assert.equal(at(denied, 'conditions', 0, 'type'), 'SyncError');
});

test('a kind of the cluster that the same sync defines is held against the project, too (row 44)', async () => {
  await using world = await createWorld();
  const planets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: planets.example.io}
spec:
  group: example.io
  scope: Cluster
  names: {kind: Planet, plural: planets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
  const planet = `apiVersion: example.io/v1
kind: Planet
metadata:
  name: x
  annotations: {argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true}
`;
  world.sources.push(REPO, { 'app/crd.yaml': planets, 'app/planet.yaml': planet });
  await world.kubectlApply(`
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team, namespace: argocd}
spec:
  sourceRepos: ["*"]
  destinations: [{server: "*", namespace: "*"}]
  clusterResourceWhitelist: [{group: apiextensions.k8s.io, kind: "*", name: planets.*}]
`);
  await world.kubectlApply(application().replace('project: default', 'project: team'));
  const denied = await status(world, (one) => at(one, 'operationState', 'phase') === 'Failed');
  assert.match(
    String(at(denied, 'operationState', 'message')),
    /resource example.io:Planet is not permitted in project team/,
  );
  assert.equal(
    await world.get('CustomResourceDefinition', '/planets.example.io').catch(() => undefined),
    undefined,
  );
});

test('an operation by hand syncs a manual application, and another revision on request', async () => {
  await using world = await createWorld();
  const first = world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1') });
  const manual = application().replace(
    'automated: {prune: true, selfHeal: true}',
    'retry: {limit: 0}',
  );
  await world.kubectlApply(manual);
  await status(world, (one) => at(one, 'sync', 'status') === 'OutOfSync');
  assert.equal(await world.get('ConfigMap', 'web/a'), undefined);
  const ref = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    namespace: 'argocd',
    name: 'web',
  };
  const syncOptions = ['CreateNamespace=true'];
  const operate = (sync: JsonObject) =>
    world.client.patch(
      ref,
      { operation: { initiatedBy: { username: 'ann' }, sync: { syncOptions, ...sync } } },
      { type: 'merge' },
    );
  await operate({ prune: true });
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  const app = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => at(one, 'operation') === undefined,
  );
  assert.deepEqual(at(app, 'status', 'history', 0, 'initiatedBy'), { username: 'ann' });
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '2') });
  await status(world, (one) => at(one, 'sync', 'status') === 'OutOfSync');
  await operate({});
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  await operate({ revision: first });
  await world.eventually(
    () => world.get('ConfigMap', 'web/a'),
    (one) => at(one, 'data', 'key') === '1',
  );
  const rolledBack = await status(world, (one) => list(at(one, 'history')).length === 3);
  assert.equal(at(rolledBack, 'sync', 'status'), 'OutOfSync');
  assert.equal(at(rolledBack, 'operationState', 'syncResult', 'revision'), first);
});

test('hooks run in their phases, and a restart in the midst of one does not run it twice', async () => {
  await using world = await createWorld();
  const job = (name: string, phase: string) => `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, annotations: {argocd.argoproj.io/hook: ${phase}}}
spec: {template: {metadata: {annotations: {sandbox.capstan.dev/run-for: 700ms}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}
`;
  world.sources.push(REPO, {
    'app/pre.yaml': job('migrate', 'PreSync'),
    'app/a.yaml': configMap('a', '1'),
  });
  await world.kubectlApply(application());
  const made = await world.eventually(
    () => world.get('Job', 'web/migrate'),
    (one) => one !== undefined,
  );
  await status(world, (one) =>
    String(at(one, 'operationState', 'message')).startsWith('waiting for completion of hook'),
  );
  assert.equal(await world.get('ConfigMap', 'web/a'), undefined);
  await world.restart();
  await settle();
  assert.equal((await world.get('Job', 'web/migrate'))?.metadata.uid, made?.metadata.uid);
  await world.eventually(
    () => world.get('ConfigMap', 'web/a'),
    (one) => one !== undefined,
  );
  const done = await status(world, (one) => at(one, 'operationState', 'phase') === 'Succeeded');
  const results = list(at(done, 'operationState', 'syncResult', 'resources'));
  assert.deepEqual(
    results.map((one) => [
      at(one, 'kind'),
      at(one, 'hookType'),
      at(one, 'hookPhase'),
      at(one, 'syncPhase'),
    ]),
    [
      ['Namespace', undefined, 'Succeeded', 'PreSync'],
      ['Job', 'PreSync', 'Succeeded', 'PreSync'],
      ['ConfigMap', undefined, 'Succeeded', 'Sync'],
    ],
  );
});

test('a rollback that a restart interrupts is a rollback still', async () => {
  await using world = await createWorld();
  const job =
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\nspec: {template: {metadata: {annotations: {sandbox.capstan.dev/run-for: 500ms}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n';
  const first = world.sources.push(REPO, {
    'app/a.yaml': configMap('a', '1'),
    'app/job.yaml': job,
  });
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '2'), 'app/job.yaml': job });
  await world.kubectlApply(
    application().replace('automated: {prune: true, selfHeal: true}', 'retry: {limit: 0}'),
  );
  await status(world, (one) => at(one, 'sync', 'status') === 'OutOfSync');
  const ref = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    namespace: 'argocd',
    name: 'web',
  };
  await world.client.patch(
    ref,
    {
      operation: {
        initiatedBy: { username: 'ann' },
        sync: { revision: first, syncOptions: ['CreateNamespace=true'] },
      },
    },
    { type: 'merge' },
  );
  await status(world, (one) =>
    String(at(one, 'operationState', 'message')).startsWith('waiting for completion of hook'),
  );
  await world.restart();
  const done = await status(world, (one) => at(one, 'operationState', 'phase') === 'Succeeded');
  assert.equal(at(done, 'operationState', 'syncResult', 'revision'), first);
  assert.equal(at(await world.get('ConfigMap', 'web/a'), 'data', 'key'), '1');
});

test('an operation is ended on request, with the hook that runs', async () => {
  await using world = await createWorld();
  const job =
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\nspec: {template: {metadata: {annotations: {sandbox.capstan.dev/run-for: 60s}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n';
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1'), 'app/job.yaml': job });
  await world.kubectlApply(application());
  await status(world, (one) =>
    String(at(one, 'operationState', 'message')).startsWith('waiting for completion of hook'),
  );
  const ref = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    namespace: 'argocd',
    name: 'web',
  };
  await world.client.patch(
    ref,
    { status: { operationState: { phase: 'Terminating' } } },
    { type: 'merge' },
  );
  const ended = await status(world, (one) => at(one, 'operationState', 'phase') === 'Failed');
  assert.equal(at(ended, 'operationState', 'message'), 'Operation terminated');
  await world.eventually(
    () => world.get('Job', 'web/migrate'),
    (one) => one === undefined,
  );
  assert.equal(await world.get('ConfigMap', 'web/a'), undefined);
});

test('a newer commit pre-empts a sync that waits', async () => {
  await using world = await createWorld();
  const waved = (image: string) => ({
    'app/web.yaml': deployment(1).replace('nginx:1', image),
    'app/later.yaml': configMap('later', image).replace(
      'metadata: {name: later}',
      'metadata: {name: later, annotations: {argocd.argoproj.io/sync-wave: "1"}}',
    ),
  });
  world.sources.push(REPO, waved('bad:unready'));
  await world.kubectlApply(application());
  await status(world, (one) =>
    String(at(one, 'operationState', 'message')).startsWith('waiting for healthy state'),
  );
  const second = world.sources.push(REPO, { 'app/later.yaml': configMap('later', 'fixed') });
  const done = await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  assert.equal(at(done, 'operationState', 'syncResult', 'revision'), second);
  assert.equal(await world.get('Deployment', 'web/web'), undefined);
});

test('a kind that the cluster does not know stops the sync before anything has changed; once it is known, it goes on', async () => {
  await using world = await createWorld();
  const thing = 'apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: t}\nspec: {size: 1}\n';
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1'), 'app/t.yaml': thing });
  const retry = '    retry: {limit: 50, backoff: {duration: 100ms, maxDuration: 100ms}}\n';
  await world.kubectlApply(application(retry));
  const failed = await status(world, (one) =>
    String(at(one, 'operationState', 'message')).includes('CRD is installed'),
  );
  assert.match(
    String(at(failed, 'operationState', 'message')),
    /could not find example.io\/Thing for requested resource web\/t/,
  );
  assert.equal(await world.get('ConfigMap', 'web/a'), undefined);
  await world.kubectlApply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.io}
spec:
  group: example.io
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`);
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
});

test('an object of another application is told, and stops the sync when asked for', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1') });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  const other = application()
    .replace(
      'name: web, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]',
      'name: other, namespace: argocd',
    )
    .replace('CreateNamespace=true', 'FailOnSharedResource=true');
  await world.kubectlApply(other);
  const told = await world.eventually(
    () => world.get('Application', 'argocd/other'),
    (one) => at(one, 'status', 'operationState', 'phase') === 'Failed',
  );
  assert.match(
    String(at(told, 'status', 'operationState', 'message')),
    /Shared resource found: ConfigMap\/a is part of applications/,
  );
  const types = list(at(told, 'status', 'conditions')).map((one) => at(one, 'type'));
  assert.deepEqual(types.sort(), ['SharedResourceWarning', 'SyncError']);
  const live = await world.get('ConfigMap', 'web/a');
  assert.match(live?.metadata.annotations?.['argocd.argoproj.io/tracking-id'] ?? '', /^web:/);
});

test('the events are those of the original', async () => {
  await using world = await createWorld();
  const revision = world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1') });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  const events = await world.eventually(
    async () =>
      (await world.client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'argocd' })).items,
    (items) => items.length >= 6,
  );
  assert.deepEqual(
    events.map((event) => `${at(event, 'reason')}: ${at(event, 'message')}`).sort(),
    [
      `OperationCompleted: Sync operation to ${revision} succeeded`,
      `OperationStarted: Initiated automated sync to '${revision}'`,
      'ResourceUpdated: Updated health status:  -> Missing',
      'ResourceUpdated: Updated health status: Missing -> Healthy',
      'ResourceUpdated: Updated sync status:  -> OutOfSync',
      'ResourceUpdated: Updated sync status: OutOfSync -> Synced',
    ],
  );
});

async function status(
  world: World,
  holds: (status: Json | undefined) => boolean,
): Promise<Json | undefined> {
  const app = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => holds(at(one, 'status')),
  );
  return at(app, 'status');
}

async function condition(world: World, pattern: RegExp): Promise<void> {
  const told = await status(world, (one) =>
    pattern.test(String(at(one, 'conditions', 0, 'message'))),
  );
  assert.equal(at(told, 'conditions', 0, 'type'), 'InvalidSpecError');
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

test('sound new objects are not rehearsed, doubtful ones are, and a number somebody wrote is set right unasked', async () => {
  const asked: string[] = [];
  const sent: string[] = [];
  await using world = await createWorld({
    onRequest: (_count, method, path) => {
      const [kind = ''] = /(?<=namespaces\/web\/)\w+/.exec(path) ?? [];
      if (method === 'PATCH' && kind !== '') (path.includes('dryRun') ? asked : sent).push(kind);
    },
  });
  world.sources.push(REPO, { 'app/a.yaml': configMap('a', '1'), 'app/web.yaml': deployment(1) });
  await world.kubectlApply(application());
  await status(world, (one) => at(one, 'sync', 'status') === 'Synced');
  assert.deepEqual([asked, sent], [[], ['configmaps', 'deployments']]);
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'web' };
  await world.client.patch(ref, { spec: { replicas: 5 } }, { type: 'merge', fieldManager: 'me' });
  await world.eventually(
    () => world.get('Deployment', 'web/web'),
    (one) => at(one, 'spec', 'replicas') === 1,
  );
  assert.deepEqual([asked, sent.slice(2)], [[], ['deployments']]);
  const bad = deployment(1)
    .replace('replicas: 1', 'replicas: many')
    .replace('name: web', 'name: bad');
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a', '1'),
    'app/b.yaml': configMap('b', '1'),
    'app/bad.yaml': bad,
  });
  await status(world, (one) => String(at(one, 'operationState', 'message')).includes('(dry run)'));
  assert.deepEqual([...new Set(asked)], ['deployments']);
  assert.equal(await world.get('ConfigMap', 'web/b'), undefined);
});
