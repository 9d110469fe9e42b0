/** Numbers as Go's strconv prints them. JavaScript finds the same shortest digits; only the layout differs. */

/** `strconv.FormatFloat(value, 'g', -1, 64)`, and fmt's `%v`: an exponent from 1e6 on and below 1e-4. */
export function formatFloat(value: number): string {
  return layOut(value);
}

/** `strconv.FormatFloat(value, 'g', -1, 32)` of a float64: the shortest text that gives the same float32. */
export function formatFloat32(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isFinite(rounded) && rounded !== 0) {
    for (let digits = 1; digits <= 9; digits++) {
      const short = Number(rounded.toPrecision(digits));
      if (Math.fround(short) === rounded) return layOut(short);
    }
  }
  return layOut(rounded);
}

function layOut(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const { sign, digits, exponent } = decompose(value);
  if (exponent < -4 || exponent >= 6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = Math.abs(exponent);
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`;
  }
  return sign + positional(digits, exponent);
}

/** `encoding/json`'s float64: positional between 1e-6 and 1e21, else an exponent without padding. */
export function formatJsonFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const size = Math.abs(value);
  const { sign, digits, exponent } = decompose(value);
  if (size >= 1e-6 && size < 1e21) return sign + positional(digits, exponent);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const power = Math.abs(exponent);
  const padded = exponent > 0 && power < 10 ? `0${power}` : `${power}`;
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${padded}`;
}

interface Decimal {
  readonly sign: string;
  /** Shortest digits without leading or trailing zeros. */
  readonly digits: string;
  /** Power of ten of the first digit. */
  readonly exponent: number;
}

function decompose(value: number): Decimal {
  const text = Math.abs(value).toExponential();
  const mark = text.indexOf('e');
  return {
    sign: value < 0 ? '-' : '',
    digits: text.slice(0, mark).replace('.', ''),
    exponent: Number(text.slice(mark + 1)),
  };
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits + '0'.repeat(exponent + 1 - digits.length);
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
