import type { Json } from '@capstan/kube-object';
import {
  type GoDict,
  type GoList,
  GoMap,
  type GoValue,
  isPlainDict,
  LIST,
  STRING_MAP,
  sliceType,
  valueText,
} from '@capstan/lib-gotemplate';

/** One set of parameters, as Go's templates see it: numbers are float64, maps of strings are typed. */
export type Parameters = GoDict;

/** A value of JSON as encoding/json reads it into an interface{}: each number is a float64. */
export function toGoValue(value: Json | undefined): GoValue {
  if (typeof value === 'bigint') return Number(value);
  if (isJsonList(value)) return value.map(toGoValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === undefined ? [] : [[key, toGoValue(item)]],
    ),
  );
}

function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A map[string]string. */
export function stringMap(values: { readonly [key: string]: string | undefined }): GoMap {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return new GoMap(STRING_MAP, Object.fromEntries(entries));
}

/**
 * Nested maps and lists as one map of dotted names to text (`%v`); lists of strings count as values, empty maps and lists
 * vanish, as with the flatten library that Argo CD uses.
 */
export function flattenParameters(params: Parameters): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(params)) flattenInto(flat, key, value);
  return flat;
}

function flattenInto(flat: Map<string, string>, name: string, value: GoValue): void {
  const map = value instanceof GoMap ? value.data : value;
  if (map instanceof Map || isPlainDict(map)) {
    for (const [key, item] of map instanceof Map ? map : Object.entries(map)) {
      flattenInto(flat, `${name}.${key}`, item);
    }
  } else if (Array.isArray(value) && isUntyped(value)) {
    value.forEach((item, index) => {
      flattenInto(flat, `${name}.${index}`, item);
    });
  } else flat.set(name, plainText(value));
}

function isUntyped(list: GoList): boolean {
  return sliceType(list) === LIST;
}

/** As fmt prints it with %v. */
export function plainText(value: GoValue): string {
  return typeof value === 'string' ? value : valueText(value ?? null);
}

/** `over` laid over `base`: maps are joined, anything else of `over` wins. Neither is changed. */
export function mergeParameters(base: Parameters, over: Parameters): Parameters {
  const result: Parameters = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const current = result[key];
    if (isPlainDict(current) && isPlainDict(value)) result[key] = mergeParameters(current, value);
    else if (current instanceof GoMap && value instanceof GoMap) {
      result[key] = new GoMap(value.type, { ...entriesOf(current), ...entriesOf(value) });
    } else result[key] = value;
  }
  return result;
}

function entriesOf({ data }: GoMap): GoDict {
  return data instanceof Map ? Object.fromEntries(data) : data;
}
