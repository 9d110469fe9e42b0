import { valueText } from '../fmt.ts';
import { LimitError, PartCount } from '../limits.ts';
import { listOf, sortedEntries } from '../map.ts';
import { formatFloat } from '../number.ts';
import { compareText } from '../text.ts';
import { isTrue } from '../truth.ts';
import {
  GoComplex,
  GoError,
  GoFunc,
  GoInt,
  GoNil,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoValue,
  typeOf,
} from '../value.ts';
import { anything, type Functions, fixed, text } from './define.ts';
import { encodeBase64 } from './encoding.ts';
import { parseJson } from './json-parse.ts';

/** Sprig's JSON functions: encoding/json's text, byte for byte. */
export function jsonFunctions(): Functions {
  const quiet = (write: (value: GoValue) => string) => (value: GoValue) => {
    try {
      return write(value);
    } catch (error) {
      if (error instanceof GoError && !(error instanceof LimitError)) return '';
      throw error;
    }
  };
  const plain = (value: GoValue): string => goJson(value);
  const pretty = (value: GoValue): string => indentJson(goJson(value), '  ');
  const raw = (value: GoValue): string => goJson(value, { escapeHtml: false });
  return [
    ['toJson', fixed([anything], quiet(plain))],
    ['mustToJson', fixed([anything], plain)],
    ['toPrettyJson', fixed([anything], quiet(pretty))],
    ['mustToPrettyJson', fixed([anything], pretty)],
    ['toRawJson', fixed([anything], raw)],
    ['mustToRawJson', fixed([anything], raw)],
    ['fromJson', fixed([text], parseQuietly)],
    ['mustFromJson', fixed([text], parseJson)],
  ];
}

function parseQuietly(input: string): GoValue {
  try {
    return parseJson(input);
  } catch (error) {
    if (error instanceof GoError) return null;
    throw error;
  }
}

export interface JsonOptions {
  /** <, > and & as \u003c and so on. */
  readonly escapeHtml?: boolean;
}

const DEPTH_MAX = 1000;

/** json.Marshal: keys sorted, floats in Go's form. Throws GoError for what JSON cannot hold. */
export function goJson(value: GoValue, options: JsonOptions = {}): string {
  return write(value, { html: options.escapeHtml ?? true, parts: new PartCount() }, 0);
}

interface WriteState {
  readonly html: boolean;
  readonly parts: PartCount;
}

function write(value: GoValue, state: WriteState, depth: number): string {
  state.parts.add();
  const { html } = state;
  if (depth > DEPTH_MAX) throw new GoError('json: value is nested too deeply');
  switch (typeof value) {
    case 'string':
      return jsonText(value, html);
    case 'number':
      return jsonFloat(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    default:
  }
  if (value === null || value === undefined) return 'null';
  if (value instanceof GoNil) return 'null';
  if (value instanceof GoInt) return String(value.value);
  if (value instanceof Uint8Array) return `"${encodeBase64(value)}"`;
  if (value instanceof GoPointer) return write(value.elem, state, depth + 1);
  if (value instanceof GoScalar) return write(value.value, state, depth);
  const items = listOf(value);
  if (items !== undefined) {
    return `[${items.map((item) => write(item, state, depth + 1)).join(',')}]`;
  }
  if (value instanceof GoStruct) return writeStruct(value, state, depth);
  if (value instanceof GoFunc || value instanceof GoComplex) {
    throw new GoError(`json: unsupported type: ${value.type.text}`);
  }
  return writeMap(value, state, depth);
}

function writeStruct(value: GoStruct, state: WriteState, depth: number): string {
  const { html } = state;
  const { textMarshaler } = value.type;
  if (textMarshaler !== undefined) return jsonText(textMarshaler(value), html);
  const parts = jsonFields(value).map(
    ([name, item]) => `${jsonText(name, html)}:${write(item, state, depth + 1)}`,
  );
  return `{${parts.join(',')}}`;
}

/** The fields of a struct as encoding/json takes them: exported ones, under the names of their tags. */
export function jsonFields(value: GoStruct): readonly (readonly [string, GoValue])[] {
  return (value.type.fields ?? []).flatMap(({ name, json = name, omitEmpty, embedded }) => {
    const item = value.values[name];
    if (embedded === true && item instanceof GoStruct) return jsonFields(item);
    const isLeftOut = omitEmpty === true && !isTrue(item);
    return /^\p{Lu}/u.test(name) && !isLeftOut ? [[json, item] as const] : [];
  });
}

function writeMap(value: GoValue, state: WriteState, depth: number): string {
  const { html } = state;
  const { key } = typeOf(value);
  if (key !== undefined && !/^(string|u?int)/.test(key.kind)) {
    throw new GoError(`json: unsupported type: ${typeOf(value).text}`);
  }
  let entries = [...sortedEntries(value)].map(([k, item]) => [valueText(k), item] as const);
  if (key?.kind !== 'string') entries = entries.sort((a, b) => compareText(a[0], b[0]));
  const parts = entries.map(
    ([name, item]) => `${jsonText(name, html)}:${write(item, state, depth + 1)}`,
  );
  return `{${parts.join(',')}}`;
}

/** encoding/json writes floats as ES6 does, but with two digits of exponent cut to what is needed. */
function jsonFloat(value: number): string {
  if (!Number.isFinite(value)) {
    throw new GoError(`json: unsupported value: ${formatFloat(value, 'g', -1)}`);
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) {
    return formatFloat(value, 'e', -1).replace(/e-0(\d)$/, 'e-$1');
  }
  return formatFloat(value, 'f', -1);
}

const SAFE = /^[ !#%'-;=?-[\]-~]*$/;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A JSON string as encoding/json writes it. */
export function jsonText(value: string, escapeHtml = true): string {
  if (SAFE.test(value)) return `"${value}"`;
  let out = '"';
  for (const char of value) out += jsonChar(char, escapeHtml);
  return `${out}"`;
}

function jsonChar(char: string, escapeHtml: boolean): string {
  const short = SHORT[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code < 0xe000) return '\\ufffd';
  const special = code === 0x2028 || code === 0x2029;
  const html = escapeHtml && (char === '<' || char === '>' || char === '&');
  if (code < 0x20 || special || html) return `\\u${code.toString(16).padStart(4, '0')}`;
  return char;
}

/** json.Indent of compact JSON with an empty prefix. */
export function indentJson(compact: string, indent: string): string {
  let out = '';
  let depth = 0;
  const newLine = (): string => `\n${indent.repeat(depth)}`;
  for (let i = 0; i < compact.length; i++) {
    const char = compact.charAt(i);
    if (char === '"') {
      const end = endOfString(compact, i);
      out += compact.slice(i, end);
      i = end - 1;
    } else if (char === '{' || char === '[') {
      const close = compact.charAt(i + 1);
      if (close === '}' || close === ']') {
        out += char + close;
        i++;
      } else {
        depth++;
        out += char + newLine();
      }
    } else if (char === '}' || char === ']') {
      depth--;
      out += newLine() + char;
    } else if (char === ',') out += `,${newLine()}`;
    else out += char === ':' ? ': ' : char;
  }
  return out;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}
