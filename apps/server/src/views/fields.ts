import type { Json, JsonObject } from '@capstan/kube-object';
import { valueAt as findValue } from '@capstan/lib-std';

/** The value at a path of fields; undefined when it is not there. */
export function valueAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return findValue(value, ...path) as Json | undefined;
}

/** A text at a path; '' when it is not there or no text. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

export function numberAt(value: Json | undefined, ...path: readonly string[]): number {
  const found = valueAt(value, ...path);
  return typeof found === 'number' ? found : 0;
}

export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
}

export function isMapping(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
