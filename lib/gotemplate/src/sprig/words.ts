import { fromBytes, isAscii, runes, runeText, toBytes } from '../text.ts';
import { runtimeError } from './define.ts';

/** unicode.IsSpace */
export const GO_SPACE =
  '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACE = new RegExp(`^[${GO_SPACE}]$`);

export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charAt(start))) start++;
  while (end > start && isSpace(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(char: string): boolean {
  return SPACE.test(char);
}

function isUpper(char: string): boolean {
  return /^\p{Lu}$/u.test(char);
}

function isLower(char: string): boolean {
  return /^\p{Ll}$/u.test(char);
}

/** Go maps case rune by rune: what would become several runes stays. */
function mapCase(text: string, change: (text: string) => string): string {
  if (isAscii(text)) return change(text);
  let out = '';
  for (const char of text) {
    const [first = char, ...others] = change(char);
    out += others.length === 0 ? first : simpleCase(char, first);
  }
  return out;
}

/** The one rune for a character whose full mapping is several. */
function simpleCase(char: string, first: string): string {
  if (char === '\u0130') return first;
  const code = char.codePointAt(0) ?? 0;
  const isGreek = code >= 0x1f80 && code < 0x1fb0 && (code & 15) < 8;
  if (isGreek) return String.fromCodePoint(code + 8);
  const iota = code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3;
  return iota ? String.fromCodePoint(code + 9) : char;
}

export function upper(text: string): string {
  return mapCase(text, (part) => part.toUpperCase());
}

export function lower(text: string): string {
  return mapCase(text, (part) => part.toLowerCase());
}

/** Letters whose title case is not their upper case. */
const TITLE_CASE: Readonly<Record<string, string>> = {
  Ǆ: 'ǅ',
  ǆ: 'ǅ',
  Ǉ: 'ǈ',
  ǉ: 'ǈ',
  Ǌ: 'ǋ',
  ǌ: 'ǋ',
  Ǳ: 'ǲ',
  ǳ: 'ǲ',
};

/** strings.Title: what follows a separator becomes upper case. */
export function title(text: string): string {
  let out = '';
  let previous = ' ';
  for (const char of text) {
    out += isSeparator(previous) ? titleCase(char) : char;
    previous = char;
  }
  return out;
}

function titleCase(char: string): string {
  // Georgian letters have an upper case and no title case.
  return /^[\u10d0-\u10ff]$/.test(char) ? char : (TITLE_CASE[char] ?? upper(char));
}

function isSeparator(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return !/[0-9A-Za-z_]/.test(char);
  return !/[\p{L}\p{Nd}]/u.test(char) && isSpace(char);
}

/** goutils.Uncapitalize: the first letter of each word. */
export function untitle(text: string): string {
  let out = '';
  let next = true;
  for (const rune of runes(text)) {
    const char = runeText(rune);
    if (isSpace(char)) {
      next = true;
      out += char;
    } else {
      out += next ? lower(char) : char;
      next = false;
    }
  }
  return out;
}

/** goutils.SwapCase */
export function swapCase(text: string): string {
  let out = '';
  for (const rune of runes(text)) {
    const char = runeText(rune);
    if (isUpper(char) || /^\p{Lt}$/u.test(char)) {
      out += lower(char);
    } else if (isLower(char)) {
      out += upper(char);
    } else {
      out += char;
    }
  }
  return out;
}

/** goutils.Initials reads bytes: the first byte of each word, as a rune. */
export function initials(text: string): string {
  let out = '';
  let afterGap = true;
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte);
    if (isSpace(char)) afterGap = true;
    else if (afterGap) {
      out += char;
      afterGap = false;
    }
  }
  return out;
}

/** goutils.DeleteWhiteSpace reads bytes too. */
export function deleteSpace(text: string): string {
  const bytes = toBytes(text);
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (!isSpace(char)) out += char;
  }
  return out.length === bytes.length ? text : out;
}

/** goutils.AbbreviateFull, which works on bytes; undefined for a width that is too small. */
export function abbreviate(text: string, offset: number, width: number): string {
  const bytes = toBytes(text);
  const part = (from: number, to: number): string => fromBytes(bytes.subarray(from, to));
  const size = bytes.length;
  if (size === 0 || width < 4) return '';
  if (size <= width) return text;
  let from = Math.min(offset, size);
  if (size - from < width - 3) from = size - (width - 3);
  if (from <= 4) return `${part(0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < size) return `...${abbreviate(part(from, size), 0, width - 3)}`;
  return `...${part(size - (width - 3), size)}`;
}

/** goutils.WrapCustom, on bytes. */
export function wrap(text: string, width: number, newLine: string, breakLong: boolean): string {
  const ascii = isAscii(text);
  // Bytes as one character each, so that indexes are byte indexes.
  const line = ascii
    ? text
    : Array.from(toBytes(text), (byte) => String.fromCharCode(byte)).join('');
  const joint = newLine === '' ? '\n' : newLine;
  const out = wrapLine(line, { width: Math.max(width, 1), breakLong });
  const back = (part: string): string =>
    ascii ? part : fromBytes(Uint8Array.from(part, (char) => char.charCodeAt(0)));
  return out.map(back).join(joint);
}

function wrapLine(
  line: string,
  { width, breakLong }: { readonly width: number; readonly breakLong: boolean },
): string[] {
  const out: string[] = [];
  let offset = 0;
  while (line.length - offset > width) {
    if (line[offset] === ' ') {
      offset++;
      continue;
    }
    const space = line.slice(offset, offset + width + 1).lastIndexOf(' ');
    if (space >= 0) {
      out.push(line.slice(offset, offset + space));
      offset += space + 1;
    } else if (breakLong) {
      out.push(line.slice(offset, offset + width));
      offset += width;
    } else {
      const next = line.indexOf(' ', offset + width);
      if (next < 0) break;
      out.push(line.slice(offset, next));
      offset = next + 1;
    }
  }
  out.push(line.slice(offset));
  return out;
}

// xstrings ----------------------------------------------------------------------------------------------------------

function isConnector(char: string): boolean {
  return char === '-' || char === '_' || isSpace(char);
}

function isAlphabet(char: string): boolean {
  return /^\p{L}$/u.test(char) && !/^[\u3400-\u4dbf\u4e00-\u9fcc\u{20000}-\u{2b81d}]$/u.test(char);
}

/** xstrings.ToPascalCase */
export function pascalCase(text: string): string {
  const chars = [...text];
  let at = 0;
  let out = '';
  while (at < chars.length && isConnector(chars[at] ?? '')) out += chars[at++];
  const first = chars[at];
  // Nothing but connectors: the last one is written twice.
  if (first === undefined) return out + (chars.at(-1) ?? '');
  let current = upper(first);
  let isFirstUpper = isUpper(first);
  for (const char of chars.slice(at + 1)) {
    const previous = current;
    current = char;
    if (isConnector(current) && isConnector(previous)) {
      out += previous;
      continue;
    }
    if (isConnector(previous)) {
      isFirstUpper = isUpper(current);
      current = upper(current);
    } else {
      if (isFirstUpper) {
        if (isUpper(current)) current = lower(current);
        else isFirstUpper = false;
      }
      out += previous;
    }
  }
  return out + current;
}

type WordKind = 'none' | 'number' | 'upper' | 'alphabet' | 'connector' | 'punctuation' | 'other';

interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

/** xstrings.ToSnakeCase and ToKebabCase. */
export function joinWords(text: string, connector: string): string {
  if (text === '') return '';
  const words = splitWords(text);
  let at = 0;
  const next = (): Word => words[at++] ?? { kind: 'none', text: '' };
  const hasMore = (): boolean => at < words.length;
  let out = '';
  const write = (word: Word): void => {
    out += wordText(word, connector);
  };
  const writeRun = (from: Word): Word => {
    let word = from;
    while (word.kind === 'alphabet' || word.kind === 'number') {
      write(word);
      word = next();
    }
    return word;
  };
  let word = next();
  while (hasMore()) {
    if (word.kind !== 'connector') write(word);
    const previous = word;
    word = next();
    if (previous.kind === 'number') {
      word = writeRun(word);
      if (!isBreak(word) && word.kind !== 'none') out += connector;
    } else if (previous.kind === 'connector') write(previous);
    else if (previous.kind !== 'punctuation') {
      if (word.kind !== 'number') {
        if (!isBreak(word)) out += connector;
      } else if (hasMore()) {
        const digits = word;
        word = next();
        if (word.kind !== 'alphabet') {
          write(digits);
          if (!isBreak(word)) out += connector;
        } else {
          out += connector;
          write(digits);
          word = writeRun(word);
          if (!isBreak(word) && word.kind !== 'none') out += connector;
        }
      }
    }
  }
  write(word);
  return out;
}

function isBreak(word: Word): boolean {
  return word.kind === 'punctuation' || word.kind === 'connector';
}

function wordText(word: Word, connector: string): string {
  if (word.kind !== 'upper' && word.kind !== 'connector') return word.text;
  let out = '';
  for (const char of word.text) {
    if (isConnector(char)) out += connector;
    else out += isUpper(char) ? lower(char) : char;
  }
  return out;
}

function splitWords(text: string): Word[] {
  const chars = [...text];
  const words: Word[] = [];
  let at = 0;
  while (at < chars.length) {
    const { kind, size } = wordAt(chars, at);
    words.push({ kind, text: chars.slice(at, at + size).join('') });
    at += size;
  }
  return words;
}

function wordAt(chars: readonly string[], at: number): { kind: WordKind; size: number } {
  const char = chars[at] ?? '';
  const run = (matches: (char: string) => boolean): number => {
    let end = at + 1;
    while (end < chars.length && matches(chars[end] ?? '')) end++;
    return end - at;
  };
  const isNumber = (one: string): boolean => /^\p{N}$/u.test(one);
  const isPunctuation = (one: string): boolean => /^\p{P}$/u.test(one);
  if (isConnector(char)) return { kind: 'connector', size: run(isConnector) };
  if (isPunctuation(char)) return { kind: 'punctuation', size: run(isPunctuation) };
  if (isUpper(char)) return { kind: 'upper', size: upperWord(chars, at) };
  if (isAlphabet(char)) {
    return { kind: 'alphabet', size: run((one) => isAlphabet(one) && !isUpper(one)) };
  }
  if (isNumber(char)) return { kind: 'number', size: run(isNumber) };
  const isOther = (one: string): boolean =>
    !isConnector(one) && !isAlphabet(one) && !isNumber(one) && !isPunctuation(one);
  return { kind: 'other', size: run(isOther) };
}

/** `HTTPStatus` is `HTTP` and `Status`. */
function upperWord(chars: readonly string[], at: number): number {
  let end = at + 1;
  const charAt = (index: number): string => chars[index] ?? '';
  if (isUpper(charAt(end))) {
    while (isUpper(charAt(end))) end++;
    return end < chars.length && isAlphabet(charAt(end)) ? end - 1 - at : end - at;
  }
  while (isAlphabet(charAt(end)) && !isUpper(charAt(end))) end++;
  return end - at;
}

/** text[start:end] by bytes, with Go's panic for bounds that do not fit. */
export function goSlice(text: string, start: number, end: number): string {
  const bytes = toBytes(text);
  if (end > bytes.length) {
    throw runtimeError(`slice bounds out of range [:${end}] with length ${bytes.length}`);
  }
  if (end < 0) throw runtimeError(`slice bounds out of range [:${end}]`);
  if (start > end) throw runtimeError(`slice bounds out of range [${start}:${end}]`);
  if (start < 0) throw runtimeError(`slice bounds out of range [${start}:]`);
  return fromBytes(bytes.subarray(start, end));
}
