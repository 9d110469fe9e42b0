/** A process that begins where another one ended finds everything in place: it looks at each object once, and writes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause } from '@capstan/engine-delivery/testing';
import { createRegistry } from '@capstan/kube-controller';
import { at, find } from './testing/look.ts';
import { createWorld } from './testing/world.ts';

const URL = 'https://git.example.com/org/repo.git';
const names = Array.from({ length: 50 }, (_, n) => `app-${n}`);
const REPOSITORY = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: repo, namespace: flux-system}
spec: {url: ${URL}, interval: 1m, ref: {branch: main}}
`;
const kustomization = (name: string) => `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec:
  interval: 10m
  path: ./${name}
  prune: true
  wait: true
  targetNamespace: default
  sourceRef: {kind: GitRepository, name: repo}
`;
const objects = (name: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {a: ${name}}}
  template: {metadata: {labels: {a: ${name}}}, spec: {containers: [{name: a, image: a}]}}
`;

test('after a restart each source and Kustomization is looked at once', {
  timeout: 120_000,
}, async () => {
  const registry = createRegistry();
  const writes: string[] = [];
  await using world = await createWorld({ registry, onWrite: (path) => writes.push(path) });
  const looks = (kind: string) => {
    const count = `^gotk_reconcile_duration_seconds_count\\{kind="${kind}".*\\} (\\d+)$`;
    const counts = [...registry.text().matchAll(new RegExp(count, 'gm'))];
    return counts.reduce((sum, [, text]) => sum + Number(text), 0);
  };
  world.sources.push(
    URL,
    Object.fromEntries(names.map((name) => [`${name}/a.yaml`, objects(name)])),
  );
  await world.kubectlApply([REPOSITORY, ...names.map(kustomization)].join('---'));
  const areReady = async () => {
    const all = await Promise.all(
      names.map((name) => world.get('Kustomization', `flux-system/${name}`)),
    );
    return all.filter((one) => at(find(one, 'Ready'), 'status') === 'True').length;
  };
  await world.eventually(areReady, (count) => count === names.length);
  await pause(300);
  await world.controllers.idle();
  const before = looks('Kustomization');
  const fetches = looks('GitRepository');
  writes.length = 0;
  await world.restart();
  await world.eventually(
    async () => looks('Kustomization') - before,
    (count) => count >= names.length,
  );
  await pause(1_000);
  await world.controllers.idle();
  assert.deepEqual(
    [looks('Kustomization') - before, looks('GitRepository') - fetches, writes],
    [names.length, 1, []],
  );
});
