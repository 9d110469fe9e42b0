import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { StatusWrites } from './status-writes.ts';

const key = { group: 'g', kind: 'Thing', namespace: 'web', name: 'a' };

function thing(resourceVersion: string, status: string): KubeObject {
  const { namespace, name } = key;
  return {
    apiVersion: 'g/v1',
    kind: 'Thing',
    metadata: { namespace, name, resourceVersion },
    status,
  };
}

const live = (object: KubeObject) =>
  ({ resourceVersion: object.metadata.resourceVersion, read: () => object }) as LiveObject;
const change = (before: KubeObject, after: KubeObject, writer?: string) => ({
  ...{ key, before: live(before), after: live(after), isInitial: false, writer },
});

function scenario() {
  const foreign: string[] = [];
  const writers: (string | undefined)[] = [];
  const writes = new StatusWrites(({ namespace, name }) => foreign.push(`${namespace}/${name}`));
  const cache = {
    observeWrite: (_object: KubeObject, options?: { readonly writer?: string }) =>
      void writers.push(options?.writer),
  };
  return { foreign, writers, writes, cache };
}

test('a status that nobody here wrote is foreign; another change of the object is not', () => {
  const { foreign, writes } = scenario();
  writes.see(change(thing('1', 'x'), thing('2', 'x')));
  assert.deepEqual(foreign, []);
  writes.see(change(thing('2', 'x'), thing('3', 'y')));
  assert.deepEqual(foreign, ['web/a']);
});

test('an own write is none, whether the watch tells of it before the answer or the cache after it', async () => {
  const { foreign, writers, writes, cache } = scenario();
  await writes.write(key, cache, async () => {
    writes.see(change(thing('1', 'x'), thing('2', 'y')));
    return thing('2', 'y');
  });
  for (const writer of writers) writes.see(change(thing('1', 'x'), thing('2', 'y'), writer));
  assert.deepEqual([foreign, writers.length], [[], 1]);
});

test('a write of others during an own one is foreign, also when the own one wrote nothing', async () => {
  const { foreign, writes, cache } = scenario();
  await writes.write(key, cache, async () => {
    writes.see(change(thing('1', 'x'), thing('2', 'y')));
    writes.see(change(thing('2', 'y'), thing('3', 'z')));
    return thing('3', 'z');
  });
  assert.deepEqual(foreign, ['web/a']);
  await writes.write(key, cache, async () => {
    writes.see(change(thing('3', 'z'), thing('4', 'x')));
    return undefined;
  });
  assert.deepEqual(foreign, ['web/a', 'web/a']);
});
