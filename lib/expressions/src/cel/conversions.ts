import type { CelFunction } from './functions.ts';
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './times.ts';
import {
  CelError,
  type CelValue,
  checkedUint,
  Duration,
  noSuchOverload,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
} from './values.ts';

/** `int(x)`, `string(x)`, `type(x)` and so on. */
export function conversions(): Record<string, CelFunction> {
  return {
    int: converting(
      'int',
      'int64',
      ['double', 'duration', 'int', 'string', 'timestamp', 'uint'],
      toInt,
    ),
    uint: converting('uint', 'uint64', ['double', 'int', 'string', 'uint'], toUint),
    double: converting('double', 'double', ['double', 'int', 'string', 'uint'], toDouble),
    bool: converting('bool', 'bool', ['bool', 'string'], toBool),
    bytes: converting('bytes', 'bytes', ['bytes', 'string'], toBytes),
    string: converting(
      'string',
      'string',
      ['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'],
      toText,
    ),
    timestamp: converting('timestamp', 'timestamp', ['int', 'string', 'timestamp'], toTimestamp),
    duration: converting('duration', 'duration', ['duration', 'int', 'string'], toDuration),
    dyn: { overloads: ['to_dyn: (A) -> dyn'], call: ([a = null]) => a },
    type: {
      overloads: ['type: (A) -> type(A)'],
      call: ([a = null]) => new TypeValue(typeNameOf(a)),
    },
  };
}

const IDS: Readonly<Record<string, string>> = { int: 'int64', uint: 'uint64' };

function converting(
  result: string,
  id: string,
  from: readonly string[],
  run: (value: CelValue) => CelValue,
): CelFunction {
  return {
    overloads: from.map((type) => `${IDS[type] ?? type}_to_${id}: (${type}) -> ${result}`),
    call: ([value = null]) => run(value),
  };
}

const NANOS = 1_000_000_000n;

function toInt(value: CelValue): CelValue {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return inRange(value.value);
  if (typeof value === 'number') {
    if (!(Math.abs(value) < 2 ** 63)) throw new CelError('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value)) throw unreadable('int');
    const number = BigInt(value.replace(/^\+/, ''));
    if (number < -(2n ** 63n) || number >= 2n ** 63n) {
      throw unreadable('int');
    }
    return number;
  }
  if (value instanceof Timestamp) return floor(value.nanos);
  if (value instanceof Duration) return value.nanos;
  throw noSuchOverload();
}

function floor(nanos: bigint): bigint {
  const seconds = nanos / NANOS;
  return nanos < 0n && nanos % NANOS !== 0n ? seconds - 1n : seconds;
}

function inRange(value: bigint): bigint {
  if (value >= 2n ** 63n) throw new CelError('integer overflow');
  return value;
}

function unreadable(type: string): CelError {
  return new CelError(`type conversion error from 'string' to '${type}'`);
}

function toUint(value: CelValue): CelValue {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return checkedUint(value);
  if (typeof value === 'number') {
    if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow');
    return new Uint(BigInt(Math.trunc(value)));
  }
  if (typeof value === 'string') {
    const number = /^\d+$/.test(value) ? BigInt(value) : undefined;
    if (number === undefined || number >= 2n ** 64n) throw unreadable('uint');
    return checkedUint(number);
  }
  throw noSuchOverload();
}

function toDouble(value: CelValue): CelValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value === 'string') {
    const special = /^([+-]?)(inf|infinity|nan)$/i.exec(value);
    if (special !== null) {
      if (/nan/i.test(special[2] ?? '')) return Number.NaN;
      return special[1] === '-' ? -Infinity : Infinity;
    }
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) {
      throw unreadable('double');
    }
    const number = Number(value);
    if (!Number.isFinite(number)) throw unreadable('double');
    return number;
  }
  throw noSuchOverload();
}

const TRUE = /^(1|t|T|TRUE|true|True)$/;
const FALSE = /^(0|f|F|FALSE|false|False)$/;

function toBool(value: CelValue): CelValue {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') throw noSuchOverload();
  if (TRUE.test(value)) return true;
  if (FALSE.test(value)) return false;
  throw unreadable('bool');
}

function toBytes(value: CelValue): CelValue {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return new TextEncoder().encode(value);
  throw noSuchOverload();
}

export function toText(value: CelValue): CelValue {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    } catch {
      throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
    }
  }
  throw noSuchOverload();
}

/** As Go's `%v`-like 'g' with the fewest digits. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 21) {
    const sign = power < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return String(value);
}

/** The years 1 to 9999, in seconds. */
const TIME_MIN = -62_135_596_800n;
const TIME_MAX = 253_402_300_799n;

function toTimestamp(value: CelValue): CelValue {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'bigint') {
    if (value < TIME_MIN || value > TIME_MAX) throw new CelError('timestamp overflow');
    return new Timestamp(value * NANOS);
  }
  if (typeof value === 'string') return parseTimestamp(value);
  throw noSuchOverload();
}

function toDuration(value: CelValue): CelValue {
  if (value instanceof Duration) return value;
  if (typeof value === 'bigint') {
    throw new CelError("type conversion error from 'int' to 'google.protobuf.Duration'");
  }
  if (typeof value === 'string') return parseDuration(value);
  throw noSuchOverload();
}
