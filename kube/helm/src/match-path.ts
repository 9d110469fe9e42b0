/**
 * Shell patterns as Go's path/filepath.Match on Unix: `*` any run without '/', `?` one character without '/',
 * `[a-z]` and `[^a-z]` classes, `\` takes the next character as it is. Throws on a pattern that Go refuses.
 */
export function matchPath(pattern: string, name: string): boolean {
  const source = patternSource(pattern);
  return new RegExp(`^(?:${source})$`, 'su').test(name);
}

export class BadPatternError extends Error {
  constructor() {
    super('syntax error in pattern');
    this.name = 'BadPatternError';
  }
}

/** The pattern as a regular expression: linear here, for runs of stars are folded into one. */
function patternSource(pattern: string): string {
  const chars = [...pattern];
  let source = '';
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '*') {
      while (chars[at + 1] === '*') at++;
      source += '[^/]*';
    } else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const found = readClass(chars, at + 1);
      source += found.source;
      at = found.end;
    } else if (char === '\\') {
      const next = chars[++at];
      if (next === undefined) throw new BadPatternError();
      source += escapeChar(next);
    } else source += escapeChar(char);
  }
  return source;
}

function readClass(chars: readonly string[], start: number): { source: string; end: number } {
  let at = start;
  const negated = chars[at] === '^';
  if (negated) at++;
  let ranges = '';
  let count = 0;
  while (chars[at] !== ']' || count === 0) {
    const low = classChar(chars, at);
    at = low.next;
    let high = low;
    if (chars[at] === '-') {
      high = classChar(chars, at + 1);
      at = high.next;
    }
    // A range that is upside down is legal in Go and matches nothing.
    if (low.char <= high.char) ranges += `${escapeClass(low.char)}-${escapeClass(high.char)}`;
    count++;
  }
  if (ranges === '') return { source: negated ? '[^/]' : '(?!)', end: at };
  return { source: negated ? `(?!/)[^${ranges}]` : `(?!/)[${ranges}]`, end: at };
}

function classChar(chars: readonly string[], at: number): { char: string; next: number } {
  const char = chars[at];
  if (char === undefined || char === '-' || char === ']') throw new BadPatternError();
  if (char !== '\\') return { char, next: withRest(chars, at + 1) };
  const escaped = chars[at + 1];
  if (escaped === undefined) throw new BadPatternError();
  return { char: escaped, next: withRest(chars, at + 2) };
}

function withRest(chars: readonly string[], at: number): number {
  if (at >= chars.length) throw new BadPatternError();
  return at;
}

function escapeChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function escapeClass(char: string): string {
  return /[\\^\-[\]]/.test(char) ? `\\${char}` : char;
}
