import { GoError } from '../value.ts';
import { type Civil, Instant, instantOf } from './instant.ts';
import { layoutParts, MONTHS, WEEKDAYS } from './layout.ts';
import { quoteTime } from './quote-time.ts';
import { fixedZone, UTC, type Zone } from './zone.ts';

/** time.ParseInLocation. Throws GoError with Go's message. */
export function parseInstant(layout: string, value: string, local: Zone): Instant {
  return new TimeReader(layout, value).read(local);
}

interface Fields {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  isAfternoon: boolean | undefined;
  offsetSeconds: number | undefined;
  isUtc: boolean;
  zoneName: string;
}

/** What did not fit: the part of the layout and the rest of the value are added by the reader. */
class Mismatch extends Error {}
class OutOfRange extends Error {}

class TimeReader {
  readonly #layout: string;
  readonly #value: string;
  #rest: string;
  readonly #fields: Fields = {
    year: 0,
    month: -1,
    day: -1,
    yearDay: -1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    isAfternoon: undefined,
    offsetSeconds: undefined,
    isUtc: false,
    zoneName: '',
  };

  constructor(layout: string, value: string) {
    this.#layout = layout;
    this.#value = value;
    this.#rest = value;
  }

  read(local: Zone): Instant {
    const parts = layoutParts(this.#layout);
    for (const [index, { literal, part }] of parts.entries()) {
      this.#skip(literal);
      if (part === '') {
        if (this.#rest !== '') throw this.#problem(`: extra text: ${quoteTime(this.#rest)}`);
        break;
      }
      const held = this.#rest;
      try {
        this.#part(part, parts[index + 1]?.part ?? '');
      } catch (error) {
        if (error instanceof OutOfRange) throw this.#problem(`: ${error.message} out of range`);
        if (error instanceof Mismatch) throw this.#cannotParse(held, part);
        throw error;
      }
    }
    return this.#instant(local);
  }

  /** Literal text must be there; a run of spaces matches any run of spaces. */
  #skip(literal: string): void {
    let expected = literal;
    while (expected !== '') {
      if (expected.startsWith(' ')) {
        if (this.#rest !== '' && !this.#rest.startsWith(' ')) {
          throw this.#cannotParse(this.#rest, expected);
        }
        expected = expected.replace(/^ +/, '');
        this.#rest = this.#rest.replace(/^ +/, '');
        continue;
      }
      if (this.#rest === '' || this.#rest[0] !== expected[0]) {
        throw this.#cannotParse(this.#rest, literal);
      }
      expected = expected.slice(1);
      this.#rest = this.#rest.slice(1);
    }
  }

  #problem(message: string): GoError {
    return new GoError(`parsing time ${quoteTime(this.#value)}${message}`);
  }

  #cannotParse(rest: string, part: string): GoError {
    const where = `parsing time ${quoteTime(this.#value)} as ${quoteTime(this.#layout)}`;
    return new GoError(`${where}: cannot parse ${quoteTime(rest)} as ${quoteTime(part)}`);
  }

  #part(part: string, next: string): void {
    const fields = this.#fields;
    switch (part) {
      case '2006':
        fields.year = this.#digits(4, 4);
        return;
      case '06': {
        const year = this.#digits(2, 2);
        fields.year = year >= 69 ? year + 1900 : year + 2000;
        return;
      }
      case 'Jan':
        fields.month = this.#name(MONTHS.map((name) => name.slice(0, 3))) + 1;
        return;
      case 'January':
        fields.month = this.#name(MONTHS) + 1;
        return;
      case '1':
      case '01':
        fields.month = this.#digits(part.length, 2);
        if (fields.month < 1 || fields.month > 12) throw new OutOfRange('month');
        return;
      case 'Mon':
        this.#name(WEEKDAYS.map((name) => name.slice(0, 3)));
        return;
      case 'Monday':
        this.#name(WEEKDAYS);
        return;
      case '2':
      case '_2':
      case '02':
        if (part === '_2' && this.#rest.startsWith(' ')) this.#rest = this.#rest.slice(1);
        fields.day = this.#digits(part === '02' ? 2 : 1, 2);
        return;
      case '__2':
      case '002':
        for (let i = 0; i < 2 && part === '__2' && this.#rest.startsWith(' '); i++) {
          this.#rest = this.#rest.slice(1);
        }
        fields.yearDay = this.#digits(part === '002' ? 3 : 1, 3);
        return;
      default:
        this.#clock(part, next);
    }
  }

  #clock(part: string, next: string): void {
    const fields = this.#fields;
    switch (part) {
      case '15':
        fields.hour = this.#ranged(1, 2, 24, 'hour');
        return;
      case '3':
      case '03':
        fields.hour = this.#ranged(part.length, 2, 13, 'hour');
        return;
      case '4':
      case '04':
        fields.minute = this.#ranged(part.length, 2, 60, 'minute');
        return;
      case '5':
      case '05':
        fields.second = this.#ranged(part.length, 2, 60, 'second');
        this.#looseFraction(next);
        return;
      case 'PM':
      case 'pm':
        this.#afternoon(part);
        return;
      case 'MST':
        this.#zone();
        return;
      default:
        if (/^[.,]/.test(part)) this.#fraction(part);
        else this.#offset(part);
    }
  }

  #digits(least: number, most: number): number {
    const match = new RegExp(`^\\d{${least},${most}}`).exec(this.#rest);
    if (match === null) throw new Mismatch();
    this.#rest = this.#rest.slice(match[0].length);
    return Number(match[0]);
  }

  #ranged(least: number, most: number, limit: number, what: string): number {
    const value = this.#digits(least, most);
    if (value >= limit) throw new OutOfRange(what);
    return value;
  }

  #name(names: readonly string[]): number {
    const rest = this.#rest.toLowerCase();
    const index = names.findIndex((name) => rest.startsWith(name.toLowerCase()));
    if (index < 0) throw new Mismatch();
    this.#rest = this.#rest.slice(names[index]?.length ?? 0);
    return index;
  }

  /** A fraction after the seconds is taken even when the layout has none. */
  #looseFraction(next: string): void {
    if (/^[.,]/.test(next)) return;
    const match = /^[.,](\d+)/.exec(this.#rest);
    if (match === null) return;
    this.#fields.nanosecond = nanosecondsOf(match[1] ?? '');
    this.#rest = this.#rest.slice(match[0].length);
  }

  #fraction(part: string): void {
    const wanted = part.length - 1;
    if (part[1] === '0') {
      const match = new RegExp(`^[.,](\\d{${wanted}})`).exec(this.#rest);
      if (match === null) throw new Mismatch();
      this.#fields.nanosecond = nanosecondsOf(match[1] ?? '');
      this.#rest = this.#rest.slice(match[0].length);
      return;
    }
    const match = /^[.,](\d{1,9})/.exec(this.#rest);
    if (match === null) return;
    this.#fields.nanosecond = nanosecondsOf(match[1] ?? '');
    this.#rest = this.#rest.slice(match[0].length);
  }

  #afternoon(part: string): void {
    const text = this.#rest.slice(0, 2);
    const upper = part === 'PM';
    if (text === (upper ? 'PM' : 'pm')) this.#fields.isAfternoon = true;
    else if (text === (upper ? 'AM' : 'am')) this.#fields.isAfternoon = false;
    else throw new Mismatch();
    this.#rest = this.#rest.slice(2);
  }

  #zone(): void {
    if (this.#rest.startsWith('UTC')) {
      this.#fields.isUtc = true;
      this.#rest = this.#rest.slice(3);
      return;
    }
    const match = /^(?:ChST|MeST|GMT(?:[+-]\d{1,2})?|[+-]\d{2}(?:\d{2})?|[A-Z]{3,5})/.exec(
      this.#rest,
    );
    const name = match?.[0] ?? '';
    const known = /^[A-Z]{3}$|^[A-Z]{3}T$|^WITA$|^[A-Z]{4}T$|ST$|^GMT|^[+-]/.test(name);
    if (name === '' || !known) throw new Mismatch();
    this.#fields.zoneName = name;
    this.#rest = this.#rest.slice(name.length);
  }

  #offset(part: string): void {
    if (part.startsWith('Z') && this.#rest.startsWith('Z')) {
      this.#fields.isUtc = true;
      this.#rest = this.#rest.slice(1);
      return;
    }
    const pattern = part
      .replace(/^[Z-]/, '([+-])')
      .replace('07', '(\\d\\d)')
      .replaceAll('00', '(\\d\\d)');
    const match = new RegExp(`^${pattern}`).exec(this.#rest);
    if (match === null) throw new Mismatch();
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
    if (Number(hours) > 24) throw new OutOfRange('time zone offset hour');
    if (Number(minutes) > 60) throw new OutOfRange('time zone offset minute');
    if (Number(seconds) > 60) throw new OutOfRange('time zone offset second');
    const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    this.#fields.offsetSeconds = sign === '-' ? -size : size;
    this.#rest = this.#rest.slice(match[0].length);
  }

  #instant(local: Zone): Instant {
    const civil = this.#civil();
    const { isUtc, offsetSeconds, zoneName } = this.#fields;
    if (isUtc) return instantOf(civil, UTC);
    if (offsetSeconds !== undefined) return withOffset(civil, { offsetSeconds, zoneName, local });
    if (zoneName !== '') return withZoneName(civil, zoneName, local);
    return instantOf(civil, local);
  }

  #civil(): Civil {
    const fields = this.#fields;
    let { hour } = fields;
    if (fields.isAfternoon === true && hour < 12) hour += 12;
    else if (fields.isAfternoon === false && hour === 12) hour = 0;
    let month = fields.month < 0 ? 1 : fields.month;
    let day = fields.day < 0 ? 1 : fields.day;
    if (fields.yearDay >= 0) {
      const leap = daysIn(fields.year, 2) === 29;
      if (fields.yearDay < 1 || fields.yearDay > (leap ? 366 : 365)) {
        throw this.#problem(': day-of-year out of range');
      }
      const date = new Date(0);
      date.setUTCFullYear(fields.year, 0, fields.yearDay);
      if (fields.month >= 0 && fields.month !== date.getUTCMonth() + 1) {
        throw this.#problem(': day-of-year does not match month');
      }
      if (fields.day >= 0 && fields.day !== date.getUTCDate()) {
        throw this.#problem(': day-of-year does not match day');
      }
      month = date.getUTCMonth() + 1;
      day = date.getUTCDate();
    }
    if (day < 1 || day > daysIn(fields.year, month)) throw this.#problem(': day out of range');
    const { year, minute, second, nanosecond } = fields;
    return { year, month, day, hour, minute, second, nanosecond };
  }
}

function withOffset(
  civil: Civil,
  zone: { readonly offsetSeconds: number; readonly zoneName: string; readonly local: Zone },
): Instant {
  const utc = instantOf(civil, UTC);
  const seconds = utc.epochSeconds - zone.offsetSeconds;
  const here = zone.local.at(seconds);
  const matches = zone.zoneName === '' || here.abbreviation === zone.zoneName;
  if (here.offsetSeconds === zone.offsetSeconds && matches) {
    return new Instant(seconds, utc.nanoseconds, zone.local);
  }
  return new Instant(seconds, utc.nanoseconds, fixedZone(zone.zoneName, zone.offsetSeconds));
}

/** A zone abbreviation counts only when the local zone knows it; otherwise it is a name without an offset. */
function withZoneName(civil: Civil, name: string, local: Zone): Instant {
  const here = instantOf(civil, local);
  if (local.at(here.epochSeconds).abbreviation === name) return here;
  const gmt = /^GMT([+-]\d+)$/.exec(name);
  const offsetSeconds = gmt === null ? 0 : Number(gmt[1]) * 3600;
  const utc = instantOf(civil, UTC);
  return new Instant(
    utc.epochSeconds - offsetSeconds,
    utc.nanoseconds,
    fixedZone(name, offsetSeconds),
  );
}

function nanosecondsOf(digits: string): number {
  return Number(digits.slice(0, 9).padEnd(9, '0'));
}

function daysIn(year: number, month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}
