import type { JsonObject } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import { fieldType, firstShape, itemElement, shapesOf } from './atoms.ts';
import { FieldSet } from './field-set.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import { isList, isMap, type Value } from './value.ts';

/**
 * The set of fields that a value of a type mentions: every leaf, every item of an associative list, every key of a map that
 * is not a struct. The value must have passed `typeProblems`. Linear in the value's size.
 */
export function toFieldSet(type: MergeType, value: Value): FieldSet {
  const set = new FieldSet();
  collect(type, value, { parent: set, element: undefined });
  return set;
}

/** Where a node stands: to own it, add `element` to `parent`; to go below it, `parent.at(element)`. The root has no element. */
interface Place {
  readonly parent: FieldSet;
  readonly element: PathElement | undefined;
}

function own(place: Place): void {
  if (place.element !== undefined) place.parent.members.add(place.element);
}

function below(place: Place): FieldSet {
  return place.element === undefined ? place.parent : place.parent.at(place.element);
}

function collect(type: MergeType, value: Value, place: Place): void {
  switch (firstShape(shapesOf(type, value))) {
    case 'map':
      if (type.map!.atomic) own(place);
      else if (isMap(value)) collectMap(type.map!, value, place);
      break;
    case 'list':
      if (type.list!.atomic) own(place);
      else if (isList(value)) collectList(type.list!, value, place);
      break;
    case 'scalar':
      own(place);
      break;
    default:
      break;
  }
}

function collectMap(map: MergeMap, value: JsonObject, place: Place): void {
  let level: FieldSet | undefined;
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (item === undefined) continue;
    level ??= below(place);
    const element = fieldElement(name);
    const type = fieldType(map, name);
    if (type !== undefined) collect(type, item, { parent: level, element });
    const isEmptyMap = isMap(item) && !hasKeys(item);
    if (item === null || isEmptyMap || !map.fields.has(name)) level.members.add(element);
  }
}

function hasKeys(map: JsonObject): boolean {
  for (const key of Object.keys(map)) if (map[key] !== undefined) return true;
  return false;
}

function collectList(list: MergeList, value: readonly Value[], place: Place): void {
  if (value.length === 0) return;
  const level = below(place);
  const elements: (PathElement | undefined)[] = [];
  const counts = new Map<PathElement, number>();
  for (const item of value) {
    const found = itemElement(list, item ?? null);
    const element = 'element' in found ? found.element : undefined;
    elements.push(element);
    if (element !== undefined) counts.set(element, (counts.get(element) ?? 0) + 1);
  }
  for (const [index, element] of elements.entries()) {
    if (element === undefined) continue;
    // What is there twice is owned as a whole: its fields cannot be told apart.
    if (counts.get(element) === 1) collect(list.element, value[index], { parent: level, element });
    level.members.add(element);
  }
}
