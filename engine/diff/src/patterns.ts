import { compileGlob } from '@capstan/lib-files';
/**
 * Whether `text` as a whole fits. Globs know `*`, `?` and `[…]`; `*` also crosses slashes and dots. A regular expression
 * that does not compile fits nothing. Patterns over 1,000 characters fit nothing.
 */
export function matchesPattern(pattern: string, text: string, syntax: 'glob' | 'regex'): boolean {
  if (pattern === text) return true;
  if (pattern.length > 1000) return false;
  if (syntax === 'glob' && pattern.includes('{'))
    return compileGlob(pattern, { braces: true })(text);
  if (syntax === 'glob') return /[*?[\\]/.test(pattern) && matchesGlob(pattern, text);
  try {
    return new RegExp(`^(?:${pattern})$`, 's').test(text.slice(0, 10_000));
  } catch {
    return false;
  }
}

/** Linear in pattern × text: it backtracks to the last star only. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    const width = matchOne(pattern, p, text.charAt(t));
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (width > 0) {
      p += width;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** How many characters of the pattern stand for this one character of text; 0 when it does not fit. */
function matchOne(pattern: string, p: number, char: string): number {
  const head = pattern[p];
  if (head === undefined || head === '*') return 0;
  if (head === '?') return 1;
  if (head === '\\' && p + 1 < pattern.length) return pattern[p + 1] === char ? 2 : 0;
  if (head !== '[') return head === char ? 1 : 0;
  const end = pattern.indexOf(']', p + 2);
  if (end < 0) return head === char ? 1 : 0;
  const negated = pattern[p + 1] === '!' || pattern[p + 1] === '^';
  const set = pattern.slice(p + (negated ? 2 : 1), end);
  return inSet(set, char) === negated ? 0 : end - p + 1;
}

function inSet(set: string, char: string): boolean {
  for (let i = 0; i < set.length; i++) {
    if (set[i + 1] === '-' && i + 2 < set.length) {
      if (char >= set.charAt(i) && char <= set.charAt(i + 2)) return true;
      i += 2;
    } else if (set[i] === char) return true;
  }
  return false;
}

/** Kubernetes' selector syntax: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. Absent or empty selects all. */
export function matchesSelector(
  selector: string | undefined,
  values: { readonly [name: string]: string },
): boolean {
  if (selector === undefined || selector.trim() === '') return true;
  return splitTerms(selector).every((term) => matchesTerm(term.trim(), values));
}

function splitTerms(selector: string): readonly string[] {
  const terms: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < selector.length; i++) {
    if (selector[i] === '(') depth++;
    else if (selector[i] === ')') depth--;
    else if (selector[i] === ',' && depth === 0) {
      terms.push(selector.slice(from, i));
      from = i + 1;
    }
  }
  return [...terms, selector.slice(from)];
}

function matchesTerm(term: string, values: { readonly [name: string]: string }): boolean {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, name = '', operator, list = ''] = set;
    const value = values[name];
    const has = value !== undefined && list.split(',').some((item) => item.trim() === value);
    return operator === 'in' ? has : !has;
  }
  const pair = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (pair !== null) {
    const [, name = '', operator, value = ''] = pair;
    return operator === '!=' ? values[name] !== value : values[name] === value;
  }
  return term.startsWith('!')
    ? values[term.slice(1).trim()] === undefined
    : values[term] !== undefined;
}
