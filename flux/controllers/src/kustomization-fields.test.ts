// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the language that is rendered
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assessHealth } from '@capstan/engine-health';
import { parseKustomization } from '@capstan/flux-api';
import { specFields } from '@capstan/flux-api/testing';
import type { JsonObject } from '@capstan/kube-object';
import { at, condition, ready } from './testing/look.ts';
import { REPO, trackedApp } from './testing/tracked-app.ts';
import { createWorld } from './testing/world.ts';
import { toDelivery } from './to-delivery.ts';

/** What is read with the help of others than the pure lowering, and the test that shows that it counts. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'decryption.provider': 'kustomization-fields.test.ts: values come from a Secret',
  'decryption.secretRef.name':
    'decryption.test.ts: encrypted Secrets and the files of generators are decrypted',
  'decryption.serviceAccountName':
    'decryption.test.ts: an account to decrypt with is refused unless it is allowed',
  deletionPolicy:
    'destination.test.ts: Orphan leaves the objects, Delete takes them though prune is off',
  'dependsOn[].name': 'flux-controllers.test.ts: what depends on another one waits for it',
  'dependsOn[].namespace':
    'doors.test.ts: a dependency must be there, observed, ready, and of the same revision',
  'dependsOn[].readyExpr':
    'doors.test.ts: a dependency must be there, observed, ready, and of the same revision',
  'healthCheckExprs[].apiVersion':
    'staged-apply.test.ts: a failed health check is one entry of the history',
  'healthCheckExprs[].current':
    'kustomization-fields.test.ts: the expressions of a health check judge',
  'healthCheckExprs[].failed':
    'kustomization-fields.test.ts: the expressions of a health check judge',
  'healthCheckExprs[].inProgress':
    'kustomization-fields.test.ts: the expressions of a health check judge',
  'kubeConfig.configMapRef.name':
    'kubeconfig-map.test.ts: a ConfigMap leads to a cluster with a token',
  'kubeConfig.secretRef.key': 'kustomization-fields.test.ts: values come from a Secret',
  'kubeConfig.secretRef.name':
    'destination.test.ts: a kubeconfig in a Secret leads to another cluster',
  'postBuild.substitute':
    'flux-controllers.test.ts: variables come from the spec and from ConfigMaps',
  'postBuild.substituteFrom[].kind': 'kustomization-fields.test.ts: values come from a Secret',
  'postBuild.substituteFrom[].name':
    'flux-controllers.test.ts: variables come from the spec and from ConfigMaps',
  'postBuild.substituteFrom[].optional': 'kustomization-fields.test.ts: values come from a Secret',
  serviceAccountName: 'destination.test.ts: a default service account is acted as',
  'sourceRef.kind': 'sources/sources.test.ts: kind: OCIRepository, name: app',
  'sourceRef.name':
    'flux-controllers.test.ts: a path that is not there, a missing source and a wrong repository',
  'sourceRef.namespace':
    'destination.test.ts: without cross-namespace references a source of another namespace is denied',
  timeout: 'doors.test.ts: the fields of a Kustomization become a Delivery',
};

/** What changes nothing in the original either. */
const WITHOUT_MEANING: readonly string[] = ['sourceRef.apiVersion'];

const ENOUGH = { interval: '10m', prune: false, sourceRef: { kind: 'GitRepository', name: 'r' } };

test('every field of a Kustomization changes what is delivered, or names the test that shows what it changes', () => {
  const unread: string[] = [];
  for (const { path, samples } of specFields('Kustomization', 'v1', ENOUGH)) {
    const [a, b] = samples.map(lower);
    if (a === b) unread.push(path);
  }
  const known = [...Object.keys(ELSEWHERE), ...WITHOUT_MEANING];
  assert.deepEqual(unread.toSorted(), known.toSorted());
});

test('each test that is named for a field exists', () => {
  for (const [path, where] of Object.entries(ELSEWHERE)) {
    const [file = '', ...name] = where.split(': ');
    const text = readFileSync(join(import.meta.dirname, file), 'utf8').replaceAll(
      /'\s*\+\s*'/g,
      '',
    );
    assert.ok(text.includes(name.join(': ')), `${path}: ${where}`);
  }
});

test('values come from a Secret, an optional one may be missing, and a kubeconfig from the key that is named', async () => {
  await using world = await createWorld();
  const text =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: flux-system}\ndata: {key: "${size}"}\n';
  world.sources.push(REPO, { 'a.yaml': text });
  const apply = (extra: string) =>
    world.kubectlApply(`
apiVersion: v1
kind: Secret
metadata: {name: values, namespace: flux-system}
stringData: {size: large}
---${trackedApp(extra)}`);
  const missing = '{kind: ConfigMap, name: none, optional: true}';
  const build = `  postBuild: {substituteFrom: [{kind: Secret, name: values}, ${missing}]}\n`;
  await apply(build);
  await ready(world, 'Applied revision');
  assert.equal(at(await world.get('ConfigMap', 'flux-system/a'), 'data', 'key'), 'large');
  await apply(`${build}  kubeConfig: {secretRef: {name: values, key: special}}\n`);
  await condition(world, 'Ready', (one) =>
    /does not contain a 'special' key with a kubeconfig/.test(String(at(one, 'message'))),
  );
  await assert.rejects(apply(`${build}  decryption: {provider: other}\n`), /provider/);
});

test('the expressions of a health check judge objects of their kind: first what is in progress, then failed, then current', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
    data: { is: 'x' },
  };
  const judge = (more: object) => {
    const check = { apiVersion: 'v1', kind: 'ConfigMap', current: "data.is == 'x'", ...more };
    const delivery = lowered({ ...ENOUGH, healthCheckExprs: [check] });
    return assessHealth(object, delivery.health.rules, { nowMs: 0 })?.status;
  };
  assert.equal(judge({}), 'Healthy');
  assert.equal(judge({ current: 'false' }), 'Progressing');
  assert.equal(judge({ failed: "data.is == 'x'" }), 'Degraded');
  assert.equal(judge({ failed: 'true', inProgress: "data.is == 'x'" }), 'Progressing');
});

function lower(spec: JsonObject): string {
  try {
    return JSON.stringify(lowered(spec));
  } catch (error) {
    return String(error);
  }
}

function lowered(spec: JsonObject) {
  const parsed = parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'flux-system', generation: 1 },
    spec,
  });
  if (parsed.kind !== 'ok') throw new Error(parsed.message);
  const revision = { kind: 'any', name: 'HEAD' } as const;
  const source = { kind: 'git', url: 'https://x', revision } as const;
  return toDelivery(parsed.value, { source, variables: {} });
}
