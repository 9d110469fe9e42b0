import { sprintf } from '../fmt.ts';
import { listOf } from '../map.ts';
import { quote } from '../quote.ts';
import { byteLength, byteSlice, sortTexts } from '../text.ts';
import { type GoDict, GoError, GoMap, type GoValue, STRING_MAP } from '../value.ts';
import { textList, textOf, textsOf } from './convert.ts';
import { anything, boundText, count, type Functions, fixed, text, variadic } from './define.ts';
import {
  abbreviate,
  deleteSpace,
  goSlice,
  initials,
  joinWords,
  lower,
  pascalCase,
  swapCase,
  title,
  trimSpace,
  untitle,
  upper,
  wrap,
} from './words.ts';

/** Sprig's string functions and string slices. */
export function stringFunctions(): Functions {
  const trimAll = fixed([text, text], (cutset, str) => trim(str, cutset));
  return [
    ['hello', fixed([], () => 'Hello!')],
    ['abbrev', fixed([count, text], (width, str) => (width < 4 ? str : abbreviate(str, 0, width)))],
    ['abbrevboth', fixed([count, count, text], abbreviateBoth)],
    ['trunc', fixed([count, text], truncate)],
    ['trim', fixed([text], trimSpace)],
    ['upper', fixed([text], upper)],
    ['lower', fixed([text], lower)],
    ['title', fixed([text], title)],
    ['untitle', fixed([text], untitle)],
    ['substr', fixed([count, count, text], substring)],
    ['repeat', fixed([count, text], repeat)],
    ['trimall', trimAll],
    ['trimAll', trimAll],
    ['trimSuffix', fixed([text, text], trimSuffix)],
    ['trimPrefix', fixed([text, text], trimPrefix)],
    ['nospace', fixed([text], deleteSpace)],
    ['initials', fixed([text], initials)],
    ['swapcase', fixed([text], swapCase)],
    ['snakecase', fixed([text], (str) => joinWords(str, '_'))],
    ['camelcase', fixed([text], pascalCase)],
    ['kebabcase', fixed([text], (str) => joinWords(str, '-'))],
    ['wrap', fixed([count, text], (width, str) => wrap(str, width, '', false))],
    ['wrapWith', fixed([count, text, text], (width, sep, str) => wrap(str, width, sep, true))],
    ['contains', fixed([text, text], (part, str) => str.includes(part))],
    ['hasPrefix', fixed([text, text], (part, str) => str.startsWith(part))],
    ['hasSuffix', fixed([text, text], (part, str) => str.endsWith(part))],
    ['quote', variadic([], anything, quoteAll)],
    ['squote', variadic([], anything, singleQuoteAll)],
    ['cat', variadic([], anything, concatenate)],
    ['indent', fixed([count, text], indent)],
    ['nindent', fixed([count, text], (spaces, str) => `\n${indent(spaces, str)}`)],
    ['replace', fixed([text, text, text], replace)],
    ['plural', fixed([text, text, count], (one, many, n) => (n === 1 ? one : many))],
    ['toString', fixed([anything], textOf)],
    ['toStrings', fixed([anything], (value) => textList(textsOf(value)))],
    ['join', fixed([text, anything], join)],
    ['sortAlpha', fixed([anything], sortAlpha)],
    ['split', fixed([text, text], (sep, str) => indexed(splitText(str, sep, -1)))],
    ['splitList', fixed([text, text], (sep, str) => textList(splitText(str, sep, -1)))],
    ['splitn', fixed([text, count, text], (sep, n, str) => indexed(splitText(str, sep, n)))],
    ['fail', fixed([text], fail)],
  ];
}

function fail(message: string): never {
  throw new GoError(message);
}

function abbreviateBoth(left: number, right: number, str: string): string {
  if (right < 4 || (left > 0 && right < 7)) return str;
  return abbreviate(str, left, right);
}

function truncate(size: number, str: string): string {
  const length = byteLength(str);
  if (size < 0 && length + size > 0) return byteSlice(str, length + size, length);
  return size >= 0 && length > size ? byteSlice(str, 0, size) : str;
}

function substring(start: number, end: number, str: string): string {
  const length = byteLength(str);
  if (start < 0) return goSlice(str, 0, end);
  return goSlice(str, start, end < 0 || end > length ? length : end);
}

function repeat(times: number, str: string): string {
  if (times < 0) throw new GoError('strings: negative Repeat count');
  boundText(times * str.length, 'repeat');
  return str.repeat(times);
}

/** strings.Trim */
export function trim(str: string, cutset: string): string {
  const chars = [...str];
  const cut = new Set(cutset);
  let start = 0;
  let end = chars.length;
  while (start < end && cut.has(chars[start] ?? '')) start++;
  while (end > start && cut.has(chars[end - 1] ?? '')) end--;
  return chars.slice(start, end).join('');
}

function trimSuffix(suffix: string, str: string): string {
  return suffix !== '' && str.endsWith(suffix) ? str.slice(0, -suffix.length) : str;
}

function trimPrefix(prefix: string, str: string): string {
  return str.startsWith(prefix) ? str.slice(prefix.length) : str;
}

function quoteAll(values: readonly GoValue[]): string {
  return present(values)
    .map((value) => quote(textOf(value)))
    .join(' ');
}

function singleQuoteAll(values: readonly GoValue[]): string {
  return present(values)
    .map((value) => `'${sprintf('%v', [value])}'`)
    .join(' ');
}

function concatenate(values: readonly GoValue[]): string {
  const given = present(values);
  return sprintf(given.map(() => '%v').join(' '), given);
}

function present(values: readonly GoValue[]): GoValue[] {
  return values.filter((value) => value !== null && value !== undefined);
}

/** Sprig's indent: every line, the first too. */
export function indent(spaces: number, str: string): string {
  if (spaces < 0) throw new GoError('strings: negative Repeat count');
  boundText(str.length + spaces * (1 + occurrences(str, '\n')), 'indent');
  const pad = ' '.repeat(spaces);
  return pad + str.replaceAll('\n', `\n${pad}`);
}

function replace(old: string, replacement: string, str: string): string {
  if (old === '') {
    boundText(str.length * (replacement.length + 1), 'replace');
    return replacement + [...str].map((char) => char + replacement).join('');
  }
  const found = occurrences(str, old);
  if (found === 0) return str;
  boundText(str.length + found * (replacement.length - old.length), 'replace');
  return str.replaceAll(old, () => replacement);
}

/** What is no list is sorted as a list of its text. */
function sortAlpha(value: GoValue): GoValue {
  const isList = listOf(value) !== undefined;
  return textList(isList ? sortTexts(textsOf(value)) : [textOf(value)]);
}

function occurrences(str: string, part: string): number {
  let count = 0;
  for (let at = str.indexOf(part); at >= 0; at = str.indexOf(part, at + part.length)) count++;
  return count;
}

function join(separator: string, value: GoValue): string {
  const items = textsOf(value);
  boundText(items.length * separator.length, 'join');
  return items.join(separator);
}

/** strings.SplitN */
export function splitText(str: string, separator: string, limit: number): string[] {
  if (limit === 0) return [];
  const parts = separator === '' ? [...str] : str.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  const head = parts.slice(0, limit - 1);
  return [...head, parts.slice(limit - 1).join(separator)];
}

/** Parts under `_0`, `_1`, …: map[string]string */
function indexed(parts: readonly string[]): GoMap {
  const data: GoDict = {};
  for (const [index, part] of parts.entries()) data[`_${index}`] = part;
  return new GoMap(STRING_MAP, data);
}
