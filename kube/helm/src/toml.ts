import {
  DURATION,
  formatDuration,
  formatFloat,
  GoError,
  GoInt,
  GoKeyedMap,
  GoNil,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoValue,
  int64,
  isTime,
  mapGet,
  sortedKeys,
  stringMapOf,
  typeOf,
} from '@capstan/lib-gotemplate';
import { parse, TomlDate } from 'smol-toml';

/**
 * TOML as BurntSushi/toml writes it: sorted keys, plain values before tables, two spaces a level. Throws GoError, with the
 * text of Go's panic for a nil value.
 */
export function toToml(value: GoValue): string {
  if (value === null || value === undefined) {
    throw new GoPanic('reflect: call of reflect.Value.Type on zero Value');
  }
  const writer = new TomlWriter();
  writer.write([], value);
  return writer.text;
}

/** What kills the call in Go, where other failures are values. */
export class GoPanic extends GoError {}

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
    const isNilSlice = value instanceof GoNil && value.type.kind === 'slice';
    if (isNilSlice && key.length === 0) this.text += '[]';
    if (isNil(value)) return;
    const kind = kindOf(value);
    if (kind === 'tables') this.#tables(key, value as readonly GoValue[]);
    else if (kind === 'table') this.#table(key, value);
    else if (key.length === 0) this.text += element(value);
    else this.text += `${indent(key)}${keyText(key.at(-1)!)} = ${element(value)}\n`;
  }

  #newline(): void {
    if (this.text !== '') this.text += '\n';
  }

  #tables(key: readonly string[], items: readonly GoValue[]): void {
    if (key.length === 0) throw new GoError('toml: top-level values must be Go maps or structs');
    for (const item of items) {
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
    const { plain, tables } = splitFields(value);
    for (const [name, item] of [...plain, ...tables]) this.write([...key, name], item);
  }
}

type Field = readonly [name: string, value: GoValue, place: number];

/** The entries of a map by name, the fields of a struct as declared; undefined for what is neither. */
function fieldsOf(given: GoValue): readonly Field[] | undefined {
  const value = given instanceof GoPointer ? given.elem : given;
  if (value instanceof GoStruct) {
    return (value.type.fields ?? []).flatMap(({ name, embedded }, place) => {
      const item = value.values[name];
      if (embedded === true) return fieldsOf(item) ?? [];
      return /^\p{Lu}/u.test(name) ? [[name, item, place] as const] : [];
    });
  }
  if (value instanceof GoKeyedMap) {
    throw new GoError('toml: cannot encode a map with non-string key type');
  }
  const map = stringMapOf(value);
  return map === undefined
    ? undefined
    : sortedKeys(map).map((key, i) => [key, mapGet(map, key), i]);
}

/** Tables stand after plain values: else these would belong to them. */
function splitFields(value: GoValue): {
  readonly plain: readonly Field[];
  readonly tables: readonly Field[];
} {
  const fields = fieldsOf(value) ?? [];
  const isTable = (field: Field): boolean => ['table', 'tables'].includes(kindOf(field[1]));
  return { plain: fields.filter((field) => !isTable(field)), tables: fields.filter(isTable) };
}

/** What a value is in TOML. A list that holds nil, however deep in lists, is an error as soon as anyone looks at it. */
function kindOf(value: GoValue): 'nil' | 'table' | 'tables' | 'plain' {
  if (isNil(value)) return 'nil';
  if (textOf(value) !== undefined) return 'plain';
  if (!Array.isArray(value)) return isMapOrStruct(value) ? 'table' : 'plain';
  const kinds = value.map(kindOf);
  if (kinds.includes('nil')) throw new GoError('toml: cannot encode array with nil element');
  return kinds.length > 0 && kinds.every((kind) => kind === 'table') ? 'tables' : 'plain';
}

function isNil(value: GoValue): boolean {
  return value === null || value === undefined || value instanceof GoNil;
}

function isMapOrStruct(value: GoValue): boolean {
  return value instanceof GoKeyedMap || fieldsOf(value) !== undefined;
}

function element(given: GoValue): string {
  const value = given instanceof GoPointer ? given.elem : given;
  const text = textOf(value);
  if (text !== undefined) return isTime(value) ? text : quoteText(text);
  if (typeof value === 'string') return quoteText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof GoInt) {
    return value.type === DURATION
      ? quoteText(formatDuration(BigInt(value.value)))
      : String(value.value);
  }
  if (value instanceof GoScalar) return element(value.value);
  if (value instanceof Uint8Array) return `[${value.join(', ')}]`;
  if (Array.isArray(value)) return `[${value.map(element).join(', ')}]`;
  if (!isMapOrStruct(value)) throw new GoError(`unexpected type: ${typeOf(value).text}`);
  return `{${inlineEntries(value)}}`;
}

/** How a value of a type with a method MarshalText shows itself. */
function textOf(given: GoValue): string | undefined {
  const value = given instanceof GoPointer ? given.elem : given;
  return value instanceof GoStruct ? value.type.textMarshaler?.(value) : undefined;
}

/**
 * The comma of a map's entry goes by its place in the list, not by what is left out of it, so that a nil at the end leaves
 * one behind; that of a field by where the struct declares it.
 */
function inlineEntries(value: GoValue): string {
  const { plain, tables } = splitFields(value);
  const count = plain.length + tables.length;
  const isStruct = value instanceof GoStruct;
  return [...plain, ...tables]
    .map(([key, item, place], i) => {
      if (isNil(item)) return '';
      const comma = (isStruct ? place : i) === count - 1 ? '' : ', ';
      return `${keyText(key)} = ${element(item)}${comma}`;
    })
    .join('');
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
