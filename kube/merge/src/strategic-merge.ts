import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { goPlain, goTypeName } from './go-text.ts';
import { isMutableMap, type MutableJson, type MutableMap, mutableCopy } from './mutable.ts';
import { PatchError } from './patch-error.ts';
import { patchMetaOf } from './patch-meta.ts';
import { valuesEqual } from './value.ts';

export const patchDirective = '$patch';
export const retainKeysDirective = '$retainKeys';
export const deleteFromListPrefix = '$deleteFromPrimitiveList';
export const elementOrderPrefix = '$setElementOrder';

/**
 * Applies a strategic merge patch as the API server does for built-in kinds: lists merge by the keys that the schema
 * names; the directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…` are obeyed.
 * Throws PatchError. Neither input is changed.
 */
export function strategicMergePatch(
  schema: Schema,
  target: JsonObject,
  patch: JsonObject,
): JsonObject {
  return mergeMaps(schema, mutableCopy(target), mutableCopy(patch), {
    isApplying: true,
  }) as JsonObject;
}

/** Joins two patches into one that does what both do in turn: nulls and directives are content and stay. */
export function joinStrategicPatches(
  schema: Schema,
  first: MutableMap,
  second: MutableMap,
): MutableMap {
  return mergeMaps(schema, first, second, { isApplying: false });
}

interface Mode {
  /** True: the target is an object. False: it is a patch, in which directives and nulls are kept. */
  readonly isApplying: boolean;
}

function fail(message: string): PatchError {
  return new PatchError('unprocessable', message);
}

export function noMergeKey(item: MutableMap, mergeKey: string): PatchError {
  return fail(`map: ${goPlain(item as Json)} does not contain declared merge key: ${mergeKey}`);
}

function badType(
  expected: 'map[string]interface {}' | '[]interface {}',
  value: MutableJson,
): PatchError {
  const actual = value === null ? '%!s(<nil>)' : goTypeName(value as Json);
  return fail(`expected a ${expected}, but received a ${actual}`);
}

const badOrder = 'invalid patch format of setElementOrder list';

function mergeMaps(schema: Schema, target: MutableMap, patch: MutableMap, mode: Mode): MutableMap {
  if (Object.hasOwn(patch, patchDirective)) return obeyDirective(patch);
  obeyRetainKeys(target, patch, mode);
  obeyElementOrders(schema, target, patch, mode);
  for (const [key, value] of Object.entries(patch)) {
    const deletes = key.startsWith(deleteFromListPrefix);
    if (deletes && !mode.isApplying) target[key] = value;
    else if (deletes) deleteScalars(schema, target, listNameOf(key, deleteFromListPrefix), value);
    else mergeField(schema, target, { key, value, mode });
  }
  return target;
}

function obeyDirective(patch: MutableMap): MutableMap {
  const directive = patch[patchDirective];
  if (directive === 'replace') {
    delete patch[patchDirective];
    return patch;
  }
  if (directive === 'delete') return {};
  throw fail(`unknown patch type: ${goPlain(directive as Json)} in map: ${goPlain(patch as Json)}`);
}

function mergeField(
  schema: Schema,
  target: MutableMap,
  { key, value, mode }: { key: string; value: MutableJson; mode: Mode },
): void {
  if (value === null) {
    delete target[key];
    if (mode.isApplying) return;
  }
  const current = Object.hasOwn(target, key) ? target[key] : undefined;
  if (current === undefined || goTypeName(current as Json) !== goTypeName(value as Json)) {
    if (mode.isApplying) discardNulls(value);
    setWithoutDirectives(target, key, value);
  } else if (isMutableMap(current) && isMutableMap(value)) {
    const meta = patchMetaOf(schema, key, 'map');
    target[key] =
      meta.strategy === 'replace' ? value : mergeMaps(meta.schema, current, value, mode);
  } else if (Array.isArray(current) && Array.isArray(value)) {
    const meta = patchMetaOf(schema, key, 'list');
    target[key] = meta.strategy === 'merge' ? mergeLists(meta, current, value, mode) : value;
  } else setWithoutDirectives(target, key, value);
}

function setWithoutDirectives(target: MutableMap, key: string, value: MutableJson): void {
  const kept = withoutDirectives(value);
  if (kept === undefined) delete target[key];
  else target[key] = kept;
}

/** What is left of a value without maps that hold `$patch`; undefined if it is such a map itself. */
function withoutDirectives(value: MutableJson): MutableJson | undefined {
  if (Array.isArray(value))
    return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isMutableMap(value)) return value;
  if (Object.hasOwn(value, patchDirective)) return undefined;
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]!);
    if (kept === undefined) delete value[key];
    else value[key] = kept;
  }
  return value;
}

function discardNulls(value: MutableJson): void {
  if (Array.isArray(value)) for (const item of value) discardNulls(item);
  else if (isMutableMap(value))
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else discardNulls(value[key]!);
    }
}

function listNameOf(key: string, prefix: string): string {
  const slash = key.indexOf('/');
  if (slash < 0 || key.slice(0, slash) !== prefix)
    throw fail(prefix === elementOrderPrefix ? badOrder : 'invalid patch format of primitive list');
  return key.slice(slash + 1);
}

function deleteScalars(schema: Schema, target: MutableMap, key: string, value: MutableJson): void {
  if (value === null) {
    delete target[key];
    return;
  }
  const current = Object.hasOwn(target, key) ? target[key] : undefined;
  if (current === undefined || goTypeName(current as Json) !== goTypeName(value as Json)) return;
  if (!Array.isArray(current) || !Array.isArray(value)) {
    mergeField(schema, target, { key, value, mode: { isApplying: true } });
    return;
  }
  const meta = patchMetaOf(schema, key, 'list');
  if (current.length === 0 && value.length === 0) return;
  if (elementKind(current, value) === 'map')
    target[key] = mergeLists(meta, current, value, { isApplying: true });
  else target[key] = current.filter((item) => !value.some((gone) => sameScalar(gone, item)));
}

function sameScalar(left: MutableJson, right: MutableJson): boolean {
  return valuesEqual(left as Json, right as Json);
}

function obeyRetainKeys(target: MutableMap, patch: MutableMap, mode: Mode): void {
  if (!Object.hasOwn(patch, retainKeysDirective)) return;
  const retained = patch[retainKeysDirective]!;
  delete patch[retainKeysDirective];
  if (!mode.isApplying) {
    const known = target[retainKeysDirective];
    if (known !== undefined && !valuesEqual(known as Json, retained as Json))
      throw fail(
        `${goPlain(known as Json)} and ${goPlain(retained as Json)} are not deep equal: this may happen when calculating the 3-way diff patch`,
      );
    target[retainKeysDirective] = retained;
    return;
  }
  if (!Array.isArray(retained)) throw fail('invalid patch format of retainKeys');
  const keys = new Set(retained);
  for (const [key, value] of Object.entries(patch)) {
    const isDirective = key.startsWith(deleteFromListPrefix) || key.startsWith(elementOrderPrefix);
    if (value !== null && !isDirective && !keys.has(key))
      throw fail('invalid patch format of retainKeys');
  }
  for (const key of Object.keys(target)) if (!keys.has(key)) delete target[key];
}

/** Merges the lists that have an order given, and puts them in it; they leave the patch. */
function obeyElementOrders(
  schema: Schema,
  target: MutableMap,
  patch: MutableMap,
  mode: Mode,
): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(elementOrderPrefix)) continue;
    const order = patch[key]!;
    if (!mode.isApplying) {
      const known = target[key];
      if (known === undefined) target[key] = order;
      else if (!valuesEqual(known as Json, order as Json)) throw fail(badOrder);
    }
    delete patch[key];
    if (!Array.isArray(order)) throw badType('[]interface {}', order);
    mergeOrdered(schema, target, patch, { name: listNameOf(key, elementOrderPrefix), order, mode });
  }
}

function mergeOrdered(
  schema: Schema,
  target: MutableMap,
  patch: MutableMap,
  { name, order, mode }: { name: string; order: MutableJson[]; mode: Mode },
): void {
  const current = listAt(target, name);
  const changes = listAt(patch, name);
  const meta = patchMetaOf(schema, name, 'list');
  checkAgainstOrder(changes ?? [], order, meta.mergeKey);
  if (current === undefined && changes === undefined) return;
  const before = current === undefined ? [] : [...current];
  let merged: MutableJson[];
  if (changes === undefined) merged = current!;
  else if (current === undefined) merged = (withoutDirectives(changes) as MutableJson[]) ?? [];
  else merged = meta.strategy === 'merge' ? mergeLists(meta, current, changes, mode) : changes;
  const kind = elementKind(before, changes ?? []);
  const [fromPatch, others] = partition(merged, order, meta.mergeKey);
  const isMerged = kind === 'map' && meta.strategy === 'merge' && current !== undefined;
  const places = isMerged ? placesAfter(before, changes ?? [], meta.mergeKey) : before;
  target[name] = interleave(fromPatch, others, {
    order,
    before: places,
    mergeKey: meta.mergeKey,
    kind,
  });
  delete patch[name];
}

/**
 * The places that items not mentioned in the order are put by. The original deletes and appends within the old list, so
 * that an item that is new may stand where a deleted one stood, and counts as being there.
 */
function placesAfter(
  before: MutableJson[],
  changes: MutableJson[],
  mergeKey: string,
): MutableJson[] {
  const places = [...before];
  let length = places.length;
  const find = (key: MutableJson): number =>
    places.slice(0, length).findIndex((item) => isMutableMap(item) && hasKey(item, mergeKey, key));
  const maps = changes.filter(isMutableMap);
  for (const change of maps) {
    if (change[patchDirective] !== 'delete') continue;
    const key = keyOfItem(change, mergeKey);
    for (let at = find(key); at >= 0; at = find(key)) {
      places.copyWithin(at, at + 1, length);
      length--;
    }
  }
  if (maps.some((change) => change[patchDirective] === 'replace')) return places;
  for (const change of maps) {
    if (Object.hasOwn(change, patchDirective) || find(keyOfItem(change, mergeKey)) >= 0) continue;
    if (length < places.length) places[length] = change;
    length = Math.min(length + 1, places.length);
  }
  return places;
}

function listAt(map: MutableMap, key: string): MutableJson[] | undefined {
  if (!Object.hasOwn(map, key)) return undefined;
  const value = map[key]!;
  if (!Array.isArray(value)) throw badType('[]interface {}', value);
  return value;
}

function checkAgainstOrder(changes: MutableJson[], order: MutableJson[], mergeKey: string): void {
  if (changes.length === 0 || order.length === 0) return;
  const items = mergeKey === '' ? changes : changes.filter((item) => !isDeletion(item));
  let at = 0;
  let place = 0;
  while (at < items.length && place < order.length) {
    const item = items[at]!;
    if (isMutableMap(item) && Object.hasOwn(item, patchDirective)) {
      at++;
      continue;
    }
    if (sameItem(item, order[place]!, mergeKey)) at++;
    place++;
  }
  if (at < items.length && place >= order.length)
    throw fail(
      `The order in patch list:\n${goPlain(changes as Json)}\n doesn't match ${elementOrderPrefix} list:\n${goPlain(order as Json)}\n`,
    );
}

function isDeletion(item: MutableJson): boolean {
  if (!isMutableMap(item)) throw badType('map[string]interface {}', item);
  return item[patchDirective] === 'delete';
}

function sameItem(left: MutableJson, right: MutableJson, mergeKey: string): boolean {
  if (mergeKey === '') return sameScalar(left, right);
  return sameScalar(keyOfItem(left, mergeKey), keyOfItem(right, mergeKey));
}

export function keyOfItem(item: MutableJson, mergeKey: string): MutableJson {
  if (!isMutableMap(item)) throw badType('map[string]interface {}', item);
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  return item[mergeKey]!;
}

export type ElementKind = 'map' | 'scalar';

/** The kind of the elements of lists; they must all be of one type, and not lists. */
export function elementKind(...lists: MutableJson[][]): ElementKind {
  let type: string | undefined;
  for (const item of lists.flat()) {
    const current = goTypeName(item as Json);
    type ??= current;
    if (type === '[]interface {}') throw fail('lists of lists are not supported');
    if (type !== current)
      throw fail(
        `list element types are not identical: [${lists.map((list) => goPlain(list as Json)).join(' ')}]`,
      );
  }
  if (type === undefined) throw fail('no elements in any of the given slices');
  return type === 'map[string]interface {}' ? 'map' : 'scalar';
}

interface ListMeta {
  readonly schema: Schema;
  readonly mergeKey: string;
}

function mergeLists(
  meta: ListMeta,
  target: MutableJson[],
  patch: MutableJson[],
  mode: Mode,
): MutableJson[] {
  if (target.length === 0 && patch.length === 0) return target;
  const kind = elementKind(target, patch);
  const { mergeKey } = meta;
  if (kind === 'scalar') {
    const merged = distinct([...target, ...patch]);
    const [fromPatch, others] = partition(merged, patch, mergeKey);
    return interleave(fromPatch, others, { order: patch, before: target, mergeKey, kind });
  }
  if (mergeKey === '')
    throw fail(
      `cannot merge lists without merge key for ${meta.schema.type === 'object' ? 'struct' : meta.schema.type}`,
    );
  const { kept, changes } = obeyItemDirectives(target, patch, mergeKey);
  const before = [...kept];
  const merged = mergeItems(meta, kept, changes, mode);
  const [fromPatch, others] = partition(merged, changes, mergeKey);
  return interleave(fromPatch, others, { order: changes, before, mergeKey, kind });
}

function distinct(items: MutableJson[]): MutableJson[] {
  return [...new Set(items)];
}

function obeyItemDirectives(
  target: MutableJson[],
  patch: MutableJson[],
  mergeKey: string,
): { kept: MutableJson[]; changes: MutableJson[] } {
  let kept = [...target];
  const changes: MutableJson[] = [];
  let replaces = false;
  for (const item of patch as MutableMap[]) {
    if (!Object.hasOwn(item, patchDirective)) {
      changes.push(item);
      continue;
    }
    const directive = item[patchDirective]!;
    if (directive === 'delete') {
      const key = keyOfItem(item, mergeKey);
      kept = kept.filter((other) => !isMutableMap(other) || !hasKey(other, mergeKey, key));
    } else if (directive === 'replace') replaces = true;
    else if (directive === 'merge')
      throw fail('merging lists cannot yet be specified in the patch');
    else
      throw fail(
        `unknown patch type: ${goPlain(directive as Json)} in map: ${goPlain(item as Json)}`,
      );
  }
  return replaces ? { kept: changes, changes: [] } : { kept, changes };
}

function hasKey(item: MutableMap, mergeKey: string, key: MutableJson): boolean {
  return Object.hasOwn(item, mergeKey) && sameScalar(item[mergeKey]!, key);
}

function mergeItems(
  meta: ListMeta,
  target: MutableJson[],
  patch: MutableJson[],
  mode: Mode,
): MutableJson[] {
  for (const change of patch as MutableMap[]) {
    const key = keyOfItem(change, meta.mergeKey);
    const index = target.findIndex(
      (item) => isMutableMap(item) && hasKey(item, meta.mergeKey, key),
    );
    if (index < 0) target.push(change);
    else target[index] = mergeMaps(meta.schema, target[index] as MutableMap, change, mode);
  }
  return target;
}

/** Splits items into those that `by` mentions and the rest. */
function partition(
  items: MutableJson[],
  by: MutableJson[],
  mergeKey: string,
): [MutableJson[], MutableJson[]] {
  const mentioned: MutableJson[] = [];
  const others: MutableJson[] = [];
  for (const item of items) {
    const isMentioned =
      mergeKey === ''
        ? by.some((other) => sameScalar(other, item))
        : mentions(by, mergeKey, keyOfItem(item, mergeKey));
    (isMentioned ? mentioned : others).push(item);
  }
  return [mentioned, others];
}

function mentions(list: MutableJson[], mergeKey: string, key: MutableJson): boolean {
  return list.some((item, index) => {
    if (!isMutableMap(item)) throw fail(`value for key ${index} is not a map`);
    return hasKey(item, mergeKey, key);
  });
}

interface Ordering {
  readonly order: MutableJson[];
  readonly before: MutableJson[];
  readonly mergeKey: string;
  readonly kind: ElementKind;
}

/** The patch's items in its order, and the others in theirs, placed by where they stood in the list before. */
function interleave(
  fromPatch: MutableJson[],
  others: MutableJson[],
  ordering: Ordering,
): MutableJson[] {
  const { order, before, mergeKey, kind } = ordering;
  const right = sortBy(fromPatch, order, mergeKey, kind);
  const left = sortBy(others, before, mergeKey, kind);
  const place = (item: MutableJson): number => placeOf(before, item, mergeKey, kind);
  const out: MutableJson[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    if (l >= left.length) out.push(right[r++]!);
    else if (r >= right.length) out.push(left[l++]!);
    else {
      const leftPlace = place(left[l]!);
      const rightPlace = place(right[r]!);
      const leftFirst = leftPlace >= 0 && rightPlace >= 0 && leftPlace < rightPlace;
      out.push(leftFirst ? left[l++]! : right[r++]!);
    }
  }
  return out;
}

/** Sorts items by their place in `order`; those to be deleted go last. */
export function sortBy(
  items: MutableJson[],
  order: MutableJson[],
  mergeKey: string,
  kind: ElementKind,
): MutableJson[] {
  if (kind === 'map') for (const item of [...items, ...order]) keyOfItem(item, mergeKey);
  const kept = kind === 'map' ? items.filter((item) => !isDeletion(item)) : items;
  const deleted = kind === 'map' ? items.filter(isDeletion) : [];
  const places = new Map(kept.map((item) => [item, placeOf(order, item, mergeKey, kind)]));
  return [...kept].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0)).concat(deleted);
}

function placeOf(
  list: MutableJson[],
  item: MutableJson,
  mergeKey: string,
  kind: ElementKind,
): number {
  const key = kind === 'map' && isMutableMap(item) ? item[mergeKey]! : item;
  return list.findIndex((other) =>
    kind === 'map'
      ? isMutableMap(other) && sameScalar(other[mergeKey] ?? null, key)
      : sameScalar(other, key),
  );
}
