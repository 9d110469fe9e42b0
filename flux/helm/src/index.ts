export type { ArtifactReader } from './chart-cache.ts';
export {
  createHelmControllers,
  type HelmControllers,
  type HelmPorts,
} from './helm-controllers.ts';
export { releaseName, releaseNamespace, storageNamespace } from './names.ts';
export { originLabels } from './post-renderer.ts';
export { releaseMerge } from './release-merge.ts';
export type { HealthCheck, ObjectVerdict } from './waits.ts';
