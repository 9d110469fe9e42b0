import { hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import type { FileTree, TreeEntry } from './file-tree.ts';
import { joinPath } from './path.ts';

/** The content of a memory tree by path: text or bytes for a file, `{ link }` for a symbolic link. */
export type MemoryFiles = Readonly<Record<string, MemoryFile>>;

export type MemoryFile =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly bytes: Uint8Array; readonly executable: boolean };

type Node = LeafNode | DirectoryNode;
type LeafNode =
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly executable: boolean }
  | { readonly kind: 'symlink'; readonly target: string };
interface DirectoryNode {
  readonly kind: 'directory';
  entries: readonly TreeEntry[];
}

/**
 * A tree from values in memory; directories come from the paths, and from those in `folders` (which may be empty). Content
 * ids are SHA-256 digests, computed when they are looked at.
 */
export function memoryTree(files: MemoryFiles, folders: readonly string[] = []): FileTree {
  const nodes = new Map<string, Node>([['', { kind: 'directory', entries: [] }]]);
  const children = new Map<string, Set<string>>([['', new Set()]]);
  const addFolder = (path: string): void => {
    if (nodes.get(path)?.kind === 'directory') return;
    nodes.set(path, { kind: 'directory', entries: [] });
    children.set(path, new Set());
    enter(path);
  };
  const enter = (path: string): void => {
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    addFolder(parent);
    children.get(parent)!.add(path.slice(slash + 1));
  };
  for (const path of folders) if (path !== '') addFolder(path);
  for (const [path, content] of Object.entries(files)) {
    nodes.set(path, leafNode(content));
    enter(path);
  }
  const ids = new Map<string, string>();
  const idOf = (path: string): string => {
    let id = ids.get(path);
    if (id === undefined) {
      id = nodeId(nodes.get(path)!);
      ids.set(path, id);
    }
    return id;
  };
  const entryAt = (path: string, name: string): TreeEntry | undefined => {
    const node = nodes.get(path);
    return node === undefined ? undefined : new MemoryEntry(name, node, () => idOf(path));
  };
  for (const [path, names] of children) {
    const node = nodes.get(path);
    if (node?.kind !== 'directory') continue;
    node.entries = [...names].sort().map((name) => entryAt(joinPath(path, name), name)!);
  }
  return {
    stat: (path) => entryAt(path, path.slice(path.lastIndexOf('/') + 1)),
    readFile: (path) => {
      const node = nodes.get(path);
      return node?.kind === 'file' ? node.bytes : undefined;
    },
    readDirectory: (path) => {
      const node = nodes.get(path);
      return node?.kind === 'directory' ? node.entries : undefined;
    },
    readLink: (path) => {
      const node = nodes.get(path);
      return node?.kind === 'symlink' ? node.target : undefined;
    },
  };
}

class MemoryEntry implements TreeEntry {
  readonly name: string;
  readonly kind: TreeEntry['kind'];
  readonly executable: boolean;
  readonly #id: () => string;

  constructor(name: string, node: Node, id: () => string) {
    this.name = name;
    this.kind = node.kind;
    this.executable = node.kind === 'file' && node.executable;
    this.#id = id;
  }

  get id(): string {
    return this.#id();
  }
}

function leafNode(content: MemoryFile): LeafNode {
  if (typeof content === 'string') {
    return { kind: 'file', bytes: new TextEncoder().encode(content), executable: false };
  }
  if (content instanceof Uint8Array) return { kind: 'file', bytes: content, executable: false };
  return 'link' in content
    ? { kind: 'symlink', target: content.link }
    : { kind: 'file', ...content };
}

function nodeId(node: Node): string {
  if (node.kind === 'file') return digest(node.bytes);
  if (node.kind === 'symlink') return digest(`link ${node.target}`);
  return digest(JSON.stringify(node.entries.map(({ name, kind, id }) => ({ name, kind, id }))));
}

function digest(content: string | Uint8Array): string {
  return hexOf(sha256(typeof content === 'string' ? new TextEncoder().encode(content) : content));
}
