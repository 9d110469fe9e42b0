import {
  GoFunc as Func,
  type GoFunc,
  GoInt,
  type GoMethod,
  GoStruct,
  type GoType,
  type GoValue,
  INT,
  INT64,
  int,
  normalInt,
  STRING,
} from '../value.ts';
import { DURATION, duration } from './duration.ts';
import {
  addNanoseconds,
  type Civil,
  civilOf,
  formatInstant,
  Instant,
  instantOf,
  nanosecondsBetween,
  weekdayOf,
  yearDayOf,
  ZERO_SECONDS,
  zeroInstant,
} from './instant.ts';
import { MONTHS, WEEKDAYS } from './layout.ts';
import { UTC } from './zone.ts';

const STRING_LAYOUT = '2006-01-02 15:04:05.999999999 -0700 MST';
const TEXT_LAYOUT = '2006-01-02T15:04:05.999999999Z07:00';

/** The instant of a time.Time (or of a pointer's target); the zero time for anything else. */
export function instantIn(value: GoValue): Instant {
  if (value instanceof GoStruct && value.hidden instanceof Instant) return value.hidden;
  return zeroInstant();
}

export function isTime(value: GoValue): value is GoStruct {
  return value instanceof GoStruct && value.hidden instanceof Instant;
}

/** A time.Time. */
export function timeValue(instant: Instant): GoStruct {
  return new GoStruct(TIME, {}, instant);
}

const MONTH: GoType = namedInt('time.Month', (value) => MONTHS[value - 1] ?? `%!Month(${value})`);
const WEEKDAY: GoType = namedInt(
  'time.Weekday',
  (value) => WEEKDAYS[value] ?? `%!Weekday(${value})`,
);

function namedInt(text: string, name: (value: number) => string): GoType {
  const stringer = (value: GoValue): string =>
    name(value instanceof GoInt ? Number(value.value) : 0);
  const methods = new Map<string, GoMethod>([
    ['String', (receiver) => new Func({ params: [] }, () => stringer(receiver))],
  ]);
  return { kind: 'int', text, named: true, stringer, methods };
}

function field(read: (civil: Civil, instant: Instant) => GoValue): GoMethod {
  return getter((instant) => read(civilOf(instant), instant));
}

function getter(read: (instant: Instant) => GoValue): GoMethod {
  return (receiver) => new Func({ params: [] }, () => read(instantIn(receiver)));
}

function with1(type: () => GoType, run: (instant: Instant, arg: GoValue) => GoValue): GoMethod {
  return (receiver): GoFunc =>
    new Func({ params: [type()] }, (_context, [arg]) => run(instantIn(receiver), arg));
}

function integer(value: bigint): GoInt {
  return new GoInt(INT64, normalInt(INT64, value));
}

function epochNanoseconds(instant: Instant): bigint {
  return nanosecondsBetween(instant, new Instant(0, 0));
}

function numberOf(value: GoValue): number {
  return value instanceof GoInt ? Number(value.value) : 0;
}

function addDate(receiver: GoValue): GoFunc {
  return new Func({ params: [INT, INT, INT] }, (_context, [years, months, days]) => {
    const instant = instantIn(receiver);
    const civil = civilOf(instant);
    const moved = {
      ...civil,
      year: civil.year + numberOf(years),
      month: civil.month + numberOf(months),
      day: civil.day + numberOf(days),
    };
    return timeValue(instantOf(moved, instant.zone));
  });
}

const METHODS: ReadonlyMap<string, GoMethod> = new Map<string, GoMethod>([
  ['String', getter((instant) => formatInstant(instant, STRING_LAYOUT))],
  [
    'Format',
    with1(
      () => STRING,
      (instant, layout) => formatInstant(instant, String(layout)),
    ),
  ],
  ['Unix', getter((instant) => integer(BigInt(instant.epochSeconds)))],
  ['UnixMilli', getter((instant) => integer(epochNanoseconds(instant) / 1_000_000n))],
  ['UnixMicro', getter((instant) => integer(epochNanoseconds(instant) / 1000n))],
  ['UnixNano', getter((instant) => integer(epochNanoseconds(instant)))],
  ['Year', field((civil) => int(civil.year))],
  ['Month', field((civil) => new GoInt(MONTH, civil.month))],
  ['Day', field((civil) => int(civil.day))],
  ['Hour', field((civil) => int(civil.hour))],
  ['Minute', field((civil) => int(civil.minute))],
  ['Second', field((civil) => int(civil.second))],
  ['Nanosecond', field((civil) => int(civil.nanosecond))],
  ['YearDay', field((civil) => int(yearDayOf(civil)))],
  ['Weekday', getter((instant) => new GoInt(WEEKDAY, weekdayOf(instant)))],
  [
    'UTC',
    getter(({ epochSeconds, nanoseconds }) =>
      timeValue(new Instant(epochSeconds, nanoseconds, UTC)),
    ),
  ],
  [
    'IsZero',
    getter((instant) => instant.epochSeconds === ZERO_SECONDS && instant.nanoseconds === 0),
  ],
  [
    'Add',
    with1(
      () => DURATION,
      (instant, arg) => timeValue(addNanoseconds(instant, durationOf(arg))),
    ),
  ],
  ['AddDate', addDate],
  [
    'Sub',
    with1(
      () => TIME,
      (instant, arg) => duration(nanosecondsBetween(instant, instantIn(arg))),
    ),
  ],
  [
    'Before',
    with1(
      () => TIME,
      (instant, arg) => nanosecondsBetween(instant, instantIn(arg)) < 0n,
    ),
  ],
  [
    'After',
    with1(
      () => TIME,
      (instant, arg) => nanosecondsBetween(instant, instantIn(arg)) > 0n,
    ),
  ],
  [
    'Equal',
    with1(
      () => TIME,
      (instant, arg) => nanosecondsBetween(instant, instantIn(arg)) === 0n,
    ),
  ],
]);

function durationOf(value: GoValue): bigint {
  return value instanceof GoInt ? BigInt(value.value) : 0n;
}

export const TIME: GoType = {
  kind: 'struct',
  text: 'time.Time',
  named: true,
  methods: METHODS,
  stringer: (value) => formatInstant(instantIn(value), STRING_LAYOUT),
  textMarshaler: (value) => formatInstant(instantIn(value), TEXT_LAYOUT),
};
