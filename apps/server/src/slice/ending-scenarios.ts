/** How a sync fails by its hook, and how an Application goes: with what it put in place, or without. */
import assert from 'node:assert/strict';
import type { KubeObject } from '@capstan/kube-object';
import { listAt, textAt, valueAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { APPLICATION, application, configMap, deployment, until, type World } from './world.ts';

const PATIENCE_MS = 30_000;
/** A real garbage collector learns of a new kind within half a minute. */
const DELETION_MS = 60_000;
const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/** A Job that no node can take, so that its time runs out on any control plane. */
function failingJob(name: string, phase: string): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  annotations:
    argocd.argoproj.io/hook: ${phase}
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
spec:
  activeDeadlineSeconds: 1
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {example.com/none: "true"}
      containers:
      - name: main
        image: busybox:1
`;
}

async function failingHook(world: World): Promise<undefined> {
  const repository = await world.repository('unhooked');
  const commit = await repository.push({
    'a.yaml': configMap('a', 'one'),
    'migrate.yaml': failingJob('migrate', 'PreSync'),
    'told.yaml': configMap('told', 'failed').replace(
      /^( {2}name: told\n)/m,
      '$1  annotations: {argocd.argoproj.io/hook: SyncFail}\n',
    ),
  });
  const sync = { automated: {}, retry: { limit: 0 }, syncOptions: ['CreateNamespace=true'] };
  await world.apply(application('unhooked', { url: repository.url, path: '.' }, { sync }));
  const read = () => world.client.get({ ...APPLICATION, name: 'unhooked' });
  const { value: app } = await until('the sync fails', PATIENCE_MS, async () => {
    const found = await read();
    return textAt(found, 'status', 'operationState', 'phase') === 'Failed' && found;
  });
  const state = valueAt(app, 'status', 'operationState');
  assert.match(textAt(state, 'message'), /^one or more synchronization tasks completed unsuccess/);
  const hook = listAt(state, 'syncResult', 'resources').find(
    (one) => textAt(one, 'name') === 'migrate',
  );
  assert.equal(textAt(hook, 'hookType'), 'PreSync');
  assert.equal(textAt(hook, 'hookPhase'), 'Failed');
  assert.match(textAt(hook, 'message'), /deadline/);
  assert.equal(await world.get({ ...CONFIG, namespace: 'unhooked', name: 'a' }), undefined);
  assert.ok(await world.get({ ...CONFIG, namespace: 'unhooked', name: 'told' }), 'SyncFail ran');
  assert.equal(textAt(app, 'status', 'sync', 'status'), 'OutOfSync');
  const next = await repository.push({ 'migrate.yaml': null });
  await untilSynced(world, 'unhooked', next);
  assert.notEqual(next, commit);
  assert.ok(await world.get({ ...CONFIG, namespace: 'unhooked', name: 'a' }));
  return undefined;
}

async function podsOf(world: World, namespace: string): Promise<readonly KubeObject[]> {
  const { items } = await world.client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
  return items;
}

function cascade(name: string, finalizers: readonly string[]): Scenario['run'] {
  return async (world) => {
    const repository = await world.repository(name);
    const commit = await repository.push({
      'a.yaml': configMap('a', 'one'),
      'kept.yaml': configMap('kept', 'one').replace(
        /^( {2}name: kept\n)/m,
        '$1  annotations: {argocd.argoproj.io/sync-options: Delete=false}\n',
      ),
      'web.yaml': deployment('web', 1),
    });
    const app = application(name, { url: repository.url, path: '.' });
    await world.apply({ ...app, metadata: { ...app.metadata, finalizers } });
    await untilSynced(world, name, commit);
    await until('its Pod', PATIENCE_MS, async () => (await podsOf(world, name)).length === 1);
    await world.client.delete({ ...APPLICATION, name });
    const { tookMs } = await until('the Application is gone', DELETION_MS, async () => {
      return (await world.get({ ...APPLICATION, name })) === undefined;
    });
    const web = await world.get({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: name,
      name: 'web',
    });
    const config = await world.get({ ...CONFIG, namespace: name, name: 'a' });
    assert.ok(await world.get({ ...CONFIG, namespace: name, name: 'kept' }), 'it says so');
    if (finalizers.length === 0) {
      assert.ok(web !== undefined && config !== undefined, 'without a finalizer all of it stays');
      return undefined;
    }
    assert.deepEqual([web, config], [undefined, undefined]);
    const isForeground = !finalizers.some((one) => one.endsWith('/background'));
    if (isForeground) assert.deepEqual(await podsOf(world, name), [], 'Pods went first');
    else await until('Pods', DELETION_MS, async () => (await podsOf(world, name)).length === 0);
    return { deletedMs: tookMs };
  };
}

/** Whose name is `bye` is deleted with its object; a Job that cannot end well holds the Application until Git says otherwise. */
async function deletionHooks(world: World): Promise<undefined> {
  const name = 'gone-hooked';
  const repository = await world.repository(name);
  const hook = (own: string, phase: string, policy: string) =>
    configMap(own, 'one').replace(
      `  name: ${own}\n`,
      `  name: ${own}\n  annotations: {argocd.argoproj.io/hook: ${phase}, argocd.argoproj.io/hook-delete-policy: ${policy}}\n`,
    );
  const commit = await repository.push({
    'a.yaml': configMap('a', 'one'),
    'bye.yaml': failingJob('bye', 'PreDelete'),
    'done.yaml': hook('done', 'PostDelete', 'HookSucceeded'),
    'left.yaml': hook('left', 'PostDelete', 'HookFailed'),
  });
  const app = application(name, { url: repository.url, path: '.' });
  await world.apply({ ...app, metadata: { ...app.metadata, finalizers: [FINALIZER] } });
  await untilSynced(world, name, commit);
  const read = () => world.get({ ...APPLICATION, name });
  const { value: held } = await until('it holds itself', PATIENCE_MS, async () => {
    const found = await read();
    return (found?.metadata.finalizers ?? []).length === 5 && found;
  });
  assert.equal(valueAt(held, 'status', 'sync', 'status'), 'Synced');
  await world.client.delete({ ...APPLICATION, name });
  await until('the hook fails', PATIENCE_MS, async () =>
    listAt(await read(), 'status', 'conditions').some(
      (one) =>
        textAt(one, 'type') === 'DeletionError' &&
        textAt(one, 'message').startsWith(`PreDelete hook(s) failed: ${name}/bye: `),
    ),
  );
  const config = (own: string) => world.get({ ...CONFIG, namespace: name, name: own });
  assert.ok((await config('a')) !== undefined, 'nothing goes before it ended well');
  assert.equal(await config('done'), undefined);
  await repository.push({ 'bye.yaml': hook('bye', 'PreDelete', 'HookSucceeded') });
  await until('the Application is gone', DELETION_MS, async () => (await read()) === undefined);
  assert.deepEqual(
    [await config('a'), await config('bye'), await config('done')],
    Array(3).fill(undefined),
  );
  assert.ok((await config('left')) !== undefined, 'it asks to go only when hooks fail');
  return undefined;
}

const FINALIZER = 'resources-finalizer.argocd.argoproj.io';

export const ENDING_SCENARIOS: readonly Scenario[] = [
  { name: 'a PreSync hook that fails stops the sync, and is told', run: failingHook },
  {
    name: 'an Application that is deleted takes its resources along',
    run: cascade('gone', [FINALIZER]),
  },
  {
    name: 'in the foreground it stays until the last dependent is gone',
    run: cascade('gone-foreground', [`${FINALIZER}/foreground`]),
  },
  {
    name: 'in the background it goes before the dependents',
    run: cascade('gone-background', [`${FINALIZER}/background`]),
  },
  { name: 'without a finalizer its resources stay', run: cascade('gone-alone', []) },
  { name: 'hooks run before its resources go, and after', run: deletionHooks },
];
