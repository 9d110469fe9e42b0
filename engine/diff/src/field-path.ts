import type { Json, JsonObject } from '@capstan/kube-object';

/** One step into a value: a member, an element by its keys, by its own value, or by its place. */
export type PathStep =
  | { readonly field: string }
  | { readonly keys: { readonly [name: string]: Json } }
  | { readonly value: Json }
  | { readonly index: number };

export type FieldPath = readonly PathStep[];

/** For people: `spec.containers[name=web].ports[containerPort=80,protocol=TCP]`, `metadata.annotations["a.b/c"]`. */
export function formatPath(path: FieldPath): string {
  let text = '';
  for (const step of path) {
    if ('field' in step) {
      text += /^[A-Za-z_$][\w$-]*$/.test(step.field)
        ? `${text === '' ? '' : '.'}${step.field}`
        : `[${JSON.stringify(step.field)}]`;
    } else if ('index' in step) {
      text += `[${step.index}]`;
    } else if ('value' in step) {
      text += `[${plain(step.value)}]`;
    } else {
      const keys = Object.entries(step.keys).map(([name, value]) => `${name}=${plain(value)}`);
      text += `[${keys.join(',')}]`;
    }
  }
  return text;
}

export function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Equality of JSON, whatever the order of members; 1 and 1n are the same number. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a)) {
    return isList(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  }
  if (isRecord(a)) {
    if (!isRecord(b)) return false;
    const names = Object.keys(a);
    if (names.length !== Object.keys(b).length) return false;
    return names.every((name) => name in b && sameJson(a[name], b[name]));
  }
  if (typeof a === 'bigint' || typeof b === 'bigint')
    return isNumber(a) && isNumber(b) && BigInt(a) === BigInt(b);
  return false;
}

function isNumber(value: Json | undefined): value is number | bigint {
  return Number.isInteger(value) || typeof value === 'bigint';
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value, bigintAsNumber);
}

function bigintAsNumber(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
