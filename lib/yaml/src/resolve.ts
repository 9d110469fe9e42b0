import { isDigit } from './chars.ts';
import { YamlErrorCode, yamlError } from './errors.ts';
import type { Dialect } from './scanner.ts';
import { isTimestamp } from './timestamp.ts';

/** What a plain scalar means: a short tag and the value, where integers beyond 2^53 are bigints. */
export interface Resolved {
  readonly tag: string;
  readonly value: string | number | bigint | boolean | null;
}

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

const NULL: Resolved = { tag: '!!null', value: null };
const TRUE: Resolved = { tag: '!!bool', value: true };
const FALSE: Resolved = { tag: '!!bool', value: false };
const INFINITY: Resolved = { tag: '!!float', value: Number.POSITIVE_INFINITY };
const MINUS_INFINITY: Resolved = { tag: '!!float', value: Number.NEGATIVE_INFINITY };
const NOT_A_NUMBER: Resolved = { tag: '!!float', value: Number.NaN };

const COMMON_WORDS: ReadonlyArray<readonly [Resolved, string]> = [
  [TRUE, 'true True TRUE'],
  [FALSE, 'false False FALSE'],
  [NULL, '~ null Null NULL'],
  [NOT_A_NUMBER, '.nan .NaN .NAN'],
  [INFINITY, '.inf .Inf .INF +.inf +.Inf +.INF'],
  [MINUS_INFINITY, '-.inf -.Inf -.INF'],
];

/** YAML 1.1's other booleans: meant by v2, and quoted by v3 when it writes them as strings. */
const OLD_WORDS: ReadonlyArray<readonly [Resolved, string]> = [
  [TRUE, 'y Y yes Yes YES on On ON'],
  [FALSE, 'n N no No NO off Off OFF'],
];

const V3_WORDS = wordTable(COMMON_WORDS);
const V2_WORDS = wordTable([...COMMON_WORDS, ...OLD_WORDS]);
const OLD_BOOLEANS = wordTable(OLD_WORDS);

function wordTable(
  rows: ReadonlyArray<readonly [Resolved, string]>,
): ReadonlyMap<string, Resolved> {
  const table = new Map<string, Resolved>([['', NULL]]);
  for (const [resolved, words] of rows) {
    for (const word of words.split(' ')) table.set(word, resolved);
  }
  return table;
}

/** The longest entry of the word tables. */
const WORD_LENGTH_MAX = 5;

/** Whether YAML 1.1 reads `text` as a boolean that YAML 1.2 takes for a string: `yes`, `off`, `y`, … */
export function isOldBoolean(text: string): boolean {
  return text.length > 0 && text.length <= 3 && OLD_BOOLEANS.has(text);
}

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Whether YAML 1.1 reads `text` as a number in base 60 (`1:30`). Both dialects quote such strings. */
export function isBase60(text: string): boolean {
  const c = text.charCodeAt(0);
  return (c === 0x2b || c === 0x2d || isDigit(c)) && text.includes(':') && BASE_60.test(text);
}

/** The tag of a plain scalar in v3. */
export function resolveTag(text: string): string {
  return startsAsString(text.charCodeAt(0)) && text !== '' ? '!!str' : resolvePlain(text, 'v3').tag;
}

/** Whether a plain scalar that begins with `c` can be nothing but a string. */
export function startsAsString(c: number): boolean {
  if (c >= 0x30 && c <= 0x39) return false;
  switch (c) {
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x7e: // ~
    case 0x79: // y
    case 0x59: // Y
    case 0x6e: // n
    case 0x4e: // N
    case 0x74: // t
    case 0x54: // T
    case 0x66: // f
    case 0x46: // F
    case 0x6f: // o
    case 0x4f: // O
      return false;
    default:
      return true;
  }
}

/** The meaning of a plain scalar without a tag. */
export function resolvePlain(text: string, dialect: Dialect): Resolved {
  const c = text.charCodeAt(0);
  if (text !== '' && startsAsString(c)) return { tag: '!!str', value: text };
  if (text.length <= WORD_LENGTH_MAX) {
    const word = (dialect === 'v2' ? V2_WORDS : V3_WORDS).get(text);
    if (word !== undefined) return word;
  }
  if (c === 0x2e) return resolveDotted(text);
  if (isDigit(c) || c === 0x2b || c === 0x2d) return resolveNumeric(text, true, dialect);
  return { tag: '!!str', value: text };
}

/**
 * The meaning of a scalar under an explicit short `tag`, as Go's `resolve`. Throws when the text does not fit; a tag that
 * is none of YAML's own scalar tags keeps the text.
 */
export function resolveTagged(tag: string, text: string, dialect: Dialect): Resolved {
  switch (tag) {
    case '':
      return resolvePlain(text, dialect);
    case '!!str':
      return { tag, value: text };
    case '!!bool':
    case '!!int':
    case '!!float':
    case '!!null':
    case '!!timestamp':
      break;
    default:
      return { tag, value: text };
  }
  const found = resolveWithout(text, tag === '!!timestamp', dialect);
  if (found.tag === tag) return found;
  if (tag === '!!float' && found.tag === '!!int' && isInt64(found.value)) {
    return { tag, value: Number(found.value) };
  }
  throw yamlError(`cannot decode ${found.tag} \`${text}\` as a ${tag}`, YamlErrorCode.value);
}

/** As `resolvePlain`, but a timestamp is only looked for when asked for. */
function resolveWithout(text: string, timestamps: boolean, dialect: Dialect): Resolved {
  const c = text.charCodeAt(0);
  if (!timestamps && (isDigit(c) || c === 0x2b || c === 0x2d)) {
    const words = dialect === 'v2' ? V2_WORDS : V3_WORDS;
    return words.get(text) ?? resolveNumeric(text, false, dialect);
  }
  return resolvePlain(text, dialect);
}

function isInt64(value: Resolved['value']): boolean {
  return typeof value === 'number' || (typeof value === 'bigint' && value <= INT64_MAX);
}

function resolveDotted(text: string): Resolved {
  // Go's ParseFloat allows an underscore between two digits.
  if (/^\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?$/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    if (Number.isFinite(value)) return { tag: '!!float', value };
  }
  return { tag: '!!str', value: text };
}

const DECIMAL_FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

function resolveNumeric(text: string, timestamps: boolean, dialect: Dialect): Resolved {
  if (timestamps && isTimestamp(text)) return { tag: '!!timestamp', value: text };
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  const integer = parseInteger(plain);
  if (integer !== undefined) return { tag: '!!int', value: integer };
  if (DECIMAL_FLOAT.test(plain)) {
    const value = Number(plain);
    if (Number.isFinite(value)) return { tag: '!!float', value };
  }
  const odd = parseOddPrefix(plain, dialect);
  return odd === undefined ? { tag: '!!str', value: text } : { tag: '!!int', value: odd };
}

/**
 * An integer as Go's `ParseInt(s, 0, 64)` and then `ParseUint` read it: decimal, `0x`, `0o`, `0b`, or octal by a leading
 * zero; undefined when it is none or does not fit 64 bits. Small ones come as numbers.
 */
export function parseInteger(text: string): number | bigint | undefined {
  const first = text.charCodeAt(0);
  const signed = first === 0x2b || first === 0x2d;
  const start = signed ? 1 : 0;
  const length = text.length - start;
  if (length === 0) return undefined;
  if (text.charCodeAt(start) !== 0x30 || length === 1) return parseDecimal(text, start);
  const prefix = text.charCodeAt(start + 1) | 0x20;
  let digits: string;
  if (prefix === 0x78 || prefix === 0x6f || prefix === 0x62)
    digits = text.slice(start).toLowerCase();
  else digits = `0o${text.slice(start + 1)}`;
  const radix = digits.charCodeAt(1) === 0x78 ? 16 : digits.charCodeAt(1) === 0x6f ? 8 : 2;
  if (!isDigits(digits, 2, radix)) return undefined;
  return toInteger(BigInt(digits), first === 0x2d, signed);
}

function parseDecimal(text: string, start: number): number | bigint | undefined {
  for (let i = start; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return undefined;
  if (text.length - start <= 15) {
    const value = Number(text);
    return value === 0 ? 0 : value;
  }
  if (text.length - start > 400) return undefined;
  return toInteger(BigInt(text.slice(start)), text.charCodeAt(0) === 0x2d, start === 1);
}

function toInteger(
  magnitude: bigint,
  negative: boolean,
  signed: boolean,
): number | bigint | undefined {
  const value = negative ? -magnitude : magnitude;
  if (value < -INT64_MAX - 1n || value > (signed ? INT64_MAX : UINT64_MAX)) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function isDigits(text: string, from: number, radix: number): boolean {
  if (from >= text.length) return false;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const digit = isDigit(c) ? c - 0x30 : c >= 0x61 && c <= 0x66 ? c - 0x61 + 10 : 99;
    if (digit >= radix) return false;
  }
  return true;
}

/** The spellings that Go tries last: a sign or zeros inside after `0b`, and in v3 after `0o`. */
function parseOddPrefix(plain: string, dialect: Dialect): number | bigint | undefined {
  const negative = plain.startsWith('-');
  const body = negative ? plain.slice(1) : plain;
  let radix = 0;
  if (body.startsWith('0b')) radix = 2;
  else if (dialect === 'v3' && body.startsWith('0o')) radix = 8;
  if (radix === 0) return undefined;
  let digits = body.slice(2);
  let minus = negative;
  if (!negative && (digits.startsWith('+') || digits.startsWith('-'))) {
    minus = digits.startsWith('-');
    digits = digits.slice(1);
  }
  if (!isDigits(digits, 0, radix)) return undefined;
  return toInteger(
    BigInt((radix === 2 ? '0b' : '0o') + digits),
    minus,
    digits !== body.slice(2) || negative,
  );
}
