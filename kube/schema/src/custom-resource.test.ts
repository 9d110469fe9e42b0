import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type FieldError,
  formatFieldError,
  type Json,
  type JsonObject,
} from '@capstan/kube-object';
import { loadCatalogue } from './catalogue.ts';
import { structuralProblems } from './check-structural.ts';
import { readCustomResource } from './custom-resource.ts';
import { applyDefaults, dropNulls } from './default.ts';
import { openApiSchema } from './openapi.ts';
import { parseSchema } from './parse-schema.ts';
import { pruneCustomResource } from './prune.ts';
import { type RuleCompiler, validateRules } from './rules.ts';
import { validateListTypes } from './validate-lists.ts';
import { validateCustomResource } from './validate-value.ts';

/** `UPDATE=1` writes the answers down again: read the difference. They were compared with a kube-apiserver 1.36. */
function recorded<T extends { errors: readonly string[] }>(
  name: string,
  pick: (data: unknown) => readonly T[],
  answer: (item: T) => readonly FieldError[],
): void {
  const path = fileURLToPath(new URL(`testdata/${name}`, import.meta.url));
  const data: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const update = process.env['UPDATE'] === '1';
  for (const item of pick(data)) {
    const got = answer(item).map(formatFieldError).sort();
    if (update) item.errors = got;
    else assert.deepEqual(got, item.errors, JSON.stringify(item));
  }
  if (update) writeFileSync(path, `${JSON.stringify(data, null, 1)}\n`);
}

test('what keeps a schema from being structural is said as the API server says it', () => {
  recorded(
    'structural.json',
    (data) => data as { schema: JsonObject; errors: string[] }[],
    ({ schema }) => structuralProblems(schema, 'schema'),
  );
});

test('what is wrong with a custom resource is said as the API server says it', () => {
  let schema = parseSchema({});
  recorded(
    'custom-resource.json',
    (data) => {
      const file = data as { schema: JsonObject; cases: { spec: Json; errors: string[] }[] };
      schema = parseSchema(file.schema);
      return file.cases;
    },
    ({ spec }) => {
      const object = applyDefaults(
        schema,
        dropNulls(schema, pruneCustomResource(schema, { spec }).object),
      );
      return [...validateCustomResource(schema, object), ...validateListTypes(schema, object)];
    },
  );
});

const schema = parseSchema({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      default: {},
      properties: {
        replicas: { type: 'integer', default: 3, minimum: 1 },
        maybe: { type: 'string', nullable: true, default: 'x' },
        mode: { type: 'string' },
        open: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { in: { type: 'object' } },
        },
        inner: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { a: { type: 'string' } },
        },
        map: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: { v: { type: 'integer', default: 7 } },
          },
        },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: {
            type: 'object',
            required: ['k'],
            properties: { k: { type: 'string' }, n: { type: 'integer', maximum: 5 } },
          },
        },
      },
    },
  },
});

test('any additionalProperties keep the keys, and what is under them is unknown', () => {
  for (const additionalProperties of [true, false]) {
    const open = parseSchema({ type: 'object', additionalProperties });
    const { object, unknownFields } = pruneCustomResource(open, { a: 1, b: { c: 2 } });
    assert.deepEqual(object, { a: 1, b: {} });
    assert.deepEqual(unknownFields, ['b.c']);
  }
});

test('pruning keeps identity, embedded or not, and what is to be preserved', () => {
  const { object, unknownFields } = pruneCustomResource(schema, {
    apiVersion: 'a/v1',
    kind: 'K',
    metadata: { odd: 1 },
    extra: true,
    spec: {
      open: { any: 1, in: { gone: 1 } },
      inner: { apiVersion: 'v1', kind: 'X', metadata: {}, a: 'b', z: 1 },
      items: [{ k: 'a', q: 1 }],
    },
  });
  assert.deepEqual(unknownFields, [
    'extra',
    'spec.inner.z',
    'spec.items[0].q',
    'spec.open.in.gone',
  ]);
  assert.deepEqual(object, {
    apiVersion: 'a/v1',
    kind: 'K',
    metadata: { odd: 1 },
    spec: {
      open: { any: 1, in: {} },
      inner: { apiVersion: 'v1', kind: 'X', metadata: {}, a: 'b' },
      items: [{ k: 'a' }],
    },
  });
  assert.equal(pruneCustomResource(schema, object).object, object);
});

test('defaults fill what is absent or null without being nullable', () => {
  assert.deepEqual(applyDefaults(schema, {}), { spec: { replicas: 3, maybe: 'x' } });
  const given = { spec: { replicas: null, maybe: null, mode: null, map: { x: {} } } };
  assert.deepEqual(applyDefaults(schema, given), {
    spec: { replicas: 3, maybe: null, mode: null, map: { x: { v: 7 } } },
  });
  const decoded = { spec: { replicas: null, maybe: null, map: { x: {} } } };
  assert.deepEqual(dropNulls(schema, given), decoded);
});

test('what was wrong before an update and has not changed is let pass', () => {
  const old = { spec: { replicas: 0, items: [{ k: 'a', n: 9 }] } };
  const fields = (next: JsonObject): readonly string[] =>
    validateCustomResource(schema, next, old).map(({ field }) => field);
  assert.deepEqual(
    fields({
      spec: {
        replicas: 0,
        mode: 'm',
        items: [
          { k: 'b', n: 9 },
          { k: 'a', n: 9 },
        ],
      },
    }),
    ['spec.items[0].n'],
  );
  assert.deepEqual(fields({ spec: { replicas: -1 } }), ['spec.replicas']);
});

test('a hostile pattern costs no more than the text is long', () => {
  const hostile = parseSchema({
    type: 'object',
    properties: { s: { type: 'string', pattern: '^(a+)+$' } },
  });
  const start = performance.now();
  const errors = validateCustomResource(hostile, { s: `${'a'.repeat(20_000)}!` });
  assert.equal(errors[0]?.detail, "s in body should match '^(a+)+$'");
  assert.ok(performance.now() - start < 10_000);
});

test('the versions of a custom resource are read with what the server adds to their schemas', async () => {
  const catalogue = await loadCatalogue();
  const [version] = readCustomResource(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {},
      spec: {
        group: 'e.com',
        names: { kind: 'W' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } },
            },
            subresources: {
              status: {},
              scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' },
            },
            additionalPrinterColumns: [{ name: 'N', type: 'integer', jsonPath: '.spec.n' }],
          },
        ],
      },
    },
    catalogue,
  );
  assert.deepEqual(version?.kind.kind, { group: 'e.com', version: 'v1', kind: 'W' });
  assert.ok(version?.hasStatus && version.storage && version.served);
  assert.equal(version?.scale?.specReplicasPath, '.spec.n');
  assert.equal(version?.printerColumns[0]?.jsonPath, '.spec.n');
  const published = openApiSchema(version!.kind.schema, 'v3') as {
    properties: Record<string, JsonObject>;
  };
  assert.deepEqual(Object.keys(published.properties).sort(), [
    'apiVersion',
    'kind',
    'metadata',
    'spec',
  ]);
});

/** A stand-in for CEL that knows two sentences; enough to see what is run on what. */
const compiler: RuleCompiler = {
  compile: (expression) => ({
    usesOldSelf: expression.includes('oldSelf'),
    ...(expression === 'nonsense' ? { problem: 'syntax' } : {}),
    evaluate: ({ self, oldSelf }) =>
      expression === 'fails'
        ? { kind: 'error', message: 'no such key: x', cost: 1 }
        : {
            kind: 'value',
            value: expression.includes('oldSelf') ? self === oldSelf : self !== 'bad',
            cost: 10,
          },
  }),
};

test('rules run where they stand, on old values where there are any, and within their budget', () => {
  const rule = (text: string, more: JsonObject = {}): Json => [{ rule: text, ...more }];
  const ruled = parseSchema({
    type: 'object',
    properties: {
      a: { type: 'string', 'x-kubernetes-validations': rule('self ok', { message: 'not good' }) },
      b: { type: 'string', 'x-kubernetes-validations': rule('self == oldSelf') },
      c: { type: 'object', 'x-kubernetes-validations': rule('fails') },
      d: { type: 'object', 'x-kubernetes-validations': rule('nonsense') },
      e: {
        type: 'array',
        'x-kubernetes-list-type': 'set',
        items: { type: 'string', 'x-kubernetes-validations': rule('self ok') },
      },
    },
  });
  const texts = (object: JsonObject, old?: JsonObject, costMax = 100): readonly string[] =>
    validateRules(ruled, object, { compiler, costMax, ...(old ? { old } : {}) }).map(
      formatFieldError,
    );
  assert.deepEqual(texts({ a: 'bad', b: 'x', c: {}, d: {} }), [
    'a: Invalid value: "bad": not good',
    'c: Invalid value: "object": no such key: x evaluating rule: fails',
    'd: Invalid value: "object": rule compile error: syntax',
  ]);
  assert.deepEqual(texts({ b: 'x' }, { b: 'y' }), [
    'b: Invalid value: "x": failed rule: self == oldSelf',
  ]);
  assert.deepEqual(texts({ a: 'bad' }, { a: 'bad' }), []);
  // An item of a set has no old value to be the same as.
  assert.deepEqual(texts({ e: ['bad', 'x'] }, { e: ['bad'] }), [
    'e[0]: Invalid value: "bad": failed rule: self ok',
  ]);
  assert.deepEqual(texts({ e: ['bad'] }, { e: ['bad'] }), []);
  assert.deepEqual(texts({ a: 'x', b: 'x' }, { b: 'x' }, 15), [
    'b: Invalid value: "string": validation failed due to running out of cost budget, no further validation rules will be run',
  ]);
});
