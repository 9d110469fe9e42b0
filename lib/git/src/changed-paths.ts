import type { FileTree, TreeEntry } from '@capstan/lib-files';
import { joinPath } from '@capstan/lib-files';

/**
 * Files and links that differ between two trees, sorted. Folders with the same id are never opened, so the cost is that
 * of the change, whatever the size of the repository.
 */
export function changedPaths(before: FileTree, after: FileTree): readonly string[] {
  const paths: string[] = [];
  compareFolders('', before, after, paths);
  return paths.sort();
}

function compareFolders(path: string, before: FileTree, after: FileTree, paths: string[]): void {
  const old = before.readDirectory(path) ?? [];
  const now = after.readDirectory(path) ?? [];
  const oldByName = new Map(old.map((entry) => [entry.name, entry]));
  for (const entry of now) {
    compareEntries(joinPath(path, entry.name), oldByName.get(entry.name), entry, {
      before,
      after,
      paths,
    });
    oldByName.delete(entry.name);
  }
  for (const entry of oldByName.values()) {
    compareEntries(joinPath(path, entry.name), entry, undefined, { before, after, paths });
  }
}

function compareEntries(
  path: string,
  old: TreeEntry | undefined,
  now: TreeEntry | undefined,
  context: { readonly before: FileTree; readonly after: FileTree; readonly paths: string[] },
): void {
  if (old?.id === now?.id && old?.kind === now?.kind) return;
  const isLeaf = (entry: TreeEntry | undefined) =>
    entry !== undefined && entry.kind !== 'directory';
  if (isLeaf(old) || isLeaf(now)) context.paths.push(path);
  if (old?.kind === 'directory' || now?.kind === 'directory') {
    compareFolders(path, context.before, context.after, context.paths);
  }
}
