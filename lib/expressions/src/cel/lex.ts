import type { CelIssue } from './ast.ts';

export type TokenKind =
  | 'ident'
  | 'quoted'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'op'
  | 'eof';

export interface Token {
  readonly kind: TokenKind;
  readonly at: number;
  /** As it stands in the source. */
  readonly text: string;
}

const SPACE = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y;
const NUMBER = /(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y;
const TEXT =
  /(?:[rR][bB]?|[bB][rR]?)?(?:"""(?:[^\\]|\\[\s\S])*?"""|'''(?:[^\\]|\\[\s\S])*?'''|"(?:[^"\\\r\n]|\\[^\r\n])*"|'(?:[^'\\\r\n]|\\[^\r\n])*')/y;
const RAW_TEXT = /(?:[rR][bB]?|[bB][rR])(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\r\n]*"|'[^'\r\n]*')/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /`[a-zA-Z0-9_.\-/ ]+`/y;
const OPERATOR = /==|!=|<=|>=|&&|\|\||[<>+\-*/%!?:.,()[\]{}]/y;

/** Splits an expression into tokens; characters that are none are told and skipped. */
export function tokenize(source: string): {
  readonly tokens: readonly Token[];
  readonly issues: readonly CelIssue[];
} {
  const tokens: Token[] = [];
  const issues: CelIssue[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const token = nextToken(match, source, at);
    if (token === undefined) {
      const bad = /^(?:["'][^\n]*|&|\||=|[\s\S])/u.exec(source.slice(at))?.[0] ?? '';
      issues.push({ at, message: `Syntax error: token recognition error at: '${shown(bad)}'` });
      at += bad.length;
      continue;
    }
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'eof', at: source.length, text: '<EOF>' });
  return { tokens, issues };
}

function shown(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
}

function nextToken(
  match: (pattern: RegExp) => string | undefined,
  source: string,
  at: number,
): Token | undefined {
  const text = match(RAW_TEXT) ?? match(TEXT);
  if (text !== undefined) {
    const prefix = /^[a-zA-Z]*/.exec(text)?.[0] ?? '';
    return { kind: /b/i.test(prefix) ? 'bytes' : 'string', at, text };
  }
  const number = match(NUMBER);
  if (number !== undefined) {
    const isHex = number.startsWith('0x');
    if (!isHex && /[.eE]/.test(number)) return { kind: 'double', at, text: number };
    const next = source[at + number.length];
    if (next === 'u' || next === 'U') return { kind: 'uint', at, text: `${number}${next}` };
    return { kind: 'int', at, text: number };
  }
  const ident = match(IDENT);
  if (ident !== undefined) return { kind: 'ident', at, text: ident };
  const quoted = match(QUOTED);
  if (quoted !== undefined) return { kind: 'quoted', at, text: quoted };
  const operator = match(OPERATOR);
  return operator === undefined ? undefined : { kind: 'op', at, text: operator };
}

/** The characters of a literal: `undefined` when an escape is none. */
export function unquote(token: Token): string | Uint8Array | undefined {
  const prefix = /^[a-zA-Z]*/.exec(token.text)?.[0] ?? '';
  const quoted = token.text.slice(prefix.length);
  const quotes = /^("""|''')/.test(quoted) ? 3 : 1;
  const inner = quoted.slice(quotes, -quotes).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const isBytes = token.kind === 'bytes';
  if (/r/i.test(prefix)) return isBytes ? new TextEncoder().encode(inner) : inner;
  return isBytes ? unescapeBytes(inner) : unescapeText(inner);
}

const ESCAPE =
  /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g;
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};

function unescapeText(text: string): string | undefined {
  let isBroken = false;
  const made = text.replace(ESCAPE, (...found: (string | undefined)[]) => {
    const [, x, upperX, u, upperU, octal, simple = ''] = found;
    const hex = x ?? upperX ?? u ?? upperU;
    const code =
      hex !== undefined
        ? Number.parseInt(hex, 16)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : -1;
    if (code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)) {
      return String.fromCodePoint(code);
    }
    const plain = code < 0 ? SIMPLE[simple] : undefined;
    if (plain === undefined) isBroken = true;
    return plain ?? '';
  });
  return isBroken ? undefined : made;
}

function unescapeBytes(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let last = 0;
  const encode = (part: string): void => {
    bytes.push(...new TextEncoder().encode(part));
  };
  for (const found of text.matchAll(ESCAPE)) {
    encode(text.slice(last, found.index));
    last = found.index + found[0].length;
    const [, x, upperX, u, upperU, octal, simple = ''] = found;
    if (u !== undefined || upperU !== undefined) return undefined;
    const hex = x ?? upperX;
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (SIMPLE[simple] === undefined) return undefined;
    else encode(SIMPLE[simple]);
  }
  encode(text.slice(last));
  return Uint8Array.from(bytes);
}
