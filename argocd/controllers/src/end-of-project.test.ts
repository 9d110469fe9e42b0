import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import { createWorld } from './testing/world.ts';

const project = (name: string) => `
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: ${name}, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]}
`;
const APPLICATION = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: team
  source: {repoURL: 'https://git.example.com/a.git', path: app}
  destination: {server: https://kubernetes.default.svc, namespace: default}
`;
const ref = (kind: string, name: string) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind,
  namespace: 'argocd',
  name,
});

test('a project that holds itself goes with the last application that names it', async () => {
  await using world = await createWorld();
  world.sources.push('https://git.example.com/a.git', { 'app/x.txt': 'none' });
  await world.kubectlApply(project('team'));
  await world.kubectlApply(project('idle'));
  await world.kubectlApply(APPLICATION);
  await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => at(one, 'status', 'sync') !== undefined,
  );
  const isGone = (one: unknown) => one === undefined;
  await world.client.delete(ref('AppProject', 'team'));
  await world.client.delete(ref('AppProject', 'idle'));
  await world.eventually(() => world.get('AppProject', 'argocd/idle'), isGone);
  assert.ok(await world.get('AppProject', 'argocd/team'), 'it is named still');
  await world.restart();
  await world.client.delete(ref('Application', 'web'));
  await world.eventually(() => world.get('AppProject', 'argocd/team'), isGone);
});
