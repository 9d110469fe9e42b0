import { type FileTree, joinPath } from '@capstan/lib-files';
import { CapstanError, type Diagnostic } from '@capstan/lib-std';
import type { DesiredObject } from './desired-state.ts';
import { findKustomization } from './overlay-kustomization.ts';
import type { KustomizeOptions } from './render-spec.ts';

export function renderKustomize(
  tree: FileTree,
  folder: string,
  _options: KustomizeOptions,
): { readonly objects: readonly DesiredObject[]; readonly diagnostics: readonly Diagnostic[] } {
  throw new CapstanError(
    'KUSTOMIZE_UNSUPPORTED',
    `pending ${findKustomization(tree, joinPath(folder, ''))}`,
  );
}
