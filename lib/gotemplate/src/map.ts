import { compareText, sortTexts } from './text.ts';
import {
  GoComplex,
  type GoDict,
  GoInt,
  GoKeyedMap,
  type GoList,
  GoMap,
  GoNil,
  GoScalar,
  type GoValue,
  isPlainDict,
  mapKey,
} from './value.ts';

/** A map with string keys, however it is held. */
export type StringMap = GoDict | Map<string, GoValue>;

/** The string-keyed content of a map value; undefined when it is no such map. */
export function stringMapOf(value: GoValue): StringMap | undefined {
  if (value instanceof GoMap) return value.data;
  if (value instanceof Map) return value;
  return isPlainDict(value) ? value : undefined;
}

/** The value under a key; undefined when absent. Never sees what plain objects inherit. */
export function mapGet(map: StringMap, key: string): GoValue {
  if (map instanceof Map) return map.get(key);
  const value = map[key];
  if (value === undefined) return undefined;
  // What plain objects inherit is functions, and the prototype itself; values never are functions.
  if (typeof value === 'function' || key === '__proto__') {
    return Object.hasOwn(map, key) ? value : undefined;
  }
  return value;
}

export function mapHas(map: StringMap, key: string): boolean {
  return mapGet(map, key) !== undefined;
}

export function mapSet(map: StringMap, key: string, value: GoValue): void {
  const stored = value === undefined ? null : value;
  if (map instanceof Map) map.set(key, stored);
  else if (key === '__proto__') {
    Object.defineProperty(map, key, {
      value: stored,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else map[key] = stored;
}

export function mapDelete(map: StringMap, key: string): void {
  if (map instanceof Map) map.delete(key);
  else delete map[key];
}

/** The keys in no order that means anything. */
export function mapKeys(map: StringMap): string[] {
  if (map instanceof Map) return [...map.keys()];
  const keys = Object.keys(map);
  for (const key of keys)
    if (map[key] === undefined) return keys.filter((name) => mapHas(map, name));
  return keys;
}

/** The keys in Go's order, in which range and print go through a map. */
export function sortedKeys(map: StringMap): string[] {
  return sortTexts(mapKeys(map));
}

/** The entries of any map in the order in which Go prints them. */
export function sortedEntries(value: GoValue): Iterable<readonly [GoValue, GoValue]> {
  if (value instanceof GoKeyedMap) {
    return [...value.entries.values()].sort((a, b) => compareKeys(a[0], b[0]));
  }
  const map = stringMapOf(value);
  return map === undefined ? [] : sortedKeys(map).map((key) => [key, mapGet(map, key)] as const);
}

/** The number of entries; undefined when the value is no map. */
export function mapLength(value: GoValue): number | undefined {
  if (value instanceof GoKeyedMap) return value.entries.size;
  if (value instanceof GoNil) return value.type.kind === 'map' ? 0 : undefined;
  const map = stringMapOf(value);
  return map === undefined ? undefined : mapKeys(map).length;
}

export function isEmptyMap(map: StringMap): boolean {
  if (map instanceof Map) return map.size === 0;
  for (const key in map) if (Object.hasOwn(map, key) && map[key] !== undefined) return false;
  return true;
}

/** The value under any key; undefined when absent. */
export function mapIndex(value: GoValue, key: GoValue): GoValue {
  if (value instanceof GoKeyedMap) return value.entries.get(mapKey(key))?.[1];
  const map = stringMapOf(value);
  const text = key instanceof GoScalar ? key.value : key;
  return map === undefined || typeof text !== 'string' ? undefined : mapGet(map, text);
}

/** Go's order of map keys of one type. */
export function compareKeys(a: GoValue, b: GoValue): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a instanceof GoScalar && b instanceof GoScalar) return compareKeys(a.value, b.value);
  if (a instanceof GoInt && b instanceof GoInt) return compare(a.value, b.value);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b))
      return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
    return compare(a, b);
  }
  if (a instanceof GoComplex && b instanceof GoComplex) {
    return compare(a.real, b.real) || compare(a.imaginary, b.imaginary);
  }
  return a === b ? 0 : -1;
}

function compare(a: number | bigint, b: number | bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The items of a slice or array; undefined when the value is none. A nil slice has no items. */
export function listOf(value: GoValue): readonly GoValue[] | GoList | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof Uint8Array) return Array.from(value, (byte) => new GoInt(UINT8_TYPE, byte));
  if (value instanceof GoNil && value.type.kind === 'slice') return [];
  return undefined;
}

const UINT8_TYPE = { kind: 'uint8', text: 'uint8' } as const;
