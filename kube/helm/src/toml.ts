import {
  formatFloat,
  GoError,
  GoInt,
  GoMap,
  GoScalar,
  type GoValue,
  int64,
  mapGet,
  sortedKeys,
  stringMapOf,
} from '@capstan/lib-gotemplate';
import { parse, TomlDate } from 'smol-toml';

/** TOML as BurntSushi/toml writes it: sorted keys, plain values before tables, two spaces a level. Throws GoError. */
export function toToml(value: GoValue): string {
  const writer = new TomlWriter();
  writer.write([], value);
  return writer.text;
}

/** Reads TOML: integers are int64, floats float64, dates their text. Throws Error with the reason. */
export function fromToml(text: string): GoValue {
  return readValue(parse(text, { integersAsBigInt: true }));
}

function readValue(value: unknown): GoValue {
  if (typeof value === 'bigint') return int64(value);
  if (Array.isArray(value)) return value.map(readValue);
  if (value instanceof TomlDate) return value.toISOString();
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readValue(item)]));
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : null;
}

class TomlWriter {
  text = '';

  write(key: readonly string[], value: GoValue): void {
    if (value === null || value === undefined) return;
    const items = Array.isArray(value) ? value : undefined;
    if (items !== undefined && isTableList(items)) this.#tables(key, items);
    else if (stringMapOf(value) !== undefined) this.#table(key, value);
    else if (key.length === 0) this.text += element(value);
    else this.text += `${indent(key)}${keyText(key.at(-1)!)} = ${element(value)}\n`;
  }

  #newline(): void {
    if (this.text !== '') this.text += '\n';
  }

  #tables(key: readonly string[], items: readonly GoValue[]): void {
    if (key.length === 0) throw new GoError('toml: top-level values must be Go maps or structs');
    for (const item of items) {
      if (item === null || item === undefined) continue;
      this.#newline();
      this.text += `${indent(key)}[[${key.map(keyText).join('.')}]]\n`;
      this.#entries(key, item);
    }
  }

  #table(key: readonly string[], value: GoValue): void {
    if (key.length === 1) this.#newline();
    if (key.length > 0) this.text += `${indent(key)}[${key.map(keyText).join('.')}]\n`;
    this.#entries(key, value);
  }

  #entries(key: readonly string[], value: GoValue): void {
    const map = stringMapOf(value) ?? {};
    const keys = sortedKeys(map);
    const isSub = (name: string): boolean => isTableValue(mapGet(map, name));
    for (const name of keys) if (!isSub(name)) this.write([...key, name], mapGet(map, name));
    for (const name of keys) if (isSub(name)) this.write([...key, name], mapGet(map, name));
  }
}

function isTableValue(value: GoValue): boolean {
  return stringMapOf(value) !== undefined || (Array.isArray(value) && isTableList(value));
}

function isTableList(items: readonly GoValue[]): boolean {
  return items.length > 0 && items.every((item) => stringMapOf(item) !== undefined);
}

function element(value: GoValue): string {
  if (typeof value === 'string') return quoteText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof GoInt) return String(value.value);
  if (value instanceof GoScalar) return element(value.value);
  if (Array.isArray(value)) return `[${value.map(element).join(', ')}]`;
  const map = value instanceof GoMap ? value.data : stringMapOf(value);
  if (map === undefined) throw new GoError('toml: unsupported type');
  const entries = sortedKeys(map).map((key) => `${keyText(key)} = ${element(mapGet(map, key))}`);
  return `{${entries.join(', ')}}`;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const text = formatFloat(value, 'g', -1);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoteText(key);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

function quoteText(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u007f]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(4, '0');
    return ESCAPES[char] ?? `\\u${code}`;
  });
  return `"${escaped}"`;
}

function indent(key: readonly string[]): string {
  return '  '.repeat(key.length - 1);
}
