import { formatTimestamp } from './times.ts';
import {
  CelList,
  CelMap,
  type CelValue,
  Duration,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
} from './values.ts';

/** A value as JSON has it, and integers of any size. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue | undefined };

/** Lists and objects are looked into when an expression does. */
export function jsonToCel(value: PlainValue): CelValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  return isList(value) ? new JsonList(value) : new JsonMap(value);
}

function isList(value: object): value is readonly PlainValue[] {
  return Array.isArray(value);
}

class JsonList extends CelList {
  readonly #items: readonly PlainValue[];
  constructor(items: readonly PlainValue[]) {
    super();
    this.#items = items;
  }
  get size(): number {
    return this.#items.length;
  }
  at(index: number): CelValue {
    return jsonToCel(this.#items[index] ?? null);
  }
}

class JsonMap extends CelMap {
  readonly #fields: { readonly [key: string]: PlainValue | undefined };
  constructor(fields: { readonly [key: string]: PlainValue | undefined }) {
    super();
    this.#fields = fields;
  }
  get size(): number {
    return [...this.keys()].length;
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#fields, key)) return undefined;
    const value = this.#fields[key];
    return value === undefined ? undefined : jsonToCel(value);
  }
  *keys(): Iterable<CelValue> {
    for (const [key, value] of Object.entries(this.#fields)) if (value !== undefined) yield key;
  }
}

/** The result of an expression as JSON; what JSON has not becomes its text. */
export function toPlain(value: CelValue): PlainValue {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint) return value.value;
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return Number(value.nanos) / 1e9;
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Optional) return value.value === undefined ? null : toPlain(value.value);
  if (value instanceof CelList) return [...value].map(toPlain);
  if (value instanceof CelMap) {
    const entries = [...value.keys()].map((key): [string, PlainValue] => [
      String(toPlain(key)),
      toPlain(value.get(key) ?? null),
    ]);
    return Object.fromEntries(entries);
  }
  return String(value);
}
