/** A cron schedule: for each field the values at which it fires. */
export interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Day of month and day of week are alternatives, unless one of them is `*`. */
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Reads the five fields, or a macro; undefined when it is neither. Times are UTC. */
export function parseSchedule(text: string): Schedule | undefined {
  const fields = (MACROS[text.trim()] ?? text).trim().toLowerCase().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const sets = [
    parseField(minute, 0, 59),
    parseField(hour, 0, 23),
    parseField(day, 1, 31),
    parseField(withNumbers(month, MONTHS, 1), 1, 12),
    parseField(withNumbers(weekday, DAYS, 0).replaceAll('7', '0'), 0, 6),
  ];
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  return {
    minutes,
    hours,
    days,
    months,
    weekdays,
    anyDay: day.startsWith('*') || day === '?',
    anyWeekday: weekday.startsWith('*') || weekday === '?',
  };
}

function withNumbers(text: string, names: readonly string[], first: number): string {
  return text.replace(/[a-z]{3}/g, (name) => String(names.indexOf(name) + first));
}

function parseField(text: string, low: number, high: number): Set<number> | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\*|\?|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const star = match[1] === '*' || match[1] === '?';
    const from = star ? low : Number(match[1]);
    const step = Number(match[3] ?? 1);
    const to =
      match[2] !== undefined ? Number(match[2]) : star || match[3] !== undefined ? high : from;
    if (from < low || to > high || step < 1) return undefined;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

const MINUTE = 60_000;
const SEARCH_DAYS = 366 * 5;

/** The first time after `afterMs` at which a schedule fires; undefined when it does not within five years. */
export function nextRun(schedule: Schedule, afterMs: number): number | undefined {
  let time = Math.floor(afterMs / MINUTE) * MINUTE + MINUTE;
  const end = time + SEARCH_DAYS * 24 * 60 * MINUTE;
  while (time < end) {
    const date = new Date(time);
    if (!schedule.months.has(date.getUTCMonth() + 1) || !matchesDay(schedule, date)) {
      time = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
    } else if (!schedule.hours.has(date.getUTCHours())) {
      time = Math.floor(time / (60 * MINUTE)) * 60 * MINUTE + 60 * MINUTE;
    } else if (!schedule.minutes.has(date.getUTCMinutes())) time += MINUTE;
    else return time;
  }
  return undefined;
}

/** The last time up to `nowMs` at which a schedule fires; undefined when there is none within five years. */
export function latestRun(schedule: Schedule, nowMs: number): number | undefined {
  let time = Math.floor(nowMs / MINUTE) * MINUTE;
  const end = time - SEARCH_DAYS * 24 * 60 * MINUTE;
  while (time > end) {
    const date = new Date(time);
    if (!schedule.months.has(date.getUTCMonth() + 1) || !matchesDay(schedule, date)) {
      time = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - MINUTE;
    } else if (!schedule.hours.has(date.getUTCHours())) {
      time = Math.floor(time / (60 * MINUTE)) * 60 * MINUTE - MINUTE;
    } else if (!schedule.minutes.has(date.getUTCMinutes())) time -= MINUTE;
    else return time;
  }
  return undefined;
}

function matchesDay(schedule: Schedule, date: Date): boolean {
  const day = schedule.days.has(date.getUTCDate());
  const weekday = schedule.weekdays.has(date.getUTCDay());
  return schedule.anyDay || schedule.anyWeekday ? day && weekday : day || weekday;
}
