import type { RenderSpec } from '@capstan/engine-render';
import { type FileTree, joinPath, readText, resolvePath } from '@capstan/lib-files';
import { parseYaml } from '@capstan/lib-yaml';

const KUSTOMIZATION = /^kustomization(?:\.ya?ml)?$/i;
const LISTS = ['resources', 'bases', 'components', 'patches', 'patchesStrategicMerge', 'crds'];
const DEPTH_MAX = 16;

/**
 * About how many files a render of data reads, counted no further than `enough`: what a folder holds, or what kustomizations
 * name, and those that they name. A look at a few files, which guesses low where it cannot know.
 */
export function weighRender(tree: FileTree, spec: RenderSpec, enough: number): number {
  const folder = resolvePath('', spec.path);
  if (folder === undefined || spec.kind === 'helm') return 0;
  const scale: Scale = { tree, enough, seen: new Set(), weight: 0 };
  const isKustomization = spec.kind !== 'directory' && kustomizationIn(tree, folder) !== undefined;
  if (isKustomization) weighKustomization(folder, 0, scale);
  else weighFolder(folder, { deep: spec.kind === 'kustomize' || spec.recurse === true }, scale);
  return scale.weight;
}

interface Scale {
  readonly tree: FileTree;
  readonly enough: number;
  /** A base that several name is built once. */
  readonly seen: Set<string>;
  weight: number;
}

function weighFolder(folder: string, { deep }: { readonly deep: boolean }, scale: Scale): void {
  for (const { name, kind } of scale.tree.readDirectory(folder) ?? []) {
    if (scale.weight >= scale.enough) return;
    if (kind === 'file') scale.weight += /\.(?:ya?ml|json)$/.test(name) ? 1 : 0;
    else if (deep && kind === 'directory') weighFolder(joinPath(folder, name), { deep }, scale);
  }
}

function weighKustomization(folder: string, depth: number, scale: Scale): void {
  if (depth > DEPTH_MAX || scale.seen.has(folder)) return;
  scale.seen.add(folder);
  const file = kustomizationIn(scale.tree, folder);
  for (const entry of file === undefined ? [] : entriesOf(scale.tree, file)) {
    if (scale.weight >= scale.enough) return;
    const path = resolvePath(folder, entry);
    const kind = path === undefined ? undefined : scale.tree.stat(path)?.kind;
    if (kind === 'directory') weighKustomization(path ?? '', depth + 1, scale);
    else scale.weight++;
  }
}

function kustomizationIn(tree: FileTree, folder: string): string | undefined {
  const found = (tree.readDirectory(folder) ?? []).find(({ name }) => KUSTOMIZATION.test(name));
  return found && joinPath(folder, found.name);
}

/** What is no path weighs as much as one: a patch that stands in the file itself. */
function entriesOf(tree: FileTree, file: string): readonly string[] {
  try {
    const value: unknown = parseYaml(readText(tree, file) ?? '');
    if (typeof value !== 'object' || value === null) return [];
    return LISTS.flatMap((name) => {
      const list: unknown = Reflect.get(value, name);
      return Array.isArray(list) ? list.map((one) => (typeof one === 'string' ? one : '\0')) : [];
    });
  } catch {
    return [];
  }
}
