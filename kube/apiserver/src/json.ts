import type { Json, JsonObject } from '@capstan/kube-object';

/** JSON that its holder may change: freshly parsed, or made by `cloneJson`. */
export type Draft = null | boolean | number | bigint | string | Draft[] | DraftObject;
export interface DraftObject {
  [key: string]: Draft | undefined;
}

const EMPTY: JsonObject = Object.freeze({});
const NONE: readonly Json[] = Object.freeze([]);

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object; an empty one for anything else, so that a path of absent fields can be read. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  const found = valueAt(value, ...path);
  return isObject(found) ? found : EMPTY;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly Json[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : NONE;
}

/** The string there, or ''. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path);
  if (typeof found === 'bigint') return Number(found);
  return typeof found === 'number' ? found : undefined;
}

export function flagAt(value: unknown, ...path: readonly string[]): boolean {
  return valueAt(value, ...path) === true;
}

export function valueAt(value: unknown, ...path: readonly string[]): Json | undefined {
  let at: unknown = value;
  for (const key of path) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return isJson(at) ? at : undefined;
}

function isJson(value: unknown): value is Json {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';
}

/** The object at `key`, made when absent (or when something else stands there). */
export function childDraft(parent: DraftObject, key: string): DraftObject {
  const found = parent[key];
  if (isDraftObject(found)) return found;
  const made: DraftObject = {};
  parent[key] = made;
  return made;
}

export function draftList(parent: DraftObject, key: string): Draft[] {
  const found = parent[key];
  return Array.isArray(found) ? found : [];
}

/** The objects of a list, leaving out whatever is not one. */
export function draftObjects(parent: DraftObject, key: string): DraftObject[] {
  return draftList(parent, key).filter(isDraftObject);
}

export function isDraftObject(value: Draft | undefined): value is DraftObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets a default: only where nothing (or null) stands. */
export function setDefault(parent: DraftObject, key: string, value: Draft): void {
  if (parent[key] === undefined || parent[key] === null) parent[key] = value;
}

export function cloneJson(value: JsonObject): DraftObject;
export function cloneJson(value: Json): Draft;
export function cloneJson(value: Json): Draft {
  if (Array.isArray(value)) return value.map((item: Json) => cloneJson(item));
  if (!isObject(value)) return value as Exclude<Draft, Draft[] | DraftObject>;
  const copy: DraftObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined) setOwn(copy, key, cloneJson(item));
  }
  return copy;
}

/** Assigns a key that came from outside: `__proto__` becomes an ordinary key instead of the prototype. */
export function setOwn(target: DraftObject, key: string, value: Draft): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else target[key] = value;
}

const EMPTIED = Symbol('emptied');

/** Notes that a list or map was given and is empty: an encoded object leaves it out, some messages of the server show it. */
export function markEmptied(object: DraftObject, key: string, value: Draft): void {
  const known = emptiedOf(object) ?? {};
  Object.defineProperty(object, EMPTIED, {
    value: { ...known, [key]: value },
    configurable: true,
  });
}

/** The empty lists and maps that were given with an object, by key. */
export function emptiedOf(object: unknown): JsonObject | undefined {
  if (!isObject(object)) return undefined;
  return (object as { readonly [EMPTIED]?: JsonObject })[EMPTIED];
}

/** The value at a path, also when it is an empty list or map that an encoded object leaves out. */
export function givenAt(value: unknown, ...path: readonly string[]): Json | undefined {
  const parent = valueAt(value, ...path.slice(0, -1));
  const key = path.at(-1) ?? '';
  return valueAt(parent, key) ?? emptiedOf(parent)?.[key];
}

/** Equal as JSON values; the order of keys does not matter, absent and undefined are the same. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item: Json, i) => equalJson(item, b[i]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  let count = 0;
  for (const key of Object.keys(a)) {
    if (a[key] === undefined) continue;
    count++;
    if (!equalJson(a[key], b[key])) return false;
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) count--;
  return count === 0;
}

/**
 * JSON text of an object as it goes over the wire; integers beyond 2^53 (bigint) keep all their digits.
 */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch {
    // A bigint is rare, and looking for one in every value makes the text of a long list several times slower.
    return JSON.stringify(
      value,
      (_key, item: unknown) => (typeof item === 'bigint' ? rawJson(item) : item),
      indent,
    );
  }
}

function rawJson(value: bigint): unknown {
  // JSON.rawJSON is in Node 22 and later, but not yet in the library types.
  const make = (JSON as unknown as { rawJSON?: (text: string) => unknown }).rawJSON;
  return make === undefined ? Number(value) : make(String(value));
}
