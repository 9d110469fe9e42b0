const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const nanosMax = 2n ** 63n - 1n;

/** Nanoseconds of a Go duration (`1h30m`, `1.5s`, `-2m`, `0`); undefined if the text is none or does not fit 64 bits. */
export function parseDurationNanos(text: string): bigint | undefined {
  const match = /^([+-]?)(.*)$/s.exec(text)!;
  const body = match[2]!;
  if (body === '0') return 0n;
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    if (whole.replace(/^0+/, '').length > 19) return undefined;
    const digits = fraction.slice(0, 18);
    const size = units[unit]!;
    total +=
      BigInt(whole || '0') * size + (BigInt(digits || '0') * size) / 10n ** BigInt(digits.length);
  }
  const isNegative = match[1] === '-';
  if (total > nanosMax + (isNegative ? 1n : 0n)) return undefined;
  return isNegative ? -total : total;
}

/** As parseDurationNanos, in milliseconds (fractions kept). */
export function parseDurationMs(text: string): number | undefined {
  const nanos = parseDurationNanos(text);
  return nanos === undefined
    ? undefined
    : Number(nanos / 1_000_000n) + Number(nanos % 1_000_000n) / 1e6;
}

/** As Go prints a duration: `1h30m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDurationNanos(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const value = nanos < 0n ? -nanos : nanos;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${fraction(value, 1_000n)}µs`;
  if (value < 1_000_000_000n) return `${sign}${fraction(value, 1_000_000n)}ms`;
  const seconds = value % 60_000_000_000n;
  const minutes = (value / 60_000_000_000n) % 60n;
  const hours = value / 3_600_000_000_000n;
  const tail = `${fraction(seconds, 1_000_000_000n)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${tail}`;
  return minutes > 0n ? `${sign}${minutes}m${tail}` : `${sign}${tail}`;
}

export function formatDurationMs(milliseconds: number): string {
  return formatDurationNanos(BigInt(Math.round(milliseconds * 1e6)));
}

function fraction(value: bigint, unit: bigint): string {
  const rest = value % unit;
  if (rest === 0n) return `${value / unit}`;
  const digits = `${unit + rest}`.slice(1).replace(/0+$/, '');
  return `${value / unit}.${digits}`;
}
