import type { FileTree, TreeEntry } from './file-tree.ts';

/**
 * `tree` with further trees below names of its root, in place of what stands there. The names do not show in the listing of
 * the root: only who knows them finds them.
 */
export function mountTrees(tree: FileTree, mounts: ReadonlyMap<string, FileTree>): FileTree {
  const find = (path: string): { readonly tree: FileTree; readonly path: string } => {
    const slash = path.indexOf('/');
    const mounted = mounts.get(slash < 0 ? path : path.slice(0, slash));
    if (mounted === undefined) return { tree, path };
    return { tree: mounted, path: slash < 0 ? '' : path.slice(slash + 1) };
  };
  return {
    stat: (path) => {
      const found = find(path);
      const entry = found.tree.stat(found.path);
      return entry === undefined || found.path !== '' || path === '' ? entry : named(entry, path);
    },
    readFile: (path) => {
      const found = find(path);
      return found.tree.readFile(found.path);
    },
    readDirectory: (path) => {
      const found = find(path);
      return found.tree.readDirectory(found.path);
    },
    readLink: (path) => {
      const found = find(path);
      return found.tree.readLink(found.path);
    },
  };
}

/** The folder `root` of a tree as a tree of its own: nothing above it can be asked for. */
export function subTree(tree: FileTree, root: string): FileTree {
  const at = (path: string): string =>
    path === '' ? root : root === '' ? path : `${root}/${path}`;
  return {
    stat: (path) => {
      const entry = tree.stat(at(path));
      return entry === undefined || path !== '' ? entry : named(entry, '');
    },
    readFile: (path) => tree.readFile(at(path)),
    readDirectory: (path) => tree.readDirectory(at(path)),
    readLink: (path) => tree.readLink(at(path)),
  };
}

function named(entry: TreeEntry, name: string): TreeEntry {
  const { kind, executable = false } = entry;
  return {
    name,
    kind,
    executable,
    get id() {
      return entry.id;
    },
  };
}

/** `tree` with `mounted` at `path`, folders made on the way; what both hold in one place is as in `mounted`. */
export function overlayAt(tree: FileTree, path: string, mounted: FileTree): FileTree {
  const [first, ...rest] = path === '' ? [] : path.split('/');
  if (first === undefined) return overlayTrees(tree, mounted);
  const below = overlayAt(subTree(tree, first), rest.join('/'), mounted);
  const here = mountTrees(tree, new Map([[first, below]]));
  const root: TreeEntry = {
    name: first,
    kind: 'directory',
    get id() {
      return `${tree.stat(first)?.id ?? ''}+${path}:${mounted.stat('')?.id ?? ''}`;
    },
  };
  return {
    ...here,
    stat: (asked) => (asked === first ? root : here.stat(asked)),
    readDirectory: (asked) => {
      if (asked !== '') return here.readDirectory(asked);
      const others = (tree.readDirectory('') ?? []).filter(({ name }) => name !== first);
      return [...others, root].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

/** Both trees in one; where both hold a file, or a file and a folder, `upper` wins. */
function overlayTrees(lower: FileTree, upper: FileTree): FileTree {
  const isHidden = (path: string): boolean => {
    // A file or link of the upper tree hides what the lower one has below that name.
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const kind = upper.stat(path.slice(0, end))?.kind;
      if (kind === undefined) return false;
      if (kind !== 'directory') return true;
    }
    return false;
  };
  const stat = (path: string): TreeEntry | undefined => {
    const above = upper.stat(path);
    const below = isHidden(path) ? undefined : lower.stat(path);
    if (above?.kind !== 'directory' || below?.kind !== 'directory') return above ?? below;
    return {
      name: above.name,
      kind: 'directory',
      get id() {
        return `${below.id}+${above.id}`;
      },
    };
  };
  const holder = (path: string): FileTree => (upper.stat(path) === undefined ? lower : upper);
  const ifShown = <T>(path: string, value: T | undefined) => (isHidden(path) ? undefined : value);
  return {
    stat,
    readFile: (path) => ifShown(path, holder(path).readFile(path)),
    readLink: (path) => ifShown(path, holder(path).readLink(path)),
    readDirectory: (path) => {
      if (stat(path)?.kind !== 'directory') return undefined;
      const names = new Set(
        [lower, upper].flatMap((tree) => (tree.readDirectory(path) ?? []).map(({ name }) => name)),
      );
      return [...names]
        .sort()
        .flatMap((name) => stat(path === '' ? name : `${path}/${name}`) ?? []);
    },
  };
}
