import { BoundedCache } from '@capstan/lib-std';
import { RE2JS } from 're2js';
import { canBackquote, quote } from '../quote.ts';
import { GoError, type GoFunc, GoNil, type GoValue, messageOfError, STRINGS } from '../value.ts';
import { textList } from './convert.ts';
import { boundText, count, type Functions, fixed, text } from './define.ts';

const CACHED_PATTERNS = 1000;

/** A match: the offsets of the whole and of each group, -1 for a group that took no part. */
type Match = readonly number[];

/** Sprig's regular expressions with RE2's syntax and cost. Compiled patterns are kept. */
export function regexFunctions(): Functions {
  const patterns = new Patterns();
  const either = (
    name: string,
    make: (compile: (pattern: string) => RE2JS) => GoFunc,
  ): Functions => [
    [`regex${name}`, make((pattern) => patterns.mustCompile(pattern))],
    [`mustRegex${name}`, make((pattern) => patterns.compile(pattern))],
  ];
  return [
    ['regexMatch', fixed([text, text], (pattern, str) => patterns.matchesQuietly(pattern, str))],
    [
      'mustRegexMatch',
      fixed([text, text], (pattern, str) => patterns.compile(pattern).matcher(str).find()),
    ],
    ...either('FindAll', (compile) =>
      fixed([text, text, count], (pattern, str, n) => findAll(compile(pattern), str, n)),
    ),
    ...either('Find', (compile) =>
      fixed([text, text], (pattern, str) => find(compile(pattern), str)),
    ),
    ...either('ReplaceAll', (compile) =>
      fixed([text, text, text], (pattern, str, template) =>
        replaceAll(compile(pattern), str, template),
      ),
    ),
    ...either('ReplaceAllLiteral', (compile) =>
      fixed([text, text, text], (pattern, str, literal) =>
        replaceWith(compile(pattern), str, () => literal),
      ),
    ),
    ...either('Split', (compile) =>
      fixed([text, text, count], (pattern, str, n) => split(compile(pattern), str, n)),
    ),
    ['regexQuoteMeta', fixed([text], quoteMeta)],
  ];
}

class Patterns {
  readonly #cache = new BoundedCache<string, RE2JS>(CACHED_PATTERNS);

  compile(pattern: string): RE2JS {
    const cached = this.#cache.get(pattern);
    if (cached !== undefined) return cached;
    try {
      const compiled = RE2JS.compile(pattern);
      this.#cache.set(pattern, compiled);
      return compiled;
    } catch (error) {
      throw new GoError(syntaxProblem(error));
    }
  }

  /** regexp.MustCompile: its panic names the pattern. */
  mustCompile(pattern: string): RE2JS {
    try {
      return this.compile(pattern);
    } catch (error) {
      const shown = canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern);
      throw new GoError(`regexp: Compile(${shown}): ${messageOfError(error)}`);
    }
  }

  matchesQuietly(pattern: string, str: string): boolean {
    try {
      return this.compile(pattern).matcher(str).find();
    } catch (error) {
      if (error instanceof GoError) return false;
      throw error;
    }
  }
}

/** A regular expression by RE2's syntax, as a test of whether a text holds a match; GoError with Go's words when it is none. */
export function regexTest(pattern: string): (str: string) => boolean {
  const compiled = new Patterns().compile(pattern);
  return (str) => compiled.matcher(str).find();
}

/** The library leaves out the empty part of the pattern that Go names. */
function syntaxProblem(error: unknown): string {
  const message = messageOfError(error);
  return message.endsWith('trailing backslash at end of expression') ? `${message}: \`\`` : message;
}

/** The matches Go finds: an empty match right after another one does not count. */
function matchesOf(pattern: RE2JS, str: string, limit: number): Match[] {
  const matcher = pattern.matcher(str);
  const groups = matcher.groupCount();
  const found: Match[] = [];
  let previousEnd = -1;
  while ((limit < 0 || found.length < limit) && matcher.find()) {
    const match: number[] = [];
    for (let group = 0; group <= groups; group++) {
      match.push(matcher.start(group), matcher.end(group));
    }
    const isEmptyAfter = match[0] === match[1] && match[0] === previousEnd;
    previousEnd = match[1] ?? -1;
    if (!isEmptyAfter) found.push(match);
  }
  return found;
}

function find(pattern: RE2JS, str: string): string {
  const [match] = matchesOf(pattern, str, 1);
  return match === undefined ? '' : str.slice(match[0], match[1]);
}

function findAll(pattern: RE2JS, str: string, limit: number): GoValue {
  const found = matchesOf(pattern, str, limit);
  if (found.length === 0) return new GoNil(STRINGS);
  return textList(found.map(([start, end]) => str.slice(start, end)));
}

/** regexp.Split */
function split(pattern: RE2JS, str: string, limit: number): GoValue {
  if (limit === 0) return new GoNil(STRINGS);
  if (str === '' && pattern.pattern() !== '') return textList(['']);
  const parts: string[] = [];
  let start = 0;
  let end = 0;
  for (const match of matchesOf(pattern, str, limit)) {
    if (limit > 0 && parts.length === limit - 1) break;
    end = match[0] ?? 0;
    if (match[1] !== 0) parts.push(str.slice(start, end));
    start = match[1] ?? 0;
  }
  if (end !== str.length) parts.push(str.slice(start));
  return textList(parts);
}

function replaceWith(pattern: RE2JS, str: string, make: (match: Match) => string): string {
  let out = '';
  let from = 0;
  for (const match of matchesOf(pattern, str, -1)) {
    out += str.slice(from, match[0]) + make(match);
    boundText(out.length, 'regexReplaceAll');
    from = match[1] ?? from;
  }
  return out + str.slice(from);
}

function replaceAll(pattern: RE2JS, str: string, template: string): string {
  if (!template.includes('$')) return replaceWith(pattern, str, () => template);
  const names = groupNames(pattern);
  return replaceWith(pattern, str, (match) => expand(template, str, match, names));
}

function groupNames(pattern: RE2JS): Readonly<Record<string, number>> {
  return pattern.namedGroups();
}

const REFERENCE = /^\$(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u;

/** Regexp.Expand: $1, ${1}, $name, $$; the longest name counts. */
function expand(
  template: string,
  str: string,
  match: Match,
  names: Readonly<Record<string, number>>,
): string {
  let out = '';
  let rest = template;
  for (;;) {
    const dollar = rest.indexOf('$');
    if (dollar < 0) return out + rest;
    out += rest.slice(0, dollar);
    rest = rest.slice(dollar);
    if (rest.startsWith('$$')) {
      out += '$';
      rest = rest.slice(2);
      continue;
    }
    const reference = REFERENCE.exec(rest);
    if (reference === null) {
      out += '$';
      rest = rest.slice(1);
      continue;
    }
    rest = rest.slice(reference[0].length);
    out += groupText(reference[1] ?? reference[2] ?? '', str, match, names);
  }
}

function groupText(
  name: string,
  str: string,
  match: Match,
  names: Readonly<Record<string, number>>,
): string {
  const numeric = /^\d+$/.test(name);
  const group = numeric ? Number(name) : Object.hasOwn(names, name) ? names[name] : undefined;
  if (group === undefined) return '';
  const start = match[2 * group] ?? -1;
  return start < 0 ? '' : str.slice(start, match[2 * group + 1]);
}

function quoteMeta(str: string): string {
  return str.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
