import { isDigit } from './chars.ts';

/**
 * Whether Go's YAML libraries take `text` for a timestamp: a date with one- or two-digit month and day, alone, with a
 * time after a space, or with a time and zone after `T` or `t`. It follows the rules of Go's `time.Parse`, which checks
 * ranges and the length of months, and takes any number of blanks where the layout has one.
 */
export function isTimestamp(text: string): boolean {
  if (!/^[0-9]{4}-/.test(text)) return false;
  const cursor: Cursor = { text, at: 5 };
  const month = takeNumber(cursor);
  if (month < 1 || month > 12 || !take(cursor, 0x2d)) return false;
  const day = takeNumber(cursor);
  if (day < 1 || day > daysIn(Number(text.slice(0, 4)), month)) return false;
  if (cursor.at === text.length) return true;
  const c = text.charCodeAt(cursor.at);
  if (c === 0x54 || c === 0x74) {
    cursor.at++;
    return takeClock(cursor) && takeZone(cursor) && cursor.at === text.length;
  }
  if (c !== 0x20) return false;
  while (text.charCodeAt(cursor.at) === 0x20) cursor.at++;
  return takeClock(cursor) && cursor.at === text.length;
}

/**
 * A timestamp as Go's `time.Time` marshals itself into JSON: RFC 3339 with nanoseconds where there are any, in the zone
 * of the text, UTC by default.
 */
export function formatTimestamp(text: string): string {
  const match =
    /^([0-9]{4})-([0-9]+)-([0-9]+)(?:(?:[Tt]| +)([0-9]+):([0-9]+):([0-9]+)(?:[.,]([0-9]+))?(.*))?$/.exec(
      text,
    );
  if (match === null) return text;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = ''] =
    match;
  const nanos = fraction.slice(0, 9).replace(/0+$/, '');
  const date = `${year}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}`;
  const offset = zone === '' || /^[-+]00:00$/.test(zone) ? 'Z' : zone;
  return `${date}${nanos === '' ? '' : `.${nanos}`}${offset}`;
}

function pad(digits = ''): string {
  return digits.padStart(2, '0');
}

interface Cursor {
  readonly text: string;
  at: number;
}

function take(cursor: Cursor, c: number): boolean {
  if (cursor.text.charCodeAt(cursor.at) !== c) return false;
  cursor.at++;
  return true;
}

/** One or two digits, or -1. */
function takeNumber(cursor: Cursor): number {
  const { text, at } = cursor;
  if (!isDigit(text.charCodeAt(at))) return -1;
  cursor.at += isDigit(text.charCodeAt(at + 1)) ? 2 : 1;
  return Number(text.slice(at, cursor.at));
}

function takeClock(cursor: Cursor): boolean {
  const hour = takeNumber(cursor);
  if (hour < 0 || hour > 23 || !take(cursor, 0x3a)) return false;
  const minute = takeNumber(cursor);
  if (minute < 0 || minute > 59 || !take(cursor, 0x3a)) return false;
  const second = takeNumber(cursor);
  if (second < 0 || second > 59) return false;
  const c = cursor.text.charCodeAt(cursor.at);
  if ((c === 0x2e || c === 0x2c) && isDigit(cursor.text.charCodeAt(cursor.at + 1))) {
    cursor.at++;
    while (isDigit(cursor.text.charCodeAt(cursor.at))) cursor.at++;
  }
  return true;
}

function takeZone(cursor: Cursor): boolean {
  if (take(cursor, 0x5a)) return true;
  const zone = /^[-+]([0-9]{2}):([0-9]{2})/.exec(cursor.text.slice(cursor.at, cursor.at + 6));
  if (zone === null || Number(zone[1]) > 24 || Number(zone[2]) > 60) return false;
  cursor.at += 6;
  return true;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
