import type { FileTree, TreeEntry } from '@capstan/lib-files';
import { compileGlob, joinPath } from '@capstan/lib-files';

interface IgnoreRule {
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * A tree without the files that gitignore patterns name (see gitignore(5)): later lines win, `!` takes back, a trailing
 * `/` means folders only, a pattern with a `/` is bound to the root. What lies below an ignored folder stays ignored.
 */
export function ignoreFiles(tree: FileTree, patterns: string): FileTree {
  const rules = parseIgnoreRules(patterns);
  const known = new Map<string, boolean>([['', false]]);
  const isIgnored = (path: string): boolean => {
    let ignored = known.get(path);
    if (ignored === undefined) {
      const slash = path.lastIndexOf('/');
      ignored =
        isIgnored(slash < 0 ? '' : path.slice(0, slash)) ||
        matches(rules, path, tree.stat(path)?.kind === 'directory');
      known.set(path, ignored);
    }
    return ignored;
  };
  const visible = (path: string) => (entry: TreeEntry) => !isIgnored(joinPath(path, entry.name));
  return {
    stat: (path) => (isIgnored(path) ? undefined : tree.stat(path)),
    readFile: (path) => (isIgnored(path) ? undefined : tree.readFile(path)),
    readDirectory: (path) =>
      isIgnored(path) ? undefined : tree.readDirectory(path)?.filter(visible(path)),
    readLink: (path) => (isIgnored(path) ? undefined : tree.readLink(path)),
  };
}

function matches(rules: readonly IgnoreRule[], path: string, isDirectory: boolean): boolean {
  for (let i = rules.length - 1; i >= 0; i--) {
    const rule = rules[i]!;
    if (rule.directoryOnly && !isDirectory) continue;
    if (rule.matches(path)) return !rule.negated;
  }
  return false;
}

function parseIgnoreRules(text: string): readonly IgnoreRule[] {
  return text.split(/\r?\n/).flatMap((raw) => {
    let line = raw.replace(/(?<!\\)\s+$/, '');
    if (line === '' || line.startsWith('#')) return [];
    const negated = line.startsWith('!');
    if (negated) line = line.slice(1);
    const directoryOnly = line.endsWith('/');
    if (directoryOnly) line = line.slice(0, -1);
    const bound = line.includes('/');
    if (line === '') return [];
    const glob = `${bound ? '' : '**/'}${line.replace(/^\//, '')}`;
    return [{ negated, directoryOnly, matches: compileGlob(glob, { separator: '/' }) }];
  });
}
