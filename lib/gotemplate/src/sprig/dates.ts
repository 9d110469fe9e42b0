import { indirect } from '../fields.ts';
import { parseInteger } from '../number.ts';
import {
  formatDuration,
  HOUR,
  MINUTE,
  parseDuration,
  roundDuration,
  SECOND,
} from '../time/duration.ts';
import {
  addNanoseconds,
  formatInstant,
  Instant,
  nanosecondsBetween,
  zeroInstant,
} from '../time/instant.ts';
import { parseInstant } from '../time/parse.ts';
import { instantIn, isTime, TIME, timeValue } from '../time/time-value.ts';
import { loadZone, UTC, type Zone } from '../time/zone.ts';
import { type CallContext, GoError, GoInt, type GoValue } from '../value.ts';
import { anything, type Functions, fixed, type Param, text } from './define.ts';

const time: Param<Instant> = { type: TIME, read: instantIn };
const HTML_DATE = '2006-01-02';

/** Sprig's dates. `localZone` is what Go calls Local: the name of a zone. */
export function dateFunctions(localZone: string): Functions {
  const local = loadZone('Local', localZone) ?? UTC;
  const inZone = (layout: string, value: GoValue, zone: string, context: CallContext): string => {
    const wanted = loadZone(zone, localZone) ?? UTC;
    const { epochSeconds, nanoseconds } = dateOf(value, context);
    return formatInstant(new Instant(epochSeconds, nanoseconds, wanted), layout);
  };
  const dateInZone = fixed([text, anything, text], inZone);
  const dateModify = fixed([text, time], modifyQuietly);
  const mustDateModify = fixed([text, time], (by, instant) => modify(by, instant));
  return [
    ['now', fixed([], (context) => timeValue(nowIn(context, local)))],
    [
      'date',
      fixed([text, anything], (layout, value, context) => inZone(layout, value, 'Local', context)),
    ],
    ['dateInZone', dateInZone],
    ['date_in_zone', dateInZone],
    ['htmlDate', fixed([anything], (value, context) => inZone(HTML_DATE, value, 'Local', context))],
    [
      'htmlDateInZone',
      fixed([anything, text], (value, zone, context) => inZone(HTML_DATE, value, zone, context)),
    ],
    ['dateModify', dateModify],
    ['date_modify', dateModify],
    ['mustDateModify', mustDateModify],
    ['must_date_modify', mustDateModify],
    ['ago', fixed([anything], ago)],
    ['duration', fixed([anything], durationText)],
    ['durationRound', fixed([anything], roundedText)],
    [
      'toDate',
      fixed([text, text], (layout, value) => timeValue(parseQuietly(layout, value, local))),
    ],
    [
      'mustToDate',
      fixed([text, text], (layout, value) => timeValue(parseInstant(layout, value, local))),
    ],
    ['unixEpoch', fixed([time], (instant) => String(instant.epochSeconds))],
  ];
}

function nowIn(context: CallContext, zone: Zone): Instant {
  const ms = context.now();
  const seconds = Math.floor(ms / 1000);
  return new Instant(seconds, Math.round((ms - seconds * 1000) * 1e6), zone);
}

/** A time, a number of seconds, or now for anything else. */
function dateOf(given: GoValue, context: CallContext): Instant {
  const value = indirect(given);
  if (isTime(value)) return instantIn(value);
  const seconds = secondsOf(value);
  return seconds === undefined ? nowIn(context, UTC) : new Instant(seconds, 0);
}

function secondsOf(value: GoValue): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (!(value instanceof GoInt)) return undefined;
  return ['int', 'int32', 'int64'].includes(value.type.text) ? Number(value.value) : undefined;
}

function modify(by: string, instant: Instant): GoValue {
  return timeValue(addNanoseconds(instant, parseDuration(by)));
}

function modifyQuietly(by: string, instant: Instant): GoValue {
  try {
    return modify(by, instant);
  } catch (error) {
    if (error instanceof GoError) return timeValue(instant);
    throw error;
  }
}

function parseQuietly(layout: string, value: string, local: Zone): Instant {
  try {
    return parseInstant(layout, value, local);
  } catch (error) {
    if (error instanceof GoError) return zeroInstant();
    throw error;
  }
}

function ago(value: GoValue, context: CallContext): string {
  const since = nanosecondsBetween(nowIn(context, UTC), dateOf(value, context));
  return formatDuration(roundDuration(since, SECOND));
}

function durationText(value: GoValue): string {
  let seconds = 0n;
  if (typeof value === 'string') seconds = parseInteger(value, 10).value;
  else if (typeof value === 'bigint') seconds = value;
  else if (value instanceof GoInt && value.type.text === 'int64') seconds = BigInt(value.value);
  return formatDuration(BigInt.asIntN(64, seconds * SECOND));
}

const ROUND_UNITS: readonly (readonly [bigint, string])[] = [
  [HOUR * 24n * 365n, 'y'],
  [HOUR * 24n * 30n, 'mo'],
  [HOUR * 24n, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'm'],
  [SECOND, 's'],
];

/** The largest unit the duration is more than one of. */
function roundedText(value: GoValue, context: CallContext): string {
  const nanoseconds = roundable(value, context);
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  for (const [unit, name] of ROUND_UNITS) if (size > unit) return `${size / unit}${name}`;
  return '0s';
}

function roundable(value: GoValue, context: CallContext): bigint {
  if (typeof value === 'string') {
    try {
      return parseDuration(value);
    } catch (error) {
      if (error instanceof GoError) return 0n;
      throw error;
    }
  }
  if (typeof value === 'bigint') return value;
  if (value instanceof GoInt && value.type.text === 'int64') return BigInt(value.value);
  if (isTime(value)) return nanosecondsBetween(nowIn(context, UTC), instantIn(value));
  return 0n;
}
