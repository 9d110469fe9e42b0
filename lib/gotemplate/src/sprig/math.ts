import { sprint } from '../fmt.ts';
import { parseInteger, shortestDecimal } from '../number.ts';
import {
  type CallContext,
  GoError,
  type GoInt,
  type GoValue,
  INT,
  INT64,
  GoInt as Integer,
  int,
  int64,
  normalInt,
} from '../value.ts';
import { toFloat64, toInt64 } from './convert.ts';
import {
  anything,
  count,
  type Functions,
  fixed,
  float,
  runtimeError,
  text,
  variadic,
} from './define.ts';
import { range } from './lists.ts';

type Integral = number | bigint;

/** Sprig's integer and float arithmetic. Integers are int64 and wrap around. */
export function mathFunctions(randomInt: (limit: number) => number): Functions {
  const biggest = variadic([anything], anything, (first, others) => extreme(first, others, 1));
  return [
    ['atoi', fixed([text], (str) => new Integer(INT, normalInt(INT, parseInteger(str, 10).value)))],
    ['int', fixed([anything], (value) => new Integer(INT, toInt64(value)))],
    ['int64', fixed([anything], (value) => new Integer(INT64, toInt64(value)))],
    ['float64', fixed([anything], toFloat64)],
    ['toDecimal', fixed([anything], toDecimal)],
    ['add1', fixed([anything], (value) => plus(toInt64(value), 1))],
    ['add', variadic([], anything, (values) => values.map(toInt64).reduce(sum, zero()))],
    ['sub', fixed([anything, anything], (a, b) => minus(toInt64(a), toInt64(b)))],
    ['div', fixed([anything, anything], divide)],
    ['mod', fixed([anything, anything], remainder)],
    ['mul', variadic([anything], anything, multiply)],
    ['randInt', fixed([count, count], (min, max) => randomBetween(min, max, randomInt))],
    ['add1f', fixed([anything], (value) => decimalFold(value, [1], addDecimals))],
    ['addf', variadic([], anything, (values) => decimalFold(0, values, addDecimals))],
    ['subf', variadic([anything], anything, (a, b) => decimalFold(a, b, subtractDecimals))],
    ['divf', variadic([anything], anything, (a, b) => decimalFold(a, b, divideDecimals))],
    ['mulf', variadic([anything], anything, (a, b) => decimalFold(a, b, multiplyDecimals))],
    ['biggest', biggest],
    ['max', biggest],
    ['min', variadic([anything], anything, (first, others) => extreme(first, others, -1))],
    ['maxf', variadic([anything], anything, (a, b) => Math.max(...[a, ...b].map(toFloat64)))],
    ['minf', variadic([anything], anything, (a, b) => Math.min(...[a, ...b].map(toFloat64)))],
    ['ceil', fixed([anything], (value) => Math.ceil(toFloat64(value)))],
    ['floor', fixed([anything], (value) => Math.floor(toFloat64(value)))],
    ['round', variadic([anything, count], float, round)],
    ['seq', variadic([], count, sequence)],
  ];
}

function zero(): GoInt {
  return int64(0);
}

function sum(total: GoInt, value: Integral): GoInt {
  return plus(total.value, value);
}

function plus(a: Integral, b: Integral): GoInt {
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = a + b;
    if (Number.isSafeInteger(quick)) return new Integer(INT64, quick);
  }
  return int64(BigInt(a) + BigInt(b));
}

function minus(a: Integral, b: Integral): GoInt {
  return int64(BigInt(a) - BigInt(b));
}

function divide(a: GoValue, b: GoValue): GoInt {
  const divisor = BigInt(toInt64(b));
  if (divisor === 0n) throw runtimeError('integer divide by zero');
  return int64(BigInt(toInt64(a)) / divisor);
}

function remainder(a: GoValue, b: GoValue): GoInt {
  const divisor = BigInt(toInt64(b));
  if (divisor === 0n) throw runtimeError('integer divide by zero');
  return int64(BigInt(toInt64(a)) % divisor);
}

function multiply(first: GoValue, others: readonly GoValue[]): GoInt {
  let product = BigInt(toInt64(first));
  for (const other of others) product = BigInt.asIntN(64, product * BigInt(toInt64(other)));
  return int64(product);
}

function extreme(first: GoValue, others: readonly GoValue[], direction: 1 | -1): GoInt {
  let best = toInt64(first);
  for (const other of others) {
    const value = toInt64(other);
    if (direction === 1 ? value > best : value < best) best = value;
  }
  return int64(best);
}

function randomBetween(min: number, max: number, randomInt: (limit: number) => number): GoInt {
  if (max <= min) throw new GoError('invalid argument to Intn');
  return int(min + randomInt(max - min));
}

/** Reads the printed value as an octal number. */
function toDecimal(value: GoValue): GoInt {
  const parsed = parseInteger(sprint([value]), 8);
  return int64(parsed.error === undefined ? parsed.value : 0);
}

function round(value: GoValue, places: number, options: readonly number[]): number {
  const power = 10 ** places;
  const digit = power * toFloat64(value);
  const fraction = digit - Math.trunc(digit);
  const up = fraction >= (options[0] ?? 0.5);
  return (up ? Math.ceil(digit) : Math.floor(digit)) / power;
}

function sequence(params: readonly number[], context: CallContext): string {
  const [first, second, third] = params;
  const join = (start: number, stop: number, step: number): string =>
    range(start, stop, step, context).join(' ');
  if (first === undefined || params.length > 3) return '';
  if (second === undefined) {
    const step = first < 1 ? -1 : 1;
    return join(1, first + step, step);
  }
  if (third === undefined) {
    const step = second < first ? -1 : 1;
    return join(first, second + step, step);
  }
  if (third < first) return second > 0 ? '' : join(first, third - 1, second);
  return join(first, third + 1, second);
}

// Decimals ----------------------------------------------------------------------------------------------------------

/** value * 10^exponent, as shopspring/decimal holds numbers. */
interface Decimal {
  readonly value: bigint;
  readonly exponent: number;
}

type DecimalOperation = (a: Decimal, b: Decimal) => Decimal;

function decimalFold(first: GoValue, others: readonly GoValue[], run: DecimalOperation): number {
  let result = decimalOf(toFloat64(first));
  for (const other of others) result = run(result, decimalOf(toFloat64(other)));
  return decimalFloat(result);
}

function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value)) {
    throw new GoError(
      `Cannot create a Decimal from ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`,
    );
  }
  const { digits, point } = shortestDecimal(Math.abs(value));
  if (digits === '') return { value: 0n, exponent: 0 };
  const magnitude = BigInt(digits);
  return { value: value < 0 ? -magnitude : magnitude, exponent: point - digits.length };
}

function decimalFloat({ value, exponent }: Decimal): number {
  return Number(`${value}e${exponent}`);
}

function aligned(a: Decimal, b: Decimal): { x: bigint; y: bigint; exponent: number } {
  const exponent = Math.min(a.exponent, b.exponent);
  return {
    x: a.value * 10n ** BigInt(a.exponent - exponent),
    y: b.value * 10n ** BigInt(b.exponent - exponent),
    exponent,
  };
}

function addDecimals(a: Decimal, b: Decimal): Decimal {
  const { x, y, exponent } = aligned(a, b);
  return { value: x + y, exponent };
}

function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  const { x, y, exponent } = aligned(a, b);
  return { value: x - y, exponent };
}

function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  return { value: a.value * b.value, exponent: a.exponent + b.exponent };
}

const DIVISION_DIGITS = 16;

/** Rounds to sixteen digits after the point, half away from zero. */
function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (b.value === 0n) throw new GoError('decimal division by 0');
  const shift = a.exponent - b.exponent + DIVISION_DIGITS;
  const x = shift >= 0 ? a.value * 10n ** BigInt(shift) : a.value;
  const y = shift >= 0 ? b.value : b.value * 10n ** BigInt(-shift);
  const quotient = x / y;
  const rest = magnitude(x % y) * 2n;
  const away = rest >= magnitude(y) ? (x < 0n === y < 0n ? 1n : -1n) : 0n;
  return { value: quotient + away, exponent: -DIVISION_DIGITS };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
