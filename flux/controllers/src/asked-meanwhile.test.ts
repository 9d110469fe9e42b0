/** What people write while a look is under way is for the next one: the status tells of what was read, and of nothing since. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meddleBefore } from '@capstan/engine-delivery/testing';
import { parseLabelSelector } from '@capstan/kube-object';
import { at, find } from './testing/look.ts';
import { createWorld } from './testing/world.ts';

const URL = 'https://git.example.com/org/repo.git';
const REF = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'app',
};
const RESOURCES = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: repo, namespace: flux-system, labels: {shard: ours}}
spec: {url: ${URL}, interval: 1m, ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system, labels: {shard: ours}}
spec:
  interval: 10m
  path: ./app
  prune: true
  targetNamespace: default
  sourceRef: {kind: GitRepository, name: repo}
`;

test('a status tells of the generation and the request that were read, though both have moved on', async () => {
  let meddle: () => Promise<unknown> = async () => undefined;
  await using world = await createWorld({
    settings: { watchSelector: parseLabelSelector('shard=ours') },
    through: (transport) =>
      meddleBefore(
        transport,
        ({ method, path, body }) =>
          method === 'PATCH' &&
          path.includes('/kustomizations/app/status') &&
          String(body).includes('Detecting drift'),
        () => meddle(),
      ),
  });
  // Another shard's, so that no other look tells of it.
  meddle = () =>
    world.client.patch(
      REF,
      {
        metadata: {
          annotations: { 'reconcile.fluxcd.io/requestedAt': 'meanwhile' },
          labels: { shard: 'theirs' },
        },
        spec: { path: './other' },
      },
      { type: 'merge' },
    );
  world.sources.push(URL, {
    // Two stages, so that it is told before it begins.
    'app/a.yaml':
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    'other/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  });
  await world.kubectlApply(RESOURCES);
  const app = await world.eventually(
    () => world.get('Kustomization', 'flux-system/app'),
    (one) => at(find(one, 'Ready'), 'status') === 'True',
  );
  assert.equal(app?.metadata.generation, 2);
  assert.equal(at(app, 'status', 'observedGeneration'), 1);
  assert.equal(at(find(app, 'Ready'), 'observedGeneration'), 1);
  assert.equal(at(app, 'status', 'lastHandledReconcileAt'), undefined);
});
