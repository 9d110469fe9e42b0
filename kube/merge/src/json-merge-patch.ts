import type { Json, JsonObject } from '@capstan/kube-object';
import { PatchError } from './patch-error.ts';
import { isList, isMap, own, put, valuesEqual } from './value.ts';

/**
 * Applies a JSON merge patch (RFC 7386): null removes a key, maps merge, anything else replaces. Nulls nested in what is
 * added are dropped too, but those in lists stay, as the API server's library (evanphx/json-patch 4) does it.
 */
export function jsonMergePatch(target: Json, patch: Json): Json {
  if (!isMap(patch)) {
    if (isList(patch)) return pruneList(patch);
    throw new PatchError('malformed', 'Invalid JSON Patch');
  }
  return isMap(target) ? mergeInto(target, patch) : pruneNulls(patch);
}

function mergeInto(target: JsonObject, patch: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  for (const key of Object.keys(target)) {
    const current = target[key];
    if (current === undefined) continue;
    const change = own(patch, key);
    if (change === undefined) put(out, key, current);
    else if (change !== null) put(out, key, mergeValue(current, change));
  }
  for (const key of Object.keys(patch)) {
    const change = patch[key];
    if (change === undefined || change === null || own(target, key) !== undefined) continue;
    put(out, key, pruneNulls(change));
  }
  return out;
}

function mergeValue(current: Json, change: Json): Json {
  if (!isMap(current)) return pruneNulls(change);
  return isMap(change) ? mergeInto(current, change) : change;
}

function pruneNulls(value: Json): Json {
  if (isList(value)) return pruneList(value);
  if (!isMap(value)) return value;
  const out: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined && item !== null) put(out, key, pruneNulls(item));
  }
  return out;
}

function pruneList(list: readonly Json[]): Json {
  return list.map(pruneNulls);
}

/** The JSON merge patch that makes `original` into `modified`; nulls in `modified` that `original` has too stay unsaid. */
export function createJsonMergePatch(original: JsonObject, modified: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  for (const key of Object.keys(modified)) {
    const after = modified[key];
    if (after === undefined) continue;
    const before = own(original, key);
    if (before === undefined) put(out, key, after);
    else if (isMap(before) && isMap(after)) {
      const inner = createJsonMergePatch(before, after);
      if (Object.keys(inner).length > 0) put(out, key, inner);
    } else if (!valuesEqual(before, after)) put(out, key, after);
  }
  for (const key of Object.keys(original))
    if (original[key] !== undefined && own(modified, key) === undefined) put(out, key, null);
  return out;
}

/** The three objects of a client-side apply. `original` is what was applied last time. */
export interface ThreeWay {
  readonly original: JsonObject;
  readonly modified: JsonObject;
  readonly current: JsonObject;
}

/**
 * The JSON merge patch of `kubectl apply` for kinds without merge keys (custom resources): sets what `modified` says, and
 * removes what `original` said and `modified` does not.
 */
export function threeWayJsonPatch({ original, modified, current }: ThreeWay): JsonObject {
  const additions = keepNulls(createJsonMergePatch(current, modified), false);
  const deletions = keepNulls(createJsonMergePatch(original, modified), true);
  if (haveConflicts(additions, deletions))
    throw new PatchError(
      'unprocessable',
      'the changes from the live object and the deletions from the last applied one contradict each other',
    );
  // The nulls of the deletions are the content here, not instructions: they must survive.
  return joinPatches(deletions, additions);
}

function joinPatches(deletions: JsonObject, additions: JsonObject): JsonObject {
  const out: Record<string, Json> = {};
  for (const key of Object.keys(deletions)) put(out, key, deletions[key] ?? null);
  for (const key of Object.keys(additions)) {
    const addition = additions[key] ?? null;
    const deletion = own(deletions, key);
    const joins = isMap(deletion) && isMap(addition);
    put(out, key, joins ? joinPatches(deletion, addition) : pruneNulls(addition));
  }
  return out;
}

function keepNulls(patch: JsonObject, nulls: boolean): JsonObject {
  const out: Record<string, Json> = {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined) continue;
    if (value === null) {
      if (nulls) put(out, key, null);
    } else if (isMap(value)) {
      const isEmpty = Object.keys(value).length === 0;
      const inner = keepNulls(value, nulls);
      // An empty map that someone wrote is a value, not an empty patch.
      if (isEmpty ? !nulls : Object.keys(inner).length > 0) put(out, key, inner);
    } else if (!nulls) put(out, key, value);
  }
  return out;
}

function haveConflicts(left: Json, right: Json): boolean {
  if (isMap(left)) {
    if (!isMap(right)) return true;
    return Object.keys(left).some((key) => {
      const other = own(right, key);
      return other !== undefined && haveConflicts(left[key] ?? null, other);
    });
  }
  return !valuesEqual(left, right);
}
