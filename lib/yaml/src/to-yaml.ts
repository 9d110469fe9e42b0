import { CapstanError, messageOf } from '@capstan/lib-std';
import {
  analyzeScalar,
  BLOCK_PLAIN,
  BLOCK_SCALAR,
  isPrintable,
  MULTILINE,
  SINGLE_QUOTED,
} from './analyze-scalar.ts';
import { BYTE_ORDER_MARK, isBreak, SPACE } from './chars.ts';
import { YamlErrorCode } from './errors.ts';
import { type GoValue, goJson, isList, quoteJson, unsupported } from './go-json.ts';
import { formatFloat } from './go-number.ts';
import { compareBytes, compareKeys } from './key-order.ts';
import { parseForMarshal } from './parse.ts';
import { isBase60, resolvePlain } from './resolve.ts';
import { chompingHint, escapeCodePoint, mustEscape } from './write-scalar.ts';

/** A line that has passed this column is folded at the next space. */
const WIDTH = 80;
export interface ToYamlOptions {
  /** Keys in natural order (`a2` before `a10`), as Go's library writes maps, or by their bytes. Default natural. */
  readonly keyOrder?: 'natural' | 'bytes';
}

/** A key longer than this, in bytes, is written after `? `. */
const KEY_LENGTH_MAX = 128;
/** The reader in the middle gives up on keys longer than this, quotes and escapes counted. */
const JSON_KEY_LENGTH_MAX = 1024;

/**
 * YAML as sigs.k8s.io/yaml v1.6.0 marshals it (the way through JSON and go.yaml.in/yaml/v2 included): keys in natural
 * order, sequences not indented, strings quoted where YAML 1.1 would take them for something else, text with line breaks
 * as literal blocks, lines folded after column 80, `{}`, `[]` and `null`. It ends with a line break. Helm's toYaml is
 * this without it. Throws where that library fails: NaN, infinities, control characters, keys beyond 1024 characters.
 */
export function toYaml(value: GoValue, options: ToYamlOptions = {}): string {
  const writer = new Writer(options.keyOrder === 'bytes' ? compareBytes : byKey);
  try {
    writer.root(value);
  } catch (error) {
    if (error === DETOUR) return toYaml(throughReader(value), options);
    throw error;
  }
  return flat(writer.out);
}

/**
 * The same text in one piece. What `+=` makes is a tree of all its pieces, ten times the size of the text, which lives
 * as long as the text does; asking for a character has the engine put it together.
 */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}

/** Thrown when a string would not come through the JSON in the middle as it is. */
const DETOUR = Symbol('detour');

/** What Go's YAML reader makes of the JSON: a NEL inside a string is folded, control characters are refused. */
function throughReader(value: GoValue): GoValue {
  let json: string;
  try {
    json = goJson(value);
  } catch (error) {
    throw new CapstanError(YamlErrorCode.value, `error marshaling into JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return parseForMarshal(json);
}

class Writer {
  out = '';
  readonly #order: (a: string, b: string) => number;

  constructor(order: (a: string, b: string) => number) {
    this.#order = order;
  }

  root(value: GoValue): void {
    if (isCollection(value)) this.collection(value, 0, true);
    else this.scalar(value, 0, 2);
  }

  private collection(value: Collection, indent: number, inline: boolean): void {
    if (isList(value)) this.sequence(value, indent, inline);
    else this.mapping(value, indent, inline);
  }

  /** Entries at column `indent`; `inline` when the first one continues the present line. */
  private mapping(value: Mapping, indent: number, inline: boolean) {
    const keys = keysOf(value);
    if (keys.length === 0) {
      this.out += '{}\n';
      return;
    }
    if (keys.length > 1) keys.sort(this.#order);
    const margin = spaces(indent);
    let first = inline;
    for (const key of keys) {
      const item = itemOf(value, key);
      if (!first) this.out += margin;
      first = false;
      const name = isSimpleKey(key) ? keyText(key) : '';
      if (name !== '') this.out += `${name}:`;
      else {
        checkKey(key);
        this.out += '? ';
        this.scalar(key, indent + 2, indent + 2);
        this.out += `${margin}:`;
        this.afterMark(item, indent);
        continue;
      }
      if (!isCollection(item)) {
        this.out += ' ';
        this.scalar(item, indent + name.length + 2, indent + 2);
      } else if (isEmpty(item)) this.out += isList(item) ? ' []\n' : ' {}\n';
      else {
        this.out += '\n';
        this.collection(item, isList(item) ? indent : indent + 2, false);
      }
    }
  }

  private sequence(items: readonly GoValue[], indent: number, inline: boolean): void {
    if (items.length === 0) {
      this.out += '[]\n';
      return;
    }
    const margin = spaces(indent);
    let first = inline;
    for (const item of items) {
      this.out += first ? '-' : `${margin}-`;
      first = false;
      this.afterMark(item, indent);
    }
  }

  /** What follows `-` or `:` at column `indent`, on the same line. */
  private afterMark(item: GoValue, indent: number): void {
    this.out += ' ';
    if (isCollection(item)) this.collection(item, indent + 2, true);
    else this.scalar(item, indent + 2, indent + 2);
  }

  /** A scalar that begins at `column`, with its line break. Further lines are indented by `indent`. */
  private scalar(
    value: string | number | bigint | boolean | null | undefined,
    column: number,
    indent: number,
  ): void {
    if (typeof value === 'string') this.string(value, column, indent);
    else this.out += `${plainText(value)}\n`;
  }

  private string(text: string, column: number, indent: number): void {
    const flags = flagsOf(text);
    if ((flags & MULTILINE) !== 0 && text.includes('\n')) {
      if ((flags & BLOCK_SCALAR) !== 0) this.literal(text, indent);
      else this.doubleQuoted(text, column, indent);
    } else if (!staysString(text)) this.doubleQuoted(text, column, indent);
    else if ((flags & BLOCK_PLAIN) !== 0) this.plain(text, column, indent);
    else if ((flags & SINGLE_QUOTED) !== 0) this.singleQuoted(text, column, indent);
    else this.doubleQuoted(text, column, indent);
  }

  private plain(text: string, column: number, indent: number): void {
    if (column + text.length <= WIDTH) this.out += `${text}\n`;
    else this.out += `${fold(text, column, indent, 0, text.length)}\n`;
  }

  private singleQuoted(text: string, column: number, indent: number): void {
    const escaped = text.replaceAll("'", "''");
    if (hasBreak(text)) this.out += `'${foldWithBreaks(escaped, column + 1, indent)}'\n`;
    else if (column + escaped.length < WIDTH) this.out += `'${escaped}'\n`;
    else this.out += `'${fold(escaped, column + 1, indent, 1, escaped.length - 1)}'\n`;
  }

  private doubleQuoted(text: string, start: number, indent: number): void {
    const whole = text.charCodeAt(0) === BYTE_ORDER_MARK;
    let out = '"';
    let column = start + 1;
    let afterSpace = false;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      let piece: string;
      if (whole || mustEscape(c)) {
        const code = text.codePointAt(i)!;
        if (code > 0xffff) i++;
        piece = escapeCodePoint(code);
        afterSpace = false;
      } else if (c !== SPACE) {
        piece = text[i]!;
        afterSpace = false;
      } else {
        const folds = !afterSpace && column > WIDTH && i > 0 && i < text.length - 1;
        afterSpace = true;
        if (folds) {
          // A space at the start of the next line is only kept when it is escaped.
          const mark = text.charCodeAt(i + 1) === SPACE ? '\\' : '';
          out += `\n${spaces(indent)}${mark}`;
          column = indent + mark.length;
          continue;
        }
        piece = ' ';
      }
      out += piece;
      column += piece.length;
    }
    this.out += `${out}"\n`;
  }

  private literal(text: string, indent: number): void {
    const c = text.charCodeAt(0);
    const hint = c === SPACE || isBreak(c) ? '2' : '';
    let out = `|${hint}${chompingHint(text)}\n`;
    out += indentLines(text, indent);
    this.out += isBreak(text.charCodeAt(text.length - 1)) ? out : `${out}\n`;
  }
}

type Collection = Extract<GoValue, object>;
type Mapping = Exclude<Collection, readonly GoValue[]>;

/** The keys of what is not undefined. Keys alone: an array for each entry would be most of what writing allocates. */
function keysOf(value: Mapping): string[] {
  const keys = isMap(value) ? [...value.keys()] : Object.keys(value);
  const isGap = (key: string) => itemOf(value, key) === undefined;
  return keys.some(isGap) ? keys.filter((key) => !isGap(key)) : keys;
}

function itemOf(value: Mapping, key: string): GoValue {
  return isMap(value) ? value.get(key) : value[key];
}

/** Whether a mapping is a Map; instanceof alone does not narrow readonly ones. */
function isMap(value: Mapping): value is ReadonlyMap<string, GoValue> {
  return value instanceof Map;
}

function byKey(a: string, b: string): number {
  return compareKeys(a, b);
}

function isCollection(value: GoValue): value is Collection {
  return typeof value === 'object' && value !== null;
}

function isEmpty(value: Collection): boolean {
  return isList(value) ? value.length === 0 : keysOf(value).length === 0;
}

function plainText(value: number | bigint | boolean | null | undefined): string {
  switch (typeof value) {
    case 'number':
      return numberText(value);
    case 'bigint':
      if (value >= 2n ** 64n || value < -(2n ** 63n)) return formatFloat(Number(value));
      return String(value);
    case 'undefined':
      return 'null';
    default:
      return String(value);
  }
}

/** JSON writes whole numbers below 1e21 without exponent, and the reader takes those for integers that fit 64 bits. */
function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value);
  if (!Number.isFinite(value)) {
    const error = unsupported(value);
    throw new CapstanError(error.code, `error marshaling into JSON: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  if (Number.isInteger(value) && value < 2 ** 64 && value > -(2 ** 63)) return String(value);
  return formatFloat(value);
}

function flagsOf(text: string): number {
  const flags = analyzeScalar(text, true);
  if ((flags & BLOCK_SCALAR) === 0 && needsReader(text)) throw DETOUR;
  return flags;
}

/** Whether `text` holds what JSON passes on unescaped but the YAML reader changes or refuses. */
function needsReader(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x7f || c === 0x2028 || c === 0x2029 || c === BYTE_ORDER_MARK) continue;
    if (isPrintable(c)) continue;
    if (c >= 0xd800 && c <= 0xdfff) {
      if (text.codePointAt(i)! > 0xffff) i++;
      else return true;
      continue;
    }
    return true;
  }
  return false;
}

/** Whether both generations of readers take the plain text for a string. */
function staysString(text: string): boolean {
  return resolvePlain(text, 'v2').tag === '!!str' && !isBase60(text);
}

function isSimpleKey(key: string): boolean {
  const { length } = key;
  if (length > KEY_LENGTH_MAX) return false;
  if ((flagsOf(key) & MULTILINE) !== 0) return false;
  return length * 3 <= KEY_LENGTH_MAX || new TextEncoder().encode(key).length <= KEY_LENGTH_MAX;
}

function checkKey(key: string): void {
  const { length } = Array.from(quoteJson(key, true));
  if (length <= JSON_KEY_LENGTH_MAX) return;
  throw new CapstanError(YamlErrorCode.value, "yaml: did not find expected ',' or '}'", {
    hint: `shorten the key that begins with ${key.slice(0, 40)}`,
  });
}

/** A simple key on its own line is never folded. */
function keyText(key: string): string {
  const flags = analyzeScalar(key, true);
  if (staysString(key)) {
    if ((flags & BLOCK_PLAIN) !== 0) return key;
    if ((flags & SINGLE_QUOTED) !== 0) return `'${key.replaceAll("'", "''")}'`;
  }
  let out = '';
  for (const c of key) {
    const code = c.codePointAt(0)!;
    const escapes = code > 0xffff || mustEscape(code) || key.charCodeAt(0) === BYTE_ORDER_MARK;
    out += escapes ? escapeCodePoint(code) : c;
  }
  return `"${out}"`;
}

/** Breaks a line at single spaces beyond the width; spaces outside of `from`..`to` stay. */
function fold(text: string, start: number, indent: number, from: number, to: number): string {
  const margin = `\n${spaces(indent)}`;
  let out = '';
  let taken = 0;
  let lineStart = -start;
  for (let i = Math.max(from, WIDTH - start); i < to; i++) {
    if (text.charCodeAt(i) !== SPACE || i - lineStart <= WIDTH) continue;
    if (text.charCodeAt(i + 1) === SPACE || (i > taken && text.charCodeAt(i - 1) === SPACE))
      continue;
    out += text.slice(taken, i) + margin;
    taken = i + 1;
    lineStart = taken - indent;
  }
  return out + text.slice(taken);
}

function hasBreak(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isBreak(text.charCodeAt(i))) return true;
  return false;
}

/** As `fold`, for a text with line or paragraph separators, each of which begins a line without ending one. */
function foldWithBreaks(text: string, start: number, indent: number): string {
  let out = '';
  let column = start;
  let afterBreak = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const between = i > 0 && i < text.length - 1;
    if (isBreak(c)) {
      column = 0;
      afterBreak = true;
    } else if (c === SPACE) {
      const alone = text.charCodeAt(i - 1) !== SPACE && text.charCodeAt(i + 1) !== SPACE;
      if (between && alone && column > WIDTH) {
        out += `\n${spaces(indent)}`;
        column = indent;
        continue;
      }
      column++;
    } else {
      if (afterBreak) {
        out += spaces(indent - column);
        column = indent;
      }
      afterBreak = false;
      column++;
    }
    out += text[i];
  }
  return out;
}

/** The lines of a literal block, each that is not empty indented. */
function indentLines(text: string, indent: number): string {
  const margin = spaces(indent);
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isBreak(text.charCodeAt(i))) continue;
    out += i > from ? margin + text.slice(from, i + 1) : text[i];
    from = i + 1;
  }
  return from < text.length ? out + margin + text.slice(from) : out;
}

const MARGINS = Array.from({ length: 64 }, (_, count) => ' '.repeat(count));

function spaces(count: number): string {
  return MARGINS[count] ?? ' '.repeat(count);
}
