import { escapedByte, normalizeText, runeText } from './text.ts';
import { GoError } from './value.ts';

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whether Go prints the rune as it is in a quoted string. */
export function isPrintable(rune: number): boolean {
  if (rune < 0x7f) return rune >= 0x20;
  if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return false;
  return PRINTABLE.test(String.fromCodePoint(rune));
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** strconv.Quote, or QuoteToASCII. */
export function quote(text: string, asciiOnly = false): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) out += quotedRune(char.codePointAt(0) ?? 0, '"', asciiOnly);
  return `${out}"`;
}

/** strconv.QuoteRune, or QuoteRuneToASCII. */
export function quoteRune(rune: number, asciiOnly = false): string {
  const valid = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune < 0xe000);
  return `'${quotedRune(valid ? rune : 0xfffd, "'", asciiOnly)}'`;
}

const SHORT_ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  12: '\\f',
  10: '\\n',
  13: '\\r',
  9: '\\t',
  11: '\\v',
};

function quotedRune(rune: number, delimiter: string, asciiOnly: boolean): string {
  if (rune === delimiter.charCodeAt(0) || rune === 0x5c) return `\\${String.fromCharCode(rune)}`;
  if (rune >= 0xdc80 && rune <= 0xdcff) return `\\x${hex(rune - 0xdc00, 2)}`;
  if (rune < 0x80 ? rune >= 0x20 && rune < 0x7f : !asciiOnly && isPrintable(rune)) {
    return runeText(rune);
  }
  const short = SHORT_ESCAPES[rune];
  if (short !== undefined) return short;
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

/** strconv.CanBackquote. */
export function canBackquote(text: string): boolean {
  for (const char of text) {
    const rune = char.codePointAt(0) ?? 0;
    if (rune === 0xfeff || rune === 0x60 || rune === 0x7f) return false;
    if (rune < 0x20 && rune !== 9) return false;
    if (rune >= 0xdc80 && rune <= 0xdcff) return false;
  }
  return true;
}

/** strconv.Unquote of a double-quoted or raw string. Throws "invalid syntax". */
export function unquote(quoted: string): string {
  const body = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body;
  let out = '';
  let at = 0;
  while (at < body.length) {
    const { text, size } = unquoteChar(body, at, '"');
    out += text;
    at += size;
  }
  return normalizeText(out);
}

/** The rune of a character constant, quotes included. */
export function unquoteRune(constant: string): number {
  const { text, size, rune } = unquoteChar(constant, 1, "'");
  if (constant.slice(1 + size) !== "'") {
    throw new GoError(`malformed character constant: ${constant}`);
  }
  return rune ?? text.codePointAt(0) ?? 0;
}

interface Unquoted {
  readonly text: string;
  /** UTF-16 units read. */
  readonly size: number;
  readonly rune?: number;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const HEX_WIDTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function unquoteChar(body: string, at: number, delimiter: string): Unquoted {
  const char = String.fromCodePoint(body.codePointAt(at) ?? 0);
  if (char === delimiter) throw invalidSyntax();
  if (char !== '\\') return { text: char, size: char.length };
  const letter = body[at + 1] ?? '';
  const simple = SIMPLE_ESCAPES[letter];
  if (simple !== undefined) return { text: simple, size: 2 };
  if (letter === delimiter) return { text: delimiter, size: 2 };
  const width = HEX_WIDTHS[letter];
  if (width !== undefined) return hexEscape(body.slice(at + 2, at + 2 + width), letter, width);
  const octal = /^[0-7]{3}$/.test(body.slice(at + 1, at + 4)) ? body.slice(at + 1, at + 4) : '';
  const byte = octal === '' ? 256 : Number.parseInt(octal, 8);
  if (byte > 255) throw invalidSyntax();
  return { ...byteText(byte), size: 4 };
}

function hexEscape(digits: string, letter: string, width: number): Unquoted {
  if (digits.length !== width || !/^[0-9a-fA-F]+$/.test(digits)) throw invalidSyntax();
  const value = Number.parseInt(digits, 16);
  if (letter === 'x') return { ...byteText(value), size: 4 };
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) throw invalidSyntax();
  return { text: String.fromCodePoint(value), size: width + 2 };
}

function byteText(byte: number): { readonly text: string; readonly rune: number } {
  return { text: byte < 0x80 ? String.fromCharCode(byte) : escapedByte(byte), rune: byte };
}

function invalidSyntax(): GoError {
  return new GoError('invalid syntax');
}

/** `%.10q` and such: the quoted first runes. */
export function quoteStart(text: string, count: number): string {
  return quote([...text].slice(0, count).join(''));
}
