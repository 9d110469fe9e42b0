import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from './schema.ts';

/** Where definitions are referred to: OpenAPI v3 and v2 differ. */
export type OpenApiFlavour = 'v3' | 'v2';

/** Gives the text that describes a definition, or a property of it; '' if there is none. */
export type DescriptionOf = (definition: string, property?: string) => string;

/**
 * A definition as the API server publishes it: its properties refer to other definitions by `$ref` (in v3 inside `allOf`,
 * so that a default and a description can stand beside it).
 */
export function openApiDefinition(
  schema: Schema,
  options: { readonly flavour: OpenApiFlavour; readonly descriptionOf?: DescriptionOf },
): JsonObject {
  const { definition = '' } = schema;
  const describe = options.descriptionOf ?? (() => '');
  return writeNode(schema, { ...options, describe, definition, isRoot: true });
}

/** A schema in line, as a CRD has it. References only to the definitions of built-in types (ObjectMeta). */
export function openApiSchema(schema: Schema, flavour: OpenApiFlavour): JsonObject {
  const shown = flavour === 'v2' ? readableByV2(schema) : schema;
  return writeNode(shown, { flavour, describe: () => '', definition: '', isRoot: true });
}

/**
 * What readers of v2 (older kubectl) do not take for a stricter schema than it is: what may be null or may hold more than is
 * named has no type and no parts.
 */
function readableByV2(schema: Schema): Schema {
  const { nullable, items, properties, required, ...rest } = schema;
  const isOpen = schema.preserveUnknownFields === true;
  const hasParts = nullable !== true && !isOpen;
  const isUntyped =
    nullable === true ||
    (isOpen && schema.type === 'object') ||
    (schema.type === 'array' && (!hasParts || items === undefined));
  const { additionalProperties } = schema;
  const values = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const needed = required?.filter((name) => properties?.get(name)?.nullable !== true);
  const isNeeded = needed !== undefined && needed.length > 0 && values?.nullable !== true;
  const parts = [...(properties ?? [])].map(([name, part]) => [name, readableByV2(part)] as const);
  return {
    ...rest,
    type: isUntyped ? '' : schema.type,
    ...(isNeeded ? { required: needed } : {}),
    ...(hasParts && items !== undefined ? { items: readableByV2(items) } : {}),
    ...(hasParts && properties !== undefined ? { properties: new Map(parts) } : {}),
    ...(values === undefined ? {} : { additionalProperties: readableByV2(values) }),
  };
}

interface Writing {
  readonly flavour: OpenApiFlavour;
  readonly describe: DescriptionOf;
  readonly definition: string;
  readonly isRoot: boolean;
}

function writeNode(schema: Schema, writing: Writing): JsonObject {
  const description = writing.isRoot ? writing.describe(writing.definition) : '';
  const text = description === '' ? (schema.description ?? '') : description;
  const out: Record<string, Json | undefined> = text === '' ? {} : { description: text };
  if (!writing.isRoot && schema.definition !== undefined)
    return { ...out, ...writeReference(schema, writing.flavour) };
  const inner = { ...writing, isRoot: false };
  if (schema.properties !== undefined)
    out['properties'] = Object.fromEntries(
      [...schema.properties].map(([name, property]) => [
        name,
        writeProperty(name, property, inner),
      ]),
    );
  if (schema.items !== undefined) out['items'] = writeNode(schema.items, inner);
  const additional = schema.additionalProperties;
  if (additional !== undefined)
    out['additionalProperties'] =
      typeof additional === 'object' ? writeNode(additional, inner) : additional;
  return { ...out, ...writeFields(schema, inner) };
}

function writeProperty(name: string, property: Schema, writing: Writing): JsonObject {
  const node = writeNode(property, writing);
  const description = writing.describe(writing.definition, name);
  if (description === '') return node;
  const { $ref, ...rest } = node;
  // Beside a reference nothing else is read in v3.
  if ($ref === undefined || writing.flavour === 'v2') return { ...node, description };
  return { allOf: [{ $ref }], ...rest, description };
}

function writeReference(schema: Schema, flavour: OpenApiFlavour): JsonObject {
  const prefix = flavour === 'v3' ? '#/components/schemas/' : '#/definitions/';
  const reference = { $ref: `${prefix}${schema.definition}` };
  // A definition says itself that it is atomic; a field that refers to it may only say that it is not.
  const { 'x-kubernetes-map-type': mapType, ...rest } = writeExtensions(schema);
  const extras = mapType === 'granular' ? { ...rest, 'x-kubernetes-map-type': mapType } : rest;
  if (flavour === 'v2') return { ...reference, ...extras };
  const beside = {
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...extras,
  };
  return Object.keys(beside).length === 0 ? reference : { allOf: [reference], ...beside };
}

function writeFields(schema: Schema, writing: Writing): JsonObject {
  const isV3 = writing.flavour === 'v3';
  const many = (list: readonly Schema[] | undefined): Json | undefined =>
    list?.map((item) => writeNode(item, writing));
  return present({
    type: schema.type === '' ? (schema.intOrString && !isV3 ? 'string' : undefined) : schema.type,
    format: schema.format,
    required: schema.required,
    default: isV3 ? schema.default : undefined,
    enum: schema.enum,
    nullable: isV3 ? schema.nullable : undefined,
    minimum: schema.minimum,
    maximum: schema.maximum,
    exclusiveMinimum: schema.exclusiveMinimum,
    exclusiveMaximum: schema.exclusiveMaximum,
    multipleOf: schema.multipleOf,
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    pattern: schema.pattern,
    minItems: schema.minItems,
    maxItems: schema.maxItems,
    uniqueItems: schema.uniqueItems,
    minProperties: schema.minProperties,
    maxProperties: schema.maxProperties,
    allOf: isV3 ? many(schema.allOf) : undefined,
    anyOf: isV3 ? many(schema.anyOf) : undefined,
    oneOf: isV3 ? many(schema.oneOf) : undefined,
    not: isV3 && schema.not !== undefined ? writeNode(schema.not, writing) : undefined,
    ...writeExtensions(schema),
  });
}

function writeExtensions(schema: Schema): JsonObject {
  // Of built-in types `int-or-string` is a format; the extension is for CRDs.
  const isExtension = schema.intOrString === true && schema.format !== 'int-or-string';
  return present({
    'x-kubernetes-list-type': schema.listType,
    'x-kubernetes-list-map-keys': schema.listMapKeys,
    'x-kubernetes-map-type': schema.mapType,
    'x-kubernetes-patch-strategy': schema.patchStrategy,
    'x-kubernetes-patch-merge-key': schema.patchMergeKey,
    'x-kubernetes-int-or-string': isExtension ? true : undefined,
    'x-kubernetes-preserve-unknown-fields': schema.preserveUnknownFields,
    'x-kubernetes-embedded-resource': schema.embeddedResource,
    'x-kubernetes-validations': schema.validations?.map((rule) => present({ ...rule })),
  });
}

function present(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
