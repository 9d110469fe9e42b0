import { type FileTree, joinPath, resolvePath } from '@capstan/lib-files';
import { findKustomization } from './overlay-kustomization.ts';
import type { RenderSpec } from './render-spec.ts';

/** What the destination offers, as charts ask for it. */
export interface ChartOffer {
  /** Names the rest: equal offers have equal ids. */
  readonly id: string;
  readonly kubeVersion: string;
  /** `apps/v1` and `apps/v1/Deployment`. */
  readonly apiVersions: readonly string[];
}

/** Whether a spec renders charts, so that its result depends on what is offered. */
export function rendersCharts(tree: FileTree, spec: RenderSpec): boolean {
  if (spec.kind === 'helm') return true;
  if (spec.kind === 'directory') return false;
  if (spec.kind === 'kustomize') return spec.charts !== undefined;
  const folder = resolvePath('', spec.path);
  if (folder === undefined) return false;
  if (tree.stat(joinPath(folder, 'Chart.yaml')) !== undefined) return true;
  return spec.charts !== undefined && findKustomization(tree, folder) !== undefined;
}
