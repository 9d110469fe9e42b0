/**
 * Patterns as the glob library behind `.Files.Glob` reads them, with '/' as separator: `*` within a name, `**` across
 * names, `?` one character of a name, `[abc]`, `[a-z]`, `[!a]`, `{a,b}`, `\` before a literal. A pattern that cannot be
 * read matches everything, as in the original.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  try {
    const expression = new RegExp(`^${globSource([...pattern])}$`, 'su');
    return (name) => expression.test(name);
  } catch {
    return () => true;
  }
}

function globSource(chars: readonly string[]): string {
  let source = '';
  let braces = 0;
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '*') {
      const deep = chars[at + 1] === '*';
      while (chars[at + 1] === '*') at++;
      source += deep ? '.*' : '[^/]*';
    } else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = chars.indexOf(']', at + 2);
      if (end < 0) throw new SyntaxError('a class without end');
      const negated = chars[at + 1] === '!';
      const inner = chars.slice(at + (negated ? 2 : 1), end).join('');
      source += `[${negated ? '^' : ''}${inner.replace(/[\\\]^]/g, '\\$&')}]`;
      at = end;
    } else if (char === '{') {
      braces++;
      source += '(?:';
    } else if (char === '}' && braces > 0) {
      braces--;
      source += ')';
    } else if (char === ',' && braces > 0) source += '|';
    else if (char === '\\') {
      const next = chars[++at];
      if (next === undefined) throw new SyntaxError('a pattern that ends in a backslash');
      source += escapeChar(next);
    } else source += escapeChar(char);
  }
  if (braces > 0) throw new SyntaxError('a brace without end');
  return source;
}

function escapeChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
