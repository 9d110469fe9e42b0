/** Lua's values. Strings are byte strings: each character is one byte (see `toBytes`). nil is undefined. */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;

/** Raised by a script, with any value; `pcall` catches it. No `Error`: a trace of our own stack would cost much and say nothing. */
export class LuaError {
  readonly value: LuaValue;
  constructor(value: LuaValue) {
    this.value = value;
  }

  get message(): string {
    return toText(this.value);
  }
}

export class LuaFunction {
  readonly call: (args: readonly LuaValue[]) => readonly LuaValue[];
  constructor(call: (args: readonly LuaValue[]) => readonly LuaValue[]) {
    this.call = call;
  }
}

/** Integers from 1 up to this go to the array part. */
const ARRAY_INDEX_MAX = 67_108_864;

interface Slot {
  readonly key: LuaValue;
  value: LuaValue;
  next: Slot | undefined;
}

/**
 * A table as GopherLua keeps it: an array part that begins at 1 and may have holes, and other keys in the order of their
 * first assignment, which is the order of `pairs`. Removed keys keep their place.
 */
export class LuaTable {
  metatable: LuaTable | undefined;
  readonly array: LuaValue[] = [];
  private readonly slots = new Map<LuaValue, Slot>();
  private first: Slot | undefined;
  private last: Slot | undefined;

  get(key: LuaValue): LuaValue {
    return isArrayKey(key) ? this.array[key - 1] : this.slots.get(key)?.value;
  }

  /** How many cells the assignment adds: what a memory limit counts. */
  set(key: LuaValue, value: LuaValue): number {
    if (isArrayKey(key)) {
      const before = this.array.length;
      for (let i = before; i < key - 1; i++) this.array.push(undefined);
      this.array[key - 1] = value;
      return this.array.length - before;
    }
    const slot = this.slots.get(key);
    if (slot !== undefined) {
      slot.value = value;
      return 0;
    }
    if (value === undefined) return 0;
    const made: Slot = { key, value, next: undefined };
    this.slots.set(key, made);
    if (this.last === undefined) this.first = made;
    else this.last.next = made;
    this.last = made;
    return 1;
  }

  /** The cells that an assignment would add; asked before it is done. */
  cost(key: LuaValue): number {
    return isArrayKey(key) ? Math.max(0, key - this.array.length) : this.slots.has(key) ? 0 : 1;
  }

  /** The last index whose successor is nil, looked for from the end. */
  get length(): number {
    for (let i = this.array.length; i > 0; i--) if (this.array[i - 1] !== undefined) return i;
    return 0;
  }

  /** The entry after this key; undefined at the end. */
  next(key: LuaValue): readonly [LuaValue, LuaValue] | undefined {
    let slot: Slot | undefined;
    if (key === undefined || isArrayKey(key)) {
      for (let i = key ?? 0; i < this.array.length; i++) {
        const value = this.array[i];
        if (value !== undefined) return [i + 1, value];
      }
      slot = this.first;
    } else slot = this.slots.get(key)?.next;
    while (slot !== undefined && slot.value === undefined) slot = slot.next;
    return slot && [slot.key, slot.value];
  }
}

function isArrayKey(key: LuaValue): key is number {
  return typeof key === 'number' && key >= 1 && key < ARRAY_INDEX_MAX && Number.isInteger(key);
}

export function typeOf(value: LuaValue): string {
  if (value === undefined) return 'nil';
  if (value instanceof LuaTable) return 'table';
  return value instanceof LuaFunction ? 'function' : typeof value;
}

export function isTruthy(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** As `tostring` without metatables: whole numbers without a point, others as Go prints them. */
export function toText(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value);
  if (value instanceof LuaTable) return 'table: 0xc000000000';
  if (value instanceof LuaFunction) return 'function: 0xc000000000';
  return value === undefined ? 'nil' : String(value);
}

export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value).toString();
  return formatShortest(value);
}

/** Go's `%v` of a float: the shortest digits, with an exponent below 1e-4 and from 1e6. */
export function formatShortest(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  const sign = power < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** As GopherLua reads numbers in strings: Go's integers with their prefixes, else a float. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.replace(/^[ \t\n]+|[ \t\n]+$/g, '');
  if (/^[+-]?0[xX][0-9a-fA-F]+$/.test(trimmed)) return parseSigned(trimmed, 16, 2);
  if (/^[+-]?0[bB][01]+$/.test(trimmed)) return parseSigned(trimmed, 2, 2);
  if (/^[+-]?0[oO]?[0-7]+$/.test(trimmed)) return parseSigned(trimmed.replace(/o/i, ''), 8, 1);
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed);
  if (/^[+-]?inf(?:inity)?$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity;
  return /^nan$/i.test(trimmed) ? Number.NaN : undefined;
}

function parseSigned(text: string, base: number, prefix: number): number {
  const digits = text.replace(/^[+-]/, '').slice(prefix);
  const value = Number.parseInt(digits, base);
  return text.startsWith('-') ? -value : value;
}

export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseNumber(value) : undefined;
}

/** UTF-8 bytes, one character each: Lua counts and cuts bytes. */
export function toBytes(text: string): string {
  if (!/[^\x00-\x7f]/.test(text)) return text;
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

export function fromBytes(bytes: string): string {
  if (!/[^\x00-\x7f]/.test(bytes)) return bytes;
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}
