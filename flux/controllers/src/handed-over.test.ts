/** What others wrote on objects of a Kustomization: taken over, released or adopted, as fluxcd/pkg/ssa decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryPorts } from '@capstan/engine-delivery';
import type { Json, KubeObject } from '@capstan/kube-object';
import { withoutInvalidAuthorities } from './drop-invalid-authorities.ts';
import { at, ready } from './testing/look.ts';
import { REPO, trackedApp } from './testing/tracked-app.ts';
import { createWorld } from './testing/world.ts';

const REF = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'flux-system', name: 'a' };
const OBJECT: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'flux-system' },
};
const kustomization = (extra = '') => trackedApp(`  path: ./deploy\n${extra}`);
const config = (data: object) => JSON.stringify({ ...OBJECT, data });

const managersOf = (one: Json | undefined) =>
  (at(one, 'metadata', 'managedFields') as readonly KubeObject['metadata'][] | undefined)?.map(
    (entry) => `${at(entry as Json, 'manager')} ${at(entry as Json, 'operation')}`,
  );

test('what kubectl added by any of its commands goes, and its fields become ours', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': config({ key: '1' }) });
  await world.kubectlApply(kustomization());
  await ready(world, 'Applied revision');
  const added = { data: { more: 'x' } };
  await world.client.patch(REF, added, { type: 'merge', fieldManager: 'kubectl-edit' });
  const read = () => world.get('ConfigMap', 'flux-system/a');
  await world.eventually(read, (one) => at(one, 'data', 'more') === undefined);
  assert.deepEqual(managersOf(await read()), ['kustomize-controller Apply']);
  const applied = { ...OBJECT, data: { key: '2' } };
  await world.client.apply(applied, { fieldManager: 'kubectl', force: true });
  await world.eventually(read, (one) => at(one, 'data', 'key') === '1');
  assert.deepEqual(managersOf(await read()), ['kustomize-controller Apply']);
  await world.client.patch(REF, added, { type: 'merge', fieldManager: 'somebody' });
  await world.client.patch(REF, { data: { key: '3' } }, { type: 'merge', fieldManager: 'x' });
  await world.eventually(read, (one) => at(one, 'data', 'key') === '1');
  assert.equal(at(await read(), 'data', 'more'), 'x');
});

test('an ignored field is released to who applies it, and kept as it is when nobody does', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': config({ key: '1', taken: 'ours', edited: 'ours' }),
  });
  await world.kubectlApply(kustomization('  ignore: [{paths: [/data/taken, /data/edited]}]\n'));
  await ready(world, 'Applied revision');
  await world.client.apply(
    { ...OBJECT, data: { taken: 'theirs' } },
    { fieldManager: 'autoscaler', force: true },
  );
  await world.client.patch(
    REF,
    { data: { edited: 'by hand' } },
    { type: 'merge', fieldManager: 'somebody' },
  );
  const commit = world.sources.push(REPO, {
    'deploy/a.yaml': config({ key: '2', taken: 'ours', edited: 'ours' }),
  });
  await ready(world, `Applied revision: main@sha1:${commit}`);
  const found = await world.get('ConfigMap', 'flux-system/a');
  assert.deepEqual(at(found, 'data'), { key: '2', taken: 'theirs', edited: 'by hand' });
  const ours = (at(found, 'metadata', 'managedFields') as readonly Json[]).find(
    (entry) => at(entry, 'manager') === 'kustomize-controller',
  );
  assert.deepEqual(Object.keys(at(ours, 'fieldsV1', 'f:data') as object), ['f:edited', 'f:key']);
});

test('the finalizer of a Kustomization that another one holds is not taken from it', async () => {
  await using world = await createWorld();
  const inner = kustomization().split('---')[1]?.replaceAll('name: my-app,', 'name: inner,') ?? '';
  const nested = inner.replace('./deploy', './inner');
  world.sources.push(REPO, { 'deploy/k.yaml': nested, 'inner/a.yaml': config({ key: '1' }) });
  await world.kubectlApply(kustomization());
  await ready(world, 'Applied revision');
  const read = () => world.get('Kustomization', 'flux-system/inner');
  await world.eventually(read, (one) => at(one, 'status', 'lastAppliedRevision') !== undefined);
  const commit = world.sources.push(REPO, {
    'deploy/k.yaml': nested.replace('10m', '11m'),
    'inner/a.yaml': config({ key: '2' }),
  });
  await ready(world, `Applied revision: main@sha1:${commit}`);
  await world.eventually(read, (one) => at(one, 'spec', 'interval') === '11m');
  assert.deepEqual(at(await read(), 'metadata', 'finalizers'), ['finalizers.fluxcd.io']);
});

test('an authority of a conversion webhook that is none is left out', async () => {
  const definition = (caBundle: string): KubeObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'a.example.com' },
    spec: { conversion: { webhook: { clientConfig: { url: 'https://a', caBundle } } } },
  });
  const left = async (object: KubeObject) => {
    const render = withoutInvalidAuthorities((async () => ({
      objects: [{ object }],
    })) as unknown as DeliveryPorts['render']);
    const signal = new AbortController().signal;
    const { objects } = await render({} as never, {} as never, { signal });
    return at(
      objects[0]?.object as Json,
      'spec',
      'conversion',
      'webhook',
      'clientConfig',
      'caBundle',
    );
  };
  for (const none of ['Cg==', 'no base64', btoa('-----BEGIN CERTIFICATE-----\nx\n')])
    assert.equal(await left(definition(none)), undefined, none);
  assert.equal(await left({ ...definition('Cg=='), kind: 'Other' }), 'Cg==');
});
