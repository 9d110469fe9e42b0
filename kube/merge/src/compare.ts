import type { Json, JsonObject } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import { fieldType, firstShape, itemElement, type Shape, shapesOf } from './atoms.ts';
import { FieldSet } from './field-set.ts';
import { type FieldPath, fieldElement, type PathElement } from './path-element.ts';
import { isList, isMap, own, type Value, valuesEqual } from './value.ts';

/** What changed from one object to another. A field is in at most one of the sets. */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

/**
 * Compares two values of a type field by field, atomic ones as a whole. Subtrees that are the same JavaScript value are
 * skipped, so comparing an object with its merged successor costs what changed.
 */
export function compareTyped(type: MergeType, before: Value, after: Value): Comparison {
  const comparison = { removed: new FieldSet(), modified: new FieldSet(), added: new FieldSet() };
  if (before !== undefined || after !== undefined) compare(type, before, after, [], comparison);
  return comparison;
}

/** Leaves out of a comparison what `filter` leaves out of each of its sets. */
export function filterComparison(
  comparison: Comparison,
  filter: ((set: FieldSet) => FieldSet) | undefined,
): Comparison {
  if (filter === undefined) return comparison;
  return {
    removed: filter(comparison.removed),
    modified: filter(comparison.modified),
    added: filter(comparison.added),
  };
}

function compare(
  type: MergeType,
  before: Value,
  after: Value,
  path: FieldPath,
  out: Comparison,
): void {
  if (before === after) return;
  const beforeShapes = shapesOf(type, before);
  const afterShapes = shapesOf(type, after);
  let leaf: boolean;
  if (after === undefined) leaf = visit(firstShape(beforeShapes), type, before, after, path, out);
  else if (before === undefined || beforeShapes === afterShapes)
    leaf = visit(firstShape(afterShapes), type, before, after, path, out);
  else {
    visit(firstShape(beforeShapes), type, before, after, path, out);
    leaf = visit(firstShape(afterShapes), type, before, after, path, out);
  }
  if (leaf) return;
  if (before === undefined) out.added.insert(path);
  else if (after === undefined) out.removed.insert(path);
}

/** Compares as one shape; true if it was taken as a leaf. */
function visit(
  shape: Shape,
  type: MergeType,
  before: Value,
  after: Value,
  path: FieldPath,
  out: Comparison,
): boolean {
  if (shape === 'map') {
    const left = isMap(before) ? before : undefined;
    const right = isMap(after) ? after : undefined;
    if (type.map!.atomic || (isEmptyMap(left) && isEmptyMap(right)))
      return compareLeaf(before, after, path, out);
    compareMaps(type.map!, left ?? {}, right ?? {}, path, out);
    return false;
  }
  if (shape === 'list') {
    const left = isList(before) ? before : [];
    const right = isList(after) ? after : [];
    if (type.list!.atomic || (left.length === 0 && right.length === 0))
      return compareLeaf(before, after, path, out);
    compareLists(type.list!, left, right, path, out);
    return false;
  }
  return shape === 'scalar' ? compareLeaf(before, after, path, out) : false;
}

function isEmptyMap(map: JsonObject | undefined): boolean {
  if (map === undefined) return true;
  for (const key of Object.keys(map)) if (map[key] !== undefined) return false;
  return true;
}

function compareLeaf(before: Value, after: Value, path: FieldPath, out: Comparison): true {
  if (before === undefined) out.added.insert(path);
  else if (after === undefined) out.removed.insert(path);
  else if (!valuesEqual(before, after)) out.modified.insert(path);
  return true;
}

function compareMaps(
  map: MergeMap,
  before: JsonObject,
  after: JsonObject,
  path: FieldPath,
  out: Comparison,
): void {
  for (const name of Object.keys(before)) {
    const left = before[name];
    const right = own(after, name);
    if (left === undefined || left === right) continue;
    compareField(map, name, left, right, path, out);
  }
  for (const name of Object.keys(after)) {
    const right = after[name];
    if (right === undefined || own(before, name) !== undefined) continue;
    compareField(map, name, undefined, right, path, out);
  }
}

function compareField(
  map: MergeMap,
  name: string,
  left: Value,
  right: Value,
  path: FieldPath,
  out: Comparison,
): void {
  const type = fieldType(map, name);
  if (type !== undefined) compare(type, left, right, [...path, fieldElement(name)], out);
}

function compareLists(
  list: MergeList,
  before: readonly Json[],
  after: readonly Json[],
  path: FieldPath,
  out: Comparison,
): void {
  const left = groupItems(list, before);
  const right = groupItems(list, after);
  for (const [element, items] of left)
    compareItems(list, items, right.get(element) ?? [], [...path, element], out);
  for (const [element, items] of right)
    if (!left.has(element)) compareItems(list, [], items, [...path, element], out);
}

function groupItems(list: MergeList, items: readonly Json[]): Map<PathElement, Json[]> {
  const groups = new Map<PathElement, Json[]>();
  for (const item of items) {
    const found = itemElement(list, item);
    if ('problem' in found) continue;
    const group = groups.get(found.element);
    if (group === undefined) groups.set(found.element, [item]);
    else group.push(item);
  }
  return groups;
}

/** Items of one identity. What is there twice is compared as a whole. */
function compareItems(
  list: MergeList,
  before: readonly Json[],
  after: readonly Json[],
  path: FieldPath,
  out: Comparison,
): void {
  if (before.length <= 1 && after.length <= 1) {
    compare(list.element, before[0], after[0], path, out);
  } else if (before.length >= 2 && after.length >= 2) {
    if (!valuesEqual(before, after)) out.modified.insert(path);
  } else if (before.length >= 2) {
    if (after.length > 0) compare(list.element, undefined, after[0], path, out);
    out.removed.insert(path);
  } else {
    if (before.length > 0) compare(list.element, before[0], undefined, path, out);
    out.added.insert(path);
  }
}
