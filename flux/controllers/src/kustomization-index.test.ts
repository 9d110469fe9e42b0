import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kustomization, parseKustomization } from '@capstan/flux-api';
import type { Json } from '@capstan/kube-object';
import { KustomizationIndex } from './kustomization-index.ts';

function kustomization(spec: { readonly [name: string]: Json }): Kustomization {
  const parsed = parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'x', namespace: 'apps' },
    spec: { interval: '1m', prune: true, ...spec },
  });
  assert.equal(parsed.kind, 'ok');
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

test('who follows a source and who waits for another one is found, until that changes', () => {
  const index = new KustomizationIndex();
  const key = (name: string) => ({ namespace: 'apps', name });
  const source = { kind: 'GitRepository', namespace: 'apps', name: 'repo' };
  const shared = { ...source, namespace: 'infra' };
  index.put(key('a'), kustomization({ sourceRef: { kind: 'GitRepository', name: 'repo' } }));
  index.put(
    key('b'),
    kustomization({
      sourceRef: { kind: 'GitRepository', name: 'repo', namespace: 'infra' },
      dependsOn: [{ name: 'a' }, { name: 'db', namespace: 'infra' }],
    }),
  );
  assert.deepEqual(index.followersOf(source), [key('a')]);
  assert.deepEqual(index.followersOf(shared), [key('b')]);
  assert.deepEqual(index.followersOf({ ...source, kind: 'Bucket' }), []);
  assert.deepEqual(index.waitersOf(key('a')), [key('b')]);
  assert.deepEqual(index.waitersOf({ namespace: 'infra', name: 'db' }), [key('b')]);
  index.put(key('b'), kustomization({ sourceRef: { kind: 'GitRepository', name: 'repo' } }));
  assert.deepEqual(index.followersOf(source), [key('a'), key('b')]);
  assert.deepEqual(index.followersOf(shared), []);
  assert.deepEqual(index.waitersOf(key('a')), []);
  index.put(key('a'), undefined);
  assert.deepEqual(index.followersOf(source), [key('b')]);
});
