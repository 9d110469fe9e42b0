import type { JsonObject } from '@capstan/kube-object';
import { isEmpty, isRecord } from './json.ts';

/** Free-form content, which is taken whole. */
const OPAQUE: ReadonlySet<string> = new Set(['valuesObject']);

/** Pointers in Argo CD's types: a value that is given counts, even if it is zero. */
const POINTERS: ReadonlySet<string> = new Set([
  'enabled',
  'prune',
  'selfHeal',
  'allowEmpty',
  'revisionHistoryLimit',
  'factor',
]);

/** `own` where it says something, `base` elsewhere: maps are joined, lists are not. */
export function deepFill(own: JsonObject, base: JsonObject): JsonObject {
  const result: { [key: string]: JsonObject[string] } = { ...own };
  for (const [key, value] of Object.entries(base)) {
    const current = own[key];
    if (isRecord(current) && isRecord(value) && !OPAQUE.has(key)) {
      result[key] = deepFill(current, value);
    } else if (isEmpty(current) && !(POINTERS.has(key) && isGiven(current))) {
      result[key] = value;
    }
  }
  return result;
}

function isGiven(value: JsonObject[string]): boolean {
  return value !== undefined && value !== null;
}
