import type { Machine } from './machine.ts';
import { formatNumber, type LuaValue, toNumber, toText } from './value.ts';

const DIRECTIVE = /%(?:%|([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z]))/g;
const WIDTH_MAX = 10_000;

/** `string.format`: the directives of C that scripts use, as Go's `fmt` prints them. */
export function formatText(machine: Machine, format: string, values: readonly LuaValue[]): string {
  let index = 0;
  return format.replace(
    DIRECTIVE,
    (whole, flags: string | undefined, width = '', precision: string | undefined, verb = '') => {
      if (flags === undefined) return '%';
      if (index >= values.length) return `%!${verb}(MISSING)`;
      const value = values[index++];
      if (Number(width) > WIDTH_MAX || Number(precision) > WIDTH_MAX) {
        return machine.raise(`the width in ${whole} is too large`);
      }
      const text = formatOne(value, verb, { flags, precision });
      return pad(text, { width: Number(width), flags, isNumber: toNumber(value) !== undefined });
    },
  );
}

interface Options {
  readonly flags: string;
  readonly precision: string | undefined;
}

function formatOne(value: LuaValue, verb: string, { flags, precision }: Options): string {
  const digits = precision === undefined ? undefined : Number(precision || '0');
  if (verb === 's') return toText(value).slice(0, digits);
  if (verb === 'q') return JSON.stringify(toText(value));
  if (verb === 'v') return typeof value === 'number' ? formatNumber(value) : toText(value);
  const number = typeof value === 'number' ? value : undefined;
  if (number === undefined) return `%!${verb}(string=${toText(value)})`;
  const signed = (text: string) => (flags.includes('+') && number >= 0 ? `+${text}` : text);
  switch (verb) {
    case 'd':
    case 'i':
      return signed(String(Math.trunc(number)));
    case 'x':
      return Math.trunc(number).toString(16);
    case 'X':
      return Math.trunc(number).toString(16).toUpperCase();
    case 'o':
      return Math.trunc(number).toString(8);
    case 'c':
      return String.fromCharCode(Math.trunc(number) & 0xff);
    case 'f':
    case 'F':
      return signed(number.toFixed(Math.min(100, digits ?? 6)));
    case 'e':
    case 'E': {
      const text = number
        .toExponential(Math.min(100, digits ?? 6))
        .replace(/e([+-])(\d)$/, 'e$10$2');
      return signed(verb === 'E' ? text.toUpperCase() : text);
    }
    case 'g':
    case 'G':
      return signed(
        digits === undefined
          ? formatNumber(number)
          : String(Number(number.toPrecision(Math.max(1, Math.min(100, digits))))),
      );
    default:
      return `%!${verb}(float64=${formatNumber(number)})`;
  }
}

function pad(
  text: string,
  { width, flags, isNumber }: { width: number; flags: string; isNumber: boolean },
): string {
  if (text.length >= width) return text;
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || !isNumber) return text.padStart(width);
  const [sign = ''] = /^[+-]/.exec(text) ?? [];
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
