import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  isEqualCel,
  parseCelDuration,
  parseCelTimestamp,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';
import { equalJson, isObject } from '../json.ts';
import { type DeclaredType, fieldOf } from './schema-types.ts';

/** JSON as CEL sees it through its schema; lists and objects are looked into when an expression does. */
export function toCelValue(value: Json, type: DeclaredType | undefined): Value {
  const wanted = type?.schema;
  if (value === null) {
    if (wanted === undefined || wanted.nullable === true) return null;
    throw new CelError('invalid data, got null for schema with nullable=false');
  }
  if (wanted !== undefined) refuseOther(value, wanted);
  if (typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return numberValue(value, type);
  if (typeof value === 'string') return textValue(value, type?.schema.format);
  if (Array.isArray(value)) return new SchemaList(value, type);
  return isObject(value) ? new SchemaObject(value, type) : null;
}

/** Rules also run on objects that their schema has found fault with. */
function refuseOther(value: Json, { type, intOrString }: Schema): void {
  if (intOrString === true) {
    const isEither = typeof value === 'string' || typeof value === 'number';
    if (isEither || typeof value === 'bigint') return;
    throw new CelError(
      'invalid data, expected XIntOrString value to be either a string or integer',
    );
  }
  if (type === 'object' && !isObject(value)) {
    throw new CelError('invalid data, expected a map for the provided schema with type=object');
  }
  if (type === 'array' && !Array.isArray(value)) {
    throw new CelError('invalid data, expected an array for the provided schema with type=array');
  }
  const wanted = SCALARS[type];
  if (wanted === undefined || goTypeOf(value).startsWith(wanted)) return;
  if (wanted === 'float' && goTypeOf(value) === 'int64') return;
  throw new CelError(`invalid data, expected ${wanted}, got ${goTypeOf(value)}`);
}

const SCALARS: Readonly<Record<string, string | undefined>> = {
  string: 'string',
  number: 'float',
  integer: 'int',
  boolean: 'bool',
};

function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

function numberValue(value: number, type: DeclaredType | undefined): Value {
  if (type?.schema.type === 'number') return value;
  return Number.isInteger(value) ? BigInt(value) : value;
}

function textValue(value: string, format: string | undefined): Value {
  switch (format) {
    case 'byte':
      return bytesOf(value);
    case 'duration':
      return durationOf(value);
    case 'date':
      return timeOf(`${value}T00:00:00Z`, value);
    case 'date-time':
      return timeOf(value.toUpperCase(), value);
    default:
      return value;
  }
}

/** Read in the alphabet of URLs, though the format is checked in the common one. */
function bytesOf(text: string): Value {
  const at = text.search(/[^A-Za-z0-9_=-]/);
  if (at >= 0) {
    const why = `illegal base64 data at input byte ${at}`;
    throw new CelError(`Invalid byte formatted string ${text}: ${why}`);
  }
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

const UNITS: Readonly<Record<string, string>> = { d: '24h', w: '168h' };

function durationOf(text: string): Value {
  try {
    return parseCelDuration(text.replace(/\s+/g, ''));
  } catch {
    const [, count = '', unit = ''] = /^(\d+)\s*(d|w)/.exec(text) ?? [];
    const hours = UNITS[unit]?.replace('h', '');
    if (hours === undefined) throw new CelError(`Invalid duration formatted string '${text}'`);
    return new CelDuration(BigInt(count) * BigInt(hours) * 3_600_000_000_000n);
  }
}

function timeOf(text: string, given: string): Value {
  try {
    return parseCelTimestamp(text);
  } catch {
    throw new CelError(`Invalid date formatted string '${given}'`);
  }
}

/** A list of a schema: sets and maps of items compare and grow without regard to order. */
class SchemaList extends CelList {
  readonly #json: readonly Json[];
  readonly #type: DeclaredType | undefined;

  constructor(json: readonly Json[], type: DeclaredType | undefined) {
    super();
    this.#json = json;
    this.#type = type;
  }

  get size(): number {
    return this.#json.length;
  }

  at(index: number): Value {
    return toCelValue(this.#json[index] ?? null, this.#type?.element);
  }

  override equals(other: CelList): boolean | undefined {
    const key = this.#keyOf();
    return key === undefined ? undefined : new KeyedList([...this], key).equals(other);
  }

  override concat(other: CelList): CelList | undefined {
    const key = this.#keyOf();
    return key === undefined ? undefined : new KeyedList([...this], key).concat(other);
  }

  /** What tells items apart; undefined: their place. */
  #keyOf(): KeyOf | undefined {
    const { listType, listMapKeys = [] } = this.#type?.schema ?? { listType: undefined };
    if (listType === 'set') return (item) => item;
    if (listType !== 'map') return undefined;
    return (item) =>
      new ArrayList(
        listMapKeys.map((name) => (item instanceof CelMap ? (item.get(name) ?? null) : null)),
      );
  }
}

type KeyOf = (item: Value) => Value;

/** A list without order, whose items have keys: so it stays when another one is added to it. */
class KeyedList extends ArrayList {
  readonly #key: KeyOf;

  constructor(items: readonly Value[], key: KeyOf) {
    super(items);
    this.#key = key;
  }

  override equals(other: CelList): boolean {
    return (
      other.size === this.size &&
      [...other].every((one) =>
        this.items.some((item) => this.#isAt(item, one) && isEqualCel(item, one)),
      )
    );
  }

  override concat(other: CelList): CelList {
    const items = [...this.items];
    for (const item of other) {
      const at = items.findIndex((one) => this.#isAt(one, item));
      if (at < 0) items.push(item);
      else items[at] = item;
    }
    return new KeyedList(items, this.#key);
  }

  #isAt(a: Value, b: Value): boolean {
    return isEqualCel(this.#key(a), this.#key(b));
  }
}

class SchemaObject extends CelMap {
  readonly #json: JsonObject;
  readonly #type: DeclaredType | undefined;

  constructor(json: JsonObject, type: DeclaredType | undefined) {
    super(type?.fields === undefined ? undefined : 'object');
    this.#json = json;
    this.#type = type;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  /** Also what the schema does not know is compared. */
  override equals(other: CelMap): boolean | undefined {
    if (!(other instanceof SchemaObject)) return undefined;
    const names = new Set([...Object.keys(this.#json), ...Object.keys(other.#json)]);
    const known = new Set([...(this.#type?.fields?.values() ?? [])].map(({ name }) => name));
    for (const name of names) {
      if (this.#type?.fields !== undefined && !known.has(name)) {
        if (!equalJson(this.#json[name], other.#json[name])) return false;
        continue;
      }
      const [a, b] = [this.#json[name], other.#json[name]];
      if (a === undefined || b === undefined) return false;
      const [left, right] = [this.#value(name, a), other.#value(name, b)];
      if (!isEqualCel(left, right)) return false;
    }
    return true;
  }

  #value(name: string, value: Json): Value {
    if (value === null) return null;
    const fields = [...(this.#type?.fields?.values() ?? [])];
    const field = fields.find((one) => one.name === name);
    return toCelValue(value, field?.type ?? this.#type?.element);
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined;
    const field = fieldOf(this.#type?.fields, key);
    if (this.#type?.fields !== undefined && field === undefined) return undefined;
    const name = field?.name ?? key;
    if (!Object.hasOwn(this.#json, name)) return undefined;
    const value = this.#json[name];
    if (value === undefined || (value === null && field !== undefined)) return undefined;
    return toCelValue(value, field?.type ?? this.#type?.element);
  }

  *keys(): Iterable<Value> {
    if (this.#type?.fields !== undefined) {
      for (const key of this.#type.fields.keys()) if (this.get(key) !== undefined) yield key;
      return;
    }
    for (const [key, value] of Object.entries(this.#json)) if (value !== undefined) yield key;
  }
}

/** The result of an expression as JSON. */
export function fromCelValue(value: Value): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') {
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : value;
  }
  if (typeof value === 'number') return value;
  if (value instanceof CelUint) return fromCelValue(value.value);
  if (value instanceof CelList) return [...value].map(fromCelValue);
  if (value instanceof CelMap) {
    const entries = [...value.keys()].map((key): [string, Json] => [
      String(key),
      fromCelValue(value.get(key) ?? null),
    ]);
    return Object.fromEntries(entries);
  }
  if (value instanceof CelTypeValue) return value.name;
  if (value instanceof CelTimestamp || value instanceof CelDuration) return String(value.nanos);
  return String(value);
}
