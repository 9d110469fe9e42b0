import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, JsonObject } from '@capstan/kube-object';
import { loadCatalogue } from '@capstan/kube-schema';
import { createJsonMergePatch, jsonMergePatch, threeWayJsonPatch } from './json-merge-patch.ts';
import { applyJsonPatch } from './json-patch.ts';
import { threeWayStrategicPatch, twoWayStrategicPatch } from './strategic-diff.ts';
import { strategicMergePatch } from './strategic-merge.ts';

const catalogue = await loadCatalogue();
const { schema } = catalogue.kind({ group: '', version: 'v1', kind: 'Pod' })!;

const pod: JsonObject = {
  metadata: { finalizers: ['a', 'b'] },
  spec: {
    containers: [
      { name: 'x', image: 'x:1', env: [{ name: 'A', value: '1' }] },
      { name: 'y', image: 'y:1' },
    ],
  },
};

function containers(object: JsonObject): readonly JsonObject[] {
  return (object['spec'] as JsonObject)['containers'] as readonly JsonObject[];
}

test('a strategic merge patch merges lists by their keys', () => {
  const out = strategicMergePatch(schema, pod, {
    metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
    spec: {
      containers: [
        { name: 'y', $patch: 'delete' },
        { name: 'x', env: [{ name: 'B' }] },
      ],
    },
  });
  assert.deepEqual(containers(out), [
    { name: 'x', image: 'x:1', env: [{ name: 'B' }, { name: 'A', value: '1' }] },
  ]);
  assert.deepEqual((out['metadata'] as JsonObject)['finalizers'], ['c', 'b']);
  assert.equal(containers(pod).length, 2);
});

test('the order of a list can be set', () => {
  const out = strategicMergePatch(schema, pod, {
    spec: { '$setElementOrder/containers': [{ name: 'y' }, { name: 'x' }] },
  });
  assert.deepEqual(
    containers(out).map((c) => c['name']),
    ['y', 'x'],
  );
});

test('an item that takes the place of a deleted one stands where that stood', () => {
  const out = strategicMergePatch(schema, pod, {
    spec: {
      '$setElementOrder/containers': [{ name: 'z' }],
      containers: [
        { name: 'z', image: 'z:1' },
        { name: 'y', $patch: 'delete' },
      ],
    },
  });
  assert.deepEqual(
    containers(out).map((c) => c['name']),
    ['x', 'z'],
  );
});

test('mistakes are said in the words of the API server', () => {
  const cases: readonly (readonly [JsonObject, string])[] = [
    [
      { spec: { containers: [{ image: 'z' }] } },
      'map: map[image:z] does not contain declared merge key: name',
    ],
    [
      { spec: { containers: [{ name: 'x', $patch: 'odd' }] } },
      'unknown patch type: odd in map: map[$patch:odd name:x]',
    ],
    [{ spec: { containers: ['x'] } }, 'list element types are not identical'],
  ];
  for (const [patch, message] of cases)
    assert.throws(
      () => strategicMergePatch(schema, pod, patch),
      (error: Error) => error.message.startsWith(message),
      message,
    );
  assert.throws(
    () => strategicMergePatch(schema, { spec: { odd: { a: 1 } } }, { spec: { odd: { b: 1 } } }),
    { message: 'unable to find api field in struct PodSpec for the json field "odd"' },
  );
});

test('a two-way patch leads from one object to the other', () => {
  const changed: JsonObject = {
    metadata: { finalizers: ['b', 'c'] },
    spec: {
      containers: [
        { name: 'z', image: 'z:1' },
        { name: 'x', image: 'x:2' },
      ],
    },
  };
  const patch = twoWayStrategicPatch(schema, pod, changed);
  assert.deepEqual(strategicMergePatch(schema, pod, patch), changed);
});

test('kubectl apply removes what it applied and does not any more, and leaves the rest', () => {
  const original: JsonObject = { metadata: { labels: { a: '1', b: '2' } } };
  const modified: JsonObject = { metadata: { labels: { a: '3' } } };
  const current: JsonObject = { metadata: { labels: { a: '1', b: '2', other: 'x' } } };
  const want = { metadata: { labels: { a: '3', b: null } } };
  assert.deepEqual(threeWayStrategicPatch(schema, { original, modified, current }), want);
  assert.deepEqual(threeWayJsonPatch({ original, modified, current }), want);
});

test('a JSON merge patch follows RFC 7386', () => {
  const cases: readonly (readonly [Json, Json, Json])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, want] of cases) assert.deepEqual(jsonMergePatch(target, patch), want);
  assert.deepEqual(createJsonMergePatch({ a: 1, b: 2 }, { b: 3, c: 4 }), { a: null, b: 3, c: 4 });
});

test('a JSON patch is all or nothing, with the errors of the API server', () => {
  const target = { a: [1, 2], 'x/y': { z: null } };
  const out = applyJsonPatch(target, [
    { op: 'test', path: '/a/-1', value: 2 },
    { op: 'add', path: '/a/-', value: 3 },
    { op: 'move', from: '/a/0', path: '/x~1y/w' },
    { op: 'copy', from: '/a', path: '/b' },
    { op: 'replace', path: '/x~1y/z', value: 'q' },
  ]);
  assert.deepEqual(out, { a: [2, 3], 'x/y': { z: 'q', w: 1 }, b: [2, 3] });
  assert.deepEqual(target.a, [1, 2]);
  const errors: readonly (readonly [JsonObject, string])[] = [
    [
      { op: 'remove', path: '/no' },
      "error in remove for path: '/no': Unable to remove nonexistent key: no: missing value",
    ],
    [
      { op: 'add', path: '/a/9', value: 1 },
      "error in add for path: '/a/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [{ op: 'test', path: '/a/0', value: 5 }, 'testing value /a/0 failed: test failed'],
    [{ op: 'odd' }, 'Unexpected kind: odd'],
    [
      { op: 'add', path: '/no/x', value: 1 },
      'add operation does not apply: doc is missing path: "/no/x": missing value',
    ],
  ];
  for (const [operation, message] of errors)
    assert.throws(() => applyJsonPatch(target, [operation]), { message }, message);
});

test('a patch cannot grow an object without bound', () => {
  const double = { op: 'copy', from: '/a', path: '/a/b' };
  const target = { a: { text: 'x'.repeat(1000) } };
  assert.throws(
    () =>
      applyJsonPatch(
        target,
        Array.from({ length: 5000 }, () => double),
      ),
    {
      message:
        /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
    },
  );
});
