export {
  type ApplicationController,
  type ApplicationControllerOptions,
  type ApplicationControllerPorts,
  createApplicationController,
} from './application-controller.ts';
export { applicationOwners } from './application-owners.ts';
export { type ClusterDirectory, IN_CLUSTER, singleCluster } from './clusters.ts';
export type { AppKey } from './control-state.ts';
export {
  findCredential,
  type RepositoryCredential,
  readRepositoryCredential,
} from './repositories.ts';
export { type RaisingContext, toApplicationStatus } from './to-application-status.ts';
export { type LoweringContext, toDelivery } from './to-delivery.ts';
