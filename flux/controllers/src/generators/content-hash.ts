import { type FileTree, joinPath } from '@capstan/lib-files';

/**
 * The name that source-watcher gives the file of an artifact: Adler-32 over the Adler-32 and path of each file, in the order
 * of the paths, each below the artifact's name. No proof of anything: equal files give equal names.
 */
export function contentHash(name: string, tree: FileTree): string {
  const sums = new Map<string, number>();
  for (const path of filesOf(tree, '')) {
    sums.set(`${name}/${path}`, adler32(tree.readFile(path) ?? new Uint8Array()));
  }
  const paths = [...sums.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = paths.map((path) => `${(sums.get(path) ?? 0).toString(16)}  ${path}\n`);
  return String(adler32(new TextEncoder().encode(lines.join(''))));
}

function* filesOf(tree: FileTree, folder: string): Generator<string> {
  for (const { name, kind } of tree.readDirectory(folder) ?? []) {
    const path = joinPath(folder, name);
    if (kind === 'directory') yield* filesOf(tree, path);
    else if (kind === 'file') yield path;
  }
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}
