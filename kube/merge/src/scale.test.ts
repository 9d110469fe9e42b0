import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, ManagedFieldsEntry } from '@capstan/kube-object';
import { parentEntries, scaleEntries } from './scale.ts';

const paths = { 'apps/v1': ['f:spec', 'f:replicas'] };

function entry(manager: string, apiVersion: string, spec: JsonObject): ManagedFieldsEntry {
  return {
    manager,
    operation: 'Update',
    apiVersion,
    time: '2024-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': spec },
  };
}

const parent = [
  entry('both', 'apps/v1', { 'f:paused': {}, 'f:replicas': {} }),
  entry('paused', 'apps/v1', { 'f:paused': {} }),
];

test('the managers of a scale are those who own the replicas', () => {
  assert.deepEqual(scaleEntries(parent, paths), [
    entry('both', 'autoscaling/v1', { 'f:replicas': {} }),
  ]);
});

test('who scales takes the replicas in the parent too', () => {
  const after = parentEntries(parent, [entry('hpa', 'autoscaling/v1', { 'f:replicas': {} })], {
    apiVersion: 'apps/v1',
    paths,
  });
  assert.deepEqual(
    after?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
    [
      ['hpa', { 'f:spec': { 'f:replicas': {} } }],
      ['both', { 'f:spec': { 'f:paused': {} } }],
      ['paused', { 'f:spec': { 'f:paused': {} } }],
    ],
  );
});
