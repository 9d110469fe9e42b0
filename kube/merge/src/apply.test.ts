import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type KindSchema, loadCatalogue, readCustomResource } from '@capstan/kube-schema';
import { type ApplyResult, applyServerSide, keepTimestamps, trackUpdate } from './apply.ts';
import { conflictCauses } from './conflict.ts';
import { FieldSet, parseFieldsV1 } from './field-set.ts';

const catalogue = await loadCatalogue();
const deployments = catalogue.kind({ group: 'apps', version: 'v1', kind: 'Deployment' })!;
const configMaps = catalogue.kind({ group: '', version: 'v1', kind: 'ConfigMap' })!;
const start = Date.parse('2024-05-01T12:00:00Z');

function deployment(spec: JsonObject, labels?: Record<string, string>): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', ...(labels ? { labels } : {}) },
    spec,
  };
}

interface Options {
  readonly live?: KubeObject;
  readonly force?: boolean;
  readonly at?: number;
  readonly schema?: KindSchema;
}

function apply(manager: string, applied: KubeObject, options: Options = {}): ApplyResult {
  const { live, force = false, at = 0, schema = deployments } = options;
  return applyServerSide({ live, applied, manager, force, schema, now: start + at * 1000 });
}

function applied(result: ApplyResult): KubeObject {
  assert.equal(result.kind, 'applied', JSON.stringify(result));
  return result.kind === 'applied' ? result.object : ({} as KubeObject);
}

function owned(object: KubeObject, manager: string): string[] {
  const entry = object.metadata.managedFields?.find((e) => e.manager === manager);
  return parseFieldsV1(entry?.fieldsV1 ?? {})
    .toString()
    .split('\n')
    .filter(Boolean);
}

test('an apply owns what it says, and nothing that the server sets', () => {
  const object = applied(apply('capstan', deployment({ replicas: 2 }, { app: 'web' })));
  assert.deepEqual(owned(object, 'capstan'), ['.metadata.labels.app', '.spec.replicas']);
  assert.equal(object.metadata.managedFields?.[0]?.time, '2024-05-01T12:00:00Z');
});

test('a conflict names the manager and the field, in the words of the server', () => {
  const live = applied(apply('capstan', deployment({ replicas: 2, paused: true })));
  const one = apply('kubectl', deployment({ replicas: 3 }), { live });
  assert.equal(one.kind, 'conflicts');
  if (one.kind !== 'conflicts') return;
  assert.equal(
    one.message,
    'Apply failed with 1 conflict: conflict with "capstan": .spec.replicas',
  );
  assert.deepEqual(conflictCauses(one.conflicts), [
    { reason: 'FieldManagerConflict', message: 'conflict with "capstan"', field: '.spec.replicas' },
  ]);
  const two = apply('kubectl', deployment({ replicas: 3, paused: false }), { live });
  assert.equal(
    two.kind === 'conflicts' ? two.message : '',
    'Apply failed with 2 conflicts: conflicts with "capstan":\n- .spec.paused\n- .spec.replicas',
  );
});

test('an update shows its version in a conflict', () => {
  const object = deployment({ replicas: 2 });
  const managedFields = trackUpdate({
    before: undefined,
    after: object,
    manager: 'kubectl-create',
    schema: deployments,
    now: start,
  });
  const live = { ...object, metadata: { ...object.metadata, managedFields: managedFields! } };
  const result = apply('capstan', deployment({ replicas: 3 }), { live });
  assert.equal(
    result.kind === 'conflicts' ? result.message : '',
    'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas',
  );
});

test('force takes the field over; equal values are shared without it', () => {
  const live = applied(apply('a', deployment({ replicas: 2, paused: true })));
  const shared = applied(apply('b', deployment({ replicas: 2 }), { live }));
  assert.deepEqual(owned(shared, 'a'), ['.spec.paused', '.spec.replicas']);
  assert.deepEqual(owned(shared, 'b'), ['.spec.replicas']);
  const forced = applied(apply('b', deployment({ replicas: 5 }), { live: shared, force: true }));
  assert.deepEqual(owned(forced, 'a'), ['.spec.paused']);
  assert.equal((forced['spec'] as JsonObject)['replicas'], 5);
});

test('what is not applied any more goes, unless someone else owns it', () => {
  const first = applied(
    apply('a', deployment({ replicas: 2, minReadySeconds: 9 }, { x: '1', y: '2' })),
  );
  const second = applied(apply('b', deployment({ minReadySeconds: 9 }), { live: first }));
  const third = applied(apply('a', deployment({ replicas: 2 }, { x: '1' }), { live: second }));
  assert.deepEqual(third.metadata.labels, { x: '1' });
  assert.equal((third['spec'] as JsonObject)['minReadySeconds'], 9);
});

test('the same apply again changes nothing, not even a time', () => {
  const object = deployment({ replicas: 2, template: { spec: { containers: [{ name: 'c' }] } } });
  const first = applied(apply('a', object));
  const again = apply('a', object, { live: first, at: 60 });
  assert.ok(again.kind === 'applied' && !again.changed);
  assert.deepEqual(applied(again), first);
});

test('items of lists are owned by their keys, with defaults', () => {
  const ports = (list: Json): KubeObject =>
    deployment({ template: { spec: { containers: [{ name: 'c', ports: list }] } } });
  const live = applied(
    apply('a', ports([{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }])),
  );
  assert.ok(
    owned(live, 'a').includes(
      '.spec.template.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]',
    ),
  );
  const both = applied(apply('b', ports([{ containerPort: 53, protocol: 'TCP' }]), { live }));
  const { containers } = ((both['spec'] as JsonObject)['template'] as JsonObject)['spec'] as {
    containers: { ports: Json[] }[];
  };
  assert.equal(containers[0]!.ports.length, 3);
});

test('the same item twice in what is applied is refused', () => {
  const twice = deployment({ template: { spec: { containers: [{ name: 'c' }, { name: 'c' }] } } });
  const result = apply('a', twice);
  assert.equal(
    result.kind === 'invalid' ? result.message : '',
    'failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="c"]',
  );
});

test('kubectl takes over what it set by client-side apply, and keeps the annotation current', () => {
  const last = deployment({ replicas: 2 });
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const object: KubeObject = {
    ...last,
    metadata: { ...last.metadata, annotations: { [annotation]: JSON.stringify(last) } },
  };
  const managedFields = trackUpdate({
    before: undefined,
    after: object,
    manager: 'kubectl-client-side-apply',
    schema: deployments,
    now: start,
  })!;
  const live = { ...object, metadata: { ...object.metadata, managedFields } };
  const result = applied(apply('kubectl', deployment({ replicas: 3 }), { live }));
  assert.equal((result['spec'] as JsonObject)['replicas'], 3);
  assert.equal(
    result.metadata.annotations?.[annotation],
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":3}}\n',
  );
  assert.equal(apply('other', deployment({ replicas: 3 }), { live }).kind, 'conflicts');
});

test('objects written before tracking began belong to before-first-apply', () => {
  const live: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', uid: 'u' },
    data: { a: '1' },
  };
  const add = { ...live, metadata: { name: 'c' }, data: { b: '2' } };
  const result = applied(apply('a', add, { live, schema: configMaps }));
  assert.deepEqual(
    result.metadata.managedFields?.map((e) => [e.manager, e.operation]),
    [
      ['a', 'Apply'],
      ['before-first-apply', 'Update'],
    ],
  );
  assert.equal(
    trackUpdate({ before: live, after: live, manager: 'm', schema: configMaps, now: start }),
    undefined,
  );
});

test('fields that a request cannot set are not owned', () => {
  const result = applyServerSide({
    live: undefined,
    applied: { ...deployment({ replicas: 1 }), status: { replicas: 1 } },
    manager: 'a',
    force: false,
    schema: deployments,
    now: start,
    resetFields: FieldSet.of(['f:status']),
  });
  assert.deepEqual(owned(applied(result), 'a'), ['.spec.replicas']);
});

test('a client may forget all managers by an empty list, and ten update managers are kept', () => {
  let live: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: {} };
  let before: KubeObject | undefined;
  for (let i = 0; i < 13; i++) {
    const data = { ...(live['data'] as JsonObject), [`k${i}`]: 'v' };
    const after: KubeObject = { ...live, data };
    const managedFields = trackUpdate({
      before,
      after,
      manager: `m${i}`,
      schema: configMaps,
      now: start + i * 1000,
    })!;
    live = { ...after, metadata: { name: 'c', uid: 'u', managedFields } };
    before = live;
  }
  const names = live.metadata.managedFields?.map((e) => e.manager);
  assert.equal(names?.length, 10);
  assert.ok(names?.includes('ancient-changes'));
  const reset = { ...live, metadata: { ...live.metadata, managedFields: [] } };
  assert.equal(
    trackUpdate({ before: live, after: reset, manager: 'm', schema: configMaps, now: start }),
    undefined,
  );
});

test('a write that only would move times keeps the stored object', () => {
  const live = applied(apply('a', deployment({ replicas: 1 })));
  const entry = live.metadata.managedFields![0]!;
  const later = {
    ...live,
    metadata: { ...live.metadata, managedFields: [{ ...entry, time: '2030-01-01T00:00:00Z' }] },
  };
  assert.deepEqual(keepTimestamps(live, later), live);
  const changed = { ...later, spec: { replicas: 2 } };
  assert.equal(keepTimestamps(live, changed), changed);
});

test('managers of another version are compared in theirs', () => {
  const schemaOf = (size: string): JsonObject => ({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: { [size]: { type: 'integer' }, name: { type: 'string' } },
      },
    },
  });
  const [v1, v2] = readCustomResource(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {},
      spec: {
        group: 'e.com',
        names: { kind: 'W' },
        versions: [
          { name: 'v1', schema: { openAPIV3Schema: schemaOf('size') } },
          { name: 'v2', schema: { openAPIV3Schema: schemaOf('length') } },
        ],
      },
    },
    catalogue,
  );
  const object = (version: string, spec: JsonObject): KubeObject => ({
    apiVersion: `e.com/${version}`,
    kind: 'W',
    metadata: { name: 'w' },
    spec,
  });
  const convert = (value: KubeObject, apiVersion: string) => {
    const { size, length, ...rest } = value['spec'] as { size?: number; length?: number };
    const value2 = size ?? length;
    if (apiVersion === 'e.com/v1')
      return {
        schema: v1!.kind,
        object: {
          ...value,
          apiVersion,
          spec: { ...rest, ...(value2 === undefined ? {} : { size: value2 }) },
        },
      };
    if (apiVersion === 'e.com/v2')
      return {
        schema: v2!.kind,
        object: {
          ...value,
          apiVersion,
          spec: { ...rest, ...(value2 === undefined ? {} : { length: value2 }) },
        },
      };
    return undefined;
  };
  const live = applied(apply('a', object('v1', { size: 1 }), { schema: v1!.kind }));
  const result = applyServerSide({
    live: convert(live, 'e.com/v2')!.object,
    applied: object('v2', { length: 2 }),
    manager: 'b',
    force: false,
    schema: v2!.kind,
    now: start,
    convert,
  });
  assert.equal(
    result.kind === 'conflicts' ? result.message : '',
    'Apply failed with 1 conflict: conflict with "a": .spec.size',
  );
});
