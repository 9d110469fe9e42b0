import { formatDouble, toText } from './conversions.ts';
import { formatDuration, formatTimestamp } from './times.ts';
import {
  CelError,
  CelList,
  CelMap,
  type CelValue,
  Duration,
  numeric,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
} from './values.ts';

const CLAUSE = /%(?:%|(?:\.(\d+))?([\s\S]))?/g;
const PRECISION_MAX = 1000;

/** `'%s has %d'.format([…])`: the clauses s, d, f, e, b, x, X and o. */
export function formatText(text: string, args: readonly CelValue[]): string {
  let next = 0;
  return text.replace(
    CLAUSE,
    (whole, precision: string | undefined, clause: string | undefined) => {
      if (whole === '%%') return '%';
      if (clause === undefined) throw new CelError('unexpected end of string');
      if (next >= args.length) throw new CelError(`index ${next} out of range`);
      const digits = precision === undefined ? undefined : Number(precision);
      if (digits !== undefined && digits > PRECISION_MAX) {
        throw new CelError(`error during formatting: precision ${digits} is too large`);
      }
      const made = clauseText(clause, args[next] ?? null, digits);
      next++;
      return made;
    },
  );
}

function clauseText(clause: string, value: CelValue, precision: number | undefined): string {
  switch (clause) {
    case 's':
      return show(value);
    case 'd':
      return whole(value, 'decimal');
    case 'f':
      return fixed(value, precision ?? 6);
    case 'e':
      return scientific(value, precision ?? 6);
    case 'b':
      return binary(value);
    case 'x':
      return hex(value);
    case 'X':
      return hex(value).toUpperCase();
    case 'o': {
      const number = numeric(value);
      if (typeof number !== 'bigint') throw wrong('octal', 'integers', value);
      return number.toString(8);
    }
    default:
      throw new CelError(
        `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(clause)}`,
      );
  }
}

function wrong(clause: string, wanted: string, value: CelValue): CelError {
  return new CelError(
    `error during formatting: ${clause} clause can only be used on ${wanted}, was given ${typeNameOf(value)}`,
  );
}

/** Any value as text; texts stand as they are, also in lists. */
function show(value: CelValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return formatDouble(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Uint8Array) return String(toText(value));
  if (value instanceof CelList) return `[${[...value].map(show).join(', ')}]`;
  if (value instanceof CelMap) {
    const entries = [...value.keys()].map((key) => `${show(key)}: ${show(value.get(key) ?? null)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  throw new CelError(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeNameOf(value)}`,
  );
}

function whole(value: CelValue, clause: string): string {
  const number = numeric(value);
  if (typeof number === 'bigint') return String(number);
  if (typeof number === 'number') return formatDouble(number);
  throw wrong(clause, 'integers', value);
}

/** As golang.org/x/text writes numbers in English: thousands in groups. */
function fixed(value: CelValue, precision: number): string {
  const number = doubleOf(value, 'fixed-point');
  if (!Number.isFinite(number)) return special(number);
  const digits = Math.min(precision, 100);
  return number.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function special(number: number): string {
  if (Number.isNaN(number)) return 'NaN';
  return number > 0 ? '∞' : '-∞';
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 3.140000×10⁰⁰ */
function scientific(value: CelValue, precision: number): string {
  const number = doubleOf(value, 'scientific');
  if (!Number.isFinite(number)) return special(number);
  const [digits = '', exponent = '+0'] = number.toExponential(Math.min(precision, 100)).split('e');
  const power = exponent.slice(1).padStart(2, '0');
  const raised = power.replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] ?? '');
  return `${digits}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`;
}

function doubleOf(value: CelValue, clause: string): number {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value !== 'number') throw wrong(clause, 'doubles', value);
  return value;
}

function binary(value: CelValue): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  const number = numeric(value);
  if (typeof number === 'bigint') return number.toString(2);
  throw wrong('binary', 'integers and bools', value);
}

function hex(value: CelValue): string {
  const number = numeric(value);
  if (typeof number === 'bigint') return number.toString(16);
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (bytes instanceof Uint8Array) {
    return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  throw wrong('hex', 'integers, byte buffers, and strings', value);
}
