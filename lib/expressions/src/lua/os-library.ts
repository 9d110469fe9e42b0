import { makeLibrary } from './arguments.ts';
import type { Machine } from './machine.ts';
import { LuaTable, type LuaValue } from './value.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** `os.time` and `os.date` in UTC, at the time given; nothing else of the system. */
export function osLibrary(machine: Machine, nowMs: number): LuaTable {
  return makeLibrary(machine, {
    time: (args) => {
      if (args.count === 0) return [Math.floor(nowMs / 1000)];
      const table = args.table(1);
      const field = (name: string, otherwise: number): number => {
        const value = table.get(name);
        return typeof value === 'number' ? Math.trunc(value) : otherwise;
      };
      const ms = Date.UTC(
        field('year', -1),
        field('month', -1) - 1,
        field('day', -1),
        field('hour', 12),
        field('min', 0),
        field('sec', 0),
      );
      return [Math.floor(ms / 1000)];
    },
    date: (args) => {
      const format = args.optionalText(1, '%c').replace(/^!+/, '');
      const seconds = args.count >= 2 ? args.integer(2) : Math.floor(nowMs / 1000);
      const date = new Date(seconds * 1000);
      return [format.startsWith('*t') ? dateTable(date) : formatDate(date, format)];
    },
    clock: () => [0],
    difftime: (args) => [args.number(1) - args.number(2)],
    getenv: () => [undefined],
  });
}

function dateTable(date: Date): LuaTable {
  const table = new LuaTable();
  const fields: { readonly [name: string]: LuaValue } = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    min: date.getUTCMinutes(),
    sec: date.getUTCSeconds(),
    wday: date.getUTCDay() + 1,
    yday: 0,
    isdst: false,
  };
  for (const [name, value] of Object.entries(fields)) table.set(name, value);
  return table;
}

/** The directives of GopherLua, with its choices (`%c`, `%x`). */
function formatDate(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = DAYS[date.getUTCDay()] ?? '';
  const month = MONTHS[date.getUTCMonth()] ?? '';
  const hour = date.getUTCHours();
  const time = `${two(hour)}:${two(date.getUTCMinutes())}`;
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  const known: Readonly<Record<string, string>> = {
    a: day.slice(0, 3).toLowerCase(),
    A: day,
    b: month.slice(0, 3),
    B: month,
    c: `${two(date.getUTCDate())} ${month.slice(0, 3)} ${year.slice(2)} ${time} UTC`,
    d: two(date.getUTCDate()),
    F: `${year}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`,
    H: two(hour),
    I: two(hour % 12 || 12),
    m: two(date.getUTCMonth() + 1),
    M: two(date.getUTCMinutes()),
    p: hour < 12 ? 'AM' : 'PM',
    P: hour < 12 ? 'am' : 'pm',
    S: two(date.getUTCSeconds()),
    x: `${two(date.getUTCDate())}/${two(hour)}/${two(date.getUTCSeconds())}`,
    X: `${time}:${two(date.getUTCSeconds())}`,
    y: year.slice(2),
    Y: year,
    z: '+0000',
    Z: 'UTC',
    w: String(date.getUTCDay()),
    '%': '%',
  };
  return format.replace(/%(.)/gs, (whole, char: string) => known[char] ?? whole);
}
