import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema, SchemaType, ValidationRule } from './schema.ts';

/**
 * Reads the `openAPIV3Schema` of a CRD (or any OpenAPI schema without references) into a Schema. Keys that say nothing to
 * the API server (title, example, externalDocs …) are dropped. Whether the schema is structural is not checked here.
 * Deeper than `depthMax` nodes are read as "any type".
 */
export function parseSchema(source: JsonObject, depthMax = 200): Schema {
  if (depthMax <= 0) return { type: '' };
  const inner = (value: Json | undefined): Schema | undefined =>
    isObject(value) ? parseSchema(value, depthMax - 1) : undefined;
  const list = (value: Json | undefined): readonly Schema[] | undefined =>
    Array.isArray(value) ? value.map((item) => inner(item) ?? { type: '' }) : undefined;
  const additional = source['additionalProperties'];
  return compact({
    type: typeOf(source['type']),
    format: text(source['format']),
    description: text(source['description']),
    properties: propertiesOf(source['properties'], inner),
    additionalProperties: typeof additional === 'boolean' ? additional : inner(additional),
    items: inner(source['items']),
    required: strings(source['required']),
    default: source['default'],
    enum: Array.isArray(source['enum']) ? source['enum'] : undefined,
    nullable: flag(source['nullable']),
    ...extensionsOf(source),
    ...limitsOf(source),
    allOf: list(source['allOf']),
    anyOf: list(source['anyOf']),
    oneOf: list(source['oneOf']),
    not: inner(source['not']),
  });
}

function extensionsOf(source: JsonObject): Record<string, unknown> {
  return {
    listType: text(source['x-kubernetes-list-type']),
    listMapKeys: strings(source['x-kubernetes-list-map-keys']),
    mapType: text(source['x-kubernetes-map-type']),
    patchStrategy: text(source['x-kubernetes-patch-strategy']),
    patchMergeKey: text(source['x-kubernetes-patch-merge-key']),
    intOrString: flag(source['x-kubernetes-int-or-string']),
    preserveUnknownFields: flag(source['x-kubernetes-preserve-unknown-fields']),
    embeddedResource: flag(source['x-kubernetes-embedded-resource']),
    validations: rulesOf(source['x-kubernetes-validations']),
  };
}

function limitsOf(source: JsonObject): Record<string, unknown> {
  return {
    minimum: number(source['minimum']),
    maximum: number(source['maximum']),
    exclusiveMinimum: flag(source['exclusiveMinimum']),
    exclusiveMaximum: flag(source['exclusiveMaximum']),
    multipleOf: number(source['multipleOf']),
    minLength: number(source['minLength']),
    maxLength: number(source['maxLength']),
    pattern: text(source['pattern']),
    minItems: number(source['minItems']),
    maxItems: number(source['maxItems']),
    uniqueItems: flag(source['uniqueItems']),
    minProperties: number(source['minProperties']),
    maxProperties: number(source['maxProperties']),
  };
}

function propertiesOf(
  value: Json | undefined,
  inner: (value: Json | undefined) => Schema | undefined,
): ReadonlyMap<string, Schema> | undefined {
  if (!isObject(value)) return undefined;
  return new Map(Object.entries(value).map(([name, node]) => [name, inner(node) ?? { type: '' }]));
}

function rulesOf(value: Json | undefined): readonly ValidationRule[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const list: readonly Json[] = value;
  return list.filter(isObject).map((rule) =>
    compact<ValidationRule>({
      rule: text(rule['rule']) ?? '',
      message: text(rule['message']),
      messageExpression: text(rule['messageExpression']),
      reason: text(rule['reason']),
      fieldPath: text(rule['fieldPath']),
      optionalOldSelf: flag(rule['optionalOldSelf']),
    }),
  );
}

/** Drops keys whose value is undefined: absent and undefined differ. */
function compact<T>(fields: Readonly<Record<string, unknown>>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

const schemaTypes: ReadonlySet<string> = new Set([
  'object',
  'array',
  'string',
  'integer',
  'number',
  'boolean',
]);

function typeOf(value: Json | undefined): SchemaType {
  return typeof value === 'string' && schemaTypes.has(value) ? (value as SchemaType) : '';
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function flag(value: Json | undefined): true | undefined {
  return value === true ? true : undefined;
}

function number(value: Json | undefined): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

function strings(value: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const list: readonly Json[] = value;
  return list.filter((item) => typeof item === 'string');
}
