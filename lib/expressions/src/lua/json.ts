import { fromBytes, LuaError, LuaFunction, LuaTable, type LuaValue, toBytes } from './value.ts';

export type LuaJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly LuaJson[]
  | { readonly [key: string]: LuaJson | undefined };

/** JSON as Lua sees it: lists from 1, null is nil, all numbers floats. */
export function fromJson(value: LuaJson | undefined): LuaValue {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return toBytes(value);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object') return value;
  const table = new LuaTable();
  if (isList(value)) {
    value.forEach((item, index) => {
      table.set(index + 1, fromJson(item));
    });
    return table;
  }
  for (const [key, item] of Object.entries(value)) table.set(toBytes(key), fromJson(item));
  return table;
}

/** Lua's value as JSON, as the original encodes it: a table without entries is an empty list. */
export function toJson(value: LuaValue): LuaJson {
  return encode(value, new Set());
}

function encode(value: LuaValue, visited: Set<LuaTable>): LuaJson {
  if (value === undefined) return null;
  if (typeof value === 'string') return fromBytes(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new LuaError(`json: unsupported value: ${value}`);
  }
  if (value instanceof LuaFunction) throw new LuaError('cannot encode function to JSON');
  if (!(value instanceof LuaTable)) return value;
  if (visited.has(value)) throw new LuaError('cannot encode recursively nested tables to JSON');
  visited.add(value);
  const first = value.next(undefined);
  if (first === undefined) return [];
  if (typeof first[0] === 'number') return encodeList(value, visited);
  if (typeof first[0] !== 'string') throw new LuaError(INVALID_KEYS);
  const entries: [string, LuaJson][] = [];
  for (let entry = value.next(undefined); entry !== undefined; entry = value.next(entry[0])) {
    if (typeof entry[0] !== 'string') throw new LuaError(INVALID_KEYS);
    entries.push([fromBytes(entry[0]), encode(entry[1], visited)]);
  }
  return Object.fromEntries(entries);
}

const INVALID_KEYS = 'cannot encode mixed or invalid key types';

function encodeList(table: LuaTable, visited: Set<LuaTable>): readonly LuaJson[] {
  const list: LuaJson[] = [];
  for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
    if (typeof entry[0] !== 'number') throw new LuaError(INVALID_KEYS);
    if (entry[0] !== list.length + 1) throw new LuaError('cannot encode sparse array');
    list.push(encode(entry[1], visited));
  }
  return list;
}

function isList(value: LuaJson): value is readonly LuaJson[] {
  return Array.isArray(value);
}
