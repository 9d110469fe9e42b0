/** What a Kustomization waits for need not be its own: it goes on as soon as that is healthy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause } from '@capstan/engine-delivery/testing';
import { at, find } from './testing/look.ts';
import { createWorld } from './testing/world.ts';

const URL = 'https://git.example.com/org/repo.git';
const RESOURCES = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: repo, namespace: flux-system}
spec: {url: ${URL}, interval: 1m, ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  interval: 10m
  timeout: 5m
  path: ./app
  prune: true
  targetNamespace: default
  sourceRef: {kind: GitRepository, name: repo}
  healthChecks:
    - {apiVersion: v1, kind: Service, name: theirs, namespace: default}
    - {apiVersion: apps/v1, kind: Deployment, name: theirs, namespace: default}
`;

test('a health check of an object that another one owns ends when that is healthy', async () => {
  await using world = await createWorld();
  world.sources.push(URL, {
    'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  });
  await world.kubectlApply(RESOURCES);
  const read = () => world.get('Kustomization', 'flux-system/app');
  await world.eventually(read, (one) => at(find(one, 'Healthy'), 'status') === 'Unknown');
  await pause(500);
  await world.kubectlApply(`
apiVersion: v1
kind: Service
metadata: {name: theirs, namespace: default}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: theirs, namespace: default}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}
`);
  const app = await world.eventually(read, (one) => at(find(one, 'Ready'), 'status') === 'True');
  assert.equal(at(find(app, 'Healthy'), 'status'), 'True');
});
