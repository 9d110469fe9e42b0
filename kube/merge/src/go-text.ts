import type { Json } from '@capstan/kube-object';
import { compareText, isList, isMap, type Value } from './value.ts';

/** A value as JSON the way Go's encoder writes it: keys sorted, `<`, `>`, `&` and the two line separators escaped. */
export function goJson(value: Json): string {
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value === 'bigint') return value.toString();
  if (isList(value)) return `[${value.map(goJson).join(',')}]`;
  if (isMap(value)) {
    const parts: string[] = [];
    for (const key of Object.keys(value).sort(compareText)) {
      const item = value[key];
      if (item !== undefined) parts.push(`${goJsonString(key)}:${goJson(item)}`);
    }
    return `{${parts.join(',')}}`;
  }
  return JSON.stringify(value);
}

const special = /[<>&\u2028\u2029\b\f]/;
const specials = /[<>&\u2028\u2029]/g;

export function goJsonString(text: string): string {
  const json = JSON.stringify(text);
  if (!special.test(text)) return json;
  return json
    .replace(/\\([bf])/g, (_, c: string) => (c === 'b' ? '\\u0008' : '\\u000c'))
    .replace(specials, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** A string in double quotes as Go's `%q` prints it. */
export function goQuote(text: string): string {
  let out = '"';
  for (const char of text) {
    const short = shortEscapes[char];
    const code = char.codePointAt(0) ?? 0;
    if (short !== undefined) out += short;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]| /u.test(char)) out += char;
    else if (code > 0xffff) out += `\\U${code.toString(16).padStart(8, '0')}`;
    else out += `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return `${out}"`;
}

/** A value as Go's `%v` prints decoded JSON: `map[a:1 b:[x y]]`. */
export function goPlain(value: Value): string {
  if (value === undefined || value === null) return '<nil>';
  if (isList(value)) return `[${value.map(goPlain).join(' ')}]`;
  if (isMap(value))
    return `map[${Object.keys(value)
      .sort(compareText)
      .map((key) => `${key}:${goPlain(value[key])}`)
      .join(' ')}]`;
  return String(value);
}

/** A value as Go's `%#v` prints decoded JSON. */
export function goSyntax(value: Value): string {
  if (value === undefined || value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return goQuote(value);
  if (isList(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isMap(value))
    return `map[string]interface {}{${Object.keys(value)
      .sort(compareText)
      .map((key) => `${goQuote(key)}:${goSyntax(value[key])}`)
      .join(', ')}}`;
  return String(value);
}

/** The Go type of decoded JSON. */
export function goTypeName(value: Value): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return isList(value) ? '[]interface {}' : 'map[string]interface {}';
}
