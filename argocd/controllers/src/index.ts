export {
  type ApplicationController,
  type ApplicationControllerOptions,
  type ApplicationControllerPorts,
  createApplicationController,
} from './application-controller.ts';
export { applicationDependency } from './application-dependencies.ts';
export { applicationOwners, type TrackingSettings } from './application-owners.ts';
export { type ClusterRegistration, readClusterSecret } from './cluster-secret.ts';
export {
  type ClusterDirectory,
  type ClusterDirectoryOptions,
  createClusterDirectory,
  IN_CLUSTER,
  singleCluster,
} from './clusters.ts';
export type { AppKey } from './control-state.ts';
export { fitsListed } from './project-guard.ts';
export { type RenderApplicationOptions, renderApplication } from './render-application.ts';
export type { RepositoryCredential } from './repositories.ts';
export { readSettings, type Settings } from './settings.ts';
export { type RaisingContext, toApplicationStatus } from './to-application-status.ts';
export { type LoweringContext, toDelivery } from './to-delivery.ts';
