/** Thrown for text that is not Lua. The message has GopherLua's form: `<string> line:1(column:3) near 'x':   …`. */
export class LuaSyntaxError extends Error {}

export interface Token {
  readonly kind: 'name' | 'keyword' | 'symbol' | 'string' | 'number' | 'end';
  readonly text: string;
  readonly number?: number;
  readonly line: number;
  readonly column: number;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);
const SYMBOLS = /\.\.\.|\.\.|==|~=|<=|>=|::|[-+*/%^#<>=(){}[\];:,.]/y;
const SPACE = /[ \t\r\n\v\f]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const LONG_OPEN = /\[(=*)\[/y;
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Splits a script, whose bytes are the characters of `source`, into tokens. Linear. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const reader = { source, at: 0, line: 1, lineStart: 0 };
  for (;;) {
    skipBlank(reader);
    const token = readToken(reader);
    tokens.push(token);
    if (token.kind === 'end') return tokens;
  }
}

interface Reader {
  readonly source: string;
  at: number;
  line: number;
  lineStart: number;
}

function skipBlank(reader: Reader): void {
  for (;;) {
    if (take(reader, SPACE) !== undefined) continue;
    if (!reader.source.startsWith('--', reader.at)) return;
    const start = reader.at;
    reader.at += 2;
    const open = match(reader, LONG_OPEN);
    if (open !== undefined) readLong(reader, open[1] ?? '', 'invalid multiline comment');
    else {
      const end = reader.source.indexOf('\n', start);
      reader.at = end < 0 ? reader.source.length : end;
    }
  }
}

function readToken(reader: Reader): Token {
  const { source, at, line } = reader;
  const column = at - reader.lineStart + 1;
  const make = (kind: Token['kind'], text: string): Token => ({ kind, text, line, column });
  if (at >= source.length) return make('end', '');
  const name = take(reader, NAME);
  if (name !== undefined) return make(KEYWORDS.has(name) ? 'keyword' : 'name', name);
  const number = take(reader, NUMBER);
  if (number !== undefined) return { ...make('number', number), number: Number(number) };
  const quote = source[at] ?? '';
  if (quote === '"' || quote === "'") return make('string', readQuoted(reader, quote));
  const long = match(reader, LONG_OPEN);
  if (long !== undefined) {
    return make('string', readLong(reader, long[1] ?? '', 'unterminated multiline string'));
  }
  const symbol = take(reader, SYMBOLS);
  if (symbol !== undefined) return make('symbol', symbol);
  throw new LuaSyntaxError(
    `<string> line:${line}(column:${column}) near '${quote}':   Invalid token`,
  );
}

function readQuoted(reader: Reader, quote: string): string {
  const { source, line, lineStart } = reader;
  const start = reader.at;
  let text = '';
  let at = start + 1;
  for (;;) {
    const char = source[at];
    if (char === undefined || char === '\n') {
      const place = `line:${line}(column:${start - lineStart + 1})`;
      throw new LuaSyntaxError(`<string> ${place} near '${text}':   unterminated string`);
    }
    at++;
    if (char === quote) break;
    if (char !== '\\') {
      text += char;
      continue;
    }
    const code = /\d{1,3}/y;
    code.lastIndex = at;
    const digits = code.exec(source)?.[0];
    if (digits !== undefined) {
      text += String.fromCharCode(Number(digits) & 0xff);
      at += digits.length;
      continue;
    }
    const escaped = source[at++] ?? '';
    text += ESCAPES[escaped] ?? escaped;
    if (escaped === '\n') {
      reader.line++;
      reader.lineStart = at;
    }
  }
  reader.at = at;
  return text;
}

/** The text up to the closing bracket of this level; a newline right after the opening one is left out. */
function readLong(reader: Reader, level: string, problem: string): string {
  const close = `]${level}]`;
  const start = reader.at + level.length + 2;
  const end = reader.source.indexOf(close, start);
  if (end < 0) {
    throw new LuaSyntaxError(
      `<string> line:${reader.line}(column:${reader.at - reader.lineStart + 1}) near '':   ${problem}`,
    );
  }
  const text = reader.source.slice(start, end);
  advance(reader, end + close.length);
  return text.replace(/^\r?\n/, '');
}

function match(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = reader.at;
  return pattern.exec(reader.source) ?? undefined;
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  const found = match(reader, pattern)?.[0];
  if (found === undefined || found === '') return undefined;
  advance(reader, reader.at + found.length);
  return found;
}

function advance(reader: Reader, to: number): void {
  for (let i = reader.at; i < to; i++) {
    if (reader.source[i] !== '\n') continue;
    reader.line++;
    reader.lineStart = i + 1;
  }
  reader.at = to;
}
