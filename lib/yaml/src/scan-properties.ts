import {
  hexValue,
  isBlank,
  isBlankOrEnd,
  isBreak,
  isBreakOrEnd,
  isDigit,
  isWord,
} from './chars.ts';
import type { Scanner } from './scanner.ts';
import {
  createToken,
  type Mark,
  TAG,
  TAG_DIRECTIVE,
  type Token,
  VERSION_DIRECTIVE,
} from './token.ts';

const BANG = 0x21;
const PERCENT = 0x25;
/** Characters besides words that a tag may hold unescaped. */
const URI_EXTRA = ";/?:@&=+$,.!~*'()[]%";

/** `&name` or `*name`. */
export function scanAnchor(scanner: Scanner, type: number): Token {
  const { text } = scanner;
  const start = scanner.mark();
  scanner.pos++;
  const from = scanner.pos;
  while (isWord(text.charCodeAt(scanner.pos))) scanner.pos++;
  const next = text.charCodeAt(scanner.pos);
  if (scanner.pos === from || !(isBlankOrEnd(next) || '?:,]}%@`'.includes(text[scanner.pos]!))) {
    throw scanner.fail('did not find expected alphabetic or numeric character', start.line);
  }
  return tokenOf(scanner, type, start, text.slice(from, scanner.pos), '');
}

/** `!<uri>`, `!handle!suffix`, `!suffix` or `!`. */
export function scanTag(scanner: Scanner): Token {
  const { text } = scanner;
  const start = scanner.mark();
  let handle = '';
  let suffix: string;
  if (text[scanner.pos + 1] === '<') {
    scanner.pos += 2;
    suffix = scanUri(scanner, '', start.line);
    if (text[scanner.pos] !== '>') {
      throw scanner.fail("did not find the expected '>'", start.line);
    }
    scanner.pos++;
  } else {
    handle = scanHandle(scanner, false, start.line);
    if (handle.length > 1 && handle.endsWith('!')) {
      suffix = scanUri(scanner, '', start.line);
    } else {
      suffix = scanUri(scanner, handle, start.line);
      handle = '!';
      // A lone '!' asks for the default of a quoted scalar: no handle, and the suffix '!'.
      if (suffix === '') [handle, suffix] = ['', '!'];
    }
  }
  if (!isBlankOrEnd(text.charCodeAt(scanner.pos))) {
    throw scanner.fail('did not find expected whitespace or line break', start.line);
  }
  return tokenOf(scanner, TAG, start, handle, suffix);
}

/** `%YAML 1.1` or `%TAG !handle! prefix`, to the end of its line. */
export function scanDirective(scanner: Scanner): Token {
  const { text } = scanner;
  const start = scanner.mark();
  scanner.pos++;
  const name = scanDirectiveName(scanner, start.line);
  let token: Token;
  if (name === 'YAML') token = scanVersion(scanner, start);
  else if (name === 'TAG') token = scanTagDirective(scanner, start);
  else throw scanner.fail('found unknown directive name', start.line);
  skipBlanks(scanner);
  if (text[scanner.pos] === '#') {
    while (!isBreakOrEnd(text.charCodeAt(scanner.pos))) scanner.pos++;
  }
  if (!isBreakOrEnd(text.charCodeAt(scanner.pos))) {
    throw scanner.fail('did not find expected comment or line break', start.line);
  }
  if (isBreak(text.charCodeAt(scanner.pos))) scanner.skipBreak();
  return token;
}

function scanDirectiveName(scanner: Scanner, startLine: number): string {
  const { text } = scanner;
  const from = scanner.pos;
  while (isWord(text.charCodeAt(scanner.pos))) scanner.pos++;
  if (scanner.pos === from) {
    throw scanner.fail('could not find expected directive name', startLine);
  }
  if (!isBlankOrEnd(text.charCodeAt(scanner.pos))) {
    throw scanner.fail('found unexpected non-alphabetical character', startLine);
  }
  return text.slice(from, scanner.pos);
}

function scanVersion(scanner: Scanner, start: Mark): Token {
  skipBlanks(scanner);
  const major = scanVersionNumber(scanner, start.line);
  if (scanner.text[scanner.pos] !== '.') {
    throw scanner.fail("did not find expected digit or '.' character", start.line);
  }
  scanner.pos++;
  const minor = scanVersionNumber(scanner, start.line);
  const token = tokenOf(scanner, VERSION_DIRECTIVE, start, '', '');
  return { ...token, style: major * 100 + minor };
}

function scanVersionNumber(scanner: Scanner, startLine: number): number {
  const { text } = scanner;
  const from = scanner.pos;
  while (isDigit(text.charCodeAt(scanner.pos))) {
    if (scanner.pos - from >= 2) {
      throw scanner.fail('found extremely long version number', startLine);
    }
    scanner.pos++;
  }
  if (scanner.pos === from) throw scanner.fail('did not find expected version number', startLine);
  return Number(text.slice(from, scanner.pos));
}

function scanTagDirective(scanner: Scanner, start: Mark): Token {
  const { text } = scanner;
  skipBlanks(scanner);
  const handle = scanHandle(scanner, true, start.line);
  if (!isBlank(text.charCodeAt(scanner.pos))) {
    throw scanner.fail('did not find expected whitespace', start.line);
  }
  skipBlanks(scanner);
  const prefix = scanUri(scanner, '', start.line);
  if (!isBlankOrEnd(text.charCodeAt(scanner.pos))) {
    throw scanner.fail('did not find expected whitespace or line break', start.line);
  }
  return tokenOf(scanner, TAG_DIRECTIVE, start, handle, prefix);
}

function scanHandle(scanner: Scanner, directive: boolean, startLine: number): string {
  const { text } = scanner;
  const from = scanner.pos;
  if (text.charCodeAt(from) !== BANG) throw scanner.fail("did not find expected '!'", startLine);
  scanner.pos++;
  while (isWord(text.charCodeAt(scanner.pos))) scanner.pos++;
  if (text.charCodeAt(scanner.pos) === BANG) scanner.pos++;
  else if (directive && scanner.pos - from > 1) {
    throw scanner.fail("did not find expected '!'", startLine);
  }
  return text.slice(from, scanner.pos);
}

/** A tag's URI with its escapes decoded; `head` is what the scan for a handle has already taken. */
function scanUri(scanner: Scanner, head: string, startLine: number): string {
  const { text } = scanner;
  const from = scanner.pos;
  let uri = head.slice(1);
  for (;;) {
    const c = text.charCodeAt(scanner.pos);
    if (c === PERCENT) uri += scanEscapes(scanner, startLine);
    else if (isWord(c) || (c < 0x80 && c > 0 && URI_EXTRA.includes(text[scanner.pos]!))) {
      uri += text[scanner.pos++];
    } else break;
  }
  if (scanner.pos === from && head === '') {
    throw scanner.fail('did not find expected tag URI', startLine);
  }
  return uri;
}

/** The one character that a run of `%XX` octets encodes in UTF-8. */
function scanEscapes(scanner: Scanner, startLine: number): string {
  const { text } = scanner;
  const octets: number[] = [];
  let width = 1;
  while (octets.length < width) {
    const high = hexValue(text.charCodeAt(scanner.pos + 1));
    const low = hexValue(text.charCodeAt(scanner.pos + 2));
    if (text.charCodeAt(scanner.pos) !== PERCENT || high < 0 || low < 0) {
      throw scanner.fail('did not find URI escaped octet', startLine);
    }
    const octet = high * 16 + low;
    if (octets.length === 0) {
      width = utf8Width(octet);
      if (width === 0) throw scanner.fail('found an incorrect leading UTF-8 octet', startLine);
    } else if ((octet & 0xc0) !== 0x80) {
      throw scanner.fail('found an incorrect trailing UTF-8 octet', startLine);
    }
    octets.push(octet);
    scanner.pos += 3;
  }
  return new TextDecoder().decode(new Uint8Array(octets));
}

function utf8Width(octet: number): number {
  if ((octet & 0x80) === 0) return 1;
  if ((octet & 0xe0) === 0xc0) return 2;
  if ((octet & 0xf0) === 0xe0) return 3;
  return (octet & 0xf8) === 0xf0 ? 4 : 0;
}

function skipBlanks(scanner: Scanner): void {
  while (isBlank(scanner.text.charCodeAt(scanner.pos))) scanner.pos++;
}

function tokenOf(
  scanner: Scanner,
  type: number,
  start: Mark,
  value: string,
  suffix: string,
): Token {
  return createToken(type, start, scanner.column, value, suffix);
}
