import type { FileTree, TreeEntry } from './file-tree.ts';

/**
 * All that a render saw of its tree: for each path asked for, the id found there, or undefined for a miss. A render may
 * be reused for any tree on which `traceHolds`.
 */
export interface RenderTrace {
  /** Files read: path → content id. */
  readonly files: ReadonlyMap<string, string | undefined>;
  /** Directories listed: path → a key of the names and kinds found (not of the content below). */
  readonly listings: ReadonlyMap<string, string | undefined>;
  /** Existence asked for: path → the kind found. */
  readonly stats: ReadonlyMap<string, string | undefined>;
}

/** Wraps a tree so that every question put to it is recorded. `trace` is a live view. */
export function recordTrace(tree: FileTree): {
  readonly tree: FileTree;
  readonly trace: RenderTrace;
} {
  const files = new Map<string, string | undefined>();
  const listings = new Map<string, string | undefined>();
  const stats = new Map<string, string | undefined>();
  const recorded: FileTree = {
    stat: (path) => {
      const entry = tree.stat(path);
      stats.set(path, entry?.kind);
      return entry;
    },
    readFile: (path) => {
      const bytes = tree.readFile(path);
      files.set(path, bytes === undefined ? undefined : tree.stat(path)?.id);
      return bytes;
    },
    readDirectory: (path) => {
      const entries = tree.readDirectory(path);
      listings.set(path, listingKey(entries));
      return entries;
    },
    readLink: (path) => {
      const target = tree.readLink(path);
      files.set(path, target === undefined ? undefined : tree.stat(path)?.id);
      return target;
    },
  };
  return { tree: recorded, trace: { files, listings, stats } };
}

/** Whether a render with this trace would see the same in `tree`. Cost: one look-up a recorded path. */
export function traceHolds(trace: RenderTrace, tree: FileTree): boolean {
  for (const [path, id] of trace.files) {
    const entry = tree.stat(path);
    const seen = entry === undefined || entry.kind === 'directory' ? undefined : entry.id;
    if (seen !== id) return false;
  }
  for (const [path, key] of trace.listings) {
    if (listingKey(tree.readDirectory(path)) !== key) return false;
  }
  for (const [path, kind] of trace.stats) {
    if (tree.stat(path)?.kind !== kind) return false;
  }
  return true;
}

function listingKey(entries: readonly TreeEntry[] | undefined): string | undefined {
  return entries?.map((entry) => `${entry.kind} ${entry.name}`).join('\n');
}
