/** What Argo CD 3.x left on a cluster is gone on with: nothing is written, nothing restarts, nothing is forgotten. */
import assert from 'node:assert/strict';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { listAt, textAt, valueAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { APPLICATION, application, type Repository, until, type World } from './world.ts';

const PATIENCE_MS = 30_000;
/** The field manager of Argo CD, whichever way it applies. */
const MANAGER = 'argocd-controller';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const TRACKING = 'argocd.argoproj.io/tracking-id';
const INSTANCE = 'app.kubernetes.io/instance';

interface Style {
  readonly name: string;
  readonly apply: 'client' | 'server';
  readonly tracking: 'annotation' | 'label' | 'annotation+label';
}

const FILES = {
  'config.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  kept: one
  dropped: two
`,
  'service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - port: 80
    targetPort: 8080
`,
  'web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, tier: dropped}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        env:
        - {name: KEPT, value: "1"}
        - {name: DROPPED, value: "2"}
`,
};

const CHANGED = {
  'config.yaml': FILES['config.yaml'].replace('  dropped: two\n', ''),
  'web.yaml': FILES['web.yaml']
    .replace(', tier: dropped', '')
    .replace('        - {name: DROPPED, value: "2"}\n', ''),
};

/** A manifest as Argo CD sends it: in its namespace, with its mark. */
function marked(text: string, { name, tracking }: Style): KubeObject {
  const object = parseYaml(text) as KubeObject;
  const [group = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [];
  const id = `${name}:${group}/${object.kind}:${name}/${object.metadata.name}`;
  const labels = {
    ...object.metadata.labels,
    ...(tracking === 'annotation' ? {} : { [INSTANCE]: name }),
  };
  return {
    ...object,
    metadata: {
      ...object.metadata,
      namespace: name,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(tracking === 'label' ? {} : { annotations: { [TRACKING]: id } }),
    },
  };
}

async function applyAsArgo(world: World, object: KubeObject, style: Style): Promise<KubeObject> {
  if (style.apply === 'server')
    return world.client.apply(object, { fieldManager: MANAGER, force: true });
  const annotations = {
    ...object.metadata.annotations,
    [LAST_APPLIED]: `${JSON.stringify(object)}\n`,
  };
  const sent = { ...object, metadata: { ...object.metadata, annotations } };
  if ((await world.get(refOf(object))) === undefined)
    return world.client.create(sent, { fieldManager: MANAGER });
  // What is there is changed by a strategic merge, as by kubectl apply.
  return world.client.patch(refOf(object), sent, { type: 'strategic', fieldManager: MANAGER });
}

function refOf({ apiVersion, kind, metadata: { namespace = '', name = '' } }: KubeObject) {
  return { apiVersion, kind, namespace, name };
}

const AT = '2026-01-02T03:04:05Z';
const EARLIER = '2026-01-01T03:04:05Z';

/** The status of two syncs, as Argo CD writes it. */
function argoStatus(spec: JsonObject, objects: readonly KubeObject[], commit: string): JsonObject {
  const source = spec['source'] ?? {};
  const about = objects.map((object) => {
    const { apiVersion, kind, namespace, name } = refOf(object);
    const [version = '', group = ''] = apiVersion.split('/').toReversed();
    return { ...(group === '' ? {} : { group }), version, kind, namespace, name };
  });
  const automated = { automated: true };
  return {
    controllerNamespace: 'argocd',
    sourceType: 'Directory',
    reconciledAt: AT,
    health: { status: 'Healthy', lastTransitionTime: AT },
    sync: {
      status: 'Synced',
      revision: commit,
      comparedTo: { source, destination: spec['destination'] ?? {} },
    },
    resources: about.map((one) => ({
      ...one,
      status: 'Synced',
      ...(one.kind === 'ConfigMap' ? {} : { health: { status: 'Healthy' } }),
    })),
    summary: { images: ['nginx:1.27'] },
    history: [EARLIER, AT].map((time, id) => ({
      id,
      revision: id === 1 ? commit : 'f'.repeat(40),
      deployStartedAt: time,
      deployedAt: time,
      source,
      initiatedBy: id === 1 ? automated : { username: 'ann' },
    })),
    operationState: {
      operation: {
        initiatedBy: automated,
        retry: { limit: 5 },
        sync: { prune: true, revision: commit, syncOptions: ['CreateNamespace=true'] },
      },
      phase: 'Succeeded',
      message: 'successfully synced (all tasks run)',
      startedAt: AT,
      finishedAt: AT,
      syncResult: {
        revision: commit,
        source,
        resources: about.map((one) => ({
          group: '',
          ...one,
          status: 'Synced',
          hookPhase: 'Running',
          syncPhase: 'Sync',
          message: `${one.kind.toLowerCase()}/${one.name} created`,
        })),
      },
    },
  };
}

async function podsOf(world: World, namespace: string): Promise<readonly string[]> {
  const { items } = await world.client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
  return items.map(({ metadata }) => metadata.uid ?? '').sort();
}

interface Left {
  readonly repository: Repository;
  readonly app: KubeObject;
  /** Each object as it was last. */
  readonly objects: readonly KubeObject[];
  readonly pods: readonly string[];
}

/** Plays Argo CD: a namespace, its objects up and running, the Application with its past. */
async function leave(world: World, style: Style): Promise<Left> {
  const { name } = style;
  const repository = await world.repository(name);
  const commit = await repository.push(FILES);
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const made: KubeObject[] = [];
  for (const text of Object.values(FILES))
    made.push(await applyAsArgo(world, marked(text, style), style));
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, name: 'web' };
  // Somebody else's field, which has to stay.
  const note = { metadata: { annotations: { 'example.com/note': 'by hand' } } };
  await world.client.patch(web, note, { type: 'merge', fieldManager: 'kubectl-annotate' });
  await until('the Pods run', PATIENCE_MS, async () => {
    const { metadata, status } = await world.client.get(web);
    return (
      valueAt(status, 'availableReplicas') === 2 &&
      valueAt(status, 'observedGeneration') === metadata.generation
    );
  });
  const app = application(name, { url: repository.url, path: '.' });
  const status = argoStatus(app['spec'] as JsonObject, made, commit);
  const objects: KubeObject[] = [];
  for (const one of made) objects.push(await world.client.get(refOf(one)));
  const written = await world.client.create(
    { ...app, status },
    { fieldManager: 'argocd-application-controller' },
  );
  return { repository, app: written, objects, pods: await podsOf(world, name) };
}

async function looked(world: World, name: string): Promise<KubeObject> {
  const refresh = { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } };
  await world.client.patch({ ...APPLICATION, name }, refresh, { type: 'merge' });
  const { value } = await until(`${name} is looked at`, PATIENCE_MS, async () => {
    const app = await world.client.get({ ...APPLICATION, name });
    const hasLooked = app.metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined;
    return hasLooked && textAt(app, 'status', 'reconciledAt') !== AT && app;
  });
  return value;
}

async function adopts(world: World, style: Style, left: Left): Promise<void> {
  const { name } = style;
  const app = await looked(world, name);
  assert.deepEqual(listAt(app, 'status', 'conditions'), []);
  assert.equal(textAt(app, 'status', 'sync', 'status'), 'Synced');
  assert.equal(textAt(app, 'status', 'health', 'status'), 'Healthy');
  for (const field of ['history', 'operationState', 'resources', 'summary']) {
    assert.deepEqual(
      valueAt(app, 'status', field),
      valueAt(left.app, 'status', field),
      `${field} as it was`,
    );
  }
  assert.equal(valueAt(app, 'operation'), undefined);
  for (const before of left.objects) {
    assert.deepEqual(await world.client.get(refOf(before)), before, `${before.kind} is untouched`);
  }
  assert.deepEqual(await podsOf(world, name), left.pods, 'no Pod restarted');
}

async function goesOn(world: World, style: Style, left: Left): Promise<void> {
  const { name } = style;
  const commit = await left.repository.push(CHANGED);
  await untilSynced(world, name, commit);
  const [config, service, web] = await Promise.all(
    left.objects.map((one) => world.client.get(refOf(one))),
  );
  assert.deepEqual(valueAt(config, 'data'), { kept: 'one' });
  assert.equal(valueAt(web, 'metadata', 'labels', 'tier'), undefined);
  assert.equal(web?.metadata.annotations?.['example.com/note'], 'by hand');
  const [container] = listAt(web, 'spec', 'template', 'spec', 'containers');
  assert.deepEqual(listAt(container, 'env'), [{ name: 'KEPT', value: '1' }]);
  const sets = { apiVersion: 'apps/v1', kind: 'ReplicaSet' };
  const { items } = await world.client.list(sets, { namespace: name });
  assert.equal(items.length, 2, 'one change, so one rollout');
  assert.equal(service?.metadata.uid, left.objects[1]?.metadata.uid);
  const theirs = [config, web].flatMap((one) =>
    (one?.metadata.managedFields ?? []).filter(
      ({ manager, operation }) => manager === MANAGER && operation === 'Update',
    ),
  );
  assert.deepEqual(theirs, [], 'nothing is owned twice');
  const app = await world.client.get({ ...APPLICATION, name });
  const history = listAt(app, 'status', 'history');
  assert.deepEqual(history.slice(0, 2), listAt(left.app, 'status', 'history'));
  assert.deepEqual(
    history.slice(2).map((one) => [valueAt(one, 'id'), valueAt(one, 'revision')]),
    [[2, commit]],
  );
}

/** Of an Application's status, all that the original knows. */
const KNOWN_STATUS: ReadonlySet<string> = new Set([
  'conditions',
  'controllerNamespace',
  'health',
  'history',
  'observedAt',
  'operationState',
  'reconciledAt',
  'resourceHealthSource',
  'resources',
  'sourceHydrator',
  'sourceType',
  'sourceTypes',
  'summary',
  'sync',
]);

/** Plays Argo CD again: what it sends for the same commit changes nothing, and it finds nothing that it does not know. */
async function handsBack(world: World, style: Style): Promise<void> {
  const { name } = style;
  await world.stop();
  await until('the rollout is over', PATIENCE_MS, async () => {
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, name: 'web' };
    const web = await world.client.get(ref);
    const replicas = valueAt(web, 'spec', 'replicas');
    const isDone = ['replicas', 'updatedReplicas', 'readyReplicas'].every(
      (field) => valueAt(web, 'status', field) === replicas,
    );
    return isDone && (await podsOf(world, name)).length === replicas;
  });
  const pods = await podsOf(world, name);
  for (const text of Object.values({ ...FILES, ...CHANGED })) {
    const wanted = marked(text, style);
    const before = await world.client.get(refOf(wanted));
    for (const [key, value] of Object.entries({
      ...wanted.metadata.annotations,
      ...wanted.metadata.labels,
    }))
      assert.ok(JSON.stringify(before.metadata).includes(JSON.stringify(value)), `${key} tracks`);
    await applyAsArgo(world, wanted, style);
    const after = await world.client.get(refOf(wanted));
    assert.deepEqual([after['spec'], after['data']], [before['spec'], before['data']]);
  }
  assert.deepEqual(await podsOf(world, name), pods, 'no Pod restarted');
  const { metadata, status, operation } = await world.client.get({ ...APPLICATION, name });
  const unknown = Object.keys((status ?? {}) as JsonObject).filter((key) => !KNOWN_STATUS.has(key));
  assert.deepEqual([unknown, operation], [[], undefined]);
  assert.doesNotMatch(JSON.stringify([metadata.annotations, metadata.finalizers]), /capstan/);
  await world.restart();
}

function takesOver(style: Style): Scenario['run'] {
  return async (world) => {
    await world.stop();
    const data = { 'application.resourceTrackingMethod': style.tracking };
    const metadata = {
      name: 'argocd-cm',
      namespace: 'argocd',
      labels: { 'app.kubernetes.io/part-of': 'argocd' },
    };
    await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    const left = await leave(world, style);
    await world.restart();
    await adopts(world, style, left);
    await goesOn(world, style, left);
    await handsBack(world, style);
    // The next one begins with a cluster that has no other Application.
    await world.client.delete({ ...APPLICATION, name: style.name });
    return undefined;
  };
}

const STYLES: readonly Style[] = [
  { name: 'left-by-client', apply: 'client', tracking: 'annotation' },
  { name: 'left-by-server', apply: 'server', tracking: 'annotation' },
  { name: 'left-with-both', apply: 'client', tracking: 'annotation+label' },
  { name: 'left-with-label', apply: 'client', tracking: 'label' },
];

/** They stop the control plane and change its settings: for a world of their own. */
export const TAKE_OVER_SCENARIOS: readonly Scenario[] = STYLES.map((style) => ({
  name: `what Argo CD applied from the ${style.apply}'s side and tracks by ${style.tracking} is taken over`,
  run: takesOver(style),
}));
