import { formatJsonFloat } from '@capstan/lib-yaml';
import { positionalFloat } from './go-text.ts';
import { sopsError } from './sops-error.ts';
import type { SopsBranch, SopsItem, SopsLeaf, SopsValue } from './sops-tree.ts';

const DEPTH_MAX = 1000;

/** A JSON object with its names in their order, which the MAC depends on and JSON.parse does not keep. */
export function loadJson(text: string): SopsBranch {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  if (value.kind === 'branch') return value;
  throw sopsError('SOPS_SYNTAX', 'the JSON must be an object');
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): SopsValue {
    if (depth > DEPTH_MAX) throw sopsError('SOPS_LIMIT', 'the JSON is nested too deeply');
    this.#skip();
    const character = this.#text[this.#at];
    if (character === '{') return this.#object(depth);
    if (character === '[') return this.#array(depth);
    if (character === '"') return { kind: 'leaf', type: 'str', text: this.#string() };
    return this.#literal();
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw this.#bad();
  }

  #object(depth: number): SopsBranch {
    const items: SopsItem[] = [];
    this.#at++;
    for (let first = true; !this.#take('}'); first = false) {
      if (!first) this.#expect(',');
      this.#skip();
      const key = this.#string();
      this.#expect(':');
      items.push({ kind: 'item', key, value: this.value(depth + 1) });
    }
    return { kind: 'branch', items };
  }

  #array(depth: number): SopsValue {
    const items: SopsValue[] = [];
    this.#at++;
    for (let first = true; !this.#take(']'); first = false) {
      if (!first) this.#expect(',');
      items.push(this.value(depth + 1));
    }
    return { kind: 'list', items };
  }

  #string(): string {
    const found = this.#match(/"(?:[^"\\]|\\.)*"/sy);
    try {
      return JSON.parse(found) as string;
    } catch {
      throw this.#bad();
    }
  }

  #literal(): SopsLeaf {
    const text = this.#match(/true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (text === 'null') return { kind: 'leaf', type: 'null', text: '' };
    if (text === 'true') return { kind: 'leaf', type: 'bool', text: 'True' };
    if (text === 'false') return { kind: 'leaf', type: 'bool', text: 'False' };
    const isInteger = /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
    return isInteger
      ? { kind: 'leaf', type: 'int', text: String(BigInt(text)) }
      : { kind: 'leaf', type: 'float', text: positionalFloat(Number(text)) };
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw this.#bad();
    this.#at += found.length;
    return found;
  }

  #skip(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#bad();
  }

  #bad(): Error {
    return sopsError('SOPS_SYNTAX', `the JSON cannot be read at character ${this.#at}`);
  }
}

/** With tabs and a line break at the end, as `sops decrypt` prints it. */
export function emitJson(branch: SopsBranch): string {
  return `${valueText(branch, '')}\n`;
}

function valueText(value: SopsValue, indent: string): string {
  if (value.kind === 'leaf') return leafText(value);
  const inner = `${indent}\t`;
  const isList = value.kind === 'list';
  const lines = isList
    ? value.items.flatMap((item) => (item.kind === 'comment' ? [] : [valueText(item, inner)]))
    : value.items.flatMap((item) =>
        item.kind === 'item' ? [`${quote(item.key)}: ${valueText(item.value, inner)}`] : [],
      );
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (lines.length === 0) return open + close;
  return `${open}\n${inner}${lines.join(`,\n${inner}`)}\n${indent}${close}`;
}

function leafText({ type, text }: SopsLeaf): string {
  if (type === 'null') return 'null';
  if (type === 'bool') return text.toLowerCase();
  if (type === 'int') return text;
  if (type === 'float') return formatJsonFloat(Number(text));
  return quote(text);
}

/** As encoding/json: safe within HTML. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
