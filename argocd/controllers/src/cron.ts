import { CapstanError } from '@capstan/lib-std';

/** When a schedule fires: sets of minutes, hours, days of the month, months and days of the week. */
export interface CronSchedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Both days are restricted: either may fit. */
  readonly eitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly names: readonly string[];
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const WEEKDAYS = 'sun mon tue wed thu fri sat'.split(' ');
const FIELDS: readonly Field[] = [
  { name: 'minute', from: 0, to: 59, names: [] },
  { name: 'hour', from: 0, to: 23, names: [] },
  { name: 'day of month', from: 1, to: 31, names: [] },
  { name: 'month', from: 1, to: 12, names: MONTHS },
  { name: 'day of week', from: 0, to: 6, names: WEEKDAYS },
];

/**
 * Five fields as robfig/cron reads them for Argo CD: lists, ranges, steps, names, `*` and `?`; no descriptors such as
 * `@daily`. Throws SCHEDULE_INVALID.
 */
export function parseCron(text: string): CronSchedule {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw invalid(
      text,
      `expected exactly 5 fields, found ${text.trim() === '' ? 0 : parts.length}`,
    );
  }
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, i) =>
    parseField(parts[i] ?? '', field, text),
  );
  const isAny = (part: string | undefined) => /^[*?](?:\/1)?$/.test(part ?? '');
  if (!minutes || !hours || !days || !months || !weekdays) throw invalid(text, 'it is incomplete');
  const eitherDay = !isAny(parts[2]) && !isAny(parts[4]);
  return { minutes, hours, days, months, weekdays, eitherDay };
}

function parseField(part: string, field: Field, text: string): ReadonlySet<number> {
  const values = new Set<number>();
  for (const item of part.split(',')) {
    const [range = '', stepText, ...more] = item.split('/');
    if (more.length > 0) throw invalid(text, `too many slashes: ${item}`);
    const step = stepText === undefined ? 1 : parseNumber(stepText, text);
    if (step === 0) throw invalid(text, `step of range should be a positive number: ${item}`);
    const [from, to] = parseRange(range, { field, text, hasStep: stepText !== undefined });
    if (from < field.from || to > field.to)
      throw invalid(text, `${item} is outside of ${field.from}-${field.to} (${field.name})`);
    if (from > to) throw invalid(text, `beginning of range beyond its end: ${item}`);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function parseRange(
  range: string,
  {
    field,
    text,
    hasStep,
  }: { readonly field: Field; readonly text: string; readonly hasStep: boolean },
): readonly [number, number] {
  if (range === '*' || range === '?') return [field.from, field.to];
  const [low = '', high, ...more] = range.split('-');
  if (more.length > 0) throw invalid(text, `too many hyphens: ${range}`);
  const from = parseValue(low, field, text);
  // `5/15` goes on to the end of the range.
  if (high === undefined) return [from, hasStep ? field.to : from];
  return [from, parseValue(high, field, text)];
}

function parseValue(value: string, { names, from }: Field, text: string): number {
  const index = names.indexOf(value.toLowerCase());
  return index >= 0 ? index + from : parseNumber(value, text);
}

function parseNumber(value: string, text: string): number {
  if (!/^\d{1,4}$/.test(value)) throw invalid(text, `failed to parse int from ${value}`);
  return Number(value);
}

function invalid(text: string, why: string): CapstanError {
  return new CapstanError('SCHEDULE_INVALID', `cannot parse schedule '${text}': ${why}`, {
    hint: 'write five fields: minute hour day-of-month month day-of-week',
  });
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Schedules such as February 30 never fire; the search ends after this. */
const YEARS_MAX = 5;

/** The first time after `afterMs` at which the schedule fires, in UTC; undefined: never. */
export function nextFire(schedule: CronSchedule, afterMs: number): number | undefined {
  let time = Math.floor(afterMs / MINUTE) * MINUTE + MINUTE;
  const end = afterMs + YEARS_MAX * 366 * DAY;
  while (time <= end) {
    const date = new Date(time);
    if (!fitsDay(schedule, date)) {
      time = Math.floor(time / DAY) * DAY + DAY;
    } else if (!schedule.hours.has(date.getUTCHours())) {
      time = Math.floor(time / (60 * MINUTE)) * 60 * MINUTE + 60 * MINUTE;
    } else if (!schedule.minutes.has(date.getUTCMinutes())) {
      time += MINUTE;
    } else return time;
  }
  return undefined;
}

function fitsDay({ months, days, weekdays, eitherDay }: CronSchedule, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const day = days.has(date.getUTCDate());
  const weekday = weekdays.has(date.getUTCDay());
  return eitherDay ? day || weekday : day && weekday;
}
