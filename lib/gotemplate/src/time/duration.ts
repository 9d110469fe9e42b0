import {
  GoError,
  GoFunc,
  GoInt,
  type GoMethod,
  type GoType,
  type GoValue,
  INT64,
  normalInt,
} from '../value.ts';
import { quoteTime } from './quote-time.ts';

export const NANOSECOND = 1n;
export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;

const LEAST = -(1n << 63n);
const GREATEST = (1n << 63n) - 1n;

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** time.ParseDuration, in nanoseconds. Throws GoError with Go's message. */
export function parseDuration(text: string): bigint {
  const invalid = new GoError(`time: invalid duration ${quoteTime(text)}`);
  const negative = text.startsWith('-');
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') throw invalid;
  let total = 0n;
  while (rest !== '') {
    const number = /^(\d*)(\.(\d*))?/.exec(rest);
    const whole = number?.[1] ?? '';
    const fraction = number?.[3] ?? '';
    if (whole === '' && fraction === '') throw invalid;
    rest = rest.slice(number?.[0].length ?? 0);
    const unit = /^[^.0-9]*/.exec(rest)?.[0] ?? '';
    if (unit === '') throw new GoError(`time: missing unit in duration ${quoteTime(text)}`);
    rest = rest.slice(unit.length);
    const size = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (size === undefined) {
      throw new GoError(`time: unknown unit ${quoteTime(unit)} in duration ${quoteTime(text)}`);
    }
    if (whole.length > 20) throw invalid;
    total += BigInt(whole === '' ? '0' : whole) * size + fractionOf(fraction, size);
    if (total > GREATEST + 1n) throw invalid;
  }
  if (negative) return -total;
  if (total > GREATEST) throw invalid;
  return total;
}

function fractionOf(digits: string, size: bigint): bigint {
  const used = digits.slice(0, 18);
  return used === '' ? 0n : (BigInt(used) * size) / 10n ** BigInt(used.length);
}

/** time.Duration's String: `1h15m30.918s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < SECOND) {
    if (size < 1000n) return `${sign}${size}ns`;
    const unit = size < 1_000_000n ? 1000n : 1_000_000n;
    return `${sign}${withFraction(size, unit)}${unit === 1000n ? 'µs' : 'ms'}`;
  }
  const hours = size / HOUR;
  const minutes = (size % HOUR) / MINUTE;
  const seconds = `${withFraction(size % MINUTE, SECOND)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function withFraction(value: bigint, unit: bigint): string {
  const width = unit.toString().length - 1;
  const fraction = (value % unit).toString().padStart(width, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}

/** time.Duration.Round: to a multiple, half away from zero. */
export function roundDuration(value: bigint, multiple: bigint): bigint {
  if (multiple <= 0n) return value;
  const rest = value % multiple;
  const size = rest < 0n ? -rest : rest;
  if (size + size < multiple) return value - rest;
  const rounded = value < 0n ? value - rest - multiple : value - rest + multiple;
  if (rounded > GREATEST) return GREATEST;
  return rounded < LEAST ? LEAST : rounded;
}

export function truncateDuration(value: bigint, multiple: bigint): bigint {
  return multiple <= 0n ? value : value - (value % multiple);
}

function nanosOf(value: GoValue): bigint {
  return value instanceof GoInt ? BigInt(value.value) : 0n;
}

function method(run: (nanoseconds: bigint) => GoValue): GoMethod {
  return (receiver) => new GoFunc({ params: [] }, () => run(nanosOf(receiver)));
}

function roundingMethod(run: (value: bigint, multiple: bigint) => bigint): GoMethod {
  return (receiver) =>
    new GoFunc({ params: [DURATION] }, (_context, [multiple]) =>
      duration(run(nanosOf(receiver), nanosOf(multiple))),
    );
}

const METHODS: ReadonlyMap<string, GoMethod> = new Map<string, GoMethod>([
  ['String', method(formatDuration)],
  ['Hours', method((value) => Number(value) / 3.6e12)],
  ['Minutes', method((value) => Number(value) / 6e10)],
  ['Seconds', method((value) => Number(value / SECOND) + Number(value % SECOND) / 1e9)],
  ['Milliseconds', method((value) => integer(value / 1_000_000n))],
  ['Microseconds', method((value) => integer(value / 1000n))],
  ['Nanoseconds', method((value) => integer(value))],
  ['Abs', method((value) => duration(value < 0n ? -value : value))],
  ['Round', roundingMethod(roundDuration)],
  ['Truncate', roundingMethod(truncateDuration)],
]);

function integer(value: bigint): GoInt {
  return new GoInt(INT64, normalInt(INT64, value));
}

export const DURATION: GoType = {
  kind: 'int64',
  text: 'time.Duration',
  named: true,
  methods: METHODS,
  stringer: (value) => formatDuration(nanosOf(value)),
};

/** A time.Duration of nanoseconds. */
export function duration(nanoseconds: bigint): GoInt {
  return new GoInt(DURATION, normalInt(INT64, nanoseconds));
}
