/**
 * Whether two quantities (resource.Quantity: `1`, `1000m`, `1Gi`, `1e3`) are the same amount. Exact: amounts are compared
 * as integers over a common power of ten. undefined when either is not a quantity.
 */
export function sameQuantity(a: unknown, b: unknown): boolean | undefined {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return undefined;
  const scale = Math.min(left.exponent, right.exponent);
  return raise(left, scale) === raise(right, scale);
}

interface Amount {
  readonly digits: bigint;
  readonly exponent: number;
}

const DECIMAL: Readonly<Record<string, number>> = {
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
const BINARY: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };

function parse(value: unknown): Amount | undefined {
  if (typeof value === 'bigint') return { digits: value, exponent: 0 };
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const match =
    /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?$/.exec(
      String(value),
    );
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const binary = BINARY[suffix];
  if (binary !== undefined) {
    return { digits: digits * 1024n ** BigInt(binary), exponent: -fraction.length };
  }
  const power = DECIMAL[suffix] ?? Number(suffix.slice(1));
  return { digits, exponent: power - fraction.length };
}

function raise({ digits, exponent }: Amount, scale: number): bigint {
  return digits * 10n ** BigInt(exponent - scale);
}
