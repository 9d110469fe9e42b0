/**
 * What a field must be, as data: a check takes the value that stands at a path and gives what is wrong with it, in the words
 * of k8s.io/kubernetes/pkg/apis. Checks see objects after defaulting. A value that Go's decoding cannot tell from its zero
 * (absent, null, '', 0, an empty list) counts as absent, unless the field is a pointer: those use `given`.
 */
import {
  childPath,
  type FieldError,
  type FieldErrorReason,
  indexPath,
  type Json,
  supportedValues,
} from '@capstan/kube-object';
import { isObject, objectAt } from '../json.ts';

export type Check = (value: Json | undefined, at: string) => readonly FieldError[];

const NONE: readonly FieldError[] = [];

function problem(reason: FieldErrorReason) {
  return (at: string, value: Json | undefined, detail = ''): FieldError => ({
    reason,
    field: at,
    detail,
    ...(value === undefined ? {} : { value }),
  });
}

export const invalidAt = problem('FieldValueInvalid');
export const duplicateAt = problem('FieldValueDuplicate');
export const notFoundAt = problem('FieldValueNotFound');
export const notSupportedAt = problem('FieldValueNotSupported');

export function requiredAt(at: string, detail = ''): FieldError {
  return { reason: 'FieldValueRequired', field: at, detail };
}

export function forbiddenAt(at: string, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', field: at, detail };
}

export function tooLongAt(at: string, bytes: number): FieldError {
  return { reason: 'FieldValueTooLong', field: at, detail: `may not be more than ${bytes} bytes` };
}

/** What Go decodes the same as nothing. */
export function isZero(value: Json | undefined): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (isObject(value) && Object.keys(value).length === 0)
  );
}

/** The checks of an object's fields, in the order in which the server reports them. */
export function fields(checks: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(checks);
  return (value, at) => {
    const object = objectAt(value);
    return entries.flatMap(([key, check]) => check(object[key], childPath(at, key)));
  };
}

export function all(...checks: readonly Check[]): Check {
  return (value, at) => checks.flatMap((check) => check(value, at));
}

/** The errors of the first check that finds any. */
export function first(...checks: readonly Check[]): Check {
  return (value, at) => {
    for (const check of checks) {
      const errors = check(value, at);
      if (errors.length > 0) return errors;
    }
    return NONE;
  };
}

export function items(check: Check): Check {
  return (value, at) =>
    Array.isArray(value) ? value.flatMap((item: Json, i) => check(item, indexPath(at, i))) : NONE;
}

/** The values of a map, each at `path[key]`. */
export function entries(
  check: (value: Json | undefined, at: string, key: string) => readonly FieldError[],
): Check {
  return (value, at) =>
    Object.entries(objectAt(value)).flatMap(([key, item]) => check(item, indexPath(at, key), key));
}

/** For a pointer: whatever is given is checked, even a zero. */
export function given(check: Check): Check {
  return (value, at) => (value === undefined || value === null ? NONE : check(value, at));
}

/** For a value: a zero counts as absent and is well. */
export function nonZero(check: Check): Check {
  return (value, at) => (isZero(value) ? NONE : check(value, at));
}

/** Must be there; what is there is checked further. */
export function required(check: Check = () => NONE, detail = ''): Check {
  return (value, at) => (isZero(value) ? [requiredAt(at, detail)] : check(value, at));
}

/** A pointer that must be given. */
export function requiredPointer(check: Check = () => NONE, detail = ''): Check {
  return (value, at) =>
    value === undefined || value === null ? [requiredAt(at, detail)] : check(value, at);
}

/** One of the texts; the server lists them in this order. */
export function oneOf(...values: readonly string[]): Check {
  return (value, at) => {
    const text = typeof value === 'string' ? value : '';
    return values.includes(text) ? NONE : [notSupportedAt(at, text, supportedValues(values))];
  };
}

/** A text that the given rules find nothing wrong with. */
export function text(...rules: readonly ((text: string) => readonly string[])[]): Check {
  return (value, at) => {
    const given = typeof value === 'string' ? value : '';
    return rules.flatMap((rule) => rule(given)).map((detail) => invalidAt(at, given, detail));
  };
}

export const NOT_NEGATIVE = 'must be greater than or equal to 0';

/** An integer within bounds; an absent one counts as 0. */
export function integer(min: number, max: number, detail: string): Check {
  return (value, at) => {
    const number = typeof value === 'number' || typeof value === 'bigint' ? value : 0;
    return number >= min && number <= max ? NONE : [invalidAt(at, number, detail)];
  };
}

export const nonNegative = integer(0, Number.POSITIVE_INFINITY, NOT_NEGATIVE);

export function positive(detail = 'must be greater than 0'): Check {
  return integer(1, Number.POSITIVE_INFINITY, detail);
}

export function between(min: number, max: number): Check {
  return integer(min, max, `must be between ${min} and ${max}, inclusive`);
}

/** Items must differ in what `keyOf` gives (undefined: not looked at); a repeated one is reported by `report`. */
export function unique(
  keyOf: (item: Json) => string | undefined,
  report: (item: Json, at: string) => FieldError,
): Check {
  return (value, at) => {
    const seen = new Set<string>();
    return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
      const key = keyOf(item);
      if (key === undefined) return NONE;
      if (seen.has(key)) return [report(item, indexPath(at, i))];
      seen.add(key);
      return NONE;
    });
  };
}

/** A check of several fields together. */
export function when(holds: (value: Json | undefined) => boolean, check: Check): Check {
  return (value, at) => (holds(value) ? check(value, at) : NONE);
}

/**
 * A value as Go prints a struct without JSON tags: all fields by their Go names, in their order. `zero` holds what stands
 * where nothing is given.
 */
export function goStruct(value: Json | undefined, shape: Readonly<Record<string, Json>>): string {
  const object = objectAt(value);
  const parts = Object.entries(shape).map(([name, zero]) => {
    const key = name.charAt(0).toLowerCase() + name.slice(1);
    return `${JSON.stringify(name)}:${JSON.stringify(object[key] ?? zero)}`;
  });
  return `{${parts.join(',')}}`;
}
