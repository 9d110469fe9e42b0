import { canonicalQuantity, type Json, type JsonObject } from '@capstan/kube-object';
import type { Schema } from './schema.ts';

const time = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
const microTime = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

/**
 * The object that a built-in kind's Go type encodes to when nothing is set: `{}` for structs held by value, null for lists
 * without `omitempty`, and so on. What the server compares a created object with to find who owns what.
 */
export function zeroObject(schema: Schema): JsonObject {
  const out: Record<string, Json> = {};
  for (const [name, property] of schema.properties ?? []) {
    const zero = zeroField(property);
    if (zero !== undefined) out[name] = zero;
  }
  return out;
}

function zeroField(property: Schema): Json | undefined {
  if (property.goEncoding !== 'always') return undefined;
  if (property.definition === time || property.definition === microTime) return null;
  if (property.definition === quantity) return '0';
  if (property.intOrString === true) return 0;
  // A pointer without `omitempty` has no default in OpenAPI: it is encoded as null.
  if (property.default === undefined) return null;
  if (property.properties !== undefined) return zeroObject(property);
  return zeroOfType(property);
}

function zeroOfType({ type, format }: Schema): Json {
  switch (type) {
    case 'string':
      return format === 'byte' ? null : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

/**
 * A built-in object as the server's Go types would encode it after decoding: zero values that Go leaves out are gone, those
 * it always writes are there, nulls in maps and structs are dropped. Unknown fields are kept: whether they are an error is
 * the caller's policy. Untouched subtrees are shared.
 */
export function normalizeBuiltIn(schema: Schema, value: JsonObject): JsonObject {
  return normalizeStruct(schema, value);
}

function normalizeStruct(schema: Schema, value: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  let isSame = true;
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (item === undefined) continue;
    const property = schema.properties?.get(name);
    const kept = property === undefined ? item : normalizeField(property, item);
    if (kept !== item) isSame = false;
    if (kept !== undefined) out[name] = kept;
  }
  for (const [name, property] of schema.properties ?? []) {
    if (property.goEncoding !== 'always' || Object.hasOwn(out, name)) continue;
    const zero = zeroField(property);
    if (zero === undefined) continue;
    out[name] = zero;
    isSame = false;
  }
  return isSame ? value : out;
}

function normalizeField(property: Schema, item: Json): Json | undefined {
  if (item === null) return zeroField(property);
  const value = normalizeValue(property, item);
  return property.goEncoding === 'nonzero' && isZero(value) ? undefined : value;
}

function isZero(value: Json): boolean {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false || value === null;
}

function normalizeValue(schema: Schema, value: Json): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    const list: readonly Json[] = value;
    const mapped = list.map((item) =>
      item === null ? zeroItem(items) : normalizeValue(items, item),
    );
    return mapped.every((item, i) => item === list[i]) ? value : mapped;
  }
  if (schema.definition === quantity) return quantityText(value);
  if (typeof value !== 'object' || value === null) return value;
  const map = value as JsonObject;
  if (schema.properties !== undefined) return normalizeStruct(schema, map);
  return typeof schema.additionalProperties === 'object'
    ? normalizeMap(schema.additionalProperties, map)
    : value;
}

/** A quantity may be given as a number, and is written in its canonical form. */
function quantityText(value: Json): Json {
  if (typeof value === 'number' || typeof value === 'bigint') return canonicalQuantity(`${value}`);
  return typeof value === 'string' ? canonicalQuantity(value) : value;
}

function normalizeMap(element: Schema, map: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  let isSame = true;
  for (const key of Object.keys(map)) {
    const item = map[key];
    if (item === undefined) continue;
    const kept = item === null ? zeroItem(element) : normalizeValue(element, item);
    if (kept !== item) isSame = false;
    out[key] = kept;
  }
  return isSame ? map : out;
}

/** A null among the items of a Go slice or map of values decodes to the zero value. */
function zeroItem(schema: Schema): Json {
  if (schema.properties !== undefined) return zeroObject(schema);
  if (schema.intOrString === true || schema.definition === quantity) return '0';
  return zeroOfType(schema);
}
