import type { FileTree } from '@capstan/lib-files';
import type { GitTreeEntry } from './object-model.ts';
import type { ObjectStore } from './object-store.ts';
import { EMPTY_LISTING, type TreeListing } from './tree-listing.ts';

/** For comparing folders without reading all of them. */
export interface GitTree extends FileTree {
  /** The folder at a path as git keeps it; undefined when there is none. */
  listing(path: string): TreeListing | undefined;
}

/**
 * The tree of a commit (or any tree id) as a FileTree, without a checkout. Content ids are Git's object ids, so two
 * revisions share whatever they have in common. The tree itself holds nothing: folders are kept by the store, by their
 * ids, so that a thousand revisions of one repository cost what they differ in. A submodule is an empty folder, as after
 * a plain clone.
 */
export function gitTree(store: ObjectStore, treeId: string): GitTree {
  const root: GitTreeEntry = { name: '', kind: 'directory', id: treeId, isSubmodule: false };

  const entryAt = (path: string): GitTreeEntry | undefined => {
    let entry: GitTreeEntry | undefined = root;
    if (path === '') return entry;
    for (let start = 0; start <= path.length && entry !== undefined; ) {
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      entry = openFolder(store, entry)?.find(path.slice(start, end));
      start = end + 1;
    }
    return entry;
  };
  const listing = (path: string) => {
    const entry = entryAt(path);
    return entry === undefined ? undefined : openFolder(store, entry);
  };
  return {
    stat: entryAt,
    listing,
    readFile: (path) => {
      const entry = entryAt(path);
      return entry?.kind === 'file' ? store.readBlob(entry.id) : undefined;
    },
    readDirectory: (path) => listing(path)?.entries,
    readLink: (path) => {
      const entry = entryAt(path);
      if (entry?.kind !== 'symlink') return undefined;
      return new TextDecoder().decode(store.readBlob(entry.id));
    },
  };
}

function openFolder(store: ObjectStore, entry: GitTreeEntry): TreeListing | undefined {
  if (entry.isSubmodule) return EMPTY_LISTING;
  return entry.kind === 'directory' ? store.readTree(entry.id) : undefined;
}
