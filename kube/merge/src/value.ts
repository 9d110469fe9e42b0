import type { Json, JsonObject } from '@capstan/kube-object';

/** A value that may be absent; `null` is a value. */
export type Value = Json | undefined;

export function isMap(value: Value): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Value): value is readonly Json[] {
  return Array.isArray(value);
}

/** Numbers are equal by magnitude, whether int or float; maps regardless of order. A key whose value is undefined is absent. */
export function valuesEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left === 'bigint' || typeof right === 'bigint')
    return isNumber(left) && isNumber(right) && compareNumbers(left, right) === 0;
  if (isList(left)) return isList(right) && listsEqual(left, right);
  if (isMap(left)) return isMap(right) && mapsEqual(left, right);
  return false;
}

function listsEqual(left: readonly Json[], right: readonly Json[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (!valuesEqual(left[i], right[i])) return false;
  return true;
}

function mapsEqual(left: JsonObject, right: JsonObject): boolean {
  let count = 0;
  for (const key of Object.keys(left)) {
    const value = left[key];
    if (value === undefined) continue;
    count++;
    const other = own(right, key);
    if (other === undefined || !valuesEqual(value, other)) return false;
  }
  for (const key of Object.keys(right)) if (right[key] !== undefined) count--;
  return count === 0;
}

/** A map's own entry; never what Object.prototype has. */
export function own(map: JsonObject, key: string): Value {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Sets a key even if it is `__proto__`. */
export function put(map: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  else map[key] = value;
}

/** The total order of structured-merge-diff: numbers, strings, booleans, lists, maps, null. */
export function compareValues(left: Json, right: Json): number {
  const byKind = rank(left) - rank(right);
  if (byKind !== 0) return byKind;
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (typeof left === 'boolean') return Number(left) - Number(right);
  if (isList(left) && isList(right)) return compareLists(left, right);
  if (isMap(left) && isMap(right)) return compareMaps(left, right);
  return 0;
}

function rank(value: Json): number {
  if (isNumber(value)) return 0;
  if (typeof value === 'string') return 1;
  if (typeof value === 'boolean') return 2;
  if (isList(value)) return 3;
  return value === null ? 5 : 4;
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function compareNumbers(left: number | bigint, right: number | bigint): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

function compareLists(left: readonly Json[], right: readonly Json[]): number {
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = compareValues(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareMaps(left: JsonObject, right: JsonObject): number {
  const leftKeys = Object.keys(left).sort(compareText);
  const rightKeys = Object.keys(right).sort(compareText);
  for (let i = 0; i < leftKeys.length && i < rightKeys.length; i++) {
    const byKey = compareText(leftKeys[i]!, rightKeys[i]!);
    if (byKey !== 0) return byKey;
    const byValue = compareValues(left[leftKeys[i]!] ?? null, right[rightKeys[i]!] ?? null);
    if (byValue !== 0) return byValue;
  }
  return leftKeys.length - rightKeys.length;
}

/** Order by UTF-8 bytes, as Go compares strings; JavaScript's own order differs above the basic plane. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return surrogatesLast(a) - surrogatesLast(b);
  }
  return left.length - right.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
