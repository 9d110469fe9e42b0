import { isDigit } from './chars.ts';

const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;

/**
 * The order in which go.yaml.in/yaml/v2 writes string keys: letters by code point, runs of digits by their number, signs
 * before letters. `v3` differs in one point: after digits a letter comes before a sign.
 */
export function compareKeys(a: string, b: string, v3 = false): number {
  const { length } = a;
  let digits = false;
  for (let i = 0; i < length; i++) {
    const ca = a.charCodeAt(i);
    const cb = b.charCodeAt(i);
    if (ca !== cb) {
      if (ca > 0x7f || cb > 0x7f) return comparePoints(Array.from(a), Array.from(b), v3);
      if (Number.isNaN(cb)) return 1;
      return compareAt(a, b, i, digits, v3);
    }
    if (ca > 0x7f) return comparePoints(Array.from(a), Array.from(b), v3);
    digits = isDigit(ca);
  }
  return length - b.length;
}

function isAsciiLetter(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a);
}

/** Orders two ASCII texts that first differ at `i`. */
function compareAt(a: string, b: string, i: number, digits: boolean, v3: boolean): number {
  const ca = a.charCodeAt(i);
  const cb = b.charCodeAt(i);
  const letterA = isAsciiLetter(ca);
  const letterB = isAsciiLetter(cb);
  if (letterA && letterB) return ca - cb;
  if (letterA || letterB) return (v3 && digits ? letterA : letterB) ? -1 : 1;
  return compareNumbers(a, b, i) || ca - cb;
}

/** Orders the numbers that begin at `i`; a zero after other digits of the same number counts as a digit too. */
function compareNumbers(a: string | string[], b: string | string[], i: number): number {
  let numberA = 0n;
  let numberB = 0n;
  if (a[i] === '0' || b[i] === '0') {
    for (let j = i - 1; j >= 0 && isNumeral(a[j]); j--) {
      if (a[j] !== '0') {
        numberA = 1n;
        numberB = 1n;
        break;
      }
    }
  }
  let endA = i;
  for (; endA < a.length && isNumeral(a[endA]); endA++) numberA = appendDigit(numberA, a[endA]!);
  let endB = i;
  for (; endB < b.length && isNumeral(b[endB]); endB++) numberB = appendDigit(numberB, b[endB]!);
  if (numberA !== numberB) return numberA < numberB ? -1 : 1;
  return endA - endB;
}

function isNumeral(c: string | undefined): boolean {
  if (c === undefined) return false;
  return c < '\u0080' ? isDigit(c.charCodeAt(0)) : DIGIT.test(c);
}

/** With the overflow of Go's int64. */
function appendDigit(value: bigint, digit: string): bigint {
  return BigInt.asIntN(64, value * 10n + BigInt(digit.codePointAt(0)! - 0x30));
}

function comparePoints(a: string[], b: string[], v3: boolean): number {
  let digits = false;
  for (let i = 0; i < a.length && i < b.length; i++) {
    const ca = a[i]!;
    const cb = b[i]!;
    if (ca === cb) {
      digits = isNumeral(ca);
      continue;
    }
    const letterA = LETTER.test(ca);
    const letterB = LETTER.test(cb);
    const byCode = ca.codePointAt(0)! - cb.codePointAt(0)!;
    if (letterA && letterB) return byCode;
    if (letterA || letterB) return (v3 && digits ? letterA : letterB) ? -1 : 1;
    return compareNumbers(a, b, i) || byCode;
  }
  return a.length - b.length;
}

/** The order of Go's strings: by UTF-8 bytes, which is by code points. JavaScript compares UTF-16 units. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const ca = a.charCodeAt(i);
    const cb = b.charCodeAt(i);
    if (ca === cb) continue;
    // A surrogate stands for a code point above all others.
    const highA = ca >= 0xd800 && ca <= 0xdfff;
    const highB = cb >= 0xd800 && cb <= 0xdfff;
    return highA === highB ? ca - cb : highA ? 1 : -1;
  }
  return a.length - b.length;
}
