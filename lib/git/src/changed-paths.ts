import type { FileTree, TreeEntry } from '@capstan/lib-files';
import { joinPath } from '@capstan/lib-files';
import type { GitTree } from './git-tree.ts';
import type { TreeListing } from './tree-listing.ts';

/**
 * Files and links that differ between two trees, sorted. Folders with the same id are never opened, so the cost is that
 * of the change, whatever the size of the repository.
 */
export function changedPaths(before: FileTree, after: FileTree): readonly string[] {
  const paths: string[] = [];
  compareFolders('', { before, after, paths });
  return paths.sort();
}

interface Compared {
  readonly before: FileTree;
  readonly after: FileTree;
  readonly paths: string[];
}

function compareFolders(path: string, compared: Compared): void {
  for (const { name, old, now } of changesIn(path, compared)) {
    compareEntries(joinPath(path, name), { old, now }, compared);
  }
}

interface Pair {
  readonly old: TreeEntry | undefined;
  readonly now: TreeEntry | undefined;
}

function changesIn(
  path: string,
  { before, after }: Compared,
): readonly (Pair & { readonly name: string })[] {
  const [old, now] = [listingIn(before, path), listingIn(after, path)];
  if (old !== undefined && now !== undefined) {
    return old.changes(now).map((pair) => ({ ...pair, name: (pair.now ?? pair.old)?.name ?? '' }));
  }
  const pairs = new Map<string, Pair>();
  for (const entry of before.readDirectory(path) ?? [])
    pairs.set(entry.name, { old: entry, now: undefined });
  for (const entry of after.readDirectory(path) ?? [])
    pairs.set(entry.name, { old: pairs.get(entry.name)?.old, now: entry });
  return [...pairs].map(([name, pair]) => ({ name, ...pair }));
}

/** Trees straight from git compare their folders as git keeps them. */
function listingIn(tree: FileTree, path: string): TreeListing | undefined {
  return 'listing' in tree ? (tree as GitTree).listing(path) : undefined;
}

function compareEntries(path: string, { old, now }: Pair, compared: Compared): void {
  if (old?.id === now?.id && old?.kind === now?.kind) return;
  const isLeaf = (entry: TreeEntry | undefined) =>
    entry !== undefined && entry.kind !== 'directory';
  if (isLeaf(old) || isLeaf(now)) compared.paths.push(path);
  if (old?.kind === 'directory' || now?.kind === 'directory') compareFolders(path, compared);
}
