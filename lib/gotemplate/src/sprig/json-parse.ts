import { mapSet } from '../map.ts';
import { quoteRune } from '../quote.ts';
import { byteLength } from '../text.ts';
import { type GoDict, GoError, type GoValue } from '../value.ts';

/** json.Unmarshal into an interface{}: every number is float64. Throws GoError with Go's message. */
export function parseJson(input: string): GoValue {
  const reader = new JsonReader(input);
  return reader.document();
}

const DEPTH_MAX = 10_000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Text that is no JSON. */
export class JsonSyntaxError extends GoError {
  /** Bytes read when it was noticed; undefined at the end of the text. */
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(message);
    this.offset = offset;
  }
}

class JsonReader {
  readonly #input: string;
  #at = 0;
  #depth = 0;

  constructor(input: string) {
    this.#input = input;
  }

  document(): GoValue {
    const value = this.#value('looking for beginning of value');
    this.#space();
    if (this.#at < this.#input.length) throw this.#unexpected('after top-level value');
    return value;
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#input[this.#at] ?? '?')) this.#at++;
  }

  #value(context: string): GoValue {
    this.#space();
    const char = this.#input[this.#at] ?? '';
    if (char === '{') return this.#nested(() => this.#object());
    if (char === '[') return this.#nested(() => this.#array());
    if (char === '"') return this.#string();
    if (char === 't') return this.#literal('true', true);
    if (char === 'f') return this.#literal('false', false);
    if (char === 'n') return this.#literal('null', null);
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number();
    throw this.#unexpected(context);
  }

  #nested(read: () => GoValue): GoValue {
    if (++this.#depth > DEPTH_MAX) throw new GoError('exceeded max depth');
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): GoValue {
    const out: GoDict = {};
    this.#at++;
    this.#space();
    if (this.#input[this.#at] === '}') {
      this.#at++;
      return out;
    }
    for (;;) {
      this.#space();
      if (this.#input[this.#at] !== '"') {
        throw this.#unexpected('looking for beginning of object key string');
      }
      const key = this.#string();
      this.#space();
      if (this.#input[this.#at] !== ':') throw this.#unexpected('after object key');
      this.#at++;
      mapSet(out, key, this.#value('looking for beginning of value'));
      this.#space();
      const next = this.#input[this.#at];
      if (next === '}') break;
      if (next !== ',') throw this.#unexpected('after object key:value pair');
      this.#at++;
    }
    this.#at++;
    return out;
  }

  #array(): GoValue {
    const out: GoValue[] = [];
    this.#at++;
    this.#space();
    if (this.#input[this.#at] === ']') {
      this.#at++;
      return out;
    }
    for (;;) {
      out.push(this.#value('looking for beginning of value'));
      this.#space();
      const next = this.#input[this.#at];
      if (next === ']') break;
      if (next !== ',') throw this.#unexpected('after array element');
      this.#at++;
    }
    this.#at++;
    return out;
  }

  #literal(word: string, value: GoValue): GoValue {
    for (const [index, char] of [...word].entries()) {
      if (index > 0 && this.#input[this.#at] !== char) {
        throw this.#unexpected(`in literal ${word} (expecting ${quoteRune(char.charCodeAt(0))})`);
      }
      this.#at++;
    }
    return value;
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#input);
    const text = match?.[0] ?? '';
    this.#at += text === '' ? 1 : text.length;
    if (text === '') throw this.#unexpected('in numeric literal');
    const next = this.#input[this.#at] ?? '';
    if (next === '.') {
      this.#at++;
      throw this.#unexpected('after decimal point in numeric literal');
    }
    if (/[eE]/.test(next) && !/[eE]/.test(text)) {
      this.#at++;
      if (/[+-]/.test(this.#input[this.#at] ?? '')) this.#at++;
      throw this.#unexpected('in exponent of numeric literal');
    }
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new GoError(`json: cannot unmarshal number ${text} into Go value of type float64`);
  }

  #string(): string {
    let out = '';
    let from = ++this.#at;
    for (;;) {
      const char = this.#input[this.#at] ?? '';
      if (char === '"') break;
      if (char === '' || char < ' ') throw this.#unexpected('in string literal');
      if (char === '\\') {
        out += this.#input.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else this.#at++;
    }
    out += this.#input.slice(from, this.#at);
    this.#at++;
    return out;
  }

  #escape(): string {
    this.#at++;
    const letter = this.#input[this.#at] ?? '';
    const simple = ESCAPES[letter];
    if (simple !== undefined) {
      this.#at++;
      return simple;
    }
    if (letter !== 'u') throw this.#unexpected('in string escape code');
    this.#at++;
    const unit = this.#hex();
    if (unit >= 0xd800 && unit < 0xdc00 && this.#input.startsWith('\\u', this.#at)) {
      const saved = this.#at;
      this.#at += 2;
      const low = this.#hex();
      if (low >= 0xdc00 && low < 0xe000) return String.fromCharCode(unit, low);
      this.#at = saved;
    }
    return unit >= 0xd800 && unit < 0xe000 ? '\ufffd' : String.fromCharCode(unit);
  }

  #hex(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const digit = this.#input[this.#at] ?? '';
      if (!/^[0-9a-fA-F]$/.test(digit))
        throw this.#unexpected('in \\u hexadecimal character escape');
      value = value * 16 + Number.parseInt(digit, 16);
      this.#at++;
    }
    return value;
  }

  #unexpected(context: string): GoError {
    const code = this.#input.codePointAt(this.#at);
    if (code === undefined) {
      // At the end Go's scanner takes one more space: only where that is wrong too is it named.
      const isOpen = /^(?:in (?!string literal)|after decimal)/.test(context);
      return new JsonSyntaxError(
        isOpen ? `invalid character ' ' ${context}` : 'unexpected end of JSON input',
      );
    }
    // Go looks at one byte: a longer character shows as its first one.
    const byte = byteLength(String.fromCodePoint(code)) > 1 ? firstByte(code) : code;
    const offset = byteLength(this.#input.slice(0, this.#at)) + 1;
    return new JsonSyntaxError(`invalid character ${byteText(byte)} ${context}`, offset);
  }
}

function firstByte(code: number): number {
  if (code < 0x800) return 0xc0 | (code >> 6);
  return code < 0x10000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18);
}

function byteText(byte: number): string {
  if (byte === 0x27) return `'\\''`;
  if (byte === 0x22) return `'"'`;
  return quoteRune(byte);
}
