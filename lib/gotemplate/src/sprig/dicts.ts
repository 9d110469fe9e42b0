import { PartCount } from '../limits.ts';
import { mapDelete, mapGet, mapHas, mapKeys, mapSet, type StringMap, stringMapOf } from '../map.ts';
import {
  DICT,
  type GoDict,
  GoError,
  GoKeyedMap,
  GoMap,
  GoNil,
  GoPointer,
  GoStruct,
  type GoValue,
  isPlainDict,
  sliceType,
  typedSlice,
  typeOf,
} from '../value.ts';
import { textList, textOf } from './convert.ts';
import { anything, dictionary, type Functions, fixed, NIL_MAP, text, variadic } from './define.ts';
import { merge } from './merge.ts';

/** Sprig's dicts. They are changed in place, as Go's maps are. */
export function dictFunctions(): Functions {
  const merged = (overwrite: boolean) =>
    variadic([dictionary], dictionary, (target, sources) => {
      // A nil map is made when there is something to put into it.
      const made: StringMap =
        target === NIL_MAP && sources.some((s) => s !== NIL_MAP) ? {} : target;
      if (made !== NIL_MAP) for (const source of sources) merge(made, source, overwrite);
      return asValue(made);
    });
  const copy = fixed([anything], (value) => {
    if (value !== null) return deepCopy(value, 0, new PartCount());
    throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  });
  return [
    ['dict', variadic([], anything, makeDict)],
    ['get', fixed([dictionary, text], (dict, key) => mapGet(dict, key) ?? absent(dict, key))],
    ['set', fixed([dictionary, text, anything], setKey)],
    ['unset', fixed([dictionary, text], unsetKey)],
    ['hasKey', fixed([dictionary, text], (dict, key) => mapHas(dict, key))],
    ['pluck', variadic([text], dictionary, pluck)],
    ['keys', variadic([], dictionary, (dicts) => textList(dicts.flatMap(mapKeys)))],
    ['pick', variadic([dictionary], text, pick)],
    ['omit', variadic([dictionary], text, omit)],
    ['values', fixed([dictionary], (dict) => mapKeys(dict).map((key) => mapGet(dict, key)))],
    ['merge', merged(false)],
    ['mustMerge', merged(false)],
    ['mergeOverwrite', merged(true)],
    ['mustMergeOverwrite', merged(true)],
    ['deepCopy', copy],
    ['mustDeepCopy', copy],
    ['dig', variadic([], anything, dig)],
  ];
}

function asValue(map: StringMap): GoValue {
  return map === NIL_MAP ? new GoNil(DICT) : map;
}

function makeDict(items: readonly GoValue[]): GoValue {
  const dict: GoDict = {};
  for (let i = 0; i < items.length; i += 2) {
    mapSet(dict, textOf(items[i]), i + 1 < items.length ? (items[i + 1] ?? null) : '');
  }
  return dict;
}

/** A key that is there with nil gives nil, one that is not gives the empty string. */
function absent(dict: StringMap, key: string): GoValue {
  return mapHas(dict, key) ? null : '';
}

function setKey(dict: StringMap, key: string, value: GoValue): GoValue {
  if (dict === NIL_MAP) throw new GoError('assignment to entry in nil map');
  mapSet(dict, key, value);
  return asValue(dict);
}

function unsetKey(dict: StringMap, key: string): GoValue {
  if (dict !== NIL_MAP) mapDelete(dict, key);
  return asValue(dict);
}

function pluck(key: string, dicts: readonly StringMap[]): GoValue {
  return dicts.filter((dict) => mapHas(dict, key)).map((dict) => mapGet(dict, key));
}

function pick(dict: StringMap, keys: readonly string[]): GoValue {
  const out: GoDict = {};
  for (const key of keys) if (mapHas(dict, key)) mapSet(out, key, mapGet(dict, key));
  return out;
}

function omit(dict: StringMap, keys: readonly string[]): GoValue {
  const omitted = new Set(keys);
  const out: GoDict = {};
  for (const key of mapKeys(dict)) if (!omitted.has(key)) mapSet(out, key, mapGet(dict, key));
  return out;
}

const DEPTH_MAX = 1000;

/** A copy that shares nothing with the original. */
function deepCopy(value: GoValue, depth: number, parts: PartCount): GoValue {
  parts.add();
  if (depth > DEPTH_MAX) throw new GoError('deepCopy error: value is nested too deeply');
  const copy = (item: GoValue): GoValue => deepCopy(item, depth + 1, parts);
  if (Array.isArray(value)) return typedSlice(sliceType(value), value.map(copy));
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof GoMap) return new GoMap(value.type, copyMap(value.data, copy));
  if (value instanceof GoKeyedMap) {
    const entries = [...value.entries.values()];
    return new GoKeyedMap(
      value.type,
      entries.map(([key, item]) => [key, copy(item)] as const),
    );
  }
  if (value instanceof GoStruct) return new GoStruct(value.type, value.values, value.hidden);
  if (value instanceof GoPointer) return new GoPointer(copy(value.elem), value.type);
  if (value instanceof Map) return copyMap(value, copy);
  return isPlainDict(value) ? copyMap(value, copy) : value;
}

function copyMap<M extends StringMap>(map: M, copy: (value: GoValue) => GoValue): StringMap {
  const out: StringMap = map instanceof Map ? new Map<string, GoValue>() : {};
  for (const key of mapKeys(map)) mapSet(out, key, copy(mapGet(map, key)));
  return out;
}

function dig(args: readonly GoValue[]): GoValue {
  if (args.length < 3) throw new GoError('dig needs at least three arguments');
  const fallback = args.at(-2);
  const keys = args.slice(0, -2).map(digKey);
  let current = digDict(args.at(-1));
  for (const [index, key] of keys.entries()) {
    const value = mapGet(current, key);
    if (value === undefined) return fallback;
    if (index === keys.length - 1) return value;
    current = digDict(value);
  }
  return fallback;
}

function digKey(value: GoValue): string {
  if (typeof value === 'string') return value;
  throw new GoError(`interface conversion: interface {} is ${goType(value)}, not string`);
}

/** A type assertion: a named map type is not map[string]interface {}. */
function digDict(value: GoValue): StringMap {
  const map = value instanceof GoNil ? NIL_MAP : stringMapOf(value);
  if (map !== undefined && typeOf(value).text === DICT.text) return map;
  throw new GoError(
    `interface conversion: interface {} is ${goType(value)}, not map[string]interface {}`,
  );
}

function goType(value: GoValue): string {
  return value === null || value === undefined ? 'nil' : typeOf(value).text;
}
