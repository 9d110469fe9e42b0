import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFieldError, type JsonObject, type KubeObject } from '@capstan/kube-object';
import { definitionErrors } from './definitions.ts';

interface Change {
  readonly spec?: JsonObject;
  readonly version?: JsonObject;
  readonly properties?: JsonObject;
  readonly rules?: readonly JsonObject[];
}

/** A definition of one version that is valid but for the change. */
function errorsOf({ spec = {}, version = {}, properties = {}, rules = [] }: Change): string[] {
  const inner = {
    type: 'object',
    properties,
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: inner } } };
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, schema, ...version }],
      conversion: { strategy: 'None' },
      ...spec,
    },
    status: { storedVersions: ['v1'] },
  };
  return definitionErrors(definition).map(formatFieldError);
}

const AT = 'spec.validation.openAPIV3Schema.properties[spec]';

test('a valid definition has nothing wrong with it', () => {
  assert.deepEqual(errorsOf({ properties: { size: { type: 'integer', default: 3 } } }), []);
});

test('names, scope and columns are refused in the words of the server', () => {
  assert.deepEqual(errorsOf({ spec: { scope: 'Galaxy' } }), [
    'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"',
  ]);
  assert.deepEqual(
    errorsOf({ version: { additionalPrinterColumns: [{ name: 'A', type: 'text' }] } }),
    [
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Required value',
    ],
  );
  const scale = { specReplicasPath: 'spec.replicas', statusReplicasPath: '.other' };
  assert.deepEqual(errorsOf({ version: { subresources: { scale } } }), [
    'spec.subresources.scale.specReplicasPath: Invalid value: "spec.replicas": must be a simple json path starting with .',
    'spec.subresources.scale.statusReplicasPath: Invalid value: ".other": should be a json path under .status',
  ]);
});

test('schemas are structural', () => {
  assert.deepEqual(errorsOf({ properties: { a: { type: 'array' } } }), [
    `${AT}.properties[a].items: Required value: must be specified`,
  ]);
  assert.deepEqual(errorsOf({ properties: { a: { type: 'integer', minimum: 3, default: 2 } } }), [
    `${AT}.properties[a].default: Invalid value: 2:  in body should be greater than or equal to 3`,
  ]);
  // What a branch mentions must be defined outside of it, but that is asked for at the root alone.
  const branch = { type: 'object', anyOf: [{ properties: { q: { minimum: 1 } } }] };
  assert.deepEqual(errorsOf({ properties: { a: branch } }), []);
});

test('rules compile, tell their results, and cost what a request may', () => {
  const list = { type: 'array', items: { type: 'string' } };
  const rule = (text: string): string[] =>
    errorsOf({ properties: { a: { type: 'string' }, list }, rules: [{ rule: text }] });
  assert.deepEqual(rule("self.a == 'x' && self.list.all(x, x.startsWith('y'))"), []);
  assert.match(rule('self.a')[0] ?? '', /: cel expression must evaluate to a bool$/);
  assert.match(
    rule("self.b == 'x'")[0] ?? '',
    /compilation failed: ERROR: <input>:1:5: undefined field 'b'\n \| self\.b == 'x'\n \| \.\.\.\.\^$/,
  );
  assert.match(
    rule('self.a ==')[0] ?? '',
    /compilation failed: ERROR: <input>:1:10: Syntax error: mismatched input '<EOF>' expecting/,
  );
  const costly = rule('self.list.all(x, self.list.all(y, x.contains(y)))');
  assert.match(
    costly[0] ?? '',
    /rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x/,
  );
  assert.equal(costly.length, 3);
  const bounded = { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 20 } };
  const nested = { rule: 'self.list.all(x, self.list.all(y, x.contains(y)))' };
  assert.deepEqual(errorsOf({ properties: { list: bounded }, rules: [nested] }), []);
});
