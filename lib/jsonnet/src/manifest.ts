import { jsonnetError } from './jsonnet-error.ts';
import { isArray, isFunction, ObjectValue, type Value } from './values.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** The value as JSON: everything is evaluated, hidden fields are left out, functions are errors. */
export function toJson(value: Value): JsonValue {
  if (isFunction(value)) throw jsonnetError("couldn't manifest function as JSON");
  if (isArray(value)) return value.map((item) => toJson(item.force()));
  if (value instanceof ObjectValue) {
    value.check();
    const entries = value
      .visibleNames()
      .map((name) => [name, toJson(value.get(name) ?? null)] as const);
    return Object.fromEntries(entries);
  }
  return value;
}

/** As `toString` and `+` with a text write a value. */
export function toText(value: Value): string {
  return typeof value === 'string'
    ? value
    : jsonText(value, { indent: '', newline: '', colon: ': ', comma: ', ' });
}

export interface JsonStyle {
  readonly indent: string;
  readonly newline: string;
  readonly colon: string;
  readonly comma?: string;
}

/** JSON text; with an indent one member a line. */
export function jsonText(value: Value, style: JsonStyle, at = ''): string {
  if (isFunction(value)) throw jsonnetError("couldn't manifest function as JSON");
  if (typeof value === 'string') return escapeJson(value);
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  const { indent, newline, colon, comma = ',' } = style;
  const inner = at + indent;
  if (isArray(value)) {
    if (value.length === 0) return newline === '' ? '[ ]' : `[${newline}${newline}${at}]`;
    const items = value.map((item) => inner + jsonText(item.force(), style, inner));
    return `[${newline}${items.join(`${comma}${newline}`)}${newline}${at}]`;
  }
  value.check();
  const names = value.visibleNames();
  if (names.length === 0) return newline === '' ? '{ }' : `{${newline}${newline}${at}}`;
  const members = names.map(
    (name) =>
      `${inner}${escapeJson(name)}${colon}${jsonText(value.get(name) ?? null, style, inner)}`,
  );
  return `{${newline}${members.join(`${comma}${newline}`)}${newline}${at}}`;
}

/** The shortest text that gives the number again; whole numbers without an exponent. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString();
  const [mantissa = '', exponent] = String(value).split('e');
  if (exponent === undefined) return mantissa;
  const sign = exponent.startsWith('-') ? '-' : '+';
  return `${mantissa}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

export function escapeJson(text: string): string {
  const plain = text.replace(
    /["\\\u0000-\u001f\u007f-\u009f]/g,
    (char) => ESCAPES.get(char) ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${plain}"`;
}
