import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare } from '../scripts/kinds.ts';

const GROUP = 'rules.example.com';
const MERGE = 'application/merge-patch+json';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const NAME = `loosens.${GROUP}`;
const NAMESPACE = 'rules-ratchet';
const PATH = `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/loosens`;

type Fields = Readonly<Record<string, unknown>>;

const integer = { type: 'integer' };
const text = { type: 'string' };

/** What objects may be at first, and then: the same fields with something to keep to. */
const FIELDS: Readonly<Record<string, { readonly loose: Fields; readonly strict: Fields }>> = {
  maximum: { loose: integer, strict: { ...integer, maximum: 5 } },
  pattern: { loose: text, strict: { ...text, pattern: '^[a-z]+$' } },
  enum: { loose: text, strict: { ...text, enum: ['a', 'b'] } },
  length: { loose: text, strict: { ...text, maxLength: 2 } },
  format: { loose: text, strict: { ...text, format: 'ipv4' } },
  items: {
    loose: { type: 'array', items: integer },
    strict: { type: 'array', maxItems: 1, items: { ...integer, maximum: 5 } },
  },
  set: {
    loose: { type: 'array', items: text },
    strict: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
  },
  keyed: {
    loose: {
      type: 'array',
      items: { type: 'object', required: ['k'], properties: { k: text, v: integer } },
    },
    strict: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: {
        type: 'object',
        required: ['k'],
        properties: { k: text, v: { ...integer, maximum: 5 } },
        'x-kubernetes-validations': [{ rule: "self.k != 'b'", message: 'not b' }],
      },
    },
  },
  required: {
    loose: { type: 'object', properties: { a: integer, b: integer } },
    strict: { type: 'object', required: ['a'], properties: { a: integer, b: integer } },
  },
  rule: {
    loose: { type: 'object', properties: { a: integer, b: text } },
    strict: {
      type: 'object',
      properties: {
        a: { ...integer, 'x-kubernetes-validations': [{ rule: 'self < 5' }] },
        b: text,
      },
      'x-kubernetes-validations': [
        { rule: '!has(self.b) || size(self.b) < 3' },
        { rule: '!has(self.a) || !has(oldSelf.a) || self.a >= oldSelf.a', message: 'grows' },
      ],
    },
  },
  map: {
    loose: { type: 'object', additionalProperties: integer },
    strict: {
      type: 'object',
      maxProperties: 2,
      additionalProperties: {
        ...integer,
        maximum: 5,
        'x-kubernetes-validations': [{ rule: 'self != 3' }],
      },
    },
  },
  allOf: {
    loose: integer,
    strict: { ...integer, allOf: [{ maximum: 5 }, { not: { enum: [3] } }] },
  },
  anyOf: { loose: text, strict: { ...text, anyOf: [{ pattern: '^a' }, { maxLength: 1 }] } },
  type: { loose: { 'x-kubernetes-int-or-string': true }, strict: integer },
};

/** What there was, and what it is changed to; all of it is not as it must be any more. */
const CHANGES: Readonly<
  Record<string, { readonly before: unknown; readonly after: readonly unknown[] }>
> = {
  maximum: { before: 9, after: [9, 10, 3] },
  pattern: { before: 'A1', after: ['B1', 'abc'] },
  enum: { before: 'z', after: ['y', 'a'] },
  length: { before: 'abcd', after: ['abcde', 'ab'] },
  format: { before: 'x', after: ['y', '10.0.0.1'] },
  items: { before: [9, 8], after: [[9, 8, 7], [9, 8, 1], [8, 9], [9], [1]] },
  set: {
    before: ['a', 'a'],
    after: [
      ['a', 'a', 'b'],
      ['a', 'b'],
      ['b', 'b'],
    ],
  },
  keyed: {
    before: [
      { k: 'a', v: 9 },
      { k: 'b', v: 1 },
    ],
    after: [
      [
        { k: 'a', v: 9 },
        { k: 'b', v: 2 },
      ],
      [
        { k: 'a', v: 8 },
        { k: 'b', v: 1 },
      ],
      [
        { k: 'b', v: 1 },
        { k: 'a', v: 9 },
      ],
      [
        { k: 'a', v: 9 },
        { k: 'a', v: 9 },
        { k: 'b', v: 1 },
      ],
      [{ k: 'c', v: 9 }],
    ],
  },
  required: { before: { b: 1 }, after: [{ b: 2 }, { a: 1, b: 1 }] },
  rule: {
    before: { a: 7, b: 'long' },
    after: [
      { a: 8, b: 'long' },
      { a: 7, b: 'longer' },
      { a: 6, b: 'long' },
      { a: 7, b: 'x' },
    ],
  },
  map: {
    before: { a: 9, b: 3, c: 1 },
    after: [{ a: 9, b: 3, c: 2 }, { a: 8 }, { b: 4 }, { d: 1 }],
  },
  allOf: { before: 9, after: [8, 3, 1] },
  anyOf: { before: 'bcd', after: ['bce', 'ab', 'x'] },
  type: { before: 'x', after: ['y', 1] },
};

function definition(kind: 'loose' | 'strict', more: Fields): object {
  const properties = Object.fromEntries(
    Object.entries(FIELDS).map(([name, field]) => [name, field[kind]]),
  );
  const spec = { type: 'object', properties: { ...properties, other: text } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: NAME, ...more },
    spec: {
      group: GROUP,
      names: { plural: 'loosens', kind: 'Loosen' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec, status: { type: 'object', properties: { n: integer } } },
            },
          },
        },
      ],
    },
  };
}

/**
 * Objects from before a definition became stricter: they may stay as they are, and be changed elsewhere; what is changed
 * must be as it must.
 */
export function ratchetScript(): Script {
  const object = (name: string, spec: Fields): object => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'Loosen',
    metadata: { name },
    spec,
  });
  const all = Object.fromEntries(
    Object.entries(CHANGES).map(([name, { before }]) => [name, before]),
  );
  const patch = (name: string, title: string, body: object, sub = ''): Step => ({
    method: 'PATCH',
    path: `${PATH}/${name}${sub}?dryRun=All`,
    type: MERGE,
    body,
    headers: { 'x-title': title },
  });
  return {
    name: 'rules-ratchet',
    steps: [
      ...prepare(NAMESPACE),
      { method: 'POST', path: DEFINITIONS, body: definition('loose', {}), settleMs: 3000 },
      ...Object.entries(CHANGES).map(([name, { before }]) => ({
        method: 'POST',
        path: PATH,
        body: object(name.toLowerCase(), { [name]: before }),
      })),
      { method: 'POST', path: PATH, body: object('all', all) },
      {
        method: 'GET',
        path: `${DEFINITIONS}/${NAME}`,
        keep: { version: 'metadata.resourceVersion' },
      },
      {
        method: 'PATCH',
        path: `${DEFINITIONS}/${NAME}`,
        type: MERGE,
        body: definition('strict', {}),
        settleMs: 3000,
        headers: { 'x-title': 'made stricter' },
      },
      ...Object.entries(CHANGES).flatMap(([name, { after }]) => [
        patch(name.toLowerCase(), `${name}: elsewhere`, { spec: { other: 'x' } }),
        patch(name.toLowerCase(), `${name}: a label`, { metadata: { labels: { a: 'b' } } }),
        patch(name.toLowerCase(), `${name}: its status`, { status: { n: 1 } }, '/status'),
        ...after.map((value) =>
          patch(name.toLowerCase(), `${name}: ${JSON.stringify(value)}`, {
            spec: { [name]: value },
          }),
        ),
      ]),
      patch('all', 'all: elsewhere', { spec: { other: 'x' } }),
      patch('all', 'all: one of them', { spec: { maximum: 7 } }),
      {
        method: 'POST',
        path: `${PATH}?dryRun=All`,
        body: object('new', all),
        headers: { 'x-title': 'a new one' },
      },
      { method: 'DELETE', path: `${DEFINITIONS}/${NAME}` },
    ],
  };
}
