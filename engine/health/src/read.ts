import type { Json } from '@capstan/kube-object';
import { valueAt } from '@capstan/lib-std';

/** Reading of objects as they come: what has another type than asked for counts as absent. */
export function at(
  value: Json | undefined,
  ...path: readonly (string | number)[]
): Json | undefined {
  return valueAt(value, ...path) as Json | undefined;
}

export function isRecord(
  value: Json | undefined,
): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textAt(value: Json | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** Numbers that are absent are 0, as in Go. */
export function numberAt(value: Json | undefined, ...path: readonly (string | number)[]): number {
  return numberOf(at(value, ...path)) ?? 0;
}

export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : undefined;
}

export function listAt(
  value: Json | undefined,
  ...path: readonly (string | number)[]
): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number | undefined;
}

/** status.conditions, in their order. */
export function conditionsOf(object: Json): readonly Condition[] {
  return listAt(object, 'status', 'conditions').map(toCondition);
}

export function toCondition(value: Json): Condition {
  return {
    type: textAt(value, 'type'),
    status: textAt(value, 'status'),
    reason: textAt(value, 'reason'),
    message: textAt(value, 'message'),
    observedGeneration: numberOf(at(value, 'observedGeneration')),
  };
}

/** `.spec.replicas` or `spec.replicas`; list elements by number. */
export function splitPath(path: string): readonly (string | number)[] {
  return path
    .split('.')
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
