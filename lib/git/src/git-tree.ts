import type { EntryKind, FileTree, TreeEntry } from '@capstan/lib-files';
import type { GitTreeEntry } from './object-model.ts';
import type { ObjectStore } from './object-store.ts';

const KINDS: Readonly<Record<GitTreeEntry['kind'], EntryKind>> = {
  blob: 'file',
  symlink: 'symlink',
  tree: 'directory',
  // A submodule is an empty folder until somebody fetches it, as after a plain clone.
  commit: 'directory',
};

interface Folder {
  readonly entries: readonly TreeEntry[];
  readonly byName: ReadonlyMap<string, GitTreeEntry>;
}

/**
 * The tree of a commit (or any tree id) as a FileTree, without a checkout. Content ids are Git's object ids, so two
 * revisions share whatever they have in common. Folders are read when first asked for and kept for the tree's life.
 */
export function gitTree(store: ObjectStore, treeId: string): FileTree {
  const folders = new Map<string, Folder | undefined>();
  const root: GitTreeEntry = { name: '', kind: 'tree', id: treeId };

  const folderAt = (path: string): Folder | undefined => {
    if (folders.has(path)) return folders.get(path);
    const entry = entryAt(path);
    const folder = entry === undefined ? undefined : openFolder(store, entry);
    folders.set(path, folder);
    return folder;
  };
  const entryAt = (path: string): GitTreeEntry | undefined => {
    if (path === '') return root;
    const slash = path.lastIndexOf('/');
    const parent = folderAt(slash < 0 ? '' : path.slice(0, slash));
    return parent?.byName.get(path.slice(slash + 1));
  };
  return {
    stat: (path) => {
      const entry = entryAt(path);
      return entry === undefined ? undefined : toTreeEntry(entry);
    },
    readFile: (path) => {
      const entry = entryAt(path);
      return entry?.kind === 'blob' ? store.readBlob(entry.id) : undefined;
    },
    readDirectory: (path) => folderAt(path)?.entries,
    readLink: (path) => {
      const entry = entryAt(path);
      if (entry?.kind !== 'symlink') return undefined;
      return new TextDecoder().decode(store.readBlob(entry.id));
    },
  };
}

function openFolder(store: ObjectStore, entry: GitTreeEntry): Folder | undefined {
  if (entry.kind === 'commit') return { entries: [], byName: new Map() };
  if (entry.kind !== 'tree') return undefined;
  const entries = store.readTree(entry.id);
  return {
    entries: entries.map(toTreeEntry),
    byName: new Map(entries.map((child) => [child.name, child])),
  };
}

function toTreeEntry(entry: GitTreeEntry): TreeEntry {
  return { name: entry.name, kind: KINDS[entry.kind], id: entry.id };
}
