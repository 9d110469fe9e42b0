import { type FileTree, joinPath, readText } from '@capstan/lib-files';
import { gitError } from './errors.ts';
import type { GitTreeEntry } from './object-model.ts';
import { parseRemoteUrl } from './remote-url.ts';

export interface Submodule {
  /** Where it belongs, relative to the root of the tree. */
  readonly path: string;
  readonly url: string;
  /** The commit that the tree names. */
  readonly commit: string;
}

const FILE_BYTES_MAX = 1024 * 1024;
const SUBMODULES_MAX = 200;

/**
 * The submodules of a tree: those in `.gitmodules` (gitmodules(5)) for which the tree names a commit. Relative addresses are
 * resolved against the repository's own; addresses of protocols that are not allowed are an error, before anything is asked.
 */
export function readSubmodules(
  tree: FileTree,
  own: string,
  options: { readonly allowFile?: boolean } = {},
): readonly Submodule[] {
  const text = readText(tree, '.gitmodules');
  if (text === undefined) return [];
  if (text.length > FILE_BYTES_MAX) {
    throw gitError(
      'GIT_OBJECT_TOO_LARGE',
      `.gitmodules has more than ${FILE_BYTES_MAX} characters`,
    );
  }
  const found: Submodule[] = [];
  for (const { path, url } of parseModules(text)) {
    const commit = commitAt(tree, path);
    if (commit === undefined) continue;
    if (found.length >= SUBMODULES_MAX) {
      throw gitError('GIT_OBJECT_TOO_LARGE', `there are more than ${SUBMODULES_MAX} submodules`);
    }
    const resolved = resolveModuleUrl(own, url);
    parseRemoteUrl(resolved, options);
    found.push({ path, url: resolved, commit });
  }
  return found;
}

/** The gitlink at `path`; undefined when the tree has none there. */
function commitAt(tree: FileTree, path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  const folder = slash < 0 ? '' : path.slice(0, slash);
  const entries = tree.readDirectory(folder) ?? [];
  const entry = entries.find(({ name }) => joinPath(folder, name) === path);
  return entry !== undefined && isGitlink(entry) ? entry.id : undefined;
}

function isGitlink(entry: object): entry is GitTreeEntry {
  return 'isSubmodule' in entry && entry.isSubmodule === true;
}

/** Sections `[submodule "name"]` with `path` and `url`, in the syntax of git config files. */
function parseModules(text: string): readonly { readonly path: string; readonly url: string }[] {
  const modules = new Map<string, { path?: string; url?: string }>();
  let current: { path?: string; url?: string } | undefined;
  for (const raw of text.replaceAll('\\\n', '').split('\n')) {
    const line = raw.trim();
    const section = /^\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line);
    if (section !== null) {
      const name = section[1]?.toLowerCase() === 'submodule' ? section[2] : undefined;
      current = name === undefined ? undefined : (modules.get(name) ?? {});
      if (name !== undefined && current !== undefined) modules.set(name, current);
      continue;
    }
    const field = /^(path|url)\s*=\s*(.*)$/i.exec(line);
    if (field === null || current === undefined) continue;
    current[field[1]?.toLowerCase() === 'path' ? 'path' : 'url'] = unquote(field[2] ?? '');
  }
  return [...modules.values()].flatMap(({ path, url }) =>
    path === undefined || url === undefined ? [] : [{ path: path.replace(/\/+$/, ''), url }],
  );
}

/** Double quotes are taken away, `\"` and `\\` stand for themselves, a comment ends the value. */
function unquote(text: string): string {
  let value = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') quoted = !quoted;
    else if (character === '\\') value += text[++at] ?? '';
    else if (!quoted && (character === '#' || character === ';')) break;
    else value += character;
  }
  return value.trim();
}

/** `./x` and `../x` start at the repository's own address, as git resolves them. */
export function resolveModuleUrl(own: string, url: string): string {
  if (!/^\.\.?\//.test(url)) return url;
  let base = own.replace(/\/+$/, '');
  let rest = url;
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2);
    else if (rest.startsWith('../')) {
      rest = rest.slice(3);
      const slash = base.lastIndexOf('/');
      const isRoot = slash <= 0 || /^[a-z]+:\/\/?$/i.test(base.slice(0, slash + 1));
      const colon = base.lastIndexOf(':');
      if (!isRoot) base = base.slice(0, slash);
      else if (slash < 0 && colon > 0) base = base.slice(0, colon);
      else
        throw gitError('GIT_URL_INVALID', `${JSON.stringify(url)} leads over the root of ${own}`);
    } else break;
  }
  return `${base}${/:[^/]*$/.test(own) && !base.includes(':') ? ':' : '/'}${rest}`;
}
