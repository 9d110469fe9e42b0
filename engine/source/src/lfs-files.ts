/** Which files of a tree are kept by Git LFS (specification: git-lfs/docs/spec.md). Pure. */
import { type FileTree, joinPath, readText } from '@capstan/lib-files';
import { type IgnorePattern, isIgnored, parsePatterns } from './ignore-patterns.ts';

export interface LfsPointer {
  /** sha256 of the content, in hex. */
  readonly oid: string;
  readonly sizeBytes: number;
}

/** A pointer is a small text; larger blobs are not looked into. */
const POINTER_BYTES_MAX = 1024;
const VERSION = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n/;

export function parsePointer(bytes: Uint8Array): LfsPointer | undefined {
  if (bytes.length > POINTER_BYTES_MAX) return undefined;
  const text = new TextDecoder().decode(bytes);
  if (!VERSION.test(text)) return undefined;
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  return oid === undefined || size === undefined ? undefined : { oid, sizeBytes: Number(size) };
}

/** Pointers by path, among the files that .gitattributes files give to the filter `lfs`. */
export function findPointers(tree: FileTree): ReadonlyMap<string, LfsPointer> {
  const pointers = new Map<string, LfsPointer>();
  const walk = (folder: string, given: readonly IgnorePattern[]): void => {
    const text = readText(tree, joinPath(folder, '.gitattributes'));
    const patterns = text === undefined ? given : [...given, ...readAttributes(text, folder)];
    for (const { name, kind } of tree.readDirectory(folder) ?? []) {
      const path = joinPath(folder, name);
      if (kind === 'directory') walk(path, patterns);
      if (kind !== 'file' || !isIgnored(patterns, path.split('/'), false)) continue;
      const bytes = tree.readFile(path);
      const pointer = bytes === undefined ? undefined : parsePointer(bytes);
      if (pointer !== undefined) pointers.set(path, pointer);
    }
  };
  walk('', []);
  return pointers;
}

/** Attribute lines have the patterns of .gitignore; the last line that speaks of `filter` decides. */
function readAttributes(text: string, folder: string): readonly IgnorePattern[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [pattern = '', ...attributes] = line.trim().split(/\s+/);
    if (pattern === '' || pattern.startsWith('#') || pattern.startsWith('!')) return [];
    const last = attributes.findLast((one) => /^[-!]?filter(?:=|$)/.test(one));
    if (last === undefined) return [];
    const isKept = last === 'filter=lfs';
    return parsePatterns(`${isKept ? '' : '!'}${pattern}`, folder);
  });
}
