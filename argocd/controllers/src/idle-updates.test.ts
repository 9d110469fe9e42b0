import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import { createPathEvaluator } from '@capstan/engine-diff';
import type { LiveObject } from '@capstan/kube-client';
import { type KubeObject, keyOf } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { weighUpdate } from './idle-updates.ts';
import { readSettings } from './settings.ts';
import { REPO, webApplication } from './testing/fixtures.ts';
import { createWorld } from './testing/world.ts';

const evaluator = createPathEvaluator();

function live(text: string, version: string, uid = 'u'): LiveObject {
  const parsed = parseYaml(text) as unknown as KubeObject;
  const metadata = { ...parsed.metadata, uid, resourceVersion: version };
  const object = { ...parsed, metadata };
  return {
    key: keyOf(object),
    apiVersion: object.apiVersion,
    uid,
    resourceVersion: version,
    whole: true,
    owners: [],
    indexedBy: () => [],
    read: () => object,
  };
}

/** Whether the step from one object to the other is idle under these settings. */
function check(cm: Record<string, string>, before: string, after: string): boolean {
  return weigh(cm, before, after) === 'none';
}

function weigh(cm: Record<string, string>, before: string, after: string) {
  const [old, current] = [live(before, '1'), live(after, '2')];
  const change = { key: current.key, before: old, after: current, isInitial: false };
  return weighUpdate(change, readSettings(cm), { evaluator, nowMs: 0 });
}

const map = (data: string, metadata = '') =>
  `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: web${metadata}}, data: {${data}}}`;
const deployment = (status: string, generation = 1) =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: w, namespace: web, generation: ${generation}}, spec: {replicas: 1}, status: ${status}}`;
const READY = 'observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1';
const ingress = (address: string) =>
  `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: web}, spec: {rules: [{http: {paths: [{path: /}]}}]}, status: {loadBalancer: {ingress: [{ip: ${address}}]}}}`;
const job = (status: string, annotations: string) =>
  `{apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: web, annotations: {${annotations}}}, spec: {}, status: {${status}}}`;

test('what is ignored in updates, and what never is', () => {
  const updates = {
    'resource.customizations.ignoreResourceUpdates.ConfigMap': 'jsonPointers: [/data/beat]',
  };
  const all = {
    'resource.customizations.ignoreResourceUpdates.all': 'jqPathExpressions: [".data.beat"]',
  };
  const differences = {
    'resource.customizations.ignoreDifferences.ConfigMap': 'jsonPointers: [/data/beat]',
  };
  const apart = { 'resource.compareoptions': 'ignoreDifferencesOnResourceUpdates: false' };
  const [one, two] = [map('beat: "1", key: x'), map('beat: "2", key: x')];
  assert.equal(check({}, one, two), false);
  assert.equal(check(updates, one, two), true);
  assert.equal(check(all, one, two), true);
  assert.equal(check(differences, one, two), true, 'what is not compared is not looked at');
  assert.equal(check({ ...differences, ...apart }, one, two), false);
  assert.equal(check({ ...updates, ...apart }, one, two), true);
  assert.equal(check(updates, one, map('beat: "2", key: y')), false, 'another field changed');
  assert.equal(
    check(updates, one, map('beat: "2", key: x', ', deletionTimestamp: "2024-01-01T00:00:00Z"')),
    false,
  );
  assert.equal(
    check({ ...updates, 'resource.ignoreResourceUpdatesEnabled': 'false' }, one, two),
    false,
  );
  assert.equal(check({}, one, map('beat: "1", key: x', ', generation: 4')), true);
});

test('a status counts by what is told of it: health, addresses', () => {
  const starting = deployment('{observedGeneration: 1, replicas: 1, updatedReplicas: 1}');
  const ready = deployment(`{${READY}}`);
  const seen = deployment(`{${READY}, conditions: [{type: Available, lastUpdateTime: "x"}]}`);
  assert.equal(check({}, ready, seen), true);
  assert.equal(check({}, starting, ready), false);
  assert.equal(check({}, ingress('10.0.0.1'), ingress('10.0.0.2')), false);
  const compared = { 'resource.compareoptions': 'ignoreResourceStatusField: none' };
  assert.equal(check(compared, ready, seen), false, 'a status that is compared is looked at');
  const told = {
    ...compared,
    'resource.customizations.ignoreResourceUpdates.apps_Deployment': 'jsonPointers: [/status]',
  };
  assert.equal(check(told, ready, seen), true);
});

test('hooks, definitions and replaced objects are looked at whatever changed', () => {
  const hook = 'argocd.argoproj.io/hook: PreSync';
  assert.equal(check({}, job('active: 1', ''), job('active: 1, ready: 1', '')), true);
  assert.equal(check({}, job('active: 1', hook), job('active: 1, ready: 1', hook)), false);
  const definition = (status: string) =>
    `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, spec: {}, status: {${status}}}`;
  assert.equal(check({}, definition(''), definition('storedVersions: [v1]')), false);
  const [old, made] = [live(map('a: b'), '1'), live(map('a: b'), '2', 'other')];
  const change = { key: made.key, before: old, after: made, isInitial: false };
  assert.equal(weighUpdate(change, readSettings({}), { evaluator, nowMs: 0 }), 'content');
});

test('how an object fares weighs less than what may be desired of it, and what it says beside weighs least', () => {
  const starting = deployment('{observedGeneration: 1, replicas: 1, updatedReplicas: 1}');
  const waiting = deployment('{observedGeneration: 1, replicas: 1}');
  const noted = (text: string, notes: string) =>
    text.replace('generation:', `annotations: {${notes}}, generation:`);
  assert.equal(weigh({}, starting, deployment(`{${READY}}`)), 'health');
  assert.equal(weigh({}, waiting, starting), 'note', 'it is Progressing still');
  assert.equal(weigh({}, starting, noted(starting, 'revision: "1"')), 'note');
  assert.equal(weigh({}, noted(starting, 'a: b'), noted(starting, 'a: c')), 'content');
  assert.equal(weigh({}, noted(starting, 'a: b'), starting), 'content');
  const scaled = deployment(`{${READY}}`, 2).replace('replicas: 1}', 'replicas: 2}');
  assert.equal(weigh({}, starting, scaled), 'content', 'another spec');
  assert.equal(
    weigh({}, starting, noted(starting, 'a: b').replace('name: w,', 'name: w, finalizers: [x],')),
    'content',
  );
  assert.equal(
    weigh({}, map('a: b'), map('a: b', ', labels: {a: b}')),
    'content',
    'no generation tells of its data',
  );
});

const APPLICATION = webApplication('{selfHeal: true}');
const settings = (enabled: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd}
data:
  resource.ignoreResourceUpdatesEnabled: "${enabled}"
  resource.customizations.ignoreResourceUpdates.ConfigMap: |
    jsonPointers: [/data/beat]
`;

test('an object whose ignored field changes costs no look at its application', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: x}\n',
  });
  await world.kubectlApply(settings('true'));
  await world.kubectlApply(APPLICATION);
  await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (app) => at(app, 'status', 'sync', 'status') === 'Synced',
  );
  const key = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'a' };
  const beat = async (value: string) => {
    await world.client.patch(
      { apiVersion: 'v1', ...key },
      { data: { beat: value } },
      { type: 'merge' },
    );
    await world.eventually(
      async () => world.cluster.live.get(key)?.read(),
      (object) => at(object, 'data', 'beat') === value,
    );
    await world.controller.idle();
    return world.looks();
  };
  await world.controller.idle();
  const before = world.looks();
  for (const value of ['1', '2', '3']) assert.equal(await beat(value), before);
  await world.kubectlApply(settings('false'));
  await world.eventually(
    async () => world.controller.settings().idleUpdates.enabled,
    (enabled) => enabled === false,
  );
  await world.controller.idle();
  const between = world.looks();
  assert.ok((await beat('4')) > between);
});

test('a sync is one look: what it wrote asks for no other', async () => {
  await using world = await createWorld();
  const files = (value: string) => ({
    'app/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: ${value}}\n`,
    'app/b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {key: ${value}}\n`,
  });
  const looksOf = async (value: string) => {
    const before = world.looks();
    world.sources.push(REPO, files(value));
    await world.eventually(
      async () => world.cluster.live.list({ group: '', kind: 'ConfigMap' }).map((o) => o.read()),
      (maps) => maps.filter((one) => at(one, 'data', 'key') === value).length === 2,
    );
    await world.controller.idle();
    return world.looks() - before;
  };
  world.sources.push(REPO, files('one'));
  await world.kubectlApply(APPLICATION);
  assert.equal(await looksOf('one'), 1);
  assert.equal(await looksOf('two'), 1);
});
