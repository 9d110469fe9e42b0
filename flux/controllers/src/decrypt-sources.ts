import type { RenderSpec } from '@capstan/engine-render';
import {
  baseName,
  type FileTree,
  joinPath,
  memoryTree,
  overlayAt,
  readText,
  resolvePath,
} from '@capstan/lib-files';
import { decryptSops, isSopsFile, type SopsFormat, type SopsKeys } from '@capstan/lib-sops';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';

const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * The tree with those encrypted files in plain text that the kustomizations below `spec.path` make Secrets or patches of
 * (secretGenerator's files and envs, patches by path). The same tree when there are none. A file that does not open, or does
 * not fit its MAC, is an error that names it.
 */
export async function decryptSources(
  tree: FileTree,
  spec: Extract<RenderSpec, { kind: 'kustomize' }>,
  keys: SopsKeys,
): Promise<FileTree> {
  const sources = new Map<string, SopsFormat>();
  const root = resolvePath('', spec.path) ?? '';
  const folders = [root];
  for (const component of spec.overlay?.components ?? [])
    folders.push(resolvePath(root, component) ?? root);
  const seen = new Set<string>();
  for (const folder of folders) collect(tree, folder, { sources, seen });
  const decrypted: { [path: string]: Uint8Array } = {};
  for (const [path, format] of sources) {
    const content = tree.readFile(path);
    if (content === undefined || !isSopsFile(content, format)) continue;
    decrypted[path] = await decryptSops(content, { format, keys }).catch((error: unknown) => {
      if (!(error instanceof CapstanError)) throw error;
      throw new CapstanError(error.code, `error decrypting sources: ${path}: ${error.message}`, {
        kind: 'wait',
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    });
  }
  return Object.keys(decrypted).length === 0 ? tree : overlayAt(tree, '', memoryTree(decrypted));
}

interface Collected {
  readonly sources: Map<string, SopsFormat>;
  readonly seen: Set<string>;
}

/** A folder without a kustomization gets one of all that is below it: so do we look. */
function collect(tree: FileTree, folder: string, found: Collected): void {
  if (found.seen.has(folder) || tree.stat(folder)?.kind !== 'directory') return;
  found.seen.add(folder);
  const file = KUSTOMIZATION_NAMES.map((name) => joinPath(folder, name)).find(
    (path) => tree.stat(path)?.kind === 'file',
  );
  if (file === undefined) {
    for (const entry of tree.readDirectory(folder) ?? [])
      if (entry.kind === 'directory') collect(tree, joinPath(folder, entry.name), found);
    return;
  }
  const kustomization = readKustomization(tree, file);
  const add = (path: string, format: SopsFormat) => {
    const resolved = resolvePath(folder, path);
    if (resolved !== undefined) found.sources.set(resolved, format);
  };
  for (const generator of listOf(kustomization['secretGenerator'])) {
    for (const source of textsOf(generator, 'files')) {
      const at = source.indexOf('=');
      const key = at < 0 ? source : source.slice(0, at);
      add(at < 0 ? source : source.slice(at + 1), formatOf(key));
    }
    for (const source of [...textsOf(generator, 'envs'), ...textsOf(generator, 'env')]) {
      const format = formatOf(source);
      add(source, format === 'binary' ? 'dotenv' : format);
    }
  }
  for (const patch of listOf(kustomization['patches'])) {
    const path = isRecord(patch) ? patch['path'] : undefined;
    if (typeof path === 'string') add(path, formatOf(path));
  }
  for (const name of ['resources', 'components', 'bases']) {
    for (const one of textsOf(kustomization, name)) {
      const resolved = resolvePath(folder, one);
      if (resolved !== undefined) collect(tree, resolved, found);
    }
  }
}

/** What cannot be read is the build's to tell. */
function readKustomization(tree: FileTree, file: string): { readonly [key: string]: unknown } {
  try {
    const value: unknown = parseYaml(readText(tree, file) ?? '');
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function formatOf(path: string): SopsFormat {
  const extension = /\.[^.]*$/.exec(baseName(path))?.[0] ?? '';
  switch (extension) {
    case '.yaml':
    case '.yml':
      return 'yaml';
    case '.json':
      return 'json';
    case '.env':
      return 'dotenv';
    case '.ini':
      return 'ini';
    default:
      return 'binary';
  }
}

function textsOf(value: unknown, name: string): readonly string[] {
  const list = isRecord(value) ? value[name] : undefined;
  if (typeof list === 'string') return [list];
  return listOf(list).filter((item) => typeof item === 'string');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
