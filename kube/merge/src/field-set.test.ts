import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@capstan/kube-object';
import { type MergeList, untypedDeduced } from '@capstan/kube-schema';
import { itemElement } from './atoms.ts';
import { FieldSet, formatFieldsV1, parseFieldsV1 } from './field-set.ts';

const sample: JsonObject = {
  'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
  'f:spec': {
    'f:ports': {
      'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} },
      'k:{"containerPort":443,"protocol":"TCP"}': {},
    },
    'f:tags': { 'v:"a"': {}, 'v:1': {}, 'i:0': {} },
  },
};

test('fieldsV1 is read and written the same, in the order fields, keys, values, indexes', () => {
  const set = parseFieldsV1(sample);
  assert.equal(set.size, 8);
  const shuffled = parseFieldsV1({
    'f:spec': sample['f:spec'],
    'f:metadata': sample['f:metadata'],
  });
  assert.equal(JSON.stringify(formatFieldsV1(shuffled)), JSON.stringify(formatFieldsV1(set)));
  assert.deepEqual(Object.keys(formatFieldsV1(set)['f:spec'] as JsonObject), ['f:ports', 'f:tags']);
  assert.deepEqual(
    Object.keys((formatFieldsV1(set)['f:spec'] as JsonObject)['f:tags'] as JsonObject),
    ['v:1', 'v:"a"', 'i:0'],
  );
});

test('keys are the same however they are written', () => {
  const left = parseFieldsV1({ 'k:{"b":1,"a":"x"}': {} });
  const right = parseFieldsV1({ 'k:{"a":"x","b":1.0}': {} });
  assert.ok(left.equals(right));
});

test('a key of a list item that is null is null; only an absent one has its default', () => {
  const port = { type: untypedDeduced, default: 80 };
  const map = { atomic: false, fields: new Map([['port', port]]), element: undefined };
  const list: MergeList = {
    atomic: false,
    keys: ['port', 'name'],
    element: { scalar: undefined, list: undefined, map: { ...map, deduced: false } },
  };
  assert.deepEqual(itemElement(list, { port: null }), { element: 'k:{"port":null}' });
  assert.deepEqual(itemElement(list, { name: null }), { element: 'k:{"name":null,"port":80}' });
});

test('kinds of elements from the future are dropped, nonsense is an error', () => {
  assert.ok(parseFieldsV1({ 'z:new': {} }).isEmpty);
  assert.throws(() => parseFieldsV1({ nonsense: {} }), { message: 'missing colon: nonsense' });
  assert.throws(() => parseFieldsV1({ 'i:x': {} }));
  assert.ok(parseFieldsV1(null).isEmpty);
  assert.ok(parseFieldsV1({ 'f:a': null }).has(['f:a']));
  assert.throws(() => parseFieldsV1([]), { message: 'ReadMapCB: expect { or n, but found [' });
  assert.throws(() => parseFieldsV1({ 'f:a': { 'f:b': 7 } }), /but found 7$/);
});

test('the laws of sets hold', () => {
  const a = FieldSet.of(['f:a'], ['f:a', 'f:b'], ['f:c', 'f:d']);
  const b = FieldSet.of(['f:a'], ['f:c', 'f:d'], ['f:e']);
  assert.ok(a.union(b).equals(b.union(a)));
  assert.ok(a.intersection(b).equals(FieldSet.of(['f:a'], ['f:c', 'f:d'])));
  assert.ok(a.difference(b).union(a.intersection(b)).equals(a));
  assert.ok(a.difference(b).equals(FieldSet.of(['f:a', 'f:b'])));
  assert.ok(a.recursiveDifference(FieldSet.of(['f:a'])).equals(FieldSet.of(['f:c', 'f:d'])));
  assert.ok(a.leaves().equals(FieldSet.of(['f:a', 'f:b'], ['f:c', 'f:d'])));
});

test('paths read as people write them', () => {
  assert.equal(parseFieldsV1(sample).toString().split('\n')[1], '.metadata.labels.app');
  assert.match(
    parseFieldsV1(sample).toString(),
    /\.spec\.ports\[containerPort=80,protocol="TCP"\]\.name/,
  );
  assert.match(parseFieldsV1(sample).toString(), /\.spec\.tags\[="a"\]/);
});
