import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { FileTree, TreeEntry } from './file-tree.ts';
import { joinPath } from './path.ts';

/** The content of a memory tree by path: text or bytes for a file, `{ link }` for a symbolic link. */
export type MemoryFiles = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

type Node =
  | { readonly kind: 'file'; readonly id: string; readonly bytes: Uint8Array }
  | { readonly kind: 'symlink'; readonly id: string; readonly target: string }
  | { readonly kind: 'directory'; readonly id: string; readonly entries: readonly TreeEntry[] };

/** A tree from values in memory; directories come from the paths. Content ids are SHA-256 digests. */
export function memoryTree(files: MemoryFiles): FileTree {
  const children = new Map<string, Map<string, MemoryFiles[string] | 'directory'>>([
    ['', new Map()],
  ]);
  for (const [path, content] of Object.entries(files)) {
    let directory = '';
    const names = path.split('/');
    for (const name of names.slice(0, -1)) {
      children.get(directory)!.set(name, 'directory');
      directory = joinPath(directory, name);
      if (!children.has(directory)) children.set(directory, new Map());
    }
    children.get(directory)!.set(names.at(-1)!, content);
  }
  const nodes = new Map<string, Node>();
  const add = (path: string, content: MemoryFiles[string] | 'directory'): Node => {
    const node = content === 'directory' ? directoryNode(path) : leafNode(content);
    nodes.set(path, node);
    return node;
  };
  const directoryNode = (path: string): Node => {
    const entries: TreeEntry[] = [];
    for (const [name, content] of children.get(path)!) {
      const node = add(joinPath(path, name), content);
      entries.push({ name, kind: node.kind, id: node.id });
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { kind: 'directory', id: digest(JSON.stringify(entries)), entries };
  };
  add('', 'directory');
  return {
    stat: (path) => {
      const node = nodes.get(path);
      if (node === undefined) return undefined;
      return { name: path.slice(path.lastIndexOf('/') + 1), kind: node.kind, id: node.id };
    },
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

function leafNode(content: MemoryFiles[string]): Node {
  if (typeof content === 'object' && 'link' in content) {
    return { kind: 'symlink', id: digest(`link ${content.link}`), target: content.link };
  }
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { kind: 'file', id: digest(bytes), bytes };
}

function digest(content: string | Uint8Array): string {
  return bytesToHex(
    sha256(typeof content === 'string' ? new TextEncoder().encode(content) : content),
  );
}
