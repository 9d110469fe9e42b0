import { type GoValue, int64 } from '@capstan/lib-gotemplate';
import type { Values } from './chart.ts';
import { ChartError } from './chart-error.ts';
import { isTable } from './values.ts';

const INDEX_MAX = 65_536;
const DEPTH_MAX = 30;

/**
 * How the text after '=' becomes a value: `typed` as --set (true, 1, null, {a,b}), `string` as --set-string, `json` as
 * --set-json, `literal` as --set-literal (to the end, nothing is special), or a function as --set-file.
 */
export type SetMode = 'typed' | 'string' | 'json' | 'literal' | ((text: string) => string);

/**
 * Puts `a.b[0]=value,c=…` into `values`, which is changed. The language and the error texts of helm's --set flags
 * (helm's documentation, "The Format and Limitations of --set").
 */
export function setValues(values: Values, text: string, mode: SetMode): void {
  const reader = new SetReader(text, mode);
  while (!reader.atEnd()) reader.readKey(values, 0);
}

const KEY_STOPS = new Set(['=', '[', ',', '.']);
const LITERAL_KEY_STOPS = new Set(['=', '[', '.']);
const ITEM_STOPS = new Set(['[', '.', '=']);

class SetReader {
  readonly #chars: readonly string[];
  readonly #mode: SetMode;
  #at = 0;

  constructor(text: string, mode: SetMode) {
    this.#chars = [...text];
    this.#mode = mode;
  }

  atEnd(): boolean {
    return this.#at >= this.#chars.length;
  }

  /** Whether the text ended right behind its `=`: an item of a list that was to hold this is then left out, as in Go. */
  readKey(target: Values, depth: number): boolean {
    const { text: key, stop } = this.#until(
      this.#mode === 'literal' ? LITERAL_KEY_STOPS : KEY_STOPS,
    );
    if (stop === undefined) {
      if (key !== '') throw failure(`key ${JSON.stringify(key)} has no value`);
      return true;
    }
    if (stop === '[') return this.#readList(target, key, depth);
    if (stop === '.') return this.#readTable(target, key, depth + 1);
    if (stop === ',') {
      put(target, key, '');
      throw failure(`key ${JSON.stringify(key)} has no value (cannot end with ,)`);
    }
    const isEmpty = this.atEnd() && this.#mode !== 'literal' && this.#mode !== 'json';
    put(target, key, this.#readValue());
    return isEmpty;
  }

  #readList(target: Values, key: string, depth: number): boolean {
    const index = this.#readIndex();
    const found = Object.hasOwn(target, key) ? target[key] : [];
    if (!Array.isArray(found)) throw conversion(found, '[]interface {}');
    const { list, isEmpty } = this.#readItem(found, index, depth);
    put(target, key, list);
    return isEmpty;
  }

  #readTable(target: Values, key: string, depth: number): boolean {
    if (depth > DEPTH_MAX) {
      throw failure(
        `value name nested level is greater than maximum supported nested level of ${DEPTH_MAX}`,
      );
    }
    const found = Object.hasOwn(target, key) ? target[key] : {};
    if (!isTable(found)) throw conversion(found, 'map[string]interface {}');
    const ended = this.atEnd();
    const isEmpty = this.readKey(found, depth);
    if (Object.keys(found).length > 0) put(target, key, found);
    else if (!ended) throw failure(`key map ${JSON.stringify(key)} has no value`);
    return isEmpty;
  }

  #readIndex(): number {
    const { text, stop } = this.#until(new Set([']']));
    if (stop === undefined) throw failure('error parsing index: EOF');
    if (!/^[+-]?\d+$/.test(text)) {
      throw failure(
        `error parsing index: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    }
    return Number(text);
  }

  /** The list with the item in it: the same list, as long as it has room. */
  #readItem(
    list: GoValue[],
    index: number,
    depth: number,
  ): { readonly list: GoValue[]; readonly isEmpty: boolean } {
    if (index < 0) throw failure(`negative ${index} index not allowed`);
    const { text, stop } = this.#until(ITEM_STOPS);
    if (text !== '')
      throw failure(`unexpected data at end of array index: ${JSON.stringify(text)}`);
    if (stop === undefined) return { list, isEmpty: true };
    const full = (value: GoValue) => ({ list: withItem(list, index, value), isEmpty: false });
    if (stop === '=') return full(this.#readValue());
    if (stop === '[') {
      const inner = this.#readIndex();
      const existing = list[index] ?? [];
      if (!Array.isArray(existing)) throw conversion(existing, '[]interface {}');
      const nested = this.#readItem(existing, inner, depth);
      return nested.isEmpty ? { list, isEmpty: true } : full(nested.list);
    }
    const existing = list[index];
    const table = isTable(existing) ? existing : {};
    if (index < list.length) list[index] = table;
    return this.readKey(table, depth) ? { list, isEmpty: true } : full(table);
  }

  #readValue(): GoValue {
    if (this.#mode === 'literal') return this.#rest();
    if (this.#mode === 'json') return this.#readJson();
    if (this.#chars[this.#at] === '{') {
      this.#at++;
      return this.#readBraces();
    }
    return this.#convert(this.#until(new Set([','])).text);
  }

  #readBraces(): GoValue[] {
    const list: GoValue[] = [];
    for (;;) {
      const { text, stop } = this.#until(new Set([',', '}']));
      if (stop === undefined) throw failure("list must terminate with '}'");
      list.push(this.#convert(text));
      if (stop === ',') continue;
      if (this.#chars[this.#at] === ',') this.#at++;
      return list;
    }
  }

  #convert(text: string): GoValue {
    if (typeof this.#mode === 'function') return this.#mode(text);
    return this.#mode === 'string' ? text : typedValue(text);
  }

  #readJson(): GoValue {
    if (this.#skipBlank()) return null;
    const text = this.#chars.slice(this.#at).join('');
    const length = jsonLength(text);
    const value: GoValue = parseJson(text.slice(0, length));
    this.#at += [...text.slice(0, length)].length;
    this.#skipBlank();
    return value;
  }

  /** Passes blanks and one comma; true when there is no value here. */
  #skipBlank(): boolean {
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined) return true;
      if (char !== ',' && !/\s/.test(char)) return false;
      this.#at++;
      if (char === ',') return true;
    }
  }

  #until(stops: ReadonlySet<string>): { readonly text: string; readonly stop: string | undefined } {
    let text = '';
    while (this.#at < this.#chars.length) {
      let char = this.#chars[this.#at++]!;
      if (stops.has(char)) return { text, stop: char };
      if (char === '\\' && this.#mode !== 'literal') {
        if (this.#at >= this.#chars.length) break;
        char = this.#chars[this.#at++]!;
      }
      text += char;
    }
    return { text, stop: undefined };
  }

  #rest(): string {
    const text = this.#chars.slice(this.#at).join('');
    this.#at = this.#chars.length;
    return text;
  }
}

/** `true`, `null`, `12` as what they look like; a text with a leading zero stays one. */
function typedValue(text: string): GoValue {
  const lower = text.toLowerCase();
  if (lower === 'true') return true;
  if (lower === 'false') return false;
  if (lower === 'null') return null;
  if (text === '0') return int64(0);
  if (!/^[+-]?\d+$/.test(text) || text.startsWith('0')) return text;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? int64(value) : text;
}

/** Length of the JSON value at the start of `text`: the rest belongs to the next key. */
function jsonLength(text: string): number {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
      if (!inString && depth === 0) return at + 1;
      continue;
    }
    if (char === '"') inString = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    if (depth === 0 && (char === '}' || char === ']')) return at + 1;
    if (depth === 0 && !inString && char === ',') return at;
  }
  return text.length;
}

function parseJson(text: string): GoValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw failure(error instanceof Error ? error.message : String(error));
  }
}

function put(target: Values, key: string, value: GoValue): void {
  if (key === '') return;
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function withItem(list: GoValue[], index: number, value: GoValue): GoValue[] {
  if (index > INDEX_MAX) {
    throw failure(`index of ${index} is greater than maximum supported index of ${INDEX_MAX}`);
  }
  const made = index < list.length ? list : [...list];
  while (made.length <= index) made.push(null);
  made[index] = value;
  return made;
}

function conversion(found: GoValue, wanted: string): ChartError {
  const kind = goTypeOf(found);
  return failure(
    `unable to parse key: interface conversion: interface {} is ${kind}, not ${wanted}`,
  );
}

function goTypeOf(value: GoValue): string {
  if (value === null) return 'nil';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return '[]interface {}';
  return isTable(value) ? 'map[string]interface {}' : 'int64';
}

function failure(message: string): ChartError {
  return new ChartError('CHART_SET_VALUE', message);
}
