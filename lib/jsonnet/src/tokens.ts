import { jsonnetError } from './jsonnet-error.ts';
import type { Place } from './syntax.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'end';
  readonly text: string;
  readonly at: Place;
}

const OPERATOR_SIGNS = '!$:~+-&|^=<>*/%';
const SINGLE = '{}[](),.;';

/** Splits a program into tokens; comments and white space are left out. */
export function tokenize(source: string, file: string): readonly Token[] {
  return new Tokenizer(source, file).run();
}

class Tokenizer {
  readonly #text: string;
  readonly #file: string;
  readonly #tokens: Token[] = [];
  #i = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  run(): readonly Token[] {
    for (;;) {
      this.#skip();
      const at = this.#place();
      const char = this.#text[this.#i];
      if (char === undefined) {
        this.#tokens.push({ kind: 'end', text: '', at });
        return this.#tokens;
      }
      this.#next(char, at);
    }
  }

  #place(): Place {
    return { file: this.#file, line: this.#line, column: this.#i - this.#lineStart + 1 };
  }

  #advance(count: number): void {
    const end = this.#i + count;
    for (; this.#i < end; this.#i++) {
      if (this.#text[this.#i] === '\n') {
        this.#line++;
        this.#lineStart = this.#i + 1;
      }
    }
  }

  #skip(): void {
    for (;;) {
      const rest = /^(?:\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)/.exec(
        this.#text.slice(this.#i, this.#i + 100_000),
      );
      if (rest === null) return;
      this.#advance(rest[0].length);
    }
  }

  #push(kind: Token['kind'], text: string, at: Place): void {
    this.#tokens.push({ kind, text, at });
  }

  #next(char: string, at: Place): void {
    const rest = this.#text.slice(this.#i, this.#i + 4000);
    const name = /^[a-zA-Z_]\w*/.exec(rest);
    if (name !== null) {
      this.#advance(name[0].length);
      this.#push('name', name[0], at);
      return;
    }
    const number = /^(?:0|[1-9][\d_]*)(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/.exec(rest);
    if (number !== null) {
      this.#advance(number[0].length);
      this.#push('number', number[0].replaceAll('_', ''), at);
      return;
    }
    if (char === '"' || char === "'") this.#quoted(char, at);
    else if (char === '@') this.#verbatim(at);
    else if (rest.startsWith('|||')) this.#block(at);
    else if (SINGLE.includes(char)) {
      this.#advance(1);
      this.#push('operator', char, at);
    } else if (OPERATOR_SIGNS.includes(char)) this.#operator(at);
    else throw jsonnetError(`could not lex the character ${JSON.stringify(char)}`, at);
  }

  /** The longest run of signs, less what begins a comment or a block, and less signs that stand alone at its end. */
  #operator(at: Place): void {
    let end = this.#i;
    while (OPERATOR_SIGNS.includes(this.#text[end] ?? ' ')) {
      if (end > this.#i && /^(?:\/\/|\/\*|\|\|\|)/.test(this.#text.slice(end, end + 3))) break;
      end++;
    }
    while (end > this.#i + 1 && '+-~!$'.includes(this.#text[end - 1] ?? ' ')) end--;
    const text = this.#text.slice(this.#i, end);
    this.#advance(text.length);
    this.#push('operator', text, at);
  }

  #quoted(quote: string, at: Place): void {
    let result = '';
    let i = this.#i + 1;
    for (;;) {
      const char = this.#text[i];
      if (char === undefined) throw jsonnetError('unterminated string', at);
      if (char === quote) break;
      if (char !== '\\') {
        result += char;
        i++;
        continue;
      }
      const letter = this.#text[i + 1] ?? '';
      if (letter === 'u') {
        const digits = this.#text.slice(i + 2, i + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw jsonnetError('invalid unicode escape', at);
        result += String.fromCharCode(Number.parseInt(digits, 16));
        i += 6;
      } else {
        const plain = ESCAPES[letter];
        if (plain === undefined) throw jsonnetError(`unknown escape sequence \\${letter}`, at);
        result += plain;
        i += 2;
      }
    }
    this.#advance(i + 1 - this.#i);
    this.#push('string', result, at);
  }

  #verbatim(at: Place): void {
    const quote = this.#text[this.#i + 1] ?? '';
    if (quote !== '"' && quote !== "'") throw jsonnetError("couldn't lex verbatim string", at);
    let result = '';
    let i = this.#i + 2;
    for (;;) {
      const char = this.#text[i];
      if (char === undefined) throw jsonnetError('unterminated verbatim string', at);
      if (char === quote && this.#text[i + 1] !== quote) break;
      result += char;
      i += char === quote ? 2 : 1;
    }
    this.#advance(i + 1 - this.#i);
    this.#push('string', result, at);
  }

  /** `|||`: lines indented like the first one; `|||-` without the last line's end. */
  #block(at: Place): void {
    const head = /^\|\|\|(-?)[ \t\r]*\n/.exec(this.#text.slice(this.#i));
    if (head === null) throw jsonnetError('text block requires new line after |||.', at);
    let i = this.#i + head[0].length;
    let result = '';
    while (this.#text[i] === '\n') {
      result += '\n';
      i++;
    }
    const indent = /^[ \t]+/.exec(this.#text.slice(i, i + 1000))?.[0];
    if (indent === undefined)
      throw jsonnetError("text block's first line must start with whitespace", at);
    for (;;) {
      if (!this.#text.startsWith(indent, i)) break;
      const end = this.#text.indexOf('\n', i);
      if (end < 0) throw jsonnetError('unexpected EOF', at);
      result += this.#text.slice(i + indent.length, end + 1);
      i = end + 1;
      while (this.#text[i] === '\n') {
        result += '\n';
        i++;
      }
    }
    const close = /^[ \t]*\|\|\|/.exec(this.#text.slice(i, i + 1000));
    if (close === null) throw jsonnetError('text block not terminated with |||', at);
    this.#advance(i + close[0].length - this.#i);
    this.#push('string', head[1] === '-' ? result.replace(/\n$/, '') : result, at);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
