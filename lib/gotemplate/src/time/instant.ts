import { layoutParts, MONTHS, WEEKDAYS } from './layout.ts';
import { UTC, type Zone } from './zone.ts';

/** A point in time with the zone in which it is shown: Go's time.Time. */
export class Instant {
  /** Since 1970-01-01T00:00:00Z. */
  readonly epochSeconds: number;
  readonly nanoseconds: number;
  readonly zone: Zone;

  constructor(epochSeconds: number, nanoseconds: number, zone: Zone = UTC) {
    this.epochSeconds = epochSeconds;
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }
}

export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
}

/** Seconds of the zero time.Time, January 1 of year 1. */
export const ZERO_SECONDS = -62135596800;

export function zeroInstant(): Instant {
  return new Instant(ZERO_SECONDS, 0, UTC);
}

/** The fields of an instant in its zone. */
export function civilOf(instant: Instant): Civil {
  const { offsetSeconds } = instant.zone.at(instant.epochSeconds);
  const local = new Date((instant.epochSeconds + offsetSeconds) * 1000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    nanosecond: instant.nanoseconds,
  };
}

export function weekdayOf(instant: Instant): number {
  const { offsetSeconds } = instant.zone.at(instant.epochSeconds);
  return new Date((instant.epochSeconds + offsetSeconds) * 1000).getUTCDay();
}

export function yearDayOf({ year, month, day }: Civil): number {
  return Math.round((utcMs(year, month, day) - utcMs(year, 1, 1)) / 86_400_000) + 1;
}

function utcMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** time.Date: fields out of range carry over. */
export function instantOf(civil: Civil, zone: Zone): Instant {
  const date = new Date(0);
  date.setUTCFullYear(civil.year, civil.month - 1, civil.day);
  date.setUTCHours(civil.hour, civil.minute, civil.second);
  const local = date.getTime() / 1000;
  // Look the offset up as if the fields were UTC, then again on either side of a change of offset.
  let seconds = local - zone.at(local).offsetSeconds;
  const again = zone.at(seconds).offsetSeconds;
  if (local - again !== seconds) seconds = local - again;
  return new Instant(seconds, civil.nanosecond, zone);
}

export function addNanoseconds(instant: Instant, nanoseconds: bigint): Instant {
  const total = BigInt(instant.nanoseconds) + nanoseconds;
  const second = 1_000_000_000n;
  let seconds = total / second;
  let rest = total % second;
  if (rest < 0n) {
    rest += second;
    seconds -= 1n;
  }
  return new Instant(instant.epochSeconds + Number(seconds), Number(rest), instant.zone);
}

/** a - b in nanoseconds. */
export function nanosecondsBetween(a: Instant, b: Instant): bigint {
  const seconds = BigInt(a.epochSeconds) - BigInt(b.epochSeconds);
  return seconds * 1_000_000_000n + BigInt(a.nanoseconds - b.nanoseconds);
}

/** time.Time.Format */
export function formatInstant(instant: Instant, layout: string): string {
  const civil = civilOf(instant);
  let out = '';
  for (const { literal, part } of layoutParts(layout))
    out += literal + partText(part, instant, civil);
  return out;
}

function pad(value: number, width = 2, fill = '0'): string {
  return String(value).padStart(width, fill);
}

function partText(part: string, instant: Instant, civil: Civil): string {
  switch (part) {
    case '':
      return '';
    case '2006':
      return civil.year < 0 ? `-${pad(-civil.year, 4)}` : pad(civil.year, 4);
    case '06':
      return pad(((civil.year % 100) + 100) % 100);
    case 'January':
      return MONTHS[civil.month - 1] ?? '';
    case 'Jan':
      return MONTHS[civil.month - 1]?.slice(0, 3) ?? '';
    case '1':
      return String(civil.month);
    case '01':
      return pad(civil.month);
    case 'Monday':
      return WEEKDAYS[weekdayOf(instant)] ?? '';
    case 'Mon':
      return WEEKDAYS[weekdayOf(instant)]?.slice(0, 3) ?? '';
    case '2':
      return String(civil.day);
    case '_2':
      return pad(civil.day, 2, ' ');
    case '02':
      return pad(civil.day);
    case '__2':
      return pad(yearDayOf(civil), 3, ' ');
    case '002':
      return pad(yearDayOf(civil), 3);
    default:
      return clockText(part, instant, civil);
  }
}

function clockText(part: string, instant: Instant, civil: Civil): string {
  const hour12 = civil.hour % 12 === 0 ? 12 : civil.hour % 12;
  switch (part) {
    case '15':
      return pad(civil.hour);
    case '3':
      return String(hour12);
    case '03':
      return pad(hour12);
    case '4':
      return String(civil.minute);
    case '04':
      return pad(civil.minute);
    case '5':
      return String(civil.second);
    case '05':
      return pad(civil.second);
    case 'PM':
      return civil.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return civil.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return zoneName(instant);
    default:
      return part.startsWith('.') || part.startsWith(',')
        ? fractionText(part, civil.nanosecond)
        : offsetText(part, instant);
  }
}

function zoneName(instant: Instant): string {
  const { abbreviation } = instant.zone.at(instant.epochSeconds);
  return abbreviation === '' ? offsetText('-0700', instant) : abbreviation;
}

function fractionText(part: string, nanosecond: number): string {
  const digits = pad(nanosecond, 9).slice(0, part.length - 1);
  if (part[1] === '0') return part.charAt(0) + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : part.charAt(0) + trimmed;
}

function offsetText(part: string, instant: Instant): string {
  const { offsetSeconds } = instant.zone.at(instant.epochSeconds);
  if (part.startsWith('Z') && offsetSeconds === 0) return 'Z';
  const size = Math.abs(offsetSeconds);
  const fields = [Math.floor(size / 3600), Math.floor((size % 3600) / 60), size % 60];
  const digits = part.replaceAll(/\D/g, '').length;
  const separator = part.includes(':') ? ':' : '';
  const shown = fields.slice(0, digits / 2).map((field) => pad(field));
  return (offsetSeconds < 0 ? '-' : '+') + shown.join(separator);
}
