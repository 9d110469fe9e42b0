import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepOptions, SyncStep } from '@capstan/engine-sync';
import { createApiServer } from '@capstan/kube-apiserver';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { type KubeObject, keyOf } from '@capstan/kube-object';
import { applyStep, askServer, isMarked, markObject, takeOverPatch } from './index.ts';
import { leaveOutUnknown } from './leave-out-unknown.ts';

const MARK = {
  annotations: { 'example/id': 'web:{group}/{kind}:{namespace:home}/{name}' },
  labels: {},
};
const OPTIONS: StepOptions = {
  replace: false,
  force: false,
  validate: true,
  dryRun: false,
  propagation: 'Background',
  takeOverFrom: [{ manager: 'kubectl-client-side-apply' }],
  recreate: false,
  createOnly: false,
  leavesOutUnknown: false,
  sendsRepeated: false,
};
const MANAGER = 'capstan-test';

test('a mark holds for its own object alone', () => {
  const object = (name: string, namespace?: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  });
  const marked = markObject(object('a', 'n'), MARK);
  assert.equal(marked.metadata.annotations?.['example/id'], 'web:apps/Deployment:n/a');
  assert.ok(isMarked(marked, MARK));
  assert.ok(!isMarked({ ...marked, metadata: { ...marked.metadata, name: 'copy' } }, MARK));
  assert.ok(!isMarked(object('a', 'n'), MARK));
  const wide = markObject(object('r'), MARK);
  assert.equal(wide.metadata.annotations?.['example/id'], 'web:apps/Deployment:home/r');
  const moved = {
    ...MARK,
    annotations: { 'example/id': 'web:{group}/{kind}:{namespace:elsewhere}/{name}' },
  };
  assert.ok(isMarked(wide, moved));
});

test('applying creates, configures, and leaves alone what is the same', async () => {
  const world = await start();
  assert.deepEqual(await world.apply({ a: '1' }), ['created', 'configmap/x serverside-applied']);
  assert.deepEqual(await world.apply({ a: '2' }), ['configured', 'configmap/x serverside-applied']);
  assert.deepEqual(await world.apply({ a: '2' }), ['unchanged', 'configmap/x serverside-applied']);
});

test('a field that kubectl applied before and Git no longer holds goes away', async () => {
  const world = await start();
  await world.client.create(configMap({ a: '1', b: '1' }), {
    fieldManager: 'kubectl-client-side-apply',
  });
  await world.apply({ a: '1' }, { takeOverFrom: [] });
  assert.deepEqual((await world.live())?.['data'], { a: '1', b: '1' });
  await world.apply({ a: '1' });
  const live = await world.live();
  assert.deepEqual(live?.['data'], { a: '1' });
  assert.deepEqual(
    live?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [[MANAGER, 'Apply']],
  );
  assert.equal(
    live === undefined
      ? ''
      : takeOverPatch(live, { from: [{ manager: 'kubectl-client-side-apply' }], to: MANAGER }),
    undefined,
  );
});

test('a change of what cannot change fails with what to do, and is made anew when asked for', async () => {
  const world = await start();
  const service = (clusterIP: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { clusterIP, ports: [{ port: 80 }] },
  });
  assert.equal((await world.run(step(service('10.96.0.50')))).outcome, 'created');
  const before = await world.client.get({
    apiVersion: 'v1',
    kind: 'Service',
    namespace: 'default',
    name: 's',
  });
  const refused = await world.run(step(service('10.96.0.51'), { live: before }));
  assert.equal(refused.outcome, 'failed');
  assert.match(refused.message, /Service.*s/);
  const made = await world.run(
    step(service('10.96.0.51'), { live: before, options: { ...OPTIONS, recreate: true } }),
  );
  assert.equal(made.outcome, 'created');
  const after = await world.client.get({
    apiVersion: 'v1',
    kind: 'Service',
    namespace: 'default',
    name: 's',
  });
  assert.notEqual(after.metadata.uid, before.metadata.uid);
});

test('what else refuses a change is known by its words: a bound role, and what a policy forbids', async () => {
  const world = await start();
  const role = (name: string): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'x', namespace: 'default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
  });
  for (const object of immutableData()) await world.client.create(object);
  for (const [before, after] of [
    [role('a'), role('b')],
    [configMap({ a: '1' }), configMap({ a: '2' })],
  ] as const) {
    const live = await world.client.create(before);
    const options = { ...OPTIONS, takeOverFrom: [] };
    const refused = await world.run(step(after, { live, options }));
    assert.equal(refused.outcome, 'failed', before.kind);
    const made = await world.run(step(after, { live, options: { ...options, recreate: true } }));
    assert.equal(made.outcome, 'created', `${before.kind}: ${made.message}`);
  }
});

test('without validation, what no schema knows is left out, wherever it stands', async () => {
  const world = await start();
  const odd = { a: 1, b: [2] };
  const container = { name: 'c"]', image: 'i', ...odd, ports: [{ containerPort: 80, ...odd }] };
  const deployment = (name: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'w' } },
      template: {
        metadata: { labels: { app: 'w' } },
        spec: { ...odd, containers: [{ ...container, name: 'c' }] },
      },
    },
  });
  const options = { ...OPTIONS, takeOverFrom: [] };
  assert.equal((await world.run(step(deployment('w'), { options }))).outcome, 'failed');
  const made = await world.run(
    step(deployment('w'), { options: { ...options, validate: false, leavesOutUnknown: true } }),
  );
  assert.equal(made.outcome, 'created', made.message);
  const path = '.spec.containers[name="c\\"]"].ports[containerPort=80,protocol="TCP"].a';
  const spec = { containers: [container] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec };
  const less = leaveOutUnknown(pod, `errors:\n  ${path}: field not declared in schema`);
  assert.deepEqual(less?.['spec'], {
    containers: [{ ...container, ports: [{ containerPort: 80, b: [2] }] }],
  });
  assert.equal(leaveOutUnknown(pod, '.spec.zzz: field not declared in schema'), undefined);
});

test('pruning takes only what still bears the mark', async () => {
  const world = await start();
  const mine = await world.client.create(markObject(configMap({ a: '1' }), MARK));
  const prune = (live: KubeObject) =>
    world.run({ ...step(live), verb: 'prune', goal: 'gone', live });
  const taken = await world.client.patch(
    ref,
    { metadata: { annotations: { 'example/id': 'other:/ConfigMap:default/x' } } },
    { type: 'merge' },
  );
  assert.equal(taken.metadata.uid, mine.metadata.uid);
  const skipped = await prune(mine);
  assert.deepEqual(
    [skipped.outcome, skipped.message],
    ['prune skipped', 'ignored (it belongs to another owner by now)'],
  );
  assert.notEqual(await world.live(), undefined);
  await world.client.patch(
    ref,
    { metadata: { annotations: { 'example/id': 'web:/ConfigMap:default/x' } } },
    { type: 'merge' },
  );
  assert.equal((await prune(mine)).outcome, 'pruned');
  assert.equal(await world.live(), undefined);
  assert.equal((await prune(mine)).outcome, 'pruned');
});

test('an object of the same name that came after is not pruned', async () => {
  const world = await start();
  const old = await world.client.create(markObject(configMap({ a: '1' }), MARK));
  await world.client.delete(ref);
  await world.client.create(configMap({ a: 'new' }));
  const result = await world.run({ ...step(old), verb: 'prune', goal: 'gone', live: old });
  assert.equal(result.outcome, 'prune skipped');
  assert.deepEqual((await world.live())?.['data'], { a: 'new' });
});

test('the server is asked what applying would change', async () => {
  const world = await start();
  await world.apply({ a: '1' });
  const live = (await world.live()) ?? configMap({});
  const ask = (data: Record<string, string>) =>
    askServer(configMap(data), live, { client: world.client, fieldManager: MANAGER });
  assert.deepEqual(await ask({ a: '1' }), { kind: 'same' });
  assert.deepEqual(await ask({ a: '2' }), { kind: 'different' });
  const { metadata, ...rest } = configMap({ a: '1' });
  const uid = '00000000-0000-4000-8000-000000000000';
  const read = { ...rest, metadata: { ...metadata, resourceVersion: '1', uid, generation: 7 } };
  const asked = await askServer(read, live, { client: world.client, fieldManager: MANAGER });
  assert.deepEqual(asked, { kind: 'same' }, 'of what was read from another cluster');
  const bad: KubeObject = { ...configMap({}), data: { a: ['x'] } };
  assert.equal(
    (await askServer(bad, live, { client: world.client, fieldManager: MANAGER })).kind,
    'unknown',
  );
});

test('replacing keeps the object, and with force makes it anew', async () => {
  const world = await start();
  await world.client.create(configMap({ a: '1', b: '1' }));
  const before = (await world.live())?.metadata.uid;
  const replace = (force: boolean) =>
    world.run(step(configMap({ a: '2' }), { options: { ...OPTIONS, replace: true, force } }));
  assert.equal((await replace(false)).message, 'configmap/x replaced');
  assert.deepEqual((await world.live())?.['data'], { a: '2' });
  assert.equal((await world.live())?.metadata.uid, before);
  await replace(true);
  assert.notEqual((await world.live())?.metadata.uid, before);
});

const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'x' };

function configMap(data: Record<string, string>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'default' },
    data,
  };
}

function step(object: KubeObject, part: Partial<SyncStep> = {}): SyncStep {
  return {
    id: 'step',
    verb: 'apply',
    phase: 'Sync',
    wave: 0,
    key: keyOf(object),
    apiVersion: object.apiVersion,
    object,
    goal: 'applied',
    options: OPTIONS,
    hookDeletePolicies: [],
    inSync: false,
    ...part,
  };
}

async function start() {
  const server = await createApiServer();
  const client: KubeClient = createKubeClient(server.transport);
  const clock = {
    now: () => Date.now(),
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  const ports = { client, clock, observeWrite: () => undefined };
  const run = (one: SyncStep) => applyStep(one, ports, { fieldManager: MANAGER, mark: MARK });
  const live = () => client.find(ref);
  return {
    client,
    run,
    live,
    async apply(data: Record<string, string>, options: Partial<StepOptions> = {}) {
      const held = await live();
      const all = { ...OPTIONS, ...options };
      const { outcome, message } = await run(
        step(configMap(data), { options: all, ...(held === undefined ? {} : { live: held }) }),
      );
      return [outcome, message];
    },
  };
}

function immutableData(): readonly KubeObject[] {
  const metadata = { name: 'immutable-data' };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['UPDATE'],
    resources: ['configmaps'],
  };
  const validation = {
    expression: 'object.data == oldObject.data',
    message: 'the data is immutable',
    reason: 'Forbidden',
  };
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: { matchConstraints: { resourceRules: [rule] }, validations: [validation] },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: 'immutable-data', validationActions: ['Deny'] },
    },
  ];
}
