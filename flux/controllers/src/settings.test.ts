import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Kustomization, type KustomizationSpec, parseKustomization } from '@capstan/flux-api';
import { parseLabelSelector } from '@capstan/kube-object';
import { createCelCompiler } from '@capstan/lib-expressions';
import { findUnready } from './dependencies.ts';
import type { FluxSettings } from './settings.ts';
import { at, condition, find, ready, settle } from './testing/look.ts';
import { createWorld } from './testing/world.ts';
import { toDelivery } from './to-delivery.ts';

const REPO = 'https://git.example.com/org/my-app.git';

function kustomization(spec: Partial<KustomizationSpec>, status = {}): Kustomization {
  const parsed = parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'flux-system', generation: 1 },
    spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'r' }, ...spec },
    status,
  });
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

test('further managers are taken over, and variables without values may be empty', () => {
  const lower = (settings: FluxSettings) =>
    toDelivery(kustomization({ postBuild: { substitute: {} } }), {
      source: { kind: 'git', url: REPO, revision: { kind: 'branch', branch: 'main' } },
      variables: {},
      settings,
    });
  const plain = lower({});
  const told = lower({ overrideManagers: ['node-fetch'], laxSubstitutions: true });
  assert.deepEqual(told.sync.takeOverFrom, [
    ...plain.sync.takeOverFrom,
    { manager: 'node-fetch', isPrefix: true, operation: 'Apply' },
    { manager: 'node-fetch', isPrefix: true },
  ]);
  const strict = ({ sources }: typeof plain) =>
    at(sources[0]?.render as never, 'substitute', 'strict');
  assert.deepEqual([strict(plain), strict(told)], [true, false]);
});

test('an expression may count beside the conditions of a dependency', () => {
  const waiting = kustomization({
    dependsOn: [{ name: 'base', readyExpr: 'dep.spec.prune == true' }],
  });
  const why = (settings: FluxSettings) =>
    findUnready(waiting, 'main@sha1:c', {
      find: () => kustomization({}),
      tenancy: {},
      compileCel: createCelCompiler(),
      settings,
    });
  assert.equal(why({}), undefined);
  assert.equal(
    why({ additiveDependencyCheck: true }),
    "dependency 'flux-system/base' is not ready",
  );
});

const objects = (labels: string, more = '') => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: my-app, namespace: flux-system, labels: ${labels}}
spec: {interval: 1m, url: "${REPO}", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system, labels: ${labels}}
spec: {interval: 10m, targetNamespace: default, sourceRef: {kind: GitRepository, name: my-app}, prune: true${more}}
`;

test('objects of another shard are left alone until they are ours', async () => {
  const watchSelector = parseLabelSelector('sharding.fluxcd.io/key=one');
  await using world = await createWorld({ settings: { watchSelector } });
  world.sources.push(REPO, {
    'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: c}\n',
  });
  await world.kubectlApply(objects('{sharding.fluxcd.io/key: two}'));
  await settle();
  await world.controllers.idle();
  for (const kind of ['GitRepository', 'Kustomization']) {
    const left = await world.get(kind, 'flux-system/my-app');
    assert.equal(find(left, 'Ready'), undefined);
    assert.equal(at(left, 'metadata', 'finalizers'), undefined);
  }
  await world.kubectlApply(objects('{sharding.fluxcd.io/key: one}'));
  await ready(world, 'Applied revision');
});

test('a shared Secret decrypts for all who decrypt and name no keys of their own', async () => {
  const sopsAgeSecret = { namespace: 'flux-system', name: 'shared' };
  await using world = await createWorld({ settings: { sopsAgeSecret } });
  const read = (name: string) =>
    readFileSync(join(import.meta.dirname, 'testdata', 'sops', name), 'utf8');
  world.sources.push(REPO, { 'secret.yaml': read('secret.yaml') });
  const keys = JSON.stringify({ 'a.agekey': read('keys.txt') });
  await world.kubectlApply(
    `apiVersion: v1\nkind: Secret\nmetadata: {name: shared, namespace: flux-system}\nstringData: ${keys}\n---${objects('{}', ', decryption: {provider: sops}')}`,
  );
  await ready(world, 'Applied revision');
  const own = '{provider: sops, secretRef: {name: none}}';
  await world.kubectlApply(objects('{}', `, decryption: ${own}`));
  await condition(world, 'Ready', (one) =>
    /^secrets "none" not found/.test(String(at(one, 'message'))),
  );
});
