import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ManagedFieldsEntry } from '@capstan/kube-object';
import { clientSideApplyManagers, migrateClientSideApply } from './client-side-apply.ts';

function entry(
  manager: string,
  operation: 'Apply' | 'Update',
  ...fields: string[]
): ManagedFieldsEntry {
  return {
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: Object.fromEntries(fields.map((field) => [`f:${field}`, {}])),
  };
}

function object(...managedFields: ManagedFieldsEntry[]): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', managedFields } };
}

const options = { from: clientSideApplyManagers, to: 'capstan' };

test("what client-side apply wrote becomes the applier's own", () => {
  const migrated = migrateClientSideApply(
    object(
      entry('capstan', 'Apply', 'a'),
      entry('kubectl-client-side-apply', 'Update', 'b'),
      entry('x', 'Update', 'c'),
    ),
    options,
  );
  assert.deepEqual(migrated.metadata.managedFields, [
    entry('capstan', 'Apply', 'a', 'b'),
    entry('x', 'Update', 'c'),
  ]);
});

test('without an applier the entry itself becomes one', () => {
  const migrated = migrateClientSideApply(
    object(entry('kubectl-client-side-apply', 'Update', 'b')),
    options,
  );
  assert.deepEqual(migrated.metadata.managedFields, [entry('capstan', 'Apply', 'b')]);
});

test('with nothing to migrate the object comes back as it is', () => {
  const same = object(entry('x', 'Update', 'c'));
  assert.equal(migrateClientSideApply(same, options), same);
});
