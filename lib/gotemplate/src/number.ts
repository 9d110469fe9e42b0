import { quote } from './quote.ts';

/** The digits of a positive finite number and the place of its decimal point: 0.DIGITS * 10^point. */
export interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** The shortest decimal that reads back as the same float64 (or float32). */
export function shortestDecimal(value: number, bits: 32 | 64 = 64): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  return splitExponential(bits === 64 ? value.toExponential() : shortestFloat32(value));
}

function shortestFloat32(value: number): string {
  for (let precision = 1; precision < 10; precision++) {
    const text = value.toExponential(precision - 1);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential();
}

function splitExponential(text: string): Decimal {
  const at = text.indexOf('e');
  const digits = text.slice(0, at).replace('.', '').replace(/0+$/, '');
  return { digits, point: Number(text.slice(at + 1)) + 1 };
}

/** Every digit of the exact value. */
export function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const { mantissa, exponent } = floatParts(value);
  if (exponent >= 0) return trimDecimal((mantissa << BigInt(exponent)).toString(), 0);
  return trimDecimal((mantissa * 5n ** BigInt(-exponent)).toString(), exponent);
}

/** digits * 10^shift as 0.DIGITS * 10^point. */
function trimDecimal(digits: string, shift: number): Decimal {
  return { digits: digits.replace(/0+$/, ''), point: digits.length + shift };
}

/** value = mantissa * 2^exponent. */
export function floatParts(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

/** Rounds to a number of digits, half to even on the exact digits given. */
export function roundDecimal(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count < 0) return { digits: '', point: 0 };
  if (count >= digits.length) return decimal;
  const next = digits.charCodeAt(count) - 48;
  const exactHalf = next === 5 && count + 1 === digits.length;
  const previousOdd = count > 0 && digits.charCodeAt(count - 1) % 2 === 1;
  const up = exactHalf ? previousOdd : next >= 5;
  const kept = digits.slice(0, count);
  if (!up) {
    const trimmed = kept.replace(/0+$/, '');
    return trimmed === '' ? { digits: '', point: 0 } : { digits: trimmed, point };
  }
  const head = kept.replace(/9+$/, '');
  if (head === '') return { digits: '1', point: point + 1 };
  const last = String.fromCharCode(head.charCodeAt(head.length - 1) + 1);
  return { digits: head.slice(0, -1) + last, point };
}

export type FloatFormat = 'e' | 'E' | 'f' | 'g' | 'G' | 'b' | 'x' | 'X';

/** strconv.FormatFloat: precision -1 is the shortest that reads back. */
export function formatFloat(
  value: number,
  format: FloatFormat,
  precision: number,
  bits: 32 | 64 = 64,
): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (!Number.isFinite(value)) return sign === '' ? '+Inf' : '-Inf';
  const positive = Math.abs(value);
  if (format === 'b') return sign + binaryExponent(positive, bits);
  if (format === 'x' || format === 'X') return sign + hexFloat(positive, format, precision);
  const shortest = precision < 0;
  const decimal = shortest
    ? shortestDecimal(positive, bits)
    : roundDecimal(exactDecimal(positive), digitsWanted(positive, format, precision));
  return sign + layOut(decimal, { format, precision, shortest });
}

function digitsWanted(value: number, format: FloatFormat, precision: number): number {
  if (format === 'e' || format === 'E') return precision + 1;
  if (format === 'f') return exactDecimal(value).point + precision;
  return precision === 0 ? 1 : precision;
}

interface Layout {
  readonly format: FloatFormat;
  readonly precision: number;
  readonly shortest: boolean;
}

function layOut(decimal: Decimal, { format, precision, shortest }: Layout): string {
  const { digits, point } = decimal;
  if (format === 'e' || format === 'E') {
    return withExponent(decimal, shortest ? digits.length - 1 : precision, format);
  }
  if (format === 'f') {
    return withPoint(decimal, shortest ? Math.max(digits.length - point, 0) : precision);
  }
  let limit = shortest ? 6 : Math.max(precision, 1);
  if (!shortest && limit > digits.length && digits.length >= point) limit = digits.length;
  const exponent = point - 1;
  const letter = format === 'g' ? 'e' : 'E';
  if (exponent < -4 || exponent >= limit) {
    return withExponent(decimal, digits.length - 1, letter);
  }
  return withPoint(decimal, Math.max(digits.length - point, 0));
}

function withExponent({ digits, point }: Decimal, precision: number, letter: 'e' | 'E'): string {
  const exponent = digits === '' ? 0 : point - 1;
  const first = digits === '' ? '0' : digits[0];
  const rest = precision > 0 ? `.${digits.slice(1, precision + 1).padEnd(precision, '0')}` : '';
  return `${first}${rest}${letter}${exponentText(exponent)}`;
}

function exponentText(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function withPoint({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (precision <= 0) return whole;
  const leading = point < 0 ? '0'.repeat(Math.min(-point, precision)) : '';
  const fraction = leading + digits.slice(Math.max(point, 0));
  return `${whole}.${fraction.slice(0, precision).padEnd(precision, '0')}`;
}

function binaryExponent(value: number, bits: 32 | 64): string {
  if (bits === 64) {
    const { mantissa, exponent } = floatParts(value);
    return `${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`;
  }
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const raw = view.getUint32(0);
  const biased = raw >>> 23;
  const mantissa = biased === 0 ? raw & 0x7fffff : (raw & 0x7fffff) | 0x800000;
  const exponent = (biased === 0 ? 1 : biased) - 150;
  return `${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`;
}

function hexFloat(value: number, format: 'x' | 'X', precision: number): string {
  let { mantissa, exponent } = floatParts(value);
  if (mantissa === 0n) exponent = 0;
  else {
    const shift = 53 - mantissa.toString(2).length;
    mantissa <<= BigInt(shift);
    exponent += 52 - shift;
  }
  if (precision >= 0 && precision < 13) {
    const drop = BigInt(52 - precision * 4);
    const half = 1n << (drop - 1n);
    const rest = mantissa & ((1n << drop) - 1n);
    mantissa >>= drop;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa += 1n;
    mantissa <<= drop;
    if (mantissa >> 53n !== 0n) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, '0');
  const fraction =
    precision < 0 ? digits.replace(/0+$/, '') : digits.slice(0, precision).padEnd(precision, '0');
  const text = `0x${mantissa >> 52n}${fraction === '' ? '' : `.${fraction}`}p${exponentText(exponent)}`;
  return format === 'X' ? text.toUpperCase() : text;
}

/** What a float64 is in %v: %g of the shortest digits, 1e+06 but 100000. */
export function floatText(value: number): string {
  if (Number.isInteger(value) && value < 1e6 && value > -1e6 && !Object.is(value, -0)) {
    return String(value);
  }
  return formatFloat(value, 'g', -1);
}

export interface ParsedInt {
  readonly value: bigint;
  readonly error?: string;
}

const DIGITS: Readonly<Record<number, RegExp>> = {
  2: /^[01]+$/,
  8: /^[0-7]+$/,
  10: /^[0-9]+$/,
  16: /^[0-9a-fA-F]+$/,
};

/**
 * strconv.ParseInt with 64 bits (ParseUint when `unsigned`). Base 0 reads the prefix and allows underscores. Out of range
 * gives the nearest bound and the error, as Go does.
 */
export function parseInteger(text: string, base: number, unsigned = false): ParsedInt {
  const name = unsigned ? 'ParseUint' : 'ParseInt';
  const invalid = { value: 0n, error: `strconv.${name}: parsing ${quote(text)}: invalid syntax` };
  const signed = /^[+-]/.test(text);
  if (text === '' || (unsigned && signed)) return invalid;
  let body = signed ? text.slice(1) : text;
  let radix = base;
  if (base === 0) {
    const prefix = /^0[xX]/.test(body) ? 16 : /^0[bB]/.test(body) ? 2 : /^0[oO]/.test(body) ? 8 : 0;
    if (!underscoresFit(body)) return invalid;
    if (prefix !== 0) body = body.slice(2);
    else if (/^0./.test(body)) body = body.slice(1);
    radix = prefix !== 0 ? prefix : /^[+-]?0./.test(text) ? 8 : 10;
    body = body.replaceAll('_', '');
  }
  if (DIGITS[radix]?.test(body) !== true) return invalid;
  const magnitude = parseBig(body, radix);
  const value = text.startsWith('-') ? -magnitude : magnitude;
  const max = unsigned ? (1n << 64n) - 1n : (1n << 63n) - 1n;
  const min = unsigned ? 0n : -(1n << 63n);
  const error = `strconv.${name}: parsing ${quote(text)}: value out of range`;
  if (value > max) return { value: max, error };
  return value < min ? { value: min, error } : { value };
}

function parseBig(digits: string, radix: number): bigint {
  // More digits than any 64-bit value has are out of range anyway; do not pay for them.
  const body = digits.replace(/^0+(?=.)/, '').slice(0, 80);
  const prefix = radix === 16 ? '0x' : radix === 8 ? '0o' : radix === 2 ? '0b' : '';
  return BigInt(prefix + body);
}

/** Underscores may stand between digits, and after a base prefix. */
export function underscoresFit(text: string): boolean {
  if (!text.includes('_')) return true;
  const body = text.replace(/^[+-]/, '');
  const prefixed = /^0[xXbBoO]/.test(body);
  const legacyOctal = /^0[0-9_]/.test(body);
  if (!prefixed && !legacyOctal && base10Underscore(body)) return true;
  const digits = prefixed ? `0${body.slice(2)}` : body;
  const isHex = /^0[xX]/.test(body);
  return !(isHex ? /__|_$|_[^0-9a-fA-F]|[^0-9a-fA-F]_/ : /__|_$|_[^0-9]|[^0-9]_/).test(digits);
}

function base10Underscore(body: string): boolean {
  return /^[0-9]+(_[0-9]+)*$/.test(body);
}

export interface ParsedFloat {
  readonly value: number;
  readonly error?: string;
}

const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const HEX_FLOAT = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/;
const SPECIAL = /^([+-]?)(inf|infinity|nan)$/i;

/** strconv.ParseFloat with 64 bits. */
export function parseFloatText(text: string): ParsedFloat {
  const invalid = { value: 0, error: `strconv.ParseFloat: parsing ${quote(text)}: invalid syntax` };
  const special = SPECIAL.exec(text);
  if (special !== null) {
    const isNan = special[2]?.toLowerCase() === 'nan';
    if (isNan) return special[1] === '' ? { value: Number.NaN } : invalid;
    return { value: special[1] === '-' ? -Infinity : Infinity };
  }
  const plain = underscoresFit(text) ? text.replaceAll('_', '') : text;
  if (FLOAT.test(plain)) return inRange(Number(plain), text);
  const hex = HEX_FLOAT.exec(text.replaceAll('_', ''));
  const digits = `${hex?.[2] ?? ''}${hex?.[3] ?? ''}`;
  if (hex === null || digits === '' || !underscoresFit(text)) return invalid;
  const exponent = Number(hex[4]) - 4 * (hex[3]?.length ?? 0);
  const value = scaleBinary(BigInt(`0x${digits}`), exponent);
  return inRange(hex[1] === '-' ? -value : value, text);
}

function inRange(value: number, text: string): ParsedFloat {
  if (Number.isFinite(value)) return { value };
  return { value, error: `strconv.ParseFloat: parsing ${quote(text)}: value out of range` };
}

/** mantissa * 2^exponent, rounded once, half to even. */
function scaleBinary(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  if (exponent > 2000) return Infinity;
  if (exponent < -5000) return 0;
  if (exponent >= 0) return Number(mantissa << BigInt(exponent));
  const length = mantissa.toString(2).length;
  const keep = Math.min(53, length + exponent + 1074);
  if (keep < 0) return 0;
  const drop = length - keep;
  if (drop <= 0) return Number(mantissa) * 2 ** exponent;
  const half = 1n << BigInt(drop - 1);
  const rest = mantissa & ((1n << BigInt(drop)) - 1n);
  let rounded = mantissa >> BigInt(drop);
  if (rest > half || (rest === half && (rounded & 1n) === 1n)) rounded += 1n;
  const shift = exponent + drop;
  return shift < -1000
    ? Number(rounded) * 2 ** (shift + 100) * 2 ** -100
    : Number(rounded) * 2 ** shift;
}

/** fmt's sharp flag on a float: it forces a decimal point and keeps trailing zeros. */
export function sharpFloat(body: string, format: string, precision: number): string {
  const isHex = format === 'x' || format === 'X';
  let digits = 0;
  if (format === 'g' || format === 'G' || format === 'x') digits = precision === -1 ? 6 : precision;
  const cut = body.search(isHex ? /[pP]/ : /[eE]/);
  let head = cut < 0 ? body : body.slice(0, cut);
  const tail = cut < 0 ? '' : body.slice(cut);
  let significant = false;
  for (const char of head) {
    if (char === '.') continue;
    if (char !== '0') significant = true;
    if (significant) digits--;
  }
  if (!head.includes('.')) {
    if (head === '0') digits--;
    head += '.';
  }
  return head + '0'.repeat(Math.max(digits, 0)) + tail;
}
