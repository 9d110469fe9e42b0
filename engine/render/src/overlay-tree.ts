import { baseName, type FileTree, parentPath, type TreeEntry } from '@capstan/lib-files';

/** `tree` with one file put in place (or replaced). Its id is `id`, which must name the content. */
export function overlayTree(
  tree: FileTree,
  file: { readonly path: string; readonly bytes: Uint8Array; readonly id: string },
): FileTree {
  const { path, bytes, id } = file;
  const folder = parentPath(path);
  const entry: TreeEntry = { name: baseName(path), kind: 'file', id };
  return {
    stat: (asked) => (asked === path ? entry : tree.stat(asked)),
    readFile: (asked) => (asked === path ? bytes : tree.readFile(asked)),
    readLink: (asked) => (asked === path ? undefined : tree.readLink(asked)),
    readDirectory: (asked) => {
      const entries = tree.readDirectory(asked);
      if (asked !== folder || entries === undefined) return entries;
      const others = entries.filter(({ name }) => name !== entry.name);
      return [...others, entry].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}
