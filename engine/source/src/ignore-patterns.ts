import { compileGlob } from '@capstan/lib-files';
import { BoundedCache } from '@capstan/lib-std';

/**
 * Patterns as in .gitignore, with the semantics of go-git's matcher, by which Flux makes its archives. It differs from git
 * in that every path is held against all patterns by itself: a file below a hidden folder can be taken back by `!`.
 */
export interface IgnorePattern {
  /** Only what lies below this folder can match; names from the root. */
  readonly folder: readonly string[];
  readonly includes: boolean;
  readonly matches: (path: readonly string[], isFolder: boolean) => boolean;
}

/** One pattern a line; empty lines and those that start with `#` say nothing. */
export function parsePatterns(text: string, folder: string): readonly IgnorePattern[] {
  const names = folder === '' ? [] : folder.split('/');
  return text.split('\n').flatMap((given) => {
    const line = given.replace(/\r$/, '');
    if (line.startsWith('#') || line.trim() === '') return [];
    return [parsePattern(line, names)];
  });
}

/** Whether `path` is hidden: the last pattern that matches decides. */
export function isIgnored(
  patterns: readonly IgnorePattern[],
  path: readonly string[],
  isFolder: boolean,
): boolean {
  for (let at = patterns.length - 1; at >= 0; at--) {
    const { folder, includes, matches } = patterns[at]!;
    const depth = folder.length;
    if (path.length <= depth || folder.some((name, index) => path[index] !== name)) continue;
    if (matches(depth === 0 ? path : path.slice(depth), isFolder)) return !includes;
  }
  return false;
}

function parsePattern(line: string, folder: readonly string[]): IgnorePattern {
  const includes = line.startsWith('!');
  let text = includes ? line.slice(1) : line;
  if (!text.endsWith('\\ ')) text = text.replace(/ +$/, '');
  const foldersOnly = text.endsWith('/');
  if (foldersOnly) text = text.slice(0, -1);
  if (!text.includes('/')) {
    return { folder, includes, matches: nameMatcher(compileName(text), foldersOnly) };
  }
  const parts = text.split('/').map((part) => ({ text: part, accepts: compileName(part) }));
  return {
    folder,
    includes,
    matches: (path, isFolder) => matchPath(parts, path, { isFolder, foldersOnly }),
  };
}

/** A pattern without '/': any name on the way may match it. */
function nameMatcher(
  accepts: (name: string) => boolean,
  foldersOnly: boolean,
): IgnorePattern['matches'] {
  return (path, isFolder) => {
    const at = path.findIndex(accepts);
    return at >= 0 && !(foldersOnly && !isFolder && at === path.length - 1);
  };
}

interface Part {
  readonly text: string;
  readonly accepts: (name: string) => boolean;
}

/** A pattern with '/': bound to its folder; what lies below what it matches is matched as well. */
function matchPath(
  parts: readonly Part[],
  path: readonly string[],
  { isFolder, foldersOnly }: { readonly isFolder: boolean; readonly foldersOnly: boolean },
): boolean {
  let matched = false;
  let mayDescend = false;
  let at = 0;
  for (const [index, { text, accepts }] of parts.entries()) {
    if (text === '') mayDescend = false;
    else if (text === '**') {
      if (index === parts.length - 1) break;
      mayDescend = true;
    } else if (text.includes('**') || at >= path.length) return false;
    else if (mayDescend) {
      mayDescend = false;
      while (at < path.length && !accepts(path[at]!)) at++;
      matched = at < path.length || matched;
      if (at >= path.length) matched = false;
      else at++;
    } else {
      if (!accepts(path[at]!)) return false;
      matched = true;
      at++;
    }
  }
  return matched && !(foldersOnly && !isFolder && at >= path.length);
}

const NAMES_MAX = 2000;

/** A pattern for one name. Names come again and again, so what was found is kept. */
function compileName(pattern: string): (name: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (name) => name === pattern;
  if (isMalformed(pattern)) return () => false;
  if (/^\*[^*?[\\]*$/.test(pattern)) return (name) => name.endsWith(pattern.slice(1));
  // To Go a set is turned round by ^ alone.
  const plain = pattern.replaceAll(/(\\.)|\[!/g, (found, escaped) => escaped ?? `[\\${found[1]}`);
  const glob = compileGlob(plain, { separator: '/' });
  const known = new BoundedCache<string, boolean>(NAMES_MAX);
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      found = glob(name);
      known.set(name, found);
    }
    return found;
  };
}

/** Go's filepath.Match takes no pattern with an open set, and such a pattern matches nothing. */
function isMalformed(pattern: string): boolean {
  return /\[[^\]]*$/.test(pattern.replace(/\\./g, '')) || /(?<!\\)(?:\\\\)*\\$/.test(pattern);
}
