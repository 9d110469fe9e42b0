/** A process that begins where another one ended finds everything in place: it looks at each application once, and writes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, pause } from '@capstan/engine-delivery/testing';
import { createWorld } from './testing/world.ts';

const REPO = 'https://git.example.com/org/repo.git';
const APPS = 50;
const names = Array.from({ length: APPS }, (_, n) => `app-${n}`);
const application = (name: string) => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: default
  source: {repoURL: ${REPO}, path: ${name}}
  destination: {server: https://kubernetes.default.svc, namespace: ${name}}
  syncPolicy: {automated: {prune: true, selfHeal: true}, syncOptions: [CreateNamespace=true]}
`;
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {a: a}}
  template: {metadata: {labels: {a: a}}, spec: {containers: [{name: a, image: a}]}}
`;

test('after a restart each application is looked at once', { timeout: 120_000 }, async () => {
  const writes: string[] = [];
  await using world = await createWorld({
    onRequest: (_count, method, path) => {
      if (method !== 'GET') writes.push(`${method} ${path}`);
    },
  });
  const files = names.flatMap((name) => [
    [`${name}/a.yaml`, configMap],
    [`${name}/b.yaml`, deployment],
  ]);
  world.sources.push(REPO, Object.fromEntries(files));
  await world.kubectlApply(names.map(application).join('---'));
  const areSynced = async () => {
    const apps = await Promise.all(names.map((name) => world.get('Application', `argocd/${name}`)));
    return apps.filter(
      (app) =>
        at(app, 'status', 'sync', 'status') === 'Synced' &&
        at(app, 'status', 'health', 'status') === 'Healthy',
    ).length;
  };
  await world.eventually(areSynced, (count) => count === APPS);
  await pause(300);
  await world.controller.idle();
  const before = world.looks();
  writes.length = 0;
  await world.restart();
  await world.eventually(
    async () => world.looks() - before,
    (looks) => looks >= APPS,
  );
  await pause(1_000);
  await world.controller.idle();
  assert.deepEqual([world.looks() - before, writes], [APPS, []]);
});
