/** How a quantity is written: by powers of ten with a letter, of 1024 with a letter, or with an exponent. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** A Kubernetes quantity. Exact down to a billionth, which is the finest the API knows. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  /** How it is printed, where that is not the canonical form of `nanos`: some texts are kept as they were written. */
  readonly text?: string;
}

/** What the API server says of a text that is no quantity. */
export const quantityFormatError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const billion = 1_000_000_000n;
/** Binary quantities beyond this become it. */
const binaryMax = (2n ** 63n - 1n) * billion;
/** Decimal ones beyond this (1e9999999) are not computed with; they all compare as equal. */
const huge = 10n ** 70n;

const binary: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
const decimal: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const decimalSuffixes = new Map(Object.entries(decimal).map(([suffix, power]) => [power, suffix]));
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/**
 * Reads a quantity as `resource.ParseQuantity` of apimachinery 0.36 does: what is finer than a billionth is rounded away
 * from zero; a text that is nearly canonical keeps its form. undefined if it is none. Linear in the text.
 */
export function parseQuantity(text: string): Quantity | undefined {
  const match = /^([+-]?)0*(\d*)(?:\.(\d*))?([a-zA-Z]*)([-+]?\d*)$/.exec(text);
  if (match === null || text === '') return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent = ''] = match;
  const scale = readSuffix(suffix, exponent);
  if (scale === undefined) return undefined;
  // Without any digit there is nothing to read once the exponent is out of reach.
  if (!/\d/.test(text[sign === '' ? 0 : 1] ?? '0') && fraction === '' && scale.power < -9)
    return undefined;
  const number: Digits = { whole: whole === '' ? '0' : whole, fraction, scale };
  const isNegative = sign === '-';
  if (scale.format === 'BinarySI') return readBinary(text, number, isNegative);
  return readDecimal(text, number, isNegative);
}

interface Scale {
  readonly format: QuantityFormat;
  /** The power of ten, or of 1024 for BinarySI. */
  readonly power: number;
}

interface Digits {
  /** Without leading zeros, at least `0`. */
  readonly whole: string;
  readonly fraction: string;
  readonly scale: Scale;
}

function readSuffix(suffix: string, exponent: string): Scale | undefined {
  if (exponent !== '') {
    if ((suffix !== 'e' && suffix !== 'E') || !/\d/.test(exponent) || exponent.length > 19)
      return undefined;
    return { format: 'DecimalExponent', power: Number(BigInt.asIntN(32, BigInt(exponent))) };
  }
  const twos = binary[suffix];
  if (twos !== undefined) return { format: 'BinarySI', power: twos };
  const tens = decimal[suffix];
  return tens === undefined ? undefined : { format: 'DecimalSI', power: tens };
}

/** The fast path of the original holds this many digits. */
const shortDigits = 18;

function readBinary(
  text: string,
  { whole, fraction, scale }: Digits,
  isNegative: boolean,
): Quantity {
  const isShort = fraction === '' && 14 - whole.length - 3 * scale.power >= 0;
  if (isShort) {
    const value = BigInt(whole);
    const nanos = signed(value * 1024n ** BigInt(scale.power) * billion, isNegative);
    return (value & 7n) === 0n
      ? { nanos, format: 'BinarySI' }
      : { nanos, format: 'BinarySI', text };
  }
  const digits = fraction.slice(0, 60);
  const unit = 10n ** BigInt(digits.length);
  const isLong = whole.length > 40;
  const scaled =
    BigInt(isLong ? '0' : `${whole}${digits}`) * 1024n ** BigInt(scale.power) * billion;
  const exact = isLong ? binaryMax : roundUp(scaled, unit, fraction.length > digits.length);
  const magnitude = exact > binaryMax ? binaryMax : exact;
  const format = magnitude > 0n && magnitude < billion ? 'DecimalSI' : 'BinarySI';
  return { nanos: signed(magnitude, isNegative), format };
}

function readDecimal(text: string, number: Digits, isNegative: boolean): Quantity {
  const { whole, fraction, scale } = number;
  const { format } = scale;
  const digits = `${whole}${fraction}`;
  const power = scale.power - fraction.length;
  const isShort = digits.length <= shortDigits && power >= -9;
  const magnitude = nanosOf(digits, power);
  const quantity = { nanos: signed(magnitude, isNegative), format };
  if (isShort && power % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0')
    return { ...quantity, text };
  if (magnitude < huge) return quantity;
  return { ...quantity, text: `${isNegative ? '-' : ''}${printDecimal(digits, power, format)}` };
}

function signed(magnitude: bigint, isNegative: boolean): bigint {
  return isNegative ? -magnitude : magnitude;
}

/** `digits` times ten to the `power`, in billionths, rounded up. */
function nanosOf(digits: string, power: number): bigint {
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return 0n;
  const shift = power + 9;
  if (significant.length + shift > 70) return huge;
  if (shift >= 0) return BigInt(significant) * 10n ** BigInt(shift);
  if (-shift > significant.length) return 1n;
  return roundUp(BigInt(significant), 10n ** BigInt(-shift), false);
}

function roundUp(value: bigint, unit: bigint, hasMore: boolean): bigint {
  const quotient = value / unit;
  return value % unit !== 0n || hasMore ? quotient + 1n : quotient;
}

/** As the API server writes it: no fraction, the largest suffix that needs none (`0.5` is `500m`, `1000m` is `1`). */
export function formatQuantity({ nanos, format, text }: Quantity): string {
  if (text !== undefined) return text;
  if (nanos === 0n) return '0';
  const sign = nanos < 0n ? '-' : '';
  const magnitude = nanos < 0n ? -nanos : nanos;
  if (format === 'BinarySI' && magnitude >= 1024n * billion && magnitude % billion === 0n)
    return sign + printBinary(magnitude / billion);
  return sign + printDecimal(magnitude.toString(), -9, format);
}

function printBinary(value: bigint): string {
  let rest = value;
  let power = 0;
  while (power < 6 && rest % 1024n === 0n) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${binarySuffixes[power]}`;
}

/** A power of ten is shown by threes; one that has no letter is left out, as the original has it. */
function printDecimal(digits: string, power: number, format: QuantityFormat): string {
  const mantissa = digits.replace(/^0+/, '').replace(/0+$/, '');
  const whole = power + (digits.length - digits.replace(/0+$/, '').length);
  const excess = ((whole % 3) + 3) % 3;
  const shown = `${mantissa}${'0'.repeat(excess)}`;
  const exponent = whole - excess;
  if (format === 'DecimalExponent') return exponent === 0 ? shown : `${shown}e${exponent}`;
  return `${shown}${decimalSuffixes.get(exponent) ?? ''}`;
}

/** The server's form of a text, or the text itself if it is no quantity. */
export function canonicalQuantity(text: string): string {
  const quantity = parseQuantity(text);
  return quantity === undefined ? text : formatQuantity(quantity);
}

export function compareQuantities(left: Quantity, right: Quantity): number {
  if (left.nanos === right.nanos) return 0;
  return left.nanos < right.nanos ? -1 : 1;
}

/** The sum; its format is the first one's, unless that is zero. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  return {
    nanos: left.nanos + right.nanos,
    format: left.nanos === 0n ? right.format : left.format,
  };
}

/** As a plain number, for what only needs to be about right (a share, a chart). */
export function quantityToNumber({ nanos }: Quantity): number {
  return Number(nanos / billion) + Number(nanos % billion) / 1e9;
}
