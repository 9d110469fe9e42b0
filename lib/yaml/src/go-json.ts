import { CapstanError, messageOf } from '@capstan/lib-std';
import type { YamlValue } from './decode.ts';
import { YamlErrorCode } from './errors.ts';
import { formatJsonFloat } from './go-number.ts';
import { jsonProblem } from './json-problem.ts';
import { compareBytes } from './key-order.ts';

/** What the writers take: JSON values, also readonly ones, and Maps for objects. */
export type GoValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [key: string]: GoValue };

export interface JsonOptions {
  /** Whether `<`, `>` and `&` are written as escapes, as json.Marshal does. Default true. */
  readonly escapeHtml?: boolean;
  /** Indentation of one level, as json.MarshalIndent with an empty prefix; without it everything is on one line. */
  readonly indent?: string;
}

/**
 * JSON text as Go's encoding/json writes it: keys sorted by bytes, floats in Go's layout, U+2028 and U+2029 escaped. An
 * undefined property is left out, an undefined value elsewhere is null. Throws where Go does: NaN and infinities.
 */
export function goJson(value: GoValue, options: JsonOptions = {}): string {
  const escapeHtml = options.escapeHtml ?? true;
  return options.indent === undefined
    ? compact(value, escapeHtml)
    : indented(value, escapeHtml, options.indent, '\n');
}

function compact(value: GoValue, escapeHtml: boolean): string {
  if (typeof value !== 'object' || value === null) return scalarJson(value, escapeHtml);
  if (isList(value)) {
    let out = '[';
    for (let i = 0; i < value.length; i++) {
      out += i === 0 ? compact(value[i], escapeHtml) : `,${compact(value[i], escapeHtml)}`;
    }
    return `${out}]`;
  }
  let out = '{';
  for (const [key, item] of sortedEntries(value)) {
    if (out.length > 1) out += ',';
    out += `${quoteJson(key, escapeHtml)}:${compact(item, escapeHtml)}`;
  }
  return `${out}}`;
}

function indented(value: GoValue, escapeHtml: boolean, indent: string, line: string): string {
  if (typeof value !== 'object' || value === null) return scalarJson(value, escapeHtml);
  const inner = line + indent;
  if (isList(value)) {
    if (value.length === 0) return '[]';
    const items = value.map((item) => inner + indented(item, escapeHtml, indent, inner));
    return `[${items.join(',')}${line}]`;
  }
  const entries = sortedEntries(value);
  if (entries.length === 0) return '{}';
  const items = entries.map(
    ([key, item]) =>
      `${inner}${quoteJson(key, escapeHtml)}: ${indented(item, escapeHtml, indent, inner)}`,
  );
  return `{${items.join(',')}${line}}`;
}

/** Whether a value is a list; Array.isArray alone does not narrow readonly arrays. */
export function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value);
}

/** The entries of an object or Map that are not undefined, in no particular order. */
export function entriesOf(
  value: ReadonlyMap<string, GoValue> | { readonly [key: string]: GoValue },
): [string, GoValue][] {
  const entries: [string, GoValue][] =
    value instanceof Map ? [...value.entries()] : Object.entries(value);
  return entries.some(([, item]) => item === undefined)
    ? entries.filter(([, item]) => item !== undefined)
    : entries;
}

function sortedEntries(
  value: ReadonlyMap<string, GoValue> | { readonly [key: string]: GoValue },
): [string, GoValue][] {
  return entriesOf(value).sort(([a], [b]) => compareBytes(a, b));
}

function scalarJson(value: string | number | bigint | boolean | null | undefined, html: boolean) {
  switch (typeof value) {
    case 'string':
      return quoteJson(value, html);
    case 'number':
      if (!Number.isFinite(value)) throw unsupported(value);
      return formatJsonFloat(value);
    case 'undefined':
      return 'null';
    default:
      return String(value);
  }
}

/** The error of encoding/json for a float that JSON cannot hold. */
export function unsupported(value: number): CapstanError {
  const text = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return new CapstanError(YamlErrorCode.value, `json: unsupported value: ${text}`, {
    hint: 'replace the number by one that JSON can hold',
  });
}

/** A JSON string literal as Go writes it. Half a surrogate pair becomes U+FFFD. */
export function quoteJson(text: string, escapeHtml: boolean): string {
  let out = '"';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x20 && c < 0x7f && c !== 0x22 && c !== 0x5c) {
      if (!escapeHtml || (c !== 0x3c && c !== 0x3e && c !== 0x26)) continue;
    } else if (c >= 0x7f && c < 0x2028) continue;
    else if (c > 0x2029 && (c < 0xd800 || c > 0xdfff)) continue;
    else if (isPair(text, i)) {
      i++;
      continue;
    }
    out += text.slice(from, i) + escapeJson(c);
    from = i + 1;
  }
  return `${out}${text.slice(from)}"`;
}

function isPair(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1);
  return c >= 0xd800 && c <= 0xdbff && next >= 0xdc00 && next <= 0xdfff;
}

function escapeJson(c: number): string {
  switch (c) {
    case 0x22:
      return '\\"';
    case 0x5c:
      return '\\\\';
    case 0x08:
      return '\\b';
    case 0x0c:
      return '\\f';
    case 0x0a:
      return '\\n';
    case 0x0d:
      return '\\r';
    case 0x09:
      return '\\t';
  }
  if (c >= 0xd800 && c <= 0xdfff) return '\\ufffd';
  return `\\u${c.toString(16).padStart(4, '0')}`;
}

const LONG_NUMBER = /[0-9]{16}/;

/**
 * Parses JSON; integers that a double cannot hold exactly come back as bigints. Throws `YAML_SYNTAX` with the text of
 * encoding/json.
 */
export function parseJson(text: string): YamlValue {
  try {
    if (!LONG_NUMBER.test(text)) return JSON.parse(text);
    return JSON.parse(text, (_key, value, context?: { source?: string }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
      const source = context?.source ?? '';
      return /^-?[0-9]{16,}$/.test(source) ? BigInt(source) : value;
    });
  } catch (error) {
    throw new CapstanError(YamlErrorCode.syntax, jsonProblem(text) ?? messageOf(error), {
      hint: 'correct the JSON',
      cause: error,
    });
  }
}
