import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { goPlain, goTypeName } from './go-text.ts';
import type { ThreeWay } from './json-merge-patch.ts';
import { isMutableMap, type MutableJson, type MutableMap, mutableCopy } from './mutable.ts';
import { PatchError } from './patch-error.ts';
import { patchMetaOf } from './patch-meta.ts';
import {
  deleteFromListPrefix,
  elementKind,
  elementOrderPrefix,
  joinStrategicPatches,
  keyOfItem,
  patchDirective,
  retainKeysDirective,
  sortBy,
} from './strategic-merge.ts';
import { compareText, valuesEqual } from './value.ts';

/** The strategic merge patch that makes `original` into `modified`, as kubectl edit and client-go make it. */
export function twoWayStrategicPatch(
  schema: Schema,
  original: JsonObject,
  modified: JsonObject,
): JsonObject {
  const options = { setsOrder: true, ignoresChanges: false, ignoresDeletions: false };
  return diffMaps(
    schema,
    mutableCopy(original),
    mutableCopy(modified),
    options,
    false,
  ) as JsonObject;
}

/**
 * The strategic merge patch of `kubectl apply`: what `modified` says against the live object, plus the deletion of what
 * was applied last time (`original`) and is not said any more. Throws PatchError for lists that break their merge keys.
 */
export function threeWayStrategicPatch(
  schema: Schema,
  { original, modified, current }: ThreeWay,
): JsonObject {
  const delta = diffMaps(
    schema,
    mutableCopy(current),
    mutableCopy(modified),
    { setsOrder: true, ignoresChanges: false, ignoresDeletions: true },
    false,
  );
  const deletions = diffMaps(
    schema,
    mutableCopy(original),
    mutableCopy(modified),
    { setsOrder: true, ignoresChanges: true, ignoresDeletions: false },
    false,
  );
  return joinStrategicPatches(schema, deletions, delta) as JsonObject;
}

interface DiffOptions {
  readonly setsOrder: boolean;
  readonly ignoresChanges: boolean;
  readonly ignoresDeletions: boolean;
}

function diffMaps(
  schema: Schema,
  original: MutableMap,
  modified: MutableMap,
  options: DiffOptions,
  retainsKeys: boolean,
): MutableMap {
  const patch: MutableMap = {};
  for (const [key, after] of Object.entries(modified)) {
    const before = Object.hasOwn(original, key) ? original[key]! : undefined;
    if (before === undefined) {
      if (!options.ignoresChanges) patch[key] = after;
    } else if (key === patchDirective) diffDirective(before, after, patch);
    else diffField(schema, patch, { key, before, after, options });
  }
  if (!options.ignoresDeletions)
    for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) patch[key] = null;
  const retained = retainsKeys ? Object.keys(modified).filter((key) => modified[key] !== null) : [];
  if (retained.length > 0 && (Object.keys(patch).length > 0 || losesField(original, modified)))
    patch[retainKeysDirective] = retained.sort(compareText);
  return patch;
}

function losesField(original: MutableMap, modified: MutableMap): boolean {
  return Object.keys(original).some(
    (key) => original[key] !== null && !Object.hasOwn(modified, key),
  );
}

function diffDirective(before: MutableJson, after: MutableJson, patch: MutableMap): void {
  if (typeof before !== 'string' || typeof after !== 'string')
    throw new PatchError('unprocessable', `invalid value for special key: ${patchDirective}`);
  if (before !== after) patch[patchDirective] = after;
}

interface FieldDiff {
  readonly key: string;
  readonly before: MutableJson;
  readonly after: MutableJson;
  readonly options: DiffOptions;
}

function diffField(schema: Schema, patch: MutableMap, field: FieldDiff): void {
  const { key, before, after, options } = field;
  if (goTypeName(before as Json) !== goTypeName(after as Json)) {
    if (!options.ignoresChanges) patch[key] = after;
  } else if (isMutableMap(before) && isMutableMap(after)) diffMapField(schema, patch, field);
  else if (Array.isArray(before) && Array.isArray(after)) diffListField(schema, patch, field);
  else if (!options.ignoresChanges && !valuesEqual(before as Json, after as Json))
    patch[key] = after;
}

/** Equal values need no look-up: a field that the schema does not know may stand as it is. */
function metaFor(
  schema: Schema,
  { key, before, after }: FieldDiff,
  kind: 'map' | 'list',
): ReturnType<typeof patchMetaOf> | undefined {
  try {
    return patchMetaOf(schema, key, kind);
  } catch (error) {
    if (valuesEqual(before as Json, after as Json)) return undefined;
    throw error;
  }
}

function diffMapField(schema: Schema, patch: MutableMap, field: FieldDiff): void {
  const { key, before, after, options } = field;
  const meta = metaFor(schema, field, 'map');
  if (meta === undefined) return;
  if (meta.strategy === 'replace') {
    if (!options.ignoresChanges) patch[key] = after;
    return;
  }
  const inner = diffMaps(
    meta.schema,
    before as MutableMap,
    after as MutableMap,
    options,
    meta.retainKeys,
  );
  if (Object.keys(inner).length > 0) patch[key] = inner;
}

function diffListField(schema: Schema, patch: MutableMap, field: FieldDiff): void {
  const { key, options } = field;
  const before = field.before as MutableJson[];
  const after = field.after as MutableJson[];
  const meta = metaFor(schema, field, 'list');
  if (meta === undefined) return;
  if (meta.strategy !== 'merge') {
    if (!options.ignoresChanges && !valuesEqual(before as Json, after as Json)) patch[key] = after;
    return;
  }
  const { add, remove, order } = diffLists(meta, before, after, options);
  if (add.length > 0) patch[key] = add;
  if (remove.length > 0) patch[`${deleteFromListPrefix}/${key}`] = remove;
  if (order.length > 0) patch[`${elementOrderPrefix}/${key}`] = order;
}

interface ListMeta {
  readonly schema: Schema;
  readonly mergeKey: string;
  readonly retainKeys: boolean;
}

interface ListDiff {
  readonly add: MutableJson[];
  /** Scalars to delete; maps are deleted by a directive among `add`. */
  readonly remove: MutableJson[];
  readonly order: MutableJson[];
}

function diffLists(
  meta: ListMeta,
  before: MutableJson[],
  after: MutableJson[],
  options: DiffOptions,
): ListDiff {
  if (before.length === 0)
    return { add: options.ignoresChanges ? [] : after, remove: [], order: [] };
  return elementKind(before, after) === 'map'
    ? diffMapLists(meta, before, after, options)
    : diffScalarLists(meta.mergeKey, before, after, options);
}

function diffMapLists(
  meta: ListMeta,
  before: MutableJson[],
  after: MutableJson[],
  options: DiffOptions,
): ListDiff {
  const { mergeKey } = meta;
  const { changed, deleted } = matchItems(meta, before, after, options);
  const changes = sortBy(changed, after, mergeKey, 'map');
  const sameOrder =
    before.length === after.length && before.every((item, i) => sameKey(item, after[i]!, mergeKey));
  const add = [...changes, ...deleted];
  const needsOrder =
    options.setsOrder &&
    ((!options.ignoresChanges && (add.length > 0 || !sameOrder)) ||
      (!options.ignoresDeletions && add.length > 0));
  const order = needsOrder ? after.map((item) => ({ [mergeKey]: keyOfItem(item, mergeKey) })) : [];
  return { add, remove: [], order };
}

function sameKey(left: MutableJson, right: MutableJson, mergeKey: string): boolean {
  return valuesEqual(keyOfItem(left, mergeKey) as Json, keyOfItem(right, mergeKey) as Json);
}

/** Walks both lists in the order of their keys as text, item by item. */
function matchItems(
  { schema, mergeKey, retainKeys }: ListMeta,
  before: MutableJson[],
  after: MutableJson[],
  options: DiffOptions,
): { changed: MutableJson[]; deleted: MutableJson[] } {
  const left = sortByKey(before, mergeKey);
  const right = sortByKey(after, mergeKey);
  const changed: MutableJson[] = [];
  const deleted: MutableJson[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const old = left[l];
    const current = right[r];
    const order =
      old === undefined ? 1 : current === undefined ? -1 : compareText(old.text, current.text);
    if (order === 0) {
      const inner = diffMaps(schema, old!.item, current!.item, options, retainKeys);
      if (Object.keys(inner).length > 0) changed.push({ ...inner, [mergeKey]: current!.key });
      l++;
      r++;
    } else if (order > 0) {
      if (!options.ignoresChanges) changed.push(current!.item);
      r++;
    } else {
      if (!options.ignoresDeletions)
        deleted.push({ [mergeKey]: old!.key, [patchDirective]: 'delete' });
      l++;
    }
  }
  return { changed, deleted };
}

interface KeyedItem {
  readonly item: MutableMap;
  readonly key: MutableJson;
  readonly text: string;
}

/**
 * By key as text; of items with the same key (two ports, TCP and UDP) the later comes first, as the official sort leaves
 * short lists.
 */
function sortByKey(items: MutableJson[], mergeKey: string): KeyedItem[] {
  return items
    .map((item) => {
      const key = keyOfItem(item, mergeKey);
      return { item: item as MutableMap, key, text: goPlain(key as Json) };
    })
    .reverse()
    .sort((a, b) => compareText(a.text, b.text));
}

function diffScalarLists(
  mergeKey: string,
  before: MutableJson[],
  after: MutableJson[],
  options: DiffOptions,
): ListDiff {
  const left = sortScalars(before);
  const right = sortScalars(after);
  const added: MutableJson[] = [];
  const removed: MutableJson[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const order =
      l >= left.length
        ? 1
        : r >= right.length
          ? -1
          : compareText(textOf(left[l]!), textOf(right[r]!));
    if (order === 0) {
      l++;
      r++;
    } else if (order > 0) {
      if (!options.ignoresChanges) added.push(right[r]!);
      r++;
    } else {
      if (!options.ignoresDeletions) removed.push(left[l]!);
      l++;
    }
  }
  const remove = [...new Set(removed)];
  // The official code has sorted the old list by now, so that an unsorted list always says its order.
  const needsOrder =
    options.setsOrder &&
    ((!options.ignoresDeletions && remove.length > 0) ||
      (!options.ignoresChanges && !valuesEqual(left as Json, after as Json)));
  return { add: sortBy(added, after, mergeKey, 'scalar'), remove, order: needsOrder ? after : [] };
}

function sortScalars(items: MutableJson[]): MutableJson[] {
  return [...items].sort((a, b) => compareText(textOf(a), textOf(b)));
}

function textOf(value: MutableJson): string {
  return goPlain(value as Json);
}
