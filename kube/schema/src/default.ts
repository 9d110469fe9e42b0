import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from './schema.ts';

/**
 * Sets the defaults of a schema where a field is absent, or null without being nullable. What a default brings is
 * defaulted in turn. Lists and maps are entered, never made. Untouched subtrees are shared.
 */
export function applyDefaults(schema: Schema, value: JsonObject): JsonObject {
  return setDefaults(schema, value) as JsonObject;
}

/** Drops, as decoding does, the nulls of fields that may not be null and have no default. */
export function dropNulls(schema: Schema, value: JsonObject): JsonObject {
  return withoutNulls(schema, value) as JsonObject;
}

function isForbiddenNull(value: Json, schema: Schema | undefined): boolean {
  return value === null && schema !== undefined && schema.nullable !== true;
}

function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const property = schema?.properties?.get(key);
  if (property !== undefined) return property;
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function withoutNulls(schema: Schema | undefined, value: Json): Json {
  if (schema === undefined) return value;
  return mapChildren(value, (item, key) => {
    const inner = key === undefined ? schema.items : fieldSchema(schema, key);
    const drops = key !== undefined && isForbiddenNull(item, inner) && inner?.default === undefined;
    return drops ? undefined : withoutNulls(inner, item);
  });
}

function setDefaults(schema: Schema | undefined, value: Json): Json {
  if (schema === undefined) return value;
  const filled = mapChildren(value, (item, key) => {
    const inner = key === undefined ? schema.items : fieldSchema(schema, key);
    const given = isForbiddenNull(item, inner) ? (inner?.default ?? null) : item;
    return setDefaults(inner, given);
  });
  if (typeof filled !== 'object' || filled === null || Array.isArray(filled)) return filled;
  return addAbsent(schema, filled as JsonObject);
}

function addAbsent(schema: Schema, value: JsonObject): JsonObject {
  let out: Record<string, Json | undefined> | undefined;
  for (const [name, property] of schema.properties ?? []) {
    if (property.default === undefined || property.default === null) continue;
    if (Object.hasOwn(value, name) && value[name] !== undefined) continue;
    out ??= { ...value };
    out[name] = setDefaults(property, property.default);
  }
  return out ?? value;
}

/** Maps the items of a list (key undefined) or map; a map loses what `change` gives undefined for. */
function mapChildren(
  value: Json,
  change: (item: Json, key: string | undefined) => Json | undefined,
): Json {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    const kept = list.map((item) => change(item, undefined) ?? null);
    return kept.every((item, index) => item === list[index]) ? value : kept;
  }
  if (typeof value !== 'object' || value === null) return value;
  const map = value as JsonObject;
  const out: Record<string, Json> = {};
  let isSame = true;
  for (const key of Object.keys(map)) {
    const item = map[key];
    if (item === undefined) continue;
    const kept = change(item, key);
    if (kept !== item) isSame = false;
    if (kept !== undefined) out[key] = kept;
  }
  return isSame ? value : out;
}
