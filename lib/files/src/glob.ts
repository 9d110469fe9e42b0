import { CapstanError } from '@capstan/lib-std';

export interface GlobOptions {
  /** With '/', `*`, `?` and sets stay within a name and `**` spans names; without, everything may match a '/'. */
  readonly separator?: '/';
  /** `{a,b}` are alternatives. */
  readonly braces?: boolean;
}

type Token =
  | { readonly kind: 'one'; readonly accepts: (character: string) => boolean }
  /** Any run of characters, or of those other than the separator. */
  | { readonly kind: 'run'; readonly stops: string | undefined }
  /** Nothing, or anything that ends in a separator: a `**` followed by one. */
  | { readonly kind: 'folders' };

const ALTERNATIVES_MAX = 256;
const PATTERN_CHARACTERS_MAX = 4096;

/**
 * Compiles a glob: `*`, `**`, `?`, `[a-z]`, `[!a]`, `[^a]`, `\` before a character that stands for itself. Matching costs
 * pattern times text at most, whatever the pattern: it comes from users. A pattern without bounds is an error.
 */
export function compileGlob(pattern: string, options: GlobOptions = {}): (text: string) => boolean {
  if (pattern.length > PATTERN_CHARACTERS_MAX) throw tooComplex(pattern);
  const plain = options.braces === true ? expandBraces(pattern) : [pattern];
  const compiled = plain.map((one) => parseTokens(one, options.separator));
  return (text) => compiled.some((tokens) => matchTokens(tokens, text));
}

/** What makes a glob with alternatives malformed, in the words of Go's gobwas/glob; undefined: nothing does. */
export function globProblem(pattern: string): string | undefined {
  const end = new TextEncoder().encode(pattern).length;
  const at = (place: number, what: string) => `glob: syntax error at ${place}: ${what}`;
  let open = 0;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === '\\' && ++i >= pattern.length) return at(end, 'trailing backslash');
    if (character === '{') open++;
    if (character === '}' && open > 0) open--;
    if (character !== '[') continue;
    const start = pattern[i + 1] === '!' ? i + 2 : i + 1;
    const close = /^(?:\\.|[^\]\\])*\]/s.exec(pattern.slice(start));
    if (close === null) return at(end, 'unexpected end of input');
    if (close[0].length === 1) return at(start + 1, 'could not parse range');
    i = start + close[0].length - 1;
  }
  return open > 0 ? at(end, 'unclosed `{`') : undefined;
}

function tooComplex(pattern: string): CapstanError {
  return new CapstanError(
    'GLOB_TOO_COMPLEX',
    `the pattern ${JSON.stringify(pattern.slice(0, 60))} is too complex`,
    {
      hint: `use at most ${ALTERNATIVES_MAX} alternatives and ${PATTERN_CHARACTERS_MAX} characters`,
    },
  );
}

/** `a{b,c}d` → `abd`, `acd`; nested ones too. An unclosed brace stands for itself. */
function expandBraces(pattern: string): readonly string[] {
  let done: string[] = [];
  let pending = [pattern];
  while (pending.length > 0) {
    const next: string[] = [];
    for (const one of pending) {
      const found = firstBraces(one);
      if (found === undefined) done = [...done, one];
      else {
        const { start, end, parts } = found;
        for (const part of parts) next.push(one.slice(0, start) + part + one.slice(end + 1));
      }
    }
    if (done.length + next.length > ALTERNATIVES_MAX) throw tooComplex(pattern);
    pending = next;
  }
  return done;
}

function firstBraces(
  pattern: string,
): { readonly start: number; readonly end: number; readonly parts: readonly string[] } | undefined {
  let start = -1;
  let depth = 0;
  let from = 0;
  let parts: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === '\\') i++;
    else if (character === '{') {
      if (depth++ > 0) continue;
      start = i;
      from = i + 1;
      parts = [];
    } else if (character === ',' && depth === 1) {
      parts.push(pattern.slice(from, i));
      from = i + 1;
    } else if (character === '}' && depth > 0 && --depth === 0) {
      parts.push(pattern.slice(from, i));
      return { start, end: i, parts };
    }
  }
  return undefined;
}

function parseTokens(pattern: string, separator: string | undefined): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === '*') {
      const isDouble = characters[i + 1] === '*';
      while (characters[i + 1] === '*') i++;
      const atStart = tokens.length === 0 || characters[i - 2] === separator;
      if (isDouble && separator !== undefined && atStart && characters[i + 1] === separator) {
        tokens.push({ kind: 'folders' });
        i++;
      } else tokens.push({ kind: 'run', stops: isDouble ? undefined : separator });
    } else if (character === '?') {
      tokens.push({ kind: 'one', accepts: (given) => given !== separator });
    } else if (character === '[') {
      const set = parseSet(characters, i, separator);
      tokens.push({ kind: 'one', accepts: set?.accepts ?? ((given) => given === '[') });
      i = set?.end ?? i;
    } else {
      const literal = character === '\\' ? (characters[++i] ?? '\\') : character;
      tokens.push({ kind: 'one', accepts: (given) => given === literal });
    }
  }
  return tokens;
}

function parseSet(
  characters: readonly string[],
  start: number,
  separator: string | undefined,
): { readonly end: number; readonly accepts: (character: string) => boolean } | undefined {
  let at = start + 1;
  const negated = characters[at] === '!' || characters[at] === '^';
  if (negated) at++;
  const ranges: (readonly [string, string])[] = [];
  for (let first = true; at < characters.length; first = false, at++) {
    let low = characters[at]!;
    if (low === ']' && !first) {
      return {
        end: at,
        accepts: (given) =>
          given !== separator &&
          ranges.some(([from, to]) => given >= from && given <= to) !== negated,
      };
    }
    if (low === '\\') low = characters[++at] ?? '\\';
    const isRange = characters[at + 1] === '-' && (characters[at + 2] ?? ']') !== ']';
    ranges.push([low, isRange ? characters[at + 2]! : low]);
    if (isRange) at += 2;
  }
  return undefined;
}

/** Runs all ways through the tokens at once: `reached[i]` says whether the first `i` tokens can take the text so far. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let reached = closure(tokens, new Uint8Array(tokens.length + 1).fill(1, 0, 1), true);
  let atNameStart = true;
  for (const character of text) {
    const next = new Uint8Array(tokens.length + 1);
    for (let i = 0; i < tokens.length; i++) {
      if (reached[i] === 0) continue;
      const token = tokens[i]!;
      if (token.kind === 'one') {
        if (token.accepts(character)) next[i + 1] = 1;
      } else if (token.kind === 'folders') next[i] = 1;
      else if (character !== token.stops) next[i] = 1;
    }
    atNameStart = character === '/';
    reached = closure(tokens, next, atNameStart);
  }
  return reached[tokens.length] === 1;
}

/** A run may be empty; `**` with a separator may end where a name starts. */
function closure(tokens: readonly Token[], reached: Uint8Array, atNameStart: boolean): Uint8Array {
  for (let i = 0; i < tokens.length; i++) {
    if (reached[i] === 0) continue;
    const token = tokens[i]!;
    if (token.kind === 'run' || (token.kind === 'folders' && atNameStart)) reached[i + 1] = 1;
  }
  return reached;
}
