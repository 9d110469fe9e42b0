import type { Json, JsonObject } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import { fieldType, firstShape, itemElement, shapesOf } from './atoms.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { isList, isMap, put, type Value } from './value.ts';

/**
 * The value without the fields and items in the set. A container that ends up empty becomes null, as the official library
 * has it. Untouched subtrees are shared with the input.
 */
export function removeItems(type: MergeType, value: Value, remove: FieldSet): Json {
  switch (firstShape(shapesOf(type, value))) {
    case 'map':
      return isMap(value) ? removeFromMap(type.map!, value, remove) : null;
    case 'list':
      return isList(value) ? removeFromList(type.list!, value, remove) : null;
    default:
      return value ?? null;
  }
}

function removeFromMap(map: MergeMap, value: JsonObject, remove: FieldSet): Json {
  if (map.atomic) return null;
  const out: Record<string, Json> = {};
  let count = 0;
  let isSame = true;
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (item === undefined) continue;
    const element = fieldElement(name);
    if (remove.members.has(element)) {
      isSame = false;
      continue;
    }
    const inner = remove.children.get(element);
    const type = fieldType(map, name);
    const kept =
      inner === undefined || inner.isEmpty || type === undefined
        ? item
        : removeItems(type, item, inner);
    if (kept !== item) isSame = false;
    put(out, name, kept);
    count++;
  }
  if (count === 0) return null;
  return isSame ? value : out;
}

function removeFromList(list: MergeList, value: readonly Json[], remove: FieldSet): Json {
  if (value.length === 0 || list.atomic) return null;
  const out: Json[] = [];
  for (const item of value) {
    const found = itemElement(list, item);
    if ('problem' in found) {
      out.push(item);
      continue;
    }
    if (remove.members.has(found.element)) continue;
    const inner = remove.children.get(found.element);
    out.push(inner === undefined || inner.isEmpty ? item : removeItems(list.element, item, inner));
  }
  if (out.length === 0) return null;
  return out.length === value.length && out.every((item, i) => item === value[i]) ? value : out;
}

/** Only the fields and items in the set; atomic values whole. What a manager's own view of an object is made of. */
export function extractItems(type: MergeType, value: Value, keep: FieldSet): Json {
  switch (firstShape(shapesOf(type, value))) {
    case 'map':
      return isMap(value) ? extractFromMap(type.map!, value, keep) : null;
    case 'list':
      return isList(value) ? extractFromList(type.list!, value, keep) : null;
    default:
      return value ?? null;
  }
}

function extractFromMap(map: MergeMap, value: JsonObject, keep: FieldSet): Json {
  if (map.atomic || Object.keys(value).length === 0) return value;
  const out: Record<string, Json> = {};
  let count = 0;
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (item === undefined) continue;
    const element = fieldElement(name);
    const inner = keep.children.get(element);
    const type = fieldType(map, name);
    if (type === undefined) continue;
    if (keep.members.has(element)) put(out, name, extractItems(type, item, keep));
    else if (inner !== undefined && !inner.isEmpty) put(out, name, extractItems(type, item, inner));
    else continue;
    count++;
  }
  return count === 0 ? null : out;
}

function extractFromList(list: MergeList, value: readonly Json[], keep: FieldSet): Json {
  if (list.atomic || value.length === 0) return value;
  const out: Json[] = [];
  for (const item of value) {
    const found = itemElement(list, item);
    if ('problem' in found) continue;
    const inner = keep.children.get(found.element);
    if (inner !== undefined && !inner.isEmpty) out.push(extractItems(list.element, item, inner));
    else if (keep.members.has(found.element)) out.push(item);
  }
  return out.length === 0 ? null : out;
}
