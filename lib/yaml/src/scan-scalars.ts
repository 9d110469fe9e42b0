import {
  BACKSLASH,
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  breakText,
  COLON,
  COMMA,
  DASH,
  END,
  HASH,
  hexValue,
  isBlank,
  isBlankOrEnd,
  isBreak,
  isBreakOrEnd,
  isDigit,
  PLUS,
  QUESTION,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
} from './chars.ts';
import { Style } from './node.ts';
import { scanLineComment } from './scan-comments.ts';
import type { Scanner } from './scanner.ts';
import { createToken, type Mark, SCALAR, type Token } from './token.ts';

/** White space between two parts of a scalar, on its way to being kept, folded or dropped. */
interface Gap {
  /** Blanks of the line that the text before ends on. */
  blanks: string;
  /** Whether a line break was passed. */
  broken: boolean;
  firstBreak: string;
  moreBreaks: string;
}

/** What a gap becomes inside a scalar: blanks stay, one break is a space, n breaks are n - 1. */
function foldGap(gap: Gap): string {
  if (!gap.broken) return gap.blanks;
  if (!gap.firstBreak.startsWith('\n')) return gap.firstBreak + gap.moreBreaks;
  return gap.moreBreaks === '' ? ' ' : gap.moreBreaks;
}

/**
 * Takes blanks and line breaks from the scanner's position. With `indent` 0 or more, a tab that stands where a
 * continuation line's indentation should be is an error.
 */
function takeGap(scanner: Scanner, gap: Gap, indent: number, startLine: number): void {
  const { text } = scanner;
  for (;;) {
    const c = text.charCodeAt(scanner.pos);
    if (isBlank(c)) {
      if (!gap.broken) gap.blanks += c === TAB ? '\t' : ' ';
      else if (c === TAB && scanner.column < indent) {
        throw scanner.fail('found a tab character that violates indentation', startLine);
      }
      scanner.pos++;
    } else if (isBreak(c)) {
      if (!gap.broken) {
        gap.broken = true;
        gap.firstBreak = breakText(c);
      } else gap.moreBreaks += breakText(c);
      scanner.skipBreak();
    } else return;
  }
}

export function scanPlainScalar(scanner: Scanner): Token {
  const { text } = scanner;
  const start = scanner.mark();
  const indent = scanner.indent + 1;
  const inFlow = scanner.flowLevel > 0;
  let value = '';
  let gap: Gap | undefined;
  let broken = false;
  for (;;) {
    if (scanner.atDocumentIndicator()) break;
    if (text.charCodeAt(scanner.pos) === HASH) break;
    const from = scanner.pos;
    scanner.pos = endOfPlainRun(text, from, inFlow);
    if (scanner.pos > from) {
      if (gap !== undefined) value += foldGap(gap);
      value += text.slice(from, scanner.pos);
      gap = undefined;
      broken = false;
    }
    const c = text.charCodeAt(scanner.pos);
    if (!isBlank(c) && !isBreak(c)) break;
    gap ??= { blanks: '', broken: false, firstBreak: '', moreBreaks: '' };
    takeGap(scanner, gap, indent, start.line);
    broken = gap.broken;
    if (!inFlow && scanner.column < indent) break;
  }
  // A scalar that ends at a line break is followed by what may be a key.
  if (broken) scanner.simpleKeyAllowed = true;
  return scalarToken(start, value, 0);
}

/** The index after the last character of a run without white space that may belong to a plain scalar. */
function endOfPlainRun(text: string, from: number, inFlow: boolean): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (isBlankOrEnd(c)) return at;
    if (c === COLON && isBlankOrEnd(text.charCodeAt(at + 1))) return at;
    if (inFlow && isFlowIndicator(c)) return at;
    at++;
  }
}

function isFlowIndicator(c: number): boolean {
  return (
    c === COMMA ||
    c === QUESTION ||
    c === BRACKET_OPEN ||
    c === BRACKET_CLOSE ||
    c === BRACE_OPEN ||
    c === BRACE_CLOSE
  );
}

export function scanQuotedScalar(scanner: Scanner, single: boolean): Token {
  const { text } = scanner;
  const start = scanner.mark();
  const quote = single ? 0x27 : QUOTE;
  scanner.pos++;
  let value = '';
  for (;;) {
    if (scanner.atDocumentIndicator()) {
      throw scanner.fail('found unexpected document indicator', start.line);
    }
    if (text.charCodeAt(scanner.pos) === END) {
      throw scanner.fail('found unexpected end of stream', start.line);
    }
    const gap: Gap = { blanks: '', broken: false, firstBreak: '', moreBreaks: '' };
    value += scanQuotedRun(scanner, single, gap, start.line);
    if (text.charCodeAt(scanner.pos) === quote) break;
    takeGap(scanner, gap, -1, start.line);
    value += foldGap(gap);
  }
  scanner.pos++;
  return scalarToken(start, value, single ? Style.single : Style.double);
}

/** Text up to white space, the closing quote or an escaped line break; the latter leaves `gap` broken. */
function scanQuotedRun(scanner: Scanner, single: boolean, gap: Gap, startLine: number): string {
  const { text } = scanner;
  let value = '';
  let from = scanner.pos;
  for (;;) {
    const c = text.charCodeAt(scanner.pos);
    if (isBlankOrEnd(c)) break;
    if (single) {
      if (c === 0x27) {
        if (text.charCodeAt(scanner.pos + 1) !== 0x27) break;
        value += text.slice(from, ++scanner.pos);
        from = scanner.pos + 1;
      }
      scanner.pos++;
    } else if (c === QUOTE) break;
    else if (c === BACKSLASH) {
      value += text.slice(from, scanner.pos);
      if (isBreak(text.charCodeAt(scanner.pos + 1))) {
        scanner.pos++;
        scanner.skipBreak();
        gap.broken = true;
        return value;
      }
      value += scanEscape(scanner, startLine);
      from = scanner.pos;
    } else scanner.pos++;
  }
  return value + text.slice(from, scanner.pos);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
};

function scanEscape(scanner: Scanner, startLine: number): string {
  const { text } = scanner;
  const letter = text[scanner.pos + 1] ?? '';
  const simple = ESCAPES[letter];
  if (simple !== undefined) {
    scanner.pos += 2;
    return simple;
  }
  const length = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  if (length === 0) throw scanner.fail('found unknown escape character', startLine);
  scanner.pos += 2;
  let code = 0;
  for (let i = 0; i < length; i++) {
    const digit = hexValue(text.charCodeAt(scanner.pos + i));
    if (digit < 0) throw scanner.fail('did not find expected hexdecimal number', startLine);
    code = code * 16 + digit;
  }
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
    throw scanner.fail('found invalid Unicode character escape code', startLine);
  }
  scanner.pos += length;
  return String.fromCodePoint(code);
}

/** What stands after `|` or `>`: -1 strips, 0 clips and 1 keeps final breaks; an indent of 0 is to be found. */
interface BlockHeader {
  readonly chomping: number;
  readonly increment: number;
}

export function scanBlockScalar(scanner: Scanner, literal: boolean): Token {
  const { text } = scanner;
  const start = scanner.mark();
  scanner.pos++;
  const { chomping, increment } = scanBlockHeader(scanner, start);
  let indent = 0;
  if (increment > 0) indent = Math.max(scanner.indent, 0) + increment;
  const breaks = { text: '' };
  indent = scanBlockBreaks(scanner, indent, breaks, start.line);
  let value = '';
  let leadingBreak = '';
  let leadingBlank = false;
  while (scanner.column === indent && text.charCodeAt(scanner.pos) !== END) {
    const startsBlank = isBlank(text.charCodeAt(scanner.pos));
    const folds = !literal && !leadingBlank && !startsBlank && leadingBreak === '\n';
    if (!folds) value += leadingBreak;
    else if (breaks.text === '') value += ' ';
    value += breaks.text;
    breaks.text = '';
    leadingBlank = startsBlank;
    const from = scanner.pos;
    while (!isBreakOrEnd(text.charCodeAt(scanner.pos))) scanner.pos++;
    value += text.slice(from, scanner.pos);
    const c = text.charCodeAt(scanner.pos);
    leadingBreak = '';
    if (isBreak(c)) {
      leadingBreak = breakText(c);
      scanner.skipBreak();
    }
    indent = scanBlockBreaks(scanner, indent, breaks, start.line);
  }
  if (chomping !== -1) value += leadingBreak;
  if (chomping === 1) value += breaks.text;
  return scalarToken(start, value, literal ? Style.literal : Style.folded);
}

function scanBlockHeader(scanner: Scanner, start: Mark): BlockHeader {
  const { text } = scanner;
  let chomping = takeChomping(scanner);
  let increment = 0;
  const c = text.charCodeAt(scanner.pos);
  if (isDigit(c)) {
    if (c === ZERO) {
      throw scanner.fail('found an indentation indicator equal to 0', start.line);
    }
    increment = c - ZERO;
    scanner.pos++;
    if (chomping === 0) chomping = takeChomping(scanner);
  }
  while (isBlank(text.charCodeAt(scanner.pos))) scanner.pos++;
  if (text.charCodeAt(scanner.pos) === HASH) {
    if (scanner.dialect === 'v3') scanLineComment(scanner, start.index);
    while (!isBreakOrEnd(text.charCodeAt(scanner.pos))) scanner.pos++;
  }
  const end = text.charCodeAt(scanner.pos);
  if (!isBreakOrEnd(end)) {
    throw scanner.fail('did not find expected comment or line break', start.line);
  }
  if (isBreak(end)) scanner.skipBreak();
  return { chomping, increment };
}

function takeChomping(scanner: Scanner): number {
  const c = scanner.text.charCodeAt(scanner.pos);
  if (c !== PLUS && c !== DASH) return 0;
  scanner.pos++;
  return c === PLUS ? 1 : -1;
}

/** Takes indentation and empty lines; an indent of 0 becomes that of the first line with text. */
function scanBlockBreaks(
  scanner: Scanner,
  indent: number,
  breaks: { text: string },
  startLine: number,
): number {
  const { text } = scanner;
  let deepest = 0;
  for (;;) {
    let column = scanner.column;
    while ((indent === 0 || column < indent) && text.charCodeAt(scanner.pos) === SPACE) {
      scanner.pos++;
      column++;
    }
    if (column > deepest) deepest = column;
    const c = text.charCodeAt(scanner.pos);
    if (c === TAB && (indent === 0 || column < indent)) {
      throw scanner.fail('found a tab character where an indentation space is expected', startLine);
    }
    if (!isBreak(c)) break;
    breaks.text += breakText(c);
    scanner.skipBreak();
  }
  return indent === 0 ? Math.max(deepest, scanner.indent + 1, 1) : indent;
}

function scalarToken(start: Mark, value: string, style: number): Token {
  return createToken(SCALAR, start, start.column, value, '', style);
}
