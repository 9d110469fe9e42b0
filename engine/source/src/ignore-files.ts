import { type FileTree, joinPath, readText, type TreeEntry } from '@capstan/lib-files';
import { BoundedCache } from '@capstan/lib-std';
import { type IgnorePattern, isIgnored, parsePatterns } from './ignore-patterns.ts';

/** Which files are hidden from renderers and archives: patterns as in .gitignore. Later ones win. */
export interface IgnoreRules {
  /** Name of files in the tree whose patterns count for their folder and below (`.sourceignore`). */
  readonly file?: string;
  /** The text of further patterns, which win over those in files. */
  readonly patterns?: string;
  /** Patterns that come before all others. */
  readonly always?: readonly string[];
  /** Patterns for when there are none but `always`. */
  readonly otherwise?: readonly string[];
  /** Patterns that nothing can take back. */
  readonly last?: readonly string[];
}

/** A tree without its hidden files, and a text that differs whenever the rules in force do. */
export interface IgnoredTree {
  readonly files: FileTree;
  readonly rules: string;
}

/** By a folder's content id: the ignore files in it and below. Most folders hold none. */
export type IgnoreFileCache = BoundedCache<string, readonly IgnoreFile[]>;

interface IgnoreFile {
  readonly folder: string;
  readonly text: string;
}

const FOLDERS_MAX = 200_000;
const FILE_BYTES_MAX = 1024 * 1024;

export function createIgnoreFileCache(): IgnoreFileCache {
  return new BoundedCache(FOLDERS_MAX, (files: readonly IgnoreFile[]) => 1 + files.length);
}

/** Hides what the rules name. With a cache, folders seen before are not searched for ignore files again. */
export function ignoreFiles(
  tree: FileTree,
  given: IgnoreRules,
  cache?: IgnoreFileCache,
): IgnoredTree {
  const inFiles = given.file === undefined ? [] : findIgnoreFiles(tree, given.file, cache);
  const texts =
    given.patterns === undefined ? inFiles : [...inFiles, { folder: '', text: given.patterns }];
  const chosen = texts.flatMap(({ folder, text }) => parsePatterns(text, folder));
  const { always = [], otherwise = [] } = given;
  const before = [...always, ...(chosen.length === 0 ? otherwise : [])].join('\n');
  const last = (given.last ?? []).join('\n');
  return {
    files: filterTree(tree, [...parsePatterns(before, ''), ...chosen, ...parsePatterns(last, '')]),
    rules: JSON.stringify([before, texts, last]),
  };
}

function findIgnoreFiles(
  tree: FileTree,
  name: string,
  cache: IgnoreFileCache | undefined,
): readonly IgnoreFile[] {
  const visit = (path: string, id: () => string): readonly IgnoreFile[] => {
    const key = cache === undefined ? '' : `${name} ${id()}`;
    const known = cache?.get(key);
    if (known !== undefined) return known;
    const found: IgnoreFile[] = [];
    const own = readText(tree, joinPath(path, name));
    if (own !== undefined) found.push({ folder: '', text: own.slice(0, FILE_BYTES_MAX) });
    for (const entry of tree.readDirectory(path) ?? []) {
      if (entry.kind !== 'directory') continue;
      for (const { folder, text } of visit(joinPath(path, entry.name), () => entry.id)) {
        found.push({ folder: joinPath(entry.name, folder), text });
      }
    }
    cache?.set(key, found);
    return found;
  };
  return visit('', () => tree.stat('')?.id ?? '');
}

function filterTree(tree: FileTree, patterns: readonly IgnorePattern[]): FileTree {
  if (patterns.length === 0) return tree;
  const mayTakeBack = patterns.some(({ includes }) => includes);
  const hidden = new Map<string, boolean>([['', false]]);
  const listings = new Map<string, readonly TreeEntry[] | undefined>();
  const isHidden = (path: string, isFolder: boolean): boolean => {
    let found = hidden.get(path);
    if (found === undefined) {
      found = isIgnored(patterns, path.split('/'), isFolder);
      hidden.set(path, found);
    }
    return found;
  };
  const list = (path: string): readonly TreeEntry[] | undefined => {
    if (listings.has(path)) return listings.get(path);
    const entries = tree
      .readDirectory(path)
      ?.filter((entry) => isShown(joinPath(path, entry.name), entry));
    listings.set(path, entries);
    return entries;
  };
  /** A hidden folder is there all the same when something in it was taken back. */
  const isShown = (path: string, { kind }: TreeEntry): boolean => {
    const isFolder = kind === 'directory';
    if (!isHidden(path, isFolder)) return true;
    return isFolder && mayTakeBack && (list(path) ?? []).length > 0;
  };
  const stat = (path: string): TreeEntry | undefined => {
    const entry = tree.stat(path);
    return entry === undefined || isShown(path, entry) ? entry : undefined;
  };
  return {
    stat,
    readFile: (path) => (stat(path) === undefined ? undefined : tree.readFile(path)),
    readLink: (path) => (stat(path) === undefined ? undefined : tree.readLink(path)),
    readDirectory: (path) => (stat(path) === undefined ? undefined : list(path)),
  };
}
