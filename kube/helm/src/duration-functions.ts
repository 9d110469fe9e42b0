import {
  ANY,
  DURATION,
  duration,
  GoError,
  GoFunc,
  GoInt,
  type GoType,
  type GoValue,
  int64,
  parseDuration,
  roundDuration,
  sprintf,
  truncateDuration,
} from '@capstan/lib-gotemplate';

const SECOND = 1_000_000_000n;
const GREATEST = (1n << 63n) - 1n;

/** Helm 4's functions over durations: texts (`1m30s`), or numbers of seconds. What is no duration counts as 0. */
export function durationFunctions(): readonly (readonly [string, GoFunc])[] {
  return [
    define('mustToDuration', 'time.Duration', (value) => duration(asDuration(value))),
    define('durationSeconds', 'float64', (value) => Number(orZero(value)) / 1e9),
    define('durationMilliseconds', 'int64', (value) => int64(orZero(value) / 1_000_000n)),
    define('durationMicroseconds', 'int64', (value) => int64(orZero(value) / 1000n)),
    define('durationNanoseconds', 'int64', (value) => int64(orZero(value))),
    define('durationMinutes', 'float64', (value) => Number(orZero(value)) / 60e9),
    define('durationHours', 'float64', (value) => hours(value)),
    define('durationDays', 'float64', (value) => hours(value) / 24),
    define('durationWeeks', 'float64', (value) => hours(value) / 24 / 7),
    fitted('durationRoundTo', roundDuration),
    fitted('durationTruncateTo', truncateDuration),
  ];
}

function define(
  name: string,
  results: string,
  call: (value: GoValue) => GoValue,
): readonly [string, GoFunc] {
  return [name, new GoFunc({ params: [ANY], results }, (_context, [value]) => call(value))];
}

function fitted(
  name: string,
  fit: (value: bigint, multiple: bigint) => bigint,
): readonly [string, GoFunc] {
  const params: readonly GoType[] = [ANY, ANY];
  const call = ([value, multiple]: GoValue[]): GoValue => {
    const length = orNull(value);
    if (length === null) return duration(0n);
    const step = orNull(multiple);
    return duration(step === null ? length : fit(length, step));
  };
  return [name, new GoFunc({ params, results: DURATION.text }, (_context, args) => call(args))];
}

function hours(value: GoValue): number {
  return Number(orZero(value)) / 3600e9;
}

function orZero(value: GoValue): bigint {
  return orNull(value) ?? 0n;
}

function orNull(value: GoValue): bigint | null {
  try {
    return asDuration(value);
  } catch (error) {
    if (error instanceof GoError) return null;
    throw error;
  }
}

/** Nanoseconds of a duration, a text, or a number of seconds. */
function asDuration(value: GoValue): bigint {
  if (value === null || value === undefined) throw new GoError('invalid duration');
  if (value instanceof GoInt) {
    const count = BigInt(value.value);
    return value.type.text === DURATION.text
      ? count
      : checked(count * SECOND, `duration seconds overflow: ${count}`);
  }
  if (typeof value === 'bigint')
    return checked(value * SECOND, `duration seconds overflow: ${value}`);
  if (typeof value === 'number') return fromSeconds(value);
  if (typeof value === 'string') return fromText(value);
  throw new GoError(`unsupported duration type ${sprintf('%T', [value])}`);
}

function fromText(given: string): bigint {
  const text = given.trim();
  if (text === '') throw new GoError('empty duration');
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    throw new GoError(`could not parse duration ${JSON.stringify(given)}`);
  }
  return fromSeconds(Number(text));
}

function fromSeconds(seconds: number): bigint {
  if (!Number.isFinite(seconds)) throw new GoError(`invalid duration seconds: ${seconds}`);
  if (Math.abs(seconds) > Number(GREATEST) / 1e9) {
    throw new GoError(`duration seconds overflow: ${seconds}`);
  }
  return BigInt(Math.trunc(seconds * 1e9));
}

function checked(nanoseconds: bigint, message: string): bigint {
  if (nanoseconds > GREATEST || nanoseconds < -GREATEST) throw new GoError(message);
  return nanoseconds;
}
