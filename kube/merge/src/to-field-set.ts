import type { JsonObject } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import { fieldType, firstShape, itemElement, shapesOf } from './atoms.ts';
import { FieldSet } from './field-set.ts';
import { fieldElement, type PathElement, valueElement } from './path-element.ts';
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

/** Fills the level below a node; a level where nothing was owned does not stay. */
function fill(place: Place, run: (level: FieldSet) => void): void {
  if (place.element === undefined) {
    run(place.parent);
    return;
  }
  const level = new FieldSet();
  run(level);
  if (level.members.size > 0 || level.children.size > 0)
    place.parent.children.set(place.element, level);
}

function collect(type: MergeType, value: Value, place: Place): void {
  switch (firstShape(shapesOf(type, value))) {
    case 'map':
      if (type.map!.atomic) own(place);
      else if (isMap(value)) fill(place, (level) => collectMap(type.map!, value, level));
      break;
    case 'list':
      if (type.list!.atomic) own(place);
      else if (isList(value)) fill(place, (level) => collectList(type.list!, value, level));
      break;
    case 'scalar':
      own(place);
      break;
    default:
      break;
  }
}

function collectMap(map: MergeMap, value: JsonObject, level: FieldSet): void {
  for (const name of Object.keys(value)) {
    const item = value[name];
    if (item === undefined) continue;
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

function collectList(list: MergeList, value: readonly Value[], level: FieldSet): void {
  const elements: PathElement[] = [];
  const counts = new Map<PathElement, number>();
  for (const item of value) {
    const found = itemElement(list, item ?? null);
    // Pruning may leave a null among the items: it has no identity, and still makes the list one that is not empty.
    const element = 'element' in found ? found.element : valueElement(null);
    elements.push(element);
    counts.set(element, (counts.get(element) ?? 0) + 1);
  }
  for (const [index, element] of elements.entries()) {
    // What is there twice is owned as a whole: its fields cannot be told apart.
    if (counts.get(element) === 1) collect(list.element, value[index], { parent: level, element });
    level.members.add(element);
  }
}
