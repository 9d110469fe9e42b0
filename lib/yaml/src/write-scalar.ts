import { isPrintable } from './analyze-scalar.ts';
import { BYTE_ORDER_MARK, isBreak } from './chars.ts';

const NAMED: ReadonlyMap<number, string> = new Map([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
]);

/** The escape of one code point in a double-quoted scalar. */
export function escapeCodePoint(code: number): string {
  const name = NAMED.get(code);
  if (name !== undefined) return `\\${name}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}

/** Whether a double-quoted scalar must escape `c`. */
export function mustEscape(c: number): boolean {
  return c === 0x22 || c === 0x5c || !isPrintable(c) || isBreak(c);
}

/** The inside of a double-quoted scalar on one line. A text that begins with a byte order mark is escaped whole. */
export function escapeText(text: string): string {
  const whole = text.charCodeAt(0) === BYTE_ORDER_MARK;
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (!whole && !mustEscape(c)) continue;
    out += text.slice(from, i);
    const code = text.codePointAt(i)!;
    out += escapeCodePoint(code);
    if (code > 0xffff) i++;
    from = i + 1;
  }
  return from === 0 ? text : out + text.slice(from);
}

/** The chomping sign after `|` or `>`: `-` without a final break, `+` with more than one, nothing with one. */
export function chompingHint(text: string): string {
  const last = text.length - 1;
  if (last < 0 || !isBreak(text.charCodeAt(last))) return '-';
  return last === 0 || isBreak(text.charCodeAt(last - 1)) ? '+' : '';
}
