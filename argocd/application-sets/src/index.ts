export {
  type ApplicationSetController,
  type ApplicationSetControllerOptions,
  type ApplicationSetControllerPorts,
  type ApplicationSetSettings,
  createApplicationSetController,
} from './application-set-controller.ts';
export { createOutside, type OutsideOptions } from './create-outside.ts';
export { DELETION_BUDGET } from './deletion-budget.ts';
export { DRY_RUN } from './dry-run.ts';
export {
  type Generation,
  type GenerationPorts,
  generateApplications,
} from './generate-applications.ts';
export {
  IN_CLUSTER,
  type Outside,
  type RegisteredCluster,
  type ScmSettings,
  type Surroundings,
} from './observation.ts';
export { type ApplicationPlan, type PlanInput, planApplications } from './plan-applications.ts';
export type { GeneratedApplication } from './render-application.ts';
export type { AwsCredentials, AwsSurroundings } from './scm/aws-request.ts';
export { parseSet, readCluster } from './set-state.ts';
export { applicationSetLanguage } from './template-functions.ts';
export { qualifiedName, validateApplications } from './validate-applications.ts';
