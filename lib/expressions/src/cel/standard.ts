import { RE2JS } from 're2js';
import { conversions } from './conversions.ts';
import type { CelFunction, CelLibrary } from './functions.ts';
import { times } from './times.ts';
import {
  ArrayList,
  CelError,
  CelList,
  CelMap,
  type CelValue,
  checkedInt,
  checkedUint,
  compare,
  Duration,
  EntryMap,
  isEqual,
  noSuchOverload,
  sizeOf,
  Timestamp,
  Uint,
} from './values.ts';

/** The operators and functions of the language itself. Logical operators and indexes are evaluated by the interpreter. */
export const STANDARD: CelLibrary = {
  functions: {
    ...special(),
    ...equality(),
    ...arithmetic(),
    ...comparisons(),
    ...texts(),
    ...conversions(),
    ...times(),
  },
};

function never(): never {
  throw noSuchOverload();
}

/** Evaluated by the interpreter itself, and declared here. */
function special(): Record<string, CelFunction> {
  const declared = (...overloads: string[]): CelFunction => ({ overloads, call: never });
  return {
    '_&&_': declared('logical_and: (bool, bool) -> bool'),
    '_||_': declared('logical_or: (bool, bool) -> bool'),
    '_?_:_': declared('conditional: (bool, A, A) -> A'),
    '@not_strictly_false': declared('not_strictly_false: (bool) -> bool'),
    '@in': declared('in_list: (A, list(A)) -> bool', 'in_map: (A, map(A, B)) -> bool'),
    '_[_]': declared('index_list: (list(A), int) -> A', 'index_map: (map(A, B), A) -> B'),
    '!_': {
      overloads: ['logical_not: (bool) -> bool'],
      call: ([a]) => (typeof a === 'boolean' ? !a : never()),
    },
  };
}

function equality(): Record<string, CelFunction> {
  return {
    '_==_': {
      overloads: ['equals: (A, A) -> bool'],
      call: ([a = null, b = null]) => isEqual(a, b),
    },
    '_!=_': {
      overloads: ['not_equals: (A, A) -> bool'],
      call: ([a = null, b = null]) => !isEqual(a, b),
    },
  };
}

const DIVIDE_BY_ZERO = 'division by zero';
const MODULUS_BY_ZERO = 'modulus by zero';

function arithmetic(): Record<string, CelFunction> {
  return {
    '_+_': {
      overloads: [
        'add_bytes: (bytes, bytes) -> bytes',
        'add_double: (double, double) -> double',
        'add_duration_duration: (duration, duration) -> duration',
        'add_duration_timestamp: (duration, timestamp) -> timestamp',
        'add_timestamp_duration: (timestamp, duration) -> timestamp',
        'add_int64: (int, int) -> int',
        'add_list: (list(A), list(A)) -> list(A)',
        'add_string: (string, string) -> string',
        'add_uint64: (uint, uint) -> uint',
      ],
      call: ([a = null, b = null]) => plus(a, b),
    },
    '_-_': {
      overloads: [
        'subtract_double: (double, double) -> double',
        'subtract_duration_duration: (duration, duration) -> duration',
        'subtract_int64: (int, int) -> int',
        'subtract_timestamp_duration: (timestamp, duration) -> timestamp',
        'subtract_timestamp_timestamp: (timestamp, timestamp) -> duration',
        'subtract_uint64: (uint, uint) -> uint',
      ],
      call: ([a = null, b = null]) => minus(a, b),
    },
    '_*_': numbers('multiply', { double: (a, b) => a * b, whole: (a, b) => a * b }),
    '_/_': numbers('divide', { double: (a, b) => a / b, whole: divide }),
    '_%_': {
      overloads: ['modulo_int64: (int, int) -> int', 'modulo_uint64: (uint, uint) -> uint'],
      call: ([a = null, b = null]) =>
        wholes(a, b, (x, y) => {
          if (y === 0n) throw new CelError(MODULUS_BY_ZERO);
          return x % y;
        }),
    },
    '-_': {
      overloads: ['negate_double: (double) -> double', 'negate_int64: (int) -> int'],
      call: ([a]) => {
        if (typeof a === 'number') return -a;
        return typeof a === 'bigint' ? checkedInt(-a) : never();
      },
    },
  };
}

function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelError(DIVIDE_BY_ZERO);
  return a / b;
}

function numbers(
  name: string,
  {
    double,
    whole,
  }: {
    readonly double: (a: number, b: number) => number;
    readonly whole: (a: bigint, b: bigint) => bigint;
  },
): CelFunction {
  return {
    overloads: [
      `${name}_double: (double, double) -> double`,
      `${name}_int64: (int, int) -> int`,
      `${name}_uint64: (uint, uint) -> uint`,
    ],
    call: ([a = null, b = null]) => {
      if (typeof a === 'number' && typeof b === 'number') return double(a, b);
      return wholes(a, b, whole);
    },
  };
}

function wholes(a: CelValue, b: CelValue, run: (a: bigint, b: bigint) => bigint): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return checkedInt(run(a, b));
  if (a instanceof Uint && b instanceof Uint) return checkedUint(run(a.value, b.value));
  throw noSuchOverload();
}

function plus(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof CelList && b instanceof CelList) {
    return a.concat(b) ?? new ArrayList([...a, ...b]);
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Uint8Array.from([...a, ...b]);
  if (a instanceof Duration && b instanceof Duration) return duration(a.nanos + b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return timestamp(a.nanos + b.nanos);
  if (a instanceof Duration && b instanceof Timestamp) return timestamp(a.nanos + b.nanos);
  return wholes(a, b, (x, y) => x + y);
}

function minus(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (a instanceof Duration && b instanceof Duration) return duration(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return timestamp(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Timestamp) return duration(a.nanos - b.nanos);
  return wholes(a, b, (x, y) => x - y);
}

function duration(nanos: bigint): Duration {
  if (nanos < -(2n ** 63n) || nanos >= 2n ** 63n) throw new CelError('duration overflow');
  return new Duration(nanos);
}

const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

/** Within the years 1 to 9999. */
export function timestamp(nanos: bigint): Timestamp {
  const seconds = nanos / 1_000_000_000n;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) throw new CelError('timestamp overflow');
  return new Timestamp(nanos);
}

function comparisons(): Record<string, CelFunction> {
  const made: Record<string, CelFunction> = {};
  const kinds: readonly (readonly [string, string, string])[] = [
    ['bool', 'bool', 'bool'],
    ['int64', 'int', 'int'],
    ['int64_double', 'int', 'double'],
    ['int64_uint64', 'int', 'uint'],
    ['uint64', 'uint', 'uint'],
    ['uint64_double', 'uint', 'double'],
    ['uint64_int64', 'uint', 'int'],
    ['double', 'double', 'double'],
    ['double_int64', 'double', 'int'],
    ['double_uint64', 'double', 'uint'],
    ['string', 'string', 'string'],
    ['bytes', 'bytes', 'bytes'],
    ['timestamp', 'timestamp', 'timestamp'],
    ['duration', 'duration', 'duration'],
  ];
  const tests: readonly (readonly [string, string, (order: number) => boolean])[] = [
    ['_<_', 'less', (order) => order < 0],
    ['_<=_', 'less_equals', (order) => order <= 0],
    ['_>_', 'greater', (order) => order > 0],
    ['_>=_', 'greater_equals', (order) => order >= 0],
  ];
  for (const [operator, name, holds] of tests) {
    made[operator] = {
      overloads: kinds.map(([id, a, b]) => `${name}_${id}: (${a}, ${b}) -> bool`),
      call: ([a = null, b = null]) => holds(compare(a, b)),
    };
  }
  return made;
}

function texts(): Record<string, CelFunction> {
  const test = (
    name: string,
    id: string,
    run: (text: string, other: string) => boolean,
  ): Record<string, CelFunction> => ({
    [name]: {
      overloads: [`${id}: string.(string) -> bool`],
      call: ([a, b]) => (typeof a === 'string' && typeof b === 'string' ? run(a, b) : never()),
    },
  });
  return {
    ...test('contains', 'contains_string', (text, part) => text.includes(part)),
    ...test('startsWith', 'starts_with_string', (text, part) => text.startsWith(part)),
    ...test('endsWith', 'ends_with_string', (text, part) => text.endsWith(part)),
    matches: {
      overloads: ['matches: (string, string) -> bool', 'matches_string: string.(string) -> bool'],
      call: ([a, b]) =>
        typeof a === 'string' && typeof b === 'string' ? pattern(b).matcher(a).find() : never(),
    },
    size: {
      overloads: [
        'size_bytes: (bytes) -> int',
        'bytes_size: bytes.() -> int',
        'size_list: (list(A)) -> int',
        'list_size: list(A).() -> int',
        'size_map: (map(A, B)) -> int',
        'map_size: map(A, B).() -> int',
        'size_string: (string) -> int',
        'string_size: string.() -> int',
      ],
      call: ([a = null]) => {
        const size = sizeOf(a);
        return size === undefined ? never() : BigInt(size);
      },
    },
    'cel.@mapInsert': {
      overloads: [
        '@mapInsert_map_map: (map(K, V), map(K, V)) -> map(K, V)',
        '@mapInsert_map_key_value: (map(K, V), K, V) -> map(K, V)',
      ],
      call: ([map, key, value]) => insert(map, key, value),
    },
  };
}

function insert(
  map: CelValue | undefined,
  key: CelValue | undefined,
  value: CelValue | undefined,
): CelValue {
  if (!(map instanceof CelMap)) throw noSuchOverload();
  const added: [CelValue, CelValue][] =
    value !== undefined
      ? [[key ?? null, value]]
      : key instanceof CelMap
        ? [...key.keys()].map((one): [CelValue, CelValue] => [one, key.get(one) ?? null])
        : never();
  for (const [name] of added) {
    if (map.get(name) !== undefined) {
      throw new CelError(`insert failed: key ${String(name)} already exists`);
    }
  }
  const entries = [...map.keys()].map((one): [CelValue, CelValue] => [one, map.get(one) ?? null]);
  return new EntryMap([...entries, ...added]);
}

/** A pattern that runs in linear time. */
export function pattern(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    throw new CelError(patternProblem(error));
  }
}

/** What is wrong with a pattern, as Go's regexp says it. */
export function patternProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^.*?error parsing regexp/, 'error parsing regexp');
}
