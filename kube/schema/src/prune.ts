import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from './schema.ts';

/** An object without the fields its schema does not know, and the paths of those, sorted. Untouched subtrees are shared. */
export interface Pruned {
  readonly object: JsonObject;
  readonly unknownFields: readonly string[];
}

/**
 * Prunes a custom resource by its structural schema as the API server does: `apiVersion`, `kind` and `metadata` stay, at
 * the root and in embedded resources; below `x-kubernetes-preserve-unknown-fields` only what the schema names is looked at.
 */
export function pruneCustomResource(schema: Schema, object: JsonObject): Pruned {
  const unknown: string[] = [];
  const kept = prune({ ...schema, embeddedResource: true }, object, '', unknown);
  return { object: kept as JsonObject, unknownFields: unknown.sort() };
}

const identity: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

function prune(schema: Schema | undefined, value: Json, path: string, unknown: string[]): Json {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    const preserves = schema?.preserveUnknownFields === true;
    if (preserves && schema.items === undefined) return value;
    const items = preserves ? { ...schema.items!, preserveUnknownFields: true } : schema?.items;
    const kept = list.map((item, index) => prune(items, item, `${path}[${index}]`, unknown));
    return kept.every((item, index) => item === list[index]) ? value : kept;
  }
  if (typeof value !== 'object' || value === null) return value;
  return pruneMap(schema, value as JsonObject, path, unknown);
}

function pruneMap(
  schema: Schema | undefined,
  value: JsonObject,
  path: string,
  unknown: string[],
): JsonObject {
  const out: Record<string, Json> = {};
  let isSame = true;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined) continue;
    const kept = pruneField({ schema, key, item, path, unknown });
    if (kept !== item) isSame = false;
    if (kept !== undefined) out[key] = kept;
  }
  return isSame ? value : out;
}

interface Field {
  readonly schema: Schema | undefined;
  readonly key: string;
  readonly item: Json;
  readonly path: string;
  readonly unknown: string[];
}

function pruneField({ schema, key, item, path, unknown }: Field): Json | undefined {
  if (schema?.embeddedResource === true && identity.has(key)) return item;
  const inner = path === '' ? key : `${path}.${key}`;
  const property = schema?.properties?.get(key);
  if (property !== undefined) return prune(property, item, inner, unknown);
  const additional = schema?.additionalProperties;
  // That it is there counts: `false` is no different from `true` here (and no CRD may say it).
  if (additional !== undefined)
    return prune(typeof additional === 'boolean' ? undefined : additional, item, inner, unknown);
  if (schema?.preserveUnknownFields === true) return item;
  if (!identity.has(key) || path !== '') unknown.push(inner);
  return undefined;
}
