/** Character codes and classes. A scanner reads past the end as `END` (U+0000, which YAML text cannot hold). */

export const END = 0x00;
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const APOSTROPHE = 0x27;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const QUESTION = 0x3f;
export const BACKSLASH = 0x5c;
export const BRACKET_OPEN = 0x5b;
export const BRACKET_CLOSE = 0x5d;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;
const NEXT_LINE = 0x85;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;
export const BYTE_ORDER_MARK = 0xfeff;

export function isBlank(c: number): boolean {
  return c === SPACE || c === TAB;
}

/** A YAML 1.1 line break: LF, CR, NEL, LS or PS. */
export function isBreak(c: number): boolean {
  return (
    c === LF ||
    c === CR ||
    (c > 0x7e && (c === NEXT_LINE || c === LINE_SEPARATOR || c === PARAGRAPH_SEPARATOR))
  );
}

export function isBreakOrEnd(c: number): boolean {
  return c === END || isBreak(c);
}

export function isBlankOrEnd(c: number): boolean {
  return c === SPACE || c === TAB || c === END || isBreak(c);
}

export function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** ASCII letters, digits, `_` and `-`: what anchors and tag handles are made of. */
export function isWord(c: number): boolean {
  return (
    (c >= 0x30 && c <= 0x39) ||
    (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) ||
    c === 0x5f ||
    c === DASH
  );
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  if (c >= 0x41 && c <= 0x46) return c - 0x41 + 10;
  if (c >= 0x61 && c <= 0x66) return c - 0x61 + 10;
  return -1;
}

/** How many code units the line break at `at` takes (CR LF is one break of two). */
export function breakWidth(text: string, at: number): number {
  return text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF ? 2 : 1;
}

/** What a line break contributes to a scalar: LF, except that LS and PS stay themselves. */
export function breakText(c: number): string {
  if (c === LINE_SEPARATOR) return '\u2028';
  if (c === PARAGRAPH_SEPARATOR) return '\u2029';
  return '\n';
}
