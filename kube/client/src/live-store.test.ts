import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { LiveStore, type StoredKind } from './live-store.ts';
import { ObjectsByName } from './objects-by-name.ts';

const CONFIG_MAPS: StoredKind = {
  resource: {
    ...{ group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', singular: '' },
    ...{ namespaced: true, verbs: [], shortNames: [], categories: [], subresources: [] },
  },
  objects: new ObjectsByName(),
};

const configMap = (version: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: version },
});

test('what another version replaced is not parsed again for those who are told of it', () => {
  const store = new LiveStore();
  const put = (version: string) =>
    store.put(CONFIG_MAPS, { object: configMap(version), whole: true, indexed: [] });
  const first = put('1').after.read();
  const { before, after } = put('2');
  assert.equal(before?.read(), first);
  assert.equal(after.read().metadata.resourceVersion, '2');
  assert.equal(store.remove(CONFIG_MAPS, 'n', 'a')?.read().metadata.resourceVersion, '2');
});
