import { formatFloat } from './go-number.ts';
import { compareBytes } from './key-order.ts';

export interface GoSyntaxOptions {
  /** Whether maps with string keys are `map[string]interface {}`, as v3 makes them. */
  readonly textMaps?: boolean;
  /** How to show keys that are no strings, by the object they belong to. */
  readonly shownKeys?: ReadonlyMap<object, ReadonlyMap<string, string>>;
}

/** A value as Go's `%#v` writes it in error texts. Map keys come sorted, as fmt prints them, strings first. */
export function goSyntax(value: unknown, options: GoSyntaxOptions = {}): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value === 'string') return quoteGo(value);
  if (typeof value === 'number') return formatFloat(value);
  if (typeof value === 'bigint') return value < 2n ** 63n ? `${value}` : `0x${value.toString(16)}`;
  if (Array.isArray(value)) {
    return `[]interface {}{${value.map((item) => goSyntax(item, options)).join(', ')}}`;
  }
  if (typeof value !== 'object') return String(value);
  const shown = options.shownKeys?.get(value);
  const isShown = (key: string) => (shown?.has(key) === true ? 1 : 0);
  const entries = Object.entries(value).sort(
    ([a], [b]) => isShown(a) - isShown(b) || compareBytes(a, b),
  );
  const body = entries.map(
    ([key, item]) => `${shown?.get(key) ?? quoteGo(key)}:${goSyntax(item, options)}`,
  );
  const type = options.textMaps === true && shown === undefined ? 'string' : 'interface {}';
  return `map[${type}]interface {}{${body.join(', ')}}`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

/** `strconv.Quote`. */
export function quoteGo(text: string): string {
  let out = '"';
  for (const c of text) {
    const named = ESCAPES.get(c);
    if (named !== undefined) out += named;
    else if (isGoPrintable(c)) out += c;
    else {
      const code = c.codePointAt(0)!;
      const hex = code.toString(16);
      if (code < 0x80) out += `\\x${hex.padStart(2, '0')}`;
      else if (code < 0x10000) out += `\\u${hex.padStart(4, '0')}`;
      else out += `\\U${hex.padStart(8, '0')}`;
    }
  }
  return `${out}"`;
}

function isGoPrintable(c: string): boolean {
  return c === ' ' || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(c);
}
