import { compileGlob, type FileTree, joinPath, resolveLinks } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';

const PATHS_MAX = 200_000;

/**
 * All folders below the root, parents first, each level by name; what links lead to is left out, and what is hidden unless
 * asked for (never Git's own).
 */
export function listFolders(
  tree: FileTree,
  { hidden = false }: { readonly hidden?: boolean } = {},
): readonly string[] {
  const folders: string[] = [];
  walk(tree, '', (path, kind) => {
    if (kind !== 'directory') return false;
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith('.') && (!hidden || name === '.git')) return false;
    folders.push(path);
    return true;
  });
  return folders;
}

/**
 * Files that a pattern of a file generator names, as `git ls-files -- <pattern>` does: a file, all files below a folder,
 * or a glob in which `*` also matches a '/'.
 */
export function listFiles(tree: FileTree, pattern: string): readonly string[] {
  const plain = pattern.replace(/^\.\//, '').replace(/\/+$/, '');
  if (!/[*?[\\]/.test(plain)) {
    const entry = tree.stat(plain);
    if (entry === undefined) return [];
    if (entry.kind !== 'directory') return [plain];
  }
  const matches = compileGlob(plain);
  const files: string[] = [];
  walk(tree, '', (path, kind) => {
    if (kind === 'directory') return true;
    if (matches(path) || plain === '' || plain === '.' || path.startsWith(`${plain}/`))
      files.push(path);
    return false;
  });
  return files;
}

/** Files that a glob names in which `*` stays within a name, `**` spans folders and `{a,b}` are alternatives; '' and '.': all. */
export function globFiles(tree: FileTree, pattern: string): readonly string[] {
  const plain = pattern.replace(/^\.\//, '');
  const isAll = plain === '' || plain === '.';
  const matches = compileGlob(isAll ? '**' : plain, { separator: '/', braces: true });
  const files: string[] = [];
  walk(tree, '', (path, kind) => {
    if (kind === 'directory') return true;
    if (matches(path)) files.push(path);
    return false;
  });
  return files;
}

/** The content of a file; a link is followed within the repository. */
export function readRepositoryFile(tree: FileTree, path: string): string {
  const found = resolveLinks(tree, path);
  const bytes = found.kind === 'found' ? tree.readFile(found.path) : undefined;
  if (bytes === undefined) {
    throw new CapstanError(
      'FILE_MISSING',
      `${path} is a link to nothing, or out of the repository`,
      {
        hint: 'exclude it, or correct the link',
      },
    );
  }
  return new TextDecoder().decode(bytes);
}

function walk(
  tree: FileTree,
  folder: string,
  enter: (path: string, kind: 'file' | 'directory' | 'symlink') => boolean,
): void {
  const pending = [folder];
  let seen = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const below: string[] = [];
    if (next !== folder && !enter(next, 'directory')) continue;
    for (const { name, kind } of tree.readDirectory(next) ?? []) {
      if (++seen > PATHS_MAX) {
        throw new CapstanError(
          'REPOSITORY_TOO_LARGE',
          `the repository has over ${PATHS_MAX} paths`,
          {
            hint: 'point the generator at a smaller repository',
          },
        );
      }
      const path = joinPath(next, name);
      if (kind === 'directory') below.push(path);
      else enter(path, kind);
    }
    pending.push(...below.reverse());
  }
}

/** Go's path.Match: `*` and `?` stay within a name, `[^a]` negates. A malformed pattern matches nothing. */
export function compilePathMatch(pattern: string): (path: string) => boolean {
  const plain = normalizePattern(pattern);
  return plain === undefined ? () => false : compileGlob(plain, { separator: '/' });
}

/** In the words of compileGlob, where `**` and `[!a]` mean something else; undefined when it is malformed. */
function normalizePattern(pattern: string): string | undefined {
  let result = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] ?? '';
    if (character === '\\') {
      if (i + 1 >= pattern.length) return undefined;
      result += character + (pattern[++i] ?? '');
    } else if (character === '*') {
      if (!result.endsWith('*') || result.endsWith('\\*')) result += '*';
    } else if (character === '[') {
      const set = /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(pattern.slice(i));
      if (set === null) return undefined;
      const [whole, negation = '', members = ''] = set;
      result += `[${negation}${members.startsWith('!') ? '\\' : ''}${members}]`;
      i += whole.length - 1;
    } else result += character;
  }
  return result;
}
