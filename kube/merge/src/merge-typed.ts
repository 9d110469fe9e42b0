import type { Json, JsonObject } from '@capstan/kube-object';
import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import { fieldType, firstShape, itemElement, shapesOf } from './atoms.ts';
import type { PathElement } from './path-element.ts';
import { isList, isMap, own, put, type Value } from './value.ts';

/**
 * Lays an applied value over a live one: the applied one wins at leaves, nothing is removed, items keep the order of the
 * live list unless the applied list says otherwise for items that both have. What only one side has is returned as it is,
 * not copied. Both values must have passed `typeProblems`.
 */
export function mergeTyped(type: MergeType, live: Value, applied: Value): Value {
  if (applied === undefined || live === applied) return live;
  if (live === undefined) return applied;
  const shapes = shapesOf(type, applied);
  const shape = firstShape(shapes);
  if (shape === 'map') {
    const left = isMap(live) ? live : {};
    const right = isMap(applied) ? applied : {};
    if (type.map!.atomic || (isEmpty(left) && isEmpty(right))) return applied;
    return mergeMaps(type.map!, left, right);
  }
  if (shape === 'list') {
    const left = isList(live) ? live : [];
    const right = isList(applied) ? applied : [];
    if (type.list!.atomic || (left.length === 0 && right.length === 0)) return applied;
    return mergeLists(type.list!, left, right);
  }
  return applied;
}

function isEmpty(map: JsonObject): boolean {
  for (const key of Object.keys(map)) if (map[key] !== undefined) return false;
  return true;
}

function mergeMaps(map: MergeMap, live: JsonObject, applied: JsonObject): Value {
  const out: Record<string, Json> = {};
  let isSame = true;
  let count = 0;
  const add = (name: string, merged: Value, before: Value): void => {
    if (merged !== before) isSame = false;
    if (merged === undefined) return;
    put(out, name, merged);
    count++;
  };
  for (const name of Object.keys(live)) {
    const left = live[name];
    if (left === undefined) continue;
    const type = fieldType(map, name);
    add(name, type === undefined ? left : mergeTyped(type, left, own(applied, name)), left);
  }
  for (const name of Object.keys(applied)) {
    const right = applied[name];
    if (right !== undefined && own(live, name) === undefined) add(name, right, undefined);
  }
  if (isSame) return live;
  return count > 0 ? out : undefined;
}

interface IndexedItems {
  readonly order: readonly PathElement[];
  /** By identity; what is there twice is null: it takes no part in a merge. */
  readonly items: ReadonlyMap<PathElement, Json>;
}

function indexItems(list: MergeList, values: readonly Json[]): IndexedItems {
  const order: PathElement[] = [];
  const items = new Map<PathElement, Json>();
  for (const value of values) {
    const found = itemElement(list, value);
    if ('problem' in found) continue;
    items.set(found.element, items.has(found.element) ? null : value);
    order.push(found.element);
  }
  return { order, items };
}

/**
 * Walks both orders at once. Items of both lists come in the order of the applied one; items of the live list alone stay
 * where they stood relative to them.
 */
function mergeLists(list: MergeList, live: readonly Json[], applied: readonly Json[]): Value {
  const left = indexItems(list, live);
  const right = indexItems(list, applied);
  const shared = right.order.filter((element) => left.items.has(element));
  const out: Json[] = [];
  const merged = new Set<PathElement>();
  let nextShared = 0;
  let l = 0;
  let r = 0;
  const keep = (value: Value): void => {
    if (value !== undefined) out.push(value);
  };
  const takeRight = (): void => {
    const element = right.order[r++]!;
    merged.add(element);
    keep(mergeTyped(list.element, left.items.get(element), right.items.get(element)));
    if (shared[nextShared] === element) nextShared++;
  };
  while (l < left.order.length || r < right.order.length) {
    const element = left.order[l];
    if (element !== undefined && element === right.order[r]) {
      l++;
      takeRight();
      continue;
    }
    if (element !== undefined) {
      if (!right.items.has(element)) {
        keep(live[l++]);
        continue;
      }
      // An item of both lists whose turn has not come, or which has been merged already.
      const waits =
        r < right.order.length && nextShared < shared.length && shared[nextShared] !== element;
      if (waits) {
        l++;
        continue;
      }
      if (merged.has(element)) l++;
    }
    if (r < right.order.length) takeRight();
  }
  if (out.length === 0) return undefined;
  return out.length === live.length && out.every((item, i) => item === live[i]) ? live : out;
}
