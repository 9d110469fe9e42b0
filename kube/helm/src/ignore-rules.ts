import { ChartError } from './chart-error.ts';
import { matchPath } from './match-path.ts';

interface IgnoreRule {
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * The rules of a .helmignore file, and the one that helm always adds: hidden files under templates/. Not git's rules: no
 * `**`, a pattern with a '/' matches the whole path, one without the last name, and a `!` rule that does NOT match
 * ignores the file (helm's documentation, "The .helmignore file").
 */
export interface IgnoreRules {
  ignores(path: string, isDirectory: boolean): boolean;
}

export function parseIgnoreRules(text: string): IgnoreRules {
  const rules = `${text}\ntemplates/.?*`.split('\n').flatMap(parseRule);
  return {
    ignores: (path, isDirectory) => {
      if (path === '' || path === '.' || path === './') return false;
      for (const rule of rules) {
        if (rule.negated) {
          if ((rule.directoryOnly && !isDirectory) || !rule.matches(path)) return true;
        } else if ((!rule.directoryOnly || isDirectory) && rule.matches(path)) return true;
      }
      return false;
    },
  };
}

function parseRule(line: string): readonly IgnoreRule[] {
  let rule = line.replace(/^\ufeff/, '').trim();
  if (rule === '' || rule.startsWith('#')) return [];
  if (rule.includes('**')) {
    throw new ChartError('CHART_IGNORE', 'double-star (**) syntax is not supported');
  }
  matchPath(rule, 'abc');
  const negated = rule.startsWith('!');
  if (negated) rule = rule.slice(1);
  const directoryOnly = rule.endsWith('/');
  if (directoryOnly) rule = rule.slice(0, -1);
  return [{ negated, directoryOnly, matches: matcher(rule) }];
}

function matcher(rule: string): (path: string) => boolean {
  if (rule.startsWith('/')) return (path) => matchPath(rule.slice(1), path);
  if (rule.includes('/')) return (path) => matchPath(rule, path);
  return (path) => matchPath(rule, path.slice(path.lastIndexOf('/') + 1));
}
