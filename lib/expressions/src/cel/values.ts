import { type CelType, DYN, named } from './types.ts';

/** A value while an expression runs. `bigint` is int, `number` is double. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | CelList
  | CelMap
  | CelExtension;

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since 1970, and by how many minutes the text it was read from was ahead of UTC. */
export class Timestamp {
  readonly nanos: bigint;
  readonly offset: number;
  constructor(nanos: bigint, offset = 0) {
    this.nanos = nanos;
    this.offset = offset;
  }
}

export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Optional {
  readonly value: CelValue | undefined;
  constructor(value?: CelValue) {
    this.value = value;
  }
}

export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A list whose items may be made when they are asked for. */
export abstract class CelList {
  abstract readonly size: number;
  abstract at(index: number): CelValue;

  /** For lists that do not compare place by place; undefined: they do. */
  equals(_other: CelList): boolean | undefined {
    return undefined;
  }

  /** For lists that do not just append; undefined: they do. */
  concat(_other: CelList): CelList | undefined {
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<CelValue> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }
}

export class ArrayList extends CelList {
  readonly items: readonly CelValue[];
  constructor(items: readonly CelValue[]) {
    super();
    this.items = items;
  }
  get size(): number {
    return this.items.length;
  }
  at(index: number): CelValue {
    return this.items[index] ?? null;
  }
}

/** A map, or an object of a schema, which has `typeName`. */
export abstract class CelMap {
  abstract readonly size: number;
  readonly typeName: string | undefined;
  constructor(typeName?: string) {
    this.typeName = typeName;
  }
  /** For objects with more than what `get` shows; undefined: entry by entry. */
  equals(_other: CelMap): boolean | undefined {
    return undefined;
  }

  abstract get(key: CelValue): CelValue | undefined;
  abstract keys(): Iterable<CelValue>;
}

/** A map that an expression makes; numbers that are equal are one key. */
export class EntryMap extends CelMap {
  readonly #entries: ReadonlyMap<unknown, readonly [CelValue, CelValue]>;

  constructor(entries: Iterable<readonly [CelValue, CelValue]>, typeName?: string) {
    super(typeName);
    const made = new Map<unknown, readonly [CelValue, CelValue]>();
    for (const entry of entries) made.set(keyOf(entry[0]), entry);
    this.#entries = made;
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: CelValue): CelValue | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }
  *keys(): Iterable<CelValue> {
    for (const [key] of this.#entries.values()) yield key;
  }
}

function keyOf(key: CelValue): unknown {
  if (key instanceof Uint) return key.value;
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key);
  return key;
}

/** A value of a type that a library brings. */
export abstract class CelExtension {
  abstract readonly type: CelType;
  /** What `size` and costs count; 1 unless said. */
  get size(): number {
    return 1;
  }
  abstract equals(other: CelExtension): boolean;
}

/** An error of the run, absorbed by `&&`, `||` and the macros made of them. */
export class CelError extends Error {}

export function noSuchOverload(): CelError {
  return new CelError('no such overload');
}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

export function checkedInt(value: bigint): bigint {
  if (value < INT_MIN || value > INT_MAX) throw new CelError('integer overflow');
  return value;
}

export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > UINT_MAX) throw new CelError('unsigned integer overflow');
  return new Uint(value);
}

/** The name of a value's type, as `type(x)` compares it. */
export function typeNameOf(value: CelValue): string {
  const type = typeOf(value);
  return 'name' in type ? type.name : type.kind;
}

export function typeOf(value: CelValue): CelType {
  if (value === null) return named('null_type');
  switch (typeof value) {
    case 'boolean':
      return named('bool');
    case 'bigint':
      return named('int');
    case 'number':
      return named('double');
    case 'string':
      return named('string');
    default:
      return typeOfObject(value);
  }
}

function typeOfObject(
  value: Exclude<CelValue, null | boolean | bigint | number | string>,
): CelType {
  if (value instanceof Uint) return named('uint');
  if (value instanceof Uint8Array) return named('bytes');
  if (value instanceof Timestamp) return named('google.protobuf.Timestamp');
  if (value instanceof Duration) return named('google.protobuf.Duration');
  if (value instanceof Optional) return { kind: 'opaque', name: 'optional_type', params: [DYN] };
  if (value instanceof TypeValue) return named('type');
  if (value instanceof CelList) return named('list');
  if (value instanceof CelMap) return named(value.typeName ?? 'map');
  return value.type;
}

/** Equality across numeric types; values of different types are not equal, and never an error. */
export function isEqual(a: CelValue, b: CelValue): boolean {
  const [x, y] = [numeric(a), numeric(b)];
  // biome-ignore lint/suspicious/noDoubleEquals: an int and a double are compared by their value
  if (x !== undefined && y !== undefined) return x == y;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return isEqual(a.value, b.value);
  }
  if (a instanceof CelList) return b instanceof CelList && sameList(a, b);
  if (a instanceof CelMap) return b instanceof CelMap && sameMap(a, b);
  return a instanceof CelExtension && b instanceof CelExtension && a.equals(b);
}

function sameList(a: CelList, b: CelList): boolean {
  const own = a.equals(b);
  if (own !== undefined) return own;
  if (a.size !== b.size) return false;
  for (let i = 0; i < a.size; i++) if (!isEqual(a.at(i), b.at(i))) return false;
  return true;
}

function sameMap(a: CelMap, b: CelMap): boolean {
  const own = a.equals(b);
  if (own !== undefined) return own;
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const [left, right] = [a.get(key), b.get(key)];
    if (left === undefined || right === undefined || !isEqual(left, right)) return false;
  }
  return true;
}

export function numeric(value: CelValue): number | bigint | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Below, at or above zero; of values that have no order between them an error. */
export function compare(a: CelValue, b: CelValue): number {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) {
    if (Number.isNaN(x) || Number.isNaN(y)) throw new CelError('NaN values cannot be ordered');
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (
    (a instanceof Timestamp && b instanceof Timestamp) ||
    (a instanceof Duration && b instanceof Duration)
  ) {
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  throw noSuchOverload();
}

/** By code points, which is how the bytes of UTF-8 compare. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The number of characters, bytes, elements or entries; undefined of what has none. */
export function sizeOf(value: CelValue): number | undefined {
  if (typeof value === 'string') return [...value].length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  return undefined;
}
