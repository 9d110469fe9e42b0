import { CapstanError } from '@capstan/lib-std';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `5s`, `1m30s`, `2h`, or plain seconds, as retry strategies write them. Throws DURATION_INVALID. */
export function parseDurationMs(text: string, field: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new CapstanError(
      'DURATION_INVALID',
      `${field}: ${JSON.stringify(text)} is not a duration`,
      {
        hint: 'write it as 30s, 5m or 1h30m',
      },
    );
  }
  return parts.reduce((sum, [, count, unit = 's']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}
