/** What encoding/json says of a text that is no JSON; undefined for one that is. */
export function jsonProblem(text: string): string | undefined {
  try {
    new Checker(new TextEncoder().encode(text)).check();
    return undefined;
  } catch (problem) {
    if (problem instanceof Problem) return problem.message;
    throw problem;
  }
}

class Problem extends Error {}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };
const DEPTH_MAX = 10_000;

/** Goes through the bytes as Go's scanner does, which looks at one byte after the other. */
class Checker {
  readonly #bytes: Uint8Array;
  #at = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  check(): void {
    this.#value();
    this.#skipSpace();
    if (this.#at < this.#bytes.length) throw this.#unexpected('after top-level value');
  }

  #value(): void {
    this.#skipSpace();
    const first = this.#peek();
    if (first === '{') this.#object();
    else if (first === '[') this.#array();
    else if (first === '"') this.#string();
    else if (first === '-' || isDigit(first)) this.#number();
    else if (Object.hasOwn(LITERALS, first)) this.#literal(LITERALS[first]!);
    else throw this.#unexpected('looking for beginning of value');
  }

  #object(): void {
    this.#enter();
    this.#skipSpace();
    if (this.#peek() !== '}') {
      for (;;) {
        this.#skipSpace();
        if (this.#peek() !== '"')
          throw this.#unexpected('looking for beginning of object key string');
        this.#string();
        this.#skipSpace();
        if (this.#peek() !== ':') throw this.#unexpected('after object key');
        this.#at++;
        this.#value();
        this.#skipSpace();
        if (this.#peek() !== ',') break;
        this.#at++;
      }
      if (this.#peek() !== '}') throw this.#unexpected('after object key:value pair');
    }
    this.#leave();
  }

  #array(): void {
    this.#enter();
    this.#skipSpace();
    if (this.#peek() !== ']') {
      for (;;) {
        this.#value();
        this.#skipSpace();
        if (this.#peek() !== ',') break;
        this.#at++;
      }
      if (this.#peek() !== ']') throw this.#unexpected('after array element');
    }
    this.#leave();
  }

  #enter(): void {
    this.#at++;
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw new Problem('exceeded max depth');
  }

  #leave(): void {
    this.#at++;
    this.#depth--;
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const c = this.#peek();
      if (c === '"') break;
      if (c === '' || c < ' ') throw this.#unexpected('in string literal');
      this.#at++;
      if (c === '\\') this.#escape();
    }
    this.#at++;
  }

  #escape(): void {
    const c = this.#peek();
    if (!'bfnrt\\/"u'.includes(c) || c === '') throw this.#unexpected('in string escape code');
    this.#at++;
    for (let i = 0; c === 'u' && i < 4; i++, this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) {
        throw this.#unexpected('in \\u hexadecimal character escape');
      }
    }
  }

  #number(): void {
    if (this.#peek() === '-') {
      this.#at++;
      if (!isDigit(this.#peek())) throw this.#unexpected('in numeric literal');
    }
    if (this.#peek() === '0') this.#at++;
    else this.#digits('');
    if (this.#peek() === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (this.#peek().toLowerCase() === 'e') {
      this.#at++;
      if ('+-'.includes(this.#peek()) && this.#peek() !== '') this.#at++;
      this.#digits('in exponent of numeric literal');
    }
  }

  #digits(where: string): void {
    if (!isDigit(this.#peek())) throw this.#unexpected(where);
    while (isDigit(this.#peek())) this.#at++;
  }

  #literal(word: string): void {
    for (const letter of word) {
      if (this.#peek() !== letter) {
        throw this.#unexpected(`in literal ${word} (expecting '${letter}')`);
      }
      this.#at++;
    }
  }

  #skipSpace(): void {
    while (' \t\r\n'.includes(this.#peek()) && this.#at < this.#bytes.length) this.#at++;
  }

  /** The byte that comes next, as a character; '' at the end. */
  #peek(): string {
    const byte = this.#bytes[this.#at];
    return byte === undefined ? '' : String.fromCharCode(byte);
  }

  #unexpected(where: string): Problem {
    const c = this.#peek();
    if (c === '') {
      // Go looks at a space at the end: where one may not stand, that is what is wrong.
      const isOpen = /decimal|^in (?!string literal)/.test(where);
      return new Problem(
        isOpen ? `invalid character ' ' ${where}` : 'unexpected end of JSON input',
      );
    }
    return new Problem(`invalid character ${quoted(c)} ${where}`);
  }
}

function isDigit(c: string): boolean {
  return c >= '0' && c <= '9' && c !== '';
}

function quoted(c: string): string {
  if (c === "'") return "'\\''";
  if (c === '"') return "'\"'";
  if (c === '\\') return "'\\\\'";
  const known = { '\x07': 'a', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' }[
    c
  ];
  if (known !== undefined) return `'\\${known}'`;
  const code = c.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  const isPrintable = code < 0x7f || (code > 0xa0 && code !== 0xad);
  return isPrintable ? `'${c}'` : `'\\u${code.toString(16).padStart(4, '0')}'`;
}
