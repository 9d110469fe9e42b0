import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import type { Json, KubeObject } from '@capstan/kube-object';
import { nextStage, withDeleteFinalizers } from './end-of-application.ts';
import { createWorld, type World } from './testing/world.ts';

const REPO = 'https://git.example.com/org/repo.git';
const REF = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  namespace: 'argocd',
  name: 'web',
};
const CASCADE = 'resources-finalizer.argocd.argoproj.io';
const PRE = 'pre-delete-finalizer.argocd.argoproj.io';
const POST = 'post-delete-finalizer.argocd.argoproj.io';

const application = (finalizers: string, options = 'CreateNamespace=true') => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd, finalizers: [${finalizers}]}
spec:
  project: default
  source: {repoURL: ${REPO}, path: app}
  destination: {server: https://kubernetes.default.svc, namespace: web}
  syncPolicy:
    automated: {}
    syncOptions: [${options}]
`;

const configMap = (name: string, annotations = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: {${annotations}}}\n`;
const job = (name: string, annotations: string, behaviour: string) => `
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, annotations: {${annotations}}}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {${behaviour}}}
    spec: {restartPolicy: Never, containers: [{name: c, image: x}]}
`;
const hook = (phase: string, more = '') => `argocd.argoproj.io/hook: ${phase}${more}`;
const RUNS = 'sandbox.capstan.dev/run-for: 300ms';

test('the stages of an end follow from the finalizers, in the order of the original', () => {
  const stages: string[] = [];
  let finalizers: readonly string[] = [
    `${POST}/cleanup`,
    POST,
    'example.com/mine',
    CASCADE,
    `${PRE}/cleanup`,
    PRE,
  ];
  for (let stage = nextStage(finalizers); stage !== undefined; stage = nextStage(finalizers)) {
    stages.push(`${stage.kind} ${stage.kind === 'objects' ? stage.propagation : stage.phase}`);
    const { finalizers: done } = stage;
    finalizers = finalizers.filter((name) => !done.includes(name));
  }
  assert.deepEqual(stages, [
    'hooks PreDelete',
    'objects Foreground',
    'hooks PostDelete',
    'cleanup PreDelete',
    'cleanup PostDelete',
  ]);
  assert.deepEqual(finalizers, ['example.com/mine']);
});

test('an application holds itself for the phases that its sources declare', () => {
  assert.deepEqual(withDeleteFinalizers([CASCADE], ['PostDelete']), [
    CASCADE,
    POST,
    `${POST}/cleanup`,
  ]);
  assert.deepEqual(withDeleteFinalizers([PRE, `${PRE}/cleanup`, CASCADE], []), [CASCADE]);
});

test('hooks run wave by wave before the resources go and after, and are taken away as they ask', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a'),
    'app/first.yaml': job(
      'first',
      `helm.sh/hook: "pre-delete,post-install", helm.sh/hook-weight: "-5"`,
      RUNS,
    ),
    'app/second.yaml': configMap('second', hook('PreDelete')),
    'app/done.yaml': job(
      'done',
      hook('PostDelete', ', argocd.argoproj.io/hook-delete-policy: HookSucceeded'),
      RUNS,
    ),
    'app/told.yaml': configMap('told', hook('PostDelete')),
  });
  await world.kubectlApply(application(CASCADE));
  await synced(world);
  assert.deepEqual(await finalizersOf(world), [
    CASCADE,
    PRE,
    `${PRE}/cleanup`,
    POST,
    `${POST}/cleanup`,
  ]);
  assert.equal(await world.get('ConfigMap', 'web/second'), undefined);
  assert.equal(await world.get('ConfigMap', 'web/told'), undefined);
  // The hook of the sync is in the way of the hook of the end: it is one object, and was run.
  await world.client.delete({
    apiVersion: 'batch/v1',
    kind: 'Job',
    namespace: 'web',
    name: 'first',
  });
  await world.eventually(
    () => world.get('Job', 'web/first'),
    (one) => one === undefined,
  );
  const seen: string[] = [];
  const stop = world.cluster.live.subscribe(({ before, after }) => {
    const one = after ?? before;
    if (one === undefined || one.key.namespace !== 'web') return;
    if (!['ConfigMap', 'Job'].includes(one.key.kind)) return;
    if (before === undefined) seen.push(`+${one.key.name}`);
    if (after === undefined) seen.push(`-${one.key.name}`);
  });
  await world.client.delete(REF);
  await gone(world);
  stop();
  assert.deepEqual(seen.slice(0, 2), ['+first', '+second']);
  assert.ok(seen.indexOf('-a') > seen.indexOf('+second'), seen.join());
  assert.ok(seen.indexOf('+done') > seen.indexOf('-a'), seen.join());
  assert.equal(await world.get('Job', 'web/first'), undefined, 'it went with the resources');
  assert.equal(await world.get('Job', 'web/done'), undefined, 'it asks to go');
  assert.notEqual(await world.get('ConfigMap', 'web/told'), undefined, 'it does not');
});

test('a hook of a sync that never came to its verdict is let go with the resources', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a'),
    'app/slow.yaml': job('slow', hook('PreSync'), 'sandbox.capstan.dev/run-for: 1h'),
  });
  await world.kubectlApply(application(CASCADE));
  const running = await world.eventually(
    () => world.get('Job', 'web/slow'),
    (one) => one !== undefined,
  );
  assert.deepEqual(at(running, 'metadata', 'finalizers'), ['argocd.argoproj.io/hook-finalizer']);
  await world.client.delete(REF);
  await gone(world);
  await world.eventually(
    () => world.get('Job', 'web/slow'),
    (one) => one === undefined,
  );
});

test('without a cascade the hooks run and the resources stay', async () => {
  await using world = await createWorld();
  const policy = ', argocd.argoproj.io/hook-delete-policy: HookSucceeded';
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a'),
    'app/bye.yaml': configMap('bye', hook('PreDelete', policy)),
    'app/left.yaml': configMap('left', hook('PreDelete')),
  });
  await world.kubectlApply(application(''));
  await synced(world);
  await world.client.delete(REF);
  await gone(world);
  assert.notEqual(await world.get('ConfigMap', 'web/a'), undefined);
  assert.equal(await world.get('ConfigMap', 'web/bye'), undefined);
  assert.notEqual(await world.get('ConfigMap', 'web/left'), undefined);
});

test('a hook that fails holds the deletion with a condition until Git corrects it', async () => {
  await using world = await createWorld();
  const fails = 'sandbox.capstan.dev/run-for: 50ms, sandbox.capstan.dev/exit-code: "1"';
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a'),
    'app/bye.yaml': job('bye', hook('PreDelete'), fails),
  });
  await world.kubectlApply(application(CASCADE));
  await synced(world);
  await world.client.delete(REF);
  const held = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (app) => conditionsOf(app).some((one) => at(one, 'type') === 'DeletionError'),
  );
  const told = conditionsOf(held).find((one) => at(one, 'type') === 'DeletionError');
  assert.match(String(at(told, 'message')), /^PreDelete hook\(s\) failed: web\/bye: /);
  assert.notEqual(await world.get('ConfigMap', 'web/a'), undefined);
  await world.restart();
  world.sources.push(REPO, { 'app/bye.yaml': configMap('bye', hook('PreDelete')) });
  await gone(world, 20_000);
  assert.equal(await world.get('ConfigMap', 'web/a'), undefined);
});

test('what waits for a confirmation goes when a person gives it after the deletion', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': configMap('a'),
    'app/b.yaml': configMap('b', 'argocd.argoproj.io/sync-options: Delete=confirm'),
    'app/kept.yaml': configMap('kept', 'helm.sh/resource-policy: keep'),
    'app/stays.yaml': configMap('stays', 'argocd.argoproj.io/sync-options: Delete=false'),
  });
  await world.kubectlApply(application(CASCADE));
  await synced(world);
  const approve = (at: Date) =>
    world.client.patch(
      REF,
      {
        metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': at.toISOString() } },
      },
      { type: 'merge' },
    );
  await approve(new Date(Date.now() - 60_000));
  await world.client.delete(REF);
  await world.controller.idle();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.notEqual(await world.get('ConfigMap', 'web/a'), undefined);
  await approve(new Date(Date.now() + 1000));
  await gone(world);
  assert.equal(await world.get('ConfigMap', 'web/b'), undefined);
  assert.notEqual(await world.get('ConfigMap', 'web/kept'), undefined);
  assert.notEqual(await world.get('ConfigMap', 'web/stays'), undefined);
});

async function synced(world: World): Promise<void> {
  await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (app) =>
      at(app, 'status', 'sync', 'status') === 'Synced' &&
      at(app, 'status', 'operationState', 'phase') === 'Succeeded',
  );
}

async function gone(world: World, patienceMs = 8000): Promise<void> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const app = await world.get('Application', 'argocd/web');
    if (app === undefined) return;
    if (Date.now() > until) assert.fail(`it is still there: ${JSON.stringify(app.metadata)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function finalizersOf(world: World): Promise<readonly string[]> {
  return (await world.get('Application', 'argocd/web'))?.metadata.finalizers ?? [];
}

function conditionsOf(app: KubeObject | undefined): readonly Json[] {
  const found = at(app, 'status', 'conditions');
  return Array.isArray(found) ? found : [];
}
