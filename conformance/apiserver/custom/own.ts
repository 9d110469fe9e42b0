import type { Definition } from './script.ts';

type Fields = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const integer = { type: 'integer' };

function definition(kind: string, spec: Fields, more: Fields = {}): Definition {
  const plural = `${kind.toLowerCase()}s`;
  const properties = {
    spec: { type: 'object', ...spec },
    status: { type: 'object', properties: { n: integer } },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.objects.example.com` },
    spec: {
      group: 'objects.example.com',
      names: { plural, kind },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties, ...more } },
          subresources: { status: {} },
        },
      ],
    },
  } as unknown as Definition;
}

/** Small kinds that between them use all that schemas of definitions have. */
export const OWN: readonly Definition[] = [
  definition('Scalar', {
    required: ['name', 'count'],
    properties: {
      name: { ...text, minLength: 1, maxLength: 20, pattern: '^[a-z]' },
      count: { ...integer, minimum: 1, maximum: 10 },
      size: { type: 'integer', format: 'int32', exclusiveMinimum: true, minimum: 0 },
      ratio: { type: 'number', multipleOf: 0.5 },
      on: { type: 'boolean', default: true },
      mode: { ...text, enum: ['a', 'b'], default: 'a' },
      maybe: { ...text, nullable: true },
      fallback: { ...text, nullable: true, default: 'x' },
      either: { 'x-kubernetes-int-or-string': true },
      percent: {
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        'x-kubernetes-int-or-string': true,
        pattern: '^[0-9]+%?$',
      },
    },
  }),
  definition('Format', {
    properties: Object.fromEntries(
      [
        'date-time',
        'date',
        'duration',
        'byte',
        'ipv4',
        'ipv6',
        'uri',
        'uuid',
        'email',
        'hostname',
        'cidr',
        'mac',
        'password',
        'unknown',
      ].map((format) => [format, { ...text, format }]),
    ),
  }),
  definition('Listed', {
    properties: {
      plain: { type: 'array', items: integer, minItems: 1, maxItems: 3 },
      set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
      atomic: {
        type: 'array',
        items: { type: 'object', properties: { a: integer } },
        'x-kubernetes-list-type': 'atomic',
      },
      keyed: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name', 'kind'],
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: text,
            kind: { ...text, default: 'k' },
            value: { ...integer, default: 1 },
          },
        },
      },
      nested: { type: 'array', items: { type: 'array', items: { type: 'array', items: integer } } },
    },
  }),
  definition('Mapped', {
    properties: {
      labels: { type: 'object', additionalProperties: text, maxProperties: 2 },
      objects: {
        type: 'object',
        minProperties: 1,
        additionalProperties: {
          type: 'object',
          required: ['a'],
          properties: { a: integer, b: { ...text, default: 'b' } },
        },
      },
      lists: { type: 'object', additionalProperties: { type: 'array', items: text } },
      atomic: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: { a: integer, b: integer },
      },
      anything: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      half: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { known: { type: 'object', properties: { a: integer } } },
      },
      raw: { 'x-kubernetes-preserve-unknown-fields': true },
      embedded: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
      pruned: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        properties: { data: { type: 'object', additionalProperties: text } },
      },
    },
  }),
  definition('Joined', {
    properties: {
      one: {
        type: 'object',
        properties: { a: integer, b: integer },
        oneOf: [{ required: ['a'] }, { required: ['b'] }],
      },
      any: { ...text, anyOf: [{ maxLength: 2 }, { pattern: '^x' }] },
      all: { ...integer, allOf: [{ minimum: 1 }, { multipleOf: 2 }] },
      not: { ...text, not: { enum: ['abc'] } },
      deep: {
        type: 'object',
        default: {},
        properties: {
          inner: {
            type: 'object',
            default: { a: 1 },
            properties: { a: integer, b: { ...text, default: 'd' } },
          },
        },
      },
    },
  }),
  definition('Ruled', {
    properties: {
      min: integer,
      max: { ...integer, 'x-kubernetes-validations': [{ rule: 'self < 50', message: 'small' }] },
      name: {
        ...text,
        maxLength: 30,
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed' }],
      },
      at: { ...text, format: 'date-time' },
    },
    'x-kubernetes-validations': [
      { rule: '!has(self.min) || !has(self.max) || self.min <= self.max', fieldPath: '.min' },
      { rule: "!has(self.at) || self.at > timestamp('2020-01-01T00:00:00Z')" },
    ],
  }),
];
