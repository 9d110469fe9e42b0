export type EntryKind = 'file' | 'directory' | 'symlink';

/** One name in a directory. `id` changes whenever the content below does: a git object id, or a digest. */
export interface TreeEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly id: string;
  /** A file that may be run, where the tree knows. */
  readonly executable?: boolean;
}

/**
 * A read-only tree of files: the only thing through which a renderer sees the world. Synchronous; paths as in path.ts;
 * symbolic links are shown, never followed (see `resolveLinks`). Same tree, same answers: nothing here changes.
 */
export interface FileTree {
  /** The entry at `path`; undefined when nothing is there. The root is a directory. */
  stat(path: string): TreeEntry | undefined;
  /** The bytes of a file; undefined when there is no file at `path` (a directory or a link is none). */
  readFile(path: string): Uint8Array | undefined;
  /** The entries of a directory sorted by name (code units); undefined when it is none. */
  readDirectory(path: string): readonly TreeEntry[] | undefined;
  /** The target of a symbolic link as written; undefined when there is no link at `path`. */
  readLink(path: string): string | undefined;
}

/** The text of a file (UTF-8, a byte order mark kept); undefined when there is none. */
export function readText(tree: FileTree, path: string): string | undefined {
  const bytes = tree.readFile(path);
  return bytes === undefined
    ? undefined
    : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
