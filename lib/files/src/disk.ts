import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { BoundedCache, CapstanError, messageOf } from '@capstan/lib-std';
import type { EntryKind, FileTree, TreeEntry } from './file-tree.ts';

export interface DiskTreeOptions {
  /** Files over this are an error, not a read. */
  readonly fileBytesMax?: number;
  /** Bound of the cache of contents already read. */
  readonly cacheBytesMax?: number;
}

/**
 * The folder `root` as a tree. What was read once is kept (bounded), so that one render sees one state; make a new tree
 * to see changes. Content ids of files are SHA-256 digests, of directories the digest of their listing's names.
 */
export function diskTree(root: string, options: DiskTreeOptions = {}): FileTree {
  const fileBytesMax = options.fileBytesMax ?? 64 * 1024 * 1024;
  const contents = new BoundedCache<string, Uint8Array>(
    options.cacheBytesMax ?? 256 * 1024 * 1024,
    (bytes) => bytes.byteLength + 64,
  );
  const kinds = new Map<string, EntryKind | undefined>();
  const ids = new Map<string, string>();

  const kindOf = (path: string): EntryKind | undefined => {
    if (!kinds.has(path)) {
      const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
      kinds.set(path, stats === undefined ? undefined : entryKind(stats));
    }
    return kinds.get(path);
  };
  const readFile = (path: string): Uint8Array | undefined => {
    if (kindOf(path) !== 'file') return undefined;
    const known = contents.get(path);
    if (known !== undefined) return known;
    const size = lstatSync(join(root, path)).size;
    if (size > fileBytesMax) {
      throw new CapstanError(
        'FILE_TOO_LARGE',
        `${path} has ${size} bytes, the limit is ${fileBytesMax}`,
      );
    }
    const bytes = readFileSync(join(root, path));
    contents.set(path, bytes);
    return bytes;
  };
  const readDirectory = (path: string): readonly TreeEntry[] | undefined => {
    if (kindOf(path) !== 'directory') return undefined;
    const entries: TreeEntry[] = [];
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const kind = entryKind(entry);
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (kind !== undefined) entries.push(lazyEntry(entry.name, kind, () => idOf(child, kind)));
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  const readLink = (path: string): string | undefined =>
    kindOf(path) === 'symlink' ? readlinkSync(join(root, path)) : undefined;
  const idOf = (path: string, kind: EntryKind): string => {
    let id = ids.get(path);
    if (id === undefined) {
      id = digest(contentForId(path, kind));
      ids.set(path, id);
    }
    return id;
  };
  const contentForId = (path: string, kind: EntryKind): string | Uint8Array => {
    if (kind === 'file') return readFile(path) ?? '';
    if (kind === 'symlink') return `link ${readLink(path)}`;
    return (readDirectory(path) ?? [])
      .map((entry) => `${entry.kind} ${entry.name} ${entry.id}`)
      .join('\n');
  };
  return {
    stat: (path) => {
      const kind = kindOf(path);
      if (kind === undefined) return undefined;
      return lazyEntry(path.slice(path.lastIndexOf('/') + 1), kind, () => idOf(path, kind));
    },
    readFile,
    readDirectory,
    readLink,
  };
}

/** Content ids cost a read, and most callers never ask: they are computed when looked at. */
function lazyEntry(name: string, kind: EntryKind, id: () => string): TreeEntry {
  return {
    name,
    kind,
    get id() {
      return id();
    },
  };
}

function entryKind(
  entry: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>,
): EntryKind | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : undefined;
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Says which folder cannot be read, for commands that are given one by a person. */
export function openDiskTree(root: string, options?: DiskTreeOptions): FileTree {
  try {
    if (!lstatSync(root).isDirectory()) throw new Error('it is not a folder');
  } catch (error) {
    throw new CapstanError('FOLDER_UNREADABLE', `cannot read folder ${root}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return diskTree(root, options);
}
