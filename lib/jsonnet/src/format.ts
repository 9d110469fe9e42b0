import { jsonnetError } from './jsonnet-error.ts';
import { toText } from './manifest.ts';
import { isArray, ObjectValue, typeName, type Value } from './values.ts';

interface Code {
  readonly key: string | undefined;
  readonly flags: string;
  readonly width: string;
  readonly precision: string | undefined;
  readonly type: string;
}

const CODE = /%(?:\(([^)]*)\))?([#0\- +]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?([diouxXeEfFgGcs%])/y;

/** std.format: printf's codes over a list of values, or over the fields of an object. */
export function formatText(text: string, given: Value): string {
  const values = isArray(given) ? given : undefined;
  let next = 0;
  const take = (): Value => {
    if (values === undefined) {
      if (next++ > 0) throw jsonnetError('Not enough values to format');
      return given;
    }
    const found = values[next++];
    if (found === undefined)
      throw jsonnetError(
        `Not enough values to format: ${values.length}, expected at least ${next}`,
      );
    return found.force();
  };
  let result = '';
  let i = 0;
  while (i < text.length) {
    const percent = text.indexOf('%', i);
    if (percent < 0) break;
    result += text.slice(i, percent);
    CODE.lastIndex = percent;
    const match = CODE.exec(text);
    if (match === null) throw jsonnetError('Truncated or unrecognised format code');
    i = CODE.lastIndex;
    const [, key, flags = '', width = '', precision, type = ''] = match;
    result += formatOne({ key, flags, width, precision, type }, given, take);
  }
  if (values !== undefined && next < values.length)
    throw jsonnetError(`Too many values to format: ${values.length}, expected ${next}`);
  return result + text.slice(i);
}

function formatOne(code: Code, given: Value, take: () => Value): string {
  const number = (text: string): number => {
    if (text !== '*') return Number(text);
    const value = take();
    return typeof value === 'number' ? value : 0;
  };
  const width = code.width === '' ? 0 : number(code.width);
  const precision = code.precision === undefined ? undefined : number(code.precision || '0');
  if (code.type === '%') return pad('%', { width, flags: code.flags });
  const value = code.key === undefined ? take() : fieldOf(given, code.key);
  return pad(render(code, value, precision), { width, flags: code.flags, type: code.type });
}

function fieldOf(given: Value, key: string): Value {
  const found = given instanceof ObjectValue ? given.get(key) : undefined;
  if (found === undefined) throw jsonnetError(`No such field: ${key}`);
  return found;
}

function pad(
  text: string,
  {
    width,
    flags,
    type = 's',
  }: { readonly width: number; readonly flags: string; readonly type?: string },
): string {
  if (text.length >= width) return text;
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || 'cs%'.includes(type)) return text.padStart(width);
  const head = /^[+\- ]?(?:0[xX])?/.exec(text)?.[0] ?? '';
  return head + text.slice(head.length).padStart(width - head.length, '0');
}

function render(code: Code, value: Value, precision: number | undefined): string {
  const { type, flags } = code;
  if (type === 's') return toText(value);
  if (type === 'c') {
    if (typeof value === 'number') return String.fromCodePoint(value);
    if (typeof value === 'string' && [...value].length === 1) return value;
    throw jsonnetError('%c expects a number or a string of one character');
  }
  if (typeof value !== 'number')
    throw jsonnetError(`Format required number, got ${typeName(value)}`);
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  return sign + magnitude(type, Math.abs(value), { flags, precision });
}

function magnitude(
  type: string,
  value: number,
  { flags, precision }: { readonly flags: string; readonly precision: number | undefined },
): string {
  const alternate = flags.includes('#');
  const digits = (text: string) => text.padStart(precision ?? 0, '0');
  switch (type) {
    case 'd':
    case 'i':
    case 'u':
      return digits(String(Math.floor(value)));
    case 'o':
      return (alternate ? '0' : '') + digits(Math.floor(value).toString(8));
    case 'x':
      return (alternate ? '0x' : '') + digits(Math.floor(value).toString(16));
    case 'X':
      return (alternate ? '0X' : '') + digits(Math.floor(value).toString(16).toUpperCase());
    case 'e':
    case 'E':
      return exponential(value, precision ?? 6, type);
    case 'f':
    case 'F':
      return value.toFixed(precision ?? 6);
    default:
      return general(value, { precision: precision ?? 6, type, alternate });
  }
}

function exponential(value: number, precision: number, type: string): string {
  const [mantissa = '', exponent = '+0'] = value.toExponential(precision).split('e');
  const sign = exponent[0] ?? '+';
  const text = `${mantissa}e${sign}${exponent.slice(1).padStart(2, '0')}`;
  return type === 'E' ? text.toUpperCase() : text;
}

function general(
  value: number,
  {
    precision,
    type,
    alternate,
  }: { readonly precision: number; readonly type: string; readonly alternate: boolean },
): string {
  const figures = precision === 0 ? 1 : precision;
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(value));
  if (exponent < -4 || exponent >= figures) {
    const text = exponential(value, figures - 1, type === 'G' ? 'E' : 'e');
    return alternate ? text : text.replace(/\.?0+(?=[eE])/, '');
  }
  const text = value.toFixed(Math.max(0, figures - 1 - exponent));
  return alternate || !text.includes('.') ? text : text.replace(/\.?0+$/, '');
}
