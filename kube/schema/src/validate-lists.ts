import { type FieldError, indexPath, type Json, type JsonObject } from '@capstan/kube-object';
import type { Schema } from './schema.ts';
import { canonical } from './validate-value.ts';

/** Items that stand twice in a list of type `set` or `map`; the server checks this apart from the schema. */
export function validateListTypes(
  schema: Schema,
  value: JsonObject,
  path = '',
): readonly FieldError[] {
  return check(schema, value, path);
}

function check(schema: Schema, value: Json, path: string): readonly FieldError[] {
  if (Array.isArray(value)) return checkList(schema, value, path);
  if (typeof value !== 'object' || value === null) return [];
  const map = value as JsonObject;
  return Object.keys(map).flatMap((key) => {
    const item = map[key];
    if (item === undefined) return [];
    const property = schema.properties?.get(key);
    if (property !== undefined) return check(property, item, path === '' ? key : `${path}.${key}`);
    return typeof schema.additionalProperties === 'object'
      ? check(schema.additionalProperties, item, indexPath(path, key))
      : [];
  });
}

function checkList(schema: Schema, list: readonly Json[], path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.listType === 'set') errors.push(...duplicates(list, path));
  if (schema.listType === 'map') errors.push(...duplicateKeys(schema, list, path));
  if (schema.items !== undefined)
    for (const [index, item] of list.entries())
      errors.push(...check(schema.items, item, indexPath(path, index)));
  return errors;
}

/** Each value that comes again is reported once, where it comes the second time. */
function duplicates(values: readonly Json[], path: string): readonly FieldError[] {
  const counts = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const [index, value] of values.entries()) {
    const key = canonical(value);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count === 2)
      errors.push({
        reason: 'FieldValueDuplicate',
        field: indexPath(path, index),
        value,
        detail: '',
      });
  }
  return errors;
}

function duplicateKeys(schema: Schema, list: readonly Json[], path: string): readonly FieldError[] {
  const keys: JsonObject[] = [];
  for (const [index, item] of list.entries()) {
    if (item !== null && (typeof item !== 'object' || Array.isArray(item)))
      return [
        {
          reason: 'FieldValueInvalid',
          field: indexPath(path, index),
          value: item,
          detail: 'must be an object for an array of list-type map',
        },
      ];
    const map = (item ?? {}) as JsonObject;
    const names = (schema.listMapKeys ?? []).filter((name) => map[name] !== undefined);
    keys.push(Object.fromEntries(names.map((name) => [name, map[name]])));
  }
  return duplicates(keys, path);
}
