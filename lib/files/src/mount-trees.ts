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
  return { name, kind: entry.kind, id: entry.id };
}
