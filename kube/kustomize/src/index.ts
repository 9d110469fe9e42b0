export {
  type BuildOptions,
  type BuildResult,
  type Built,
  build,
  KUSTOMIZE_VERSION,
} from './build.ts';
export { KustomizeCache } from './cache.ts';
export { type BuildLimits, DEFAULT_BUILD_LIMITS } from './context.ts';
export type { ChartRequest, RenderChart } from './helm.ts';
export { type HelmChartEntry, lenientKustomization } from './kustomization.ts';
export type { FieldOrigin, Origins } from './origins.ts';
export type { ChartPull, RemoteAnswer, RemotePolicy, RemotePort, RemoteRequest } from './remote.ts';
export { requireAdmitted } from './remote.ts';
export { parseRepoSpec, type RepoSpec } from './repo-spec.ts';
