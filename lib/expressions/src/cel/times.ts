import type { CelFunction } from './functions.ts';
import { CelError, type CelValue, Duration, noSuchOverload, Timestamp } from './values.ts';

const NANOS = 1_000_000_000n;
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/** `2026-01-02T03:04:05.678Z` */
export function parseTimestamp(text: string): Timestamp {
  const found = RFC3339.exec(text);
  const seconds = found === null ? Number.NaN : secondsOf(found);
  if (found === null || Number.isNaN(seconds)) {
    throw new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  }
  const fraction = BigInt((found[7] ?? '').slice(0, 9).padEnd(9, '0'));
  return new Timestamp(BigInt(seconds) * NANOS + fraction, offsetMinutes(found[8] ?? 'Z'));
}

function offsetMinutes(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):(\d{2})$/.exec(zone) ?? [];
  const minutesAhead = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -minutesAhead : minutesAhead;
}

function secondsOf(found: RegExpExecArray): number {
  const [, year, month, day, hour, minute, second, , zone = 'Z'] = found;
  const [y, mo, d] = [Number(year), Number(month), Number(day)];
  const date = new Date(0);
  date.setUTCFullYear(y, mo - 1, d);
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const isDay = date.getUTCMonth() === mo - 1 && date.getUTCDate() === d;
  if (!isDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN;
  return date.getTime() / 1000 - offsetMinutes(zone) * 60;
}

export function formatTimestamp({ nanos, offset }: Timestamp): string {
  const seconds = floorDivide(nanos, NANOS);
  const fraction = nanos - seconds * NANOS;
  const shown = new Date((Number(seconds) + offset * 60) * 1000);
  const whole = shown.toISOString().replace(/\.\d+Z$/, '');
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return `${whole}${digits}${offset === 0 ? 'Z' : zoneText(offset)}`;
}

function zoneText(offset: number): string {
  const minutes = Math.abs(offset);
  const pad = (number: number): string => String(number).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
};
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** `1h2m3.5s`, as Go reads it. */
export function parseDuration(text: string): Duration {
  const fail = (): CelError =>
    new CelError("type conversion error from 'string' to 'google.protobuf.Duration'");
  const sign = text.startsWith('-') ? -1n : 1n;
  let at = /^[+-]/.test(text) ? 1 : 0;
  if (text.slice(at) === '0') return new Duration(0n);
  if (at >= text.length) throw fail();
  let nanos = 0n;
  while (at < text.length) {
    PART.lastIndex = at;
    const found = PART.exec(text);
    if (found === null) throw fail();
    const [whole, digits = '', fraction = '', unit = ''] = found;
    if (digits === '' && fraction === '') throw fail();
    const size = UNITS[unit] ?? 1n;
    nanos += BigInt(digits === '' ? '0' : digits) * size;
    if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    at += whole.length;
  }
  if (nanos >= 2n ** 63n) throw fail();
  return new Duration(sign * nanos);
}

/** `5400s`: seconds with as many digits as there are. */
export function formatDuration({ nanos }: Duration): string {
  const sign = nanos < 0n ? '-' : '';
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = size % NANOS;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return `${sign}${size / NANOS}${digits}s`;
}

type Part = (parts: DateParts) => number;

interface DateParts {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
  readonly weekDay: number;
}

/** What a timestamp has in UTC or a time zone, and what a duration has. */
export function times(): Record<string, CelFunction> {
  const ofTime = (id: string, part: Part, ofDuration?: (nanos: bigint) => bigint): CelFunction => ({
    overloads: [
      `timestamp_to_${id}: timestamp.() -> int`,
      `timestamp_to_${id}_with_tz: timestamp.(string) -> int`,
      ...(ofDuration === undefined ? [] : [`duration_to_${id}: duration.() -> int`]),
    ],
    call: ([value = null, zone]) => {
      if (value instanceof Duration && ofDuration !== undefined) return ofDuration(value.nanos);
      if (!(value instanceof Timestamp)) throw noSuchOverload();
      return BigInt(part(partsOf(value, zone)));
    },
  });
  return {
    getFullYear: ofTime('year', ({ year }) => year),
    getMonth: ofTime('month', ({ month }) => month),
    getDayOfYear: ofTime('day_of_year', dayOfYear),
    getDayOfMonth: ofTime('day_of_month', ({ day }) => day - 1),
    getDate: ofTime('day_of_month_1_based', ({ day }) => day),
    getDayOfWeek: ofTime('day_of_week', ({ weekDay }) => weekDay),
    getHours: ofTime(
      'hours',
      ({ hours }) => hours,
      (nanos) => nanos / (3600n * NANOS),
    ),
    getMinutes: ofTime(
      'minutes',
      ({ minutes }) => minutes,
      (nanos) => nanos / (60n * NANOS),
    ),
    getSeconds: ofTime(
      'seconds',
      ({ seconds }) => seconds,
      (nanos) => nanos / NANOS,
    ),
    getMilliseconds: ofTime(
      'milliseconds',
      ({ milliseconds }) => milliseconds,
      (nanos) => nanos / 1_000_000n,
    ),
  };
}

function dayOfYear({ year, month, day }: DateParts): number {
  return Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000);
}

function partsOf({ nanos }: Timestamp, zone: CelValue | undefined): DateParts {
  const millis = Number(floorDivide(nanos, 1_000_000n));
  const shifted = new Date(millis + offsetOf(zone, millis));
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth(),
    day: shifted.getUTCDate(),
    hours: shifted.getUTCHours(),
    minutes: shifted.getUTCMinutes(),
    seconds: shifted.getUTCSeconds(),
    milliseconds: shifted.getUTCMilliseconds(),
    weekDay: shifted.getUTCDay(),
  };
}

/** Milliseconds that a zone is ahead of UTC: `-02:00` or a name. */
function offsetOf(zone: CelValue | undefined, millis: number): number {
  if (zone === undefined || zone === '' || zone === 'UTC') return 0;
  if (typeof zone !== 'string') throw noSuchOverload();
  const fixed = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return (fixed[1] === '-' ? -minutes : minutes) * 60_000;
  }
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      timeZoneName: 'longOffset',
    });
    const name = format.formatToParts(millis).find(({ type }) => type === 'timeZoneName');
    const [, sign, hours, minutes] = /GMT([+-])(\d{2}):(\d{2})/.exec(name?.value ?? '') ?? [];
    const offset = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
    return (sign === '-' ? -offset : offset) * 60_000;
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}
