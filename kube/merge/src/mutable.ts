import type { Json, JsonObject } from '@capstan/kube-object';
import { put } from './value.ts';

/** JSON that an algorithm owns and may change in place. */
export type MutableJson = null | boolean | number | bigint | string | MutableJson[] | MutableMap;
export interface MutableMap {
  [key: string]: MutableJson;
}

/** A deep copy that may be changed; keys whose value is undefined are left out. */
export function mutableCopy(value: JsonObject): MutableMap;
export function mutableCopy(value: Json): MutableJson;
export function mutableCopy(value: Json): MutableJson {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.map((item) => mutableCopy(item));
  }
  if (typeof value !== 'object' || value === null) return value as MutableJson;
  const out: MutableMap = {};
  for (const [key, item] of Object.entries(value as JsonObject))
    if (item !== undefined) put(out as Record<string, Json>, key, mutableCopy(item));
  return out;
}

export function isMutableMap(value: MutableJson | undefined): value is MutableMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
