import { quote, quoteStart } from './quote.ts';
import { runeCount } from './text.ts';

export type TokenKind =
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'comment'
  | 'complex'
  | 'assign'
  | 'declare'
  | 'eof'
  | 'field'
  | 'identifier'
  | 'leftDelim'
  | 'leftParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | 'dot'
  | 'nil'
  | KeywordKind;

type KeywordKind =
  | 'block'
  | 'break'
  | 'continue'
  | 'define'
  | 'else'
  | 'end'
  | 'if'
  | 'range'
  | 'template'
  | 'with';

export interface Token {
  readonly kind: TokenKind;
  /** Offset in the text, in UTF-16 units. */
  readonly position: number;
  readonly text: string;
  readonly line: number;
}

const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['block', 'block'],
  ['break', 'break'],
  ['continue', 'continue'],
  ['define', 'define'],
  ['else', 'else'],
  ['end', 'end'],
  ['if', 'if'],
  ['range', 'range'],
  ['nil', 'nil'],
  ['template', 'template'],
  ['with', 'with'],
]);

const KEYWORD_KINDS: ReadonlySet<TokenKind> = new Set([...KEYWORDS.values(), 'dot']);

/** How a token is named in an error message. */
export function tokenText(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'error') return token.text;
  if (KEYWORD_KINDS.has(token.kind)) return `<${token.text}>`;
  if (token.text.length > 10 && runeBytesOver(token.text, 10)) {
    return `${quoteStart(token.text, 10)}...`;
  }
  return quote(token.text);
}

function runeBytesOver(text: string, limit: number): boolean {
  return text.length > limit || runeCount(text) > limit;
}

export interface LexerOptions {
  readonly left: string;
  readonly right: string;
  /** Whether break and continue are keywords: they are not when a function has that name. */
  readonly breakIsKeyword: boolean;
  readonly continueIsKeyword: boolean;
}

const TRIM_LENGTH = 2;
const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}]$/u;

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}

/** Whether a space stands at a place; never true at the end. */
function isSpaceAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d;
}

function isAlphaNumeric(char: string): boolean {
  if (char === '') return false;
  const code = char.charCodeAt(0);
  if (code < 0x80) {
    return (
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x30 && code <= 0x39) ||
      code === 0x5f
    );
  }
  return LETTER_OR_DIGIT.test(char);
}

/** Cuts a template into tokens, one at a call. After an error token the input is used up. */
export class Lexer {
  readonly #options: LexerOptions;
  #input: string;
  #at = 0;
  #start = 0;
  #line = 1;
  #startLine = 1;
  /** Where the next newline is that is not counted yet. */
  #newline: number;
  #parens = 0;
  #insideAction = false;

  constructor(input: string, options: LexerOptions) {
    this.#input = input;
    this.#options = options;
    this.#newline = this.#newlineFrom(0);
  }

  next(): Token {
    for (;;) {
      const token = this.#insideAction ? this.#lexInside() : this.#lexText();
      if (token !== undefined) return token;
    }
  }

  // Text and delimiters -------------------------------------------------------------------------------------------

  #lexText(): Token | undefined {
    const { left } = this.#options;
    const input = this.#input;
    const found = input.indexOf(left, this.#at);
    if (found < 0) {
      this.#at = input.length;
      return this.#at > this.#start ? this.#token('text') : this.#token('eof', 'EOF');
    }
    if (found > this.#at) {
      const text = input.slice(this.#start, found);
      const kept = this.#hasLeftTrim(found + left.length) ? trimRight(text) : text;
      this.#at = this.#start + kept.length;
      const token = this.#token('text');
      this.#at = found;
      this.#ignore();
      if (kept !== '') return token;
    }
    return this.#lexLeftDelim();
  }

  #lexLeftDelim(): Token | undefined {
    this.#at += this.#options.left.length;
    const marker = this.#hasLeftTrim(this.#at) ? TRIM_LENGTH : 0;
    if (this.#input.startsWith('/*', this.#at + marker)) {
      this.#at += marker;
      this.#ignore();
      return this.#lexComment();
    }
    const token = this.#token('leftDelim');
    this.#insideAction = true;
    this.#at += marker;
    this.#ignore();
    this.#parens = 0;
    return token;
  }

  #lexComment(): Token | undefined {
    const close = this.#input.indexOf('*/', this.#at + 2);
    if (close < 0) return this.#error('unclosed comment');
    this.#at = close + 2;
    const trims = this.#rightDelim();
    if (trims === undefined) return this.#error('comment ends before closing delimiter');
    this.#at += (trims ? TRIM_LENGTH : 0) + this.#options.right.length;
    if (trims) this.#skipSpaces();
    this.#ignore();
    return undefined;
  }

  /** Whether a right delimiter stands here; true when it trims. */
  #rightDelim(): boolean | undefined {
    const { right } = this.#options;
    const at = this.#at;
    const trims = this.#input.charCodeAt(at + 1) === 0x2d && isSpaceAt(this.#input, at);
    if (trims && this.#input.startsWith(right, at + TRIM_LENGTH)) return true;
    return this.#input.startsWith(right, at) ? false : undefined;
  }

  #hasLeftTrim(at: number): boolean {
    return this.#input[at] === '-' && isSpaceAt(this.#input, at + 1);
  }

  #lexRightDelim(trims: boolean): Token {
    if (trims) {
      this.#at += TRIM_LENGTH;
      this.#ignore();
    }
    this.#at += this.#options.right.length;
    const token = this.#token('rightDelim');
    if (trims) {
      this.#skipSpaces();
      this.#ignore();
    }
    this.#insideAction = false;
    return token;
  }

  #skipSpaces(): void {
    while (isSpaceAt(this.#input, this.#at)) this.#at++;
  }

  // Inside an action ----------------------------------------------------------------------------------------------

  #lexInside(): Token {
    const trims = this.#rightDelim();
    if (trims !== undefined) {
      return this.#parens === 0 ? this.#lexRightDelim(trims) : this.#error('unclosed left paren');
    }
    const char = this.#peek();
    if (char === '') return this.#error('unclosed action');
    if (isSpace(char)) return this.#lexSpace();
    this.#at += char.length;
    switch (char) {
      case '=':
        return this.#token('assign');
      case ':':
        if (this.#input[this.#at] !== '=') return this.#error('expected :=');
        this.#at++;
        return this.#token('declare');
      case '|':
        return this.#token('pipe');
      case '"':
        return this.#lexQuoted('"', 'string', 'unterminated quoted string');
      case '`':
        return this.#lexRawString();
      case "'":
        return this.#lexQuoted("'", 'charConstant', 'unterminated character constant');
      case '$':
        return this.#lexName('variable');
      case '(':
        this.#parens++;
        return this.#token('leftParen');
      case ')':
        this.#parens--;
        return this.#parens < 0 ? this.#error('unexpected right paren') : this.#token('rightParen');
      default:
        return this.#lexOther(char);
    }
  }

  #lexOther(char: string): Token {
    const next = this.#input.charAt(this.#at);
    if (char === '.' && next !== '' && !(next >= '0' && next <= '9')) return this.#lexName('field');
    if (char === '.' || char === '+' || char === '-' || (char >= '0' && char <= '9')) {
      this.#at--;
      return this.#lexNumber();
    }
    if (isAlphaNumeric(char)) {
      this.#at -= char.length;
      return this.#lexIdentifier();
    }
    const code = char.codePointAt(0) ?? 0;
    if (code >= 0x20 && code < 0x7f) return this.#token('char');
    return this.#error(`unrecognized character in action: ${unicodeName(char)}`);
  }

  #lexSpace(): Token {
    let count = 0;
    for (; isSpaceAt(this.#input, this.#at); this.#at++) {
      count++;
    }
    // The last space may belong to a trimming right delimiter.
    this.#at--;
    if (this.#rightDelim() === true) {
      if (count === 1) return this.#lexRightDelim(true);
    } else this.#at++;
    return this.#token('space');
  }

  #lexIdentifier(): Token {
    const word = this.#takeAlphaNumeric();
    if (!this.#atTerminator()) return this.#error(`bad character ${unicodeName(this.#peek())}`);
    const { breakIsKeyword, continueIsKeyword } = this.#options;
    if (word === 'true' || word === 'false') return this.#token('bool');
    if (word === 'break' && !breakIsKeyword) return this.#token('identifier');
    if (word === 'continue' && !continueIsKeyword) return this.#token('identifier');
    return this.#token(KEYWORDS.get(word) ?? 'identifier');
  }

  /** A field or variable, whose first character has been read. */
  #lexName(kind: 'field' | 'variable'): Token {
    if (this.#atTerminator()) return this.#token(kind === 'variable' ? kind : 'dot');
    this.#takeAlphaNumeric();
    if (!this.#atTerminator()) return this.#error(`bad character ${unicodeName(this.#peek())}`);
    return this.#token(kind);
  }

  #takeAlphaNumeric(): string {
    const from = this.#at;
    for (;;) {
      const char = this.#peek();
      if (!isAlphaNumeric(char)) break;
      this.#at += char.length;
    }
    return this.#input.slice(from, this.#at);
  }

  #atTerminator(): boolean {
    const char = this.#input.charAt(this.#at);
    if (char === '' || isSpace(char) || '.,|:)('.includes(char)) return true;
    return this.#input.startsWith(this.#options.right, this.#at);
  }

  #lexQuoted(delimiter: string, kind: 'string' | 'charConstant', problem: string): Token {
    for (;;) {
      const char = this.#input.charAt(this.#at++);
      if (char === delimiter) return this.#token(kind);
      if (char === '' || char === '\n') return this.#error(problem);
      if (char === '\\') {
        const escaped = this.#input.charAt(this.#at++);
        if (escaped === '' || escaped === '\n') return this.#error(problem);
      }
    }
  }

  #lexRawString(): Token {
    const close = this.#input.indexOf('`', this.#at);
    if (close < 0) {
      this.#at = this.#input.length;
      return this.#error('unterminated raw quoted string');
    }
    this.#at = close + 1;
    return this.#token('rawString');
  }

  #lexNumber(): Token {
    if (!this.#scanNumber()) return this.#badNumber();
    const sign = this.#input[this.#at];
    if (sign !== '+' && sign !== '-') return this.#token('number');
    if (!this.#scanNumber() || this.#input[this.#at - 1] !== 'i') return this.#badNumber();
    return this.#token('complex');
  }

  #badNumber(): Token {
    return this.#error(`bad number syntax: ${quote(this.#input.slice(this.#start, this.#at))}`);
  }

  /** Takes what looks like a number; the parser checks the rest. */
  #scanNumber(): boolean {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#input);
    this.#at += match?.[0].length ?? 0;
    const next = this.#peek();
    if (!isAlphaNumeric(next)) return true;
    this.#at += next.length;
    return false;
  }

  // Tokens --------------------------------------------------------------------------------------------------------

  /** The character here, whole surrogate pairs; empty at the end. */
  #peek(): string {
    const code = this.#input.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #token(kind: TokenKind, text = this.#input.slice(this.#start, this.#at)): Token {
    const token = { kind, position: this.#start, text, line: this.#startLine };
    this.#ignore();
    return token;
  }

  #ignore(): void {
    while (this.#newline < this.#at) {
      this.#line++;
      this.#newline = this.#newlineFrom(this.#newline + 1);
    }
    this.#start = this.#at;
    this.#startLine = this.#line;
  }

  #newlineFrom(at: number): number {
    const found = this.#input.indexOf('\n', at);
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  }

  #error(problem: string): Token {
    const token: Token = {
      kind: 'error',
      position: this.#start,
      text: problem,
      line: this.#startLine,
    };
    this.#input = '';
    this.#newline = Number.POSITIVE_INFINITY;
    this.#at = 0;
    this.#start = 0;
    this.#insideAction = false;
    return token;
  }
}

const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;

function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && isSpaceAt(text, end - 1)) end--;
  return text.slice(0, end);
}

/** `%#U` of the first character. */
function unicodeName(char: string): string {
  if (char === '') return 'U+FFFFFFFFFFFFFFFF';
  const code = char.codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const printed = quote(char).slice(1, -1);
  const shown = printed.startsWith('\\') && char !== '"' && char !== '\\' ? '' : ` '${char}'`;
  return name + shown;
}
