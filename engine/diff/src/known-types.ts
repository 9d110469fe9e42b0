import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { normalizeBuiltIn, type Schema } from '@capstan/kube-schema';
import { isList, isRecord } from './field-path.ts';
import type { KnownTypeField } from './types.ts';

/**
 * An object with some of its fields written as the Go types of built-in kinds write them: what an operator that uses those
 * types makes of `1000m` or an empty list is the same as what was asked for.
 */
export function asTyped(object: KubeObject, fields: readonly KnownTypeField[]): KubeObject {
  let result = object;
  for (const { path, schema } of fields) {
    const typed = typedAt(result, path, schema);
    if (isRecord(typed)) result = { ...result, ...typed };
  }
  return result;
}

function typedAt(
  value: Json | undefined,
  path: readonly string[],
  schema: Schema,
): Json | undefined {
  if (value === undefined) return undefined;
  if (isList(value)) return value.map((item) => typedAt(item, path, schema) ?? null);
  const [name, ...rest] = path;
  if (name === undefined) return typed(value, schema);
  if (!isRecord(value) || value[name] === undefined) return value;
  const inner = typedAt(value[name], rest, schema);
  return inner === undefined ? value : { ...value, [name]: inner };
}

/** Through a struct that holds nothing but it, since only structs know of zero values. */
function typed(value: Json, schema: Schema): Json {
  const holder: Schema = { type: 'object', properties: new Map([['value', schema]]) };
  const { value: written = value } = normalizeBuiltIn(holder, { value } satisfies JsonObject);
  return written;
}
