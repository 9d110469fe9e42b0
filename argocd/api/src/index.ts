export type { AppProject, AppProjectSpec, GroupKind, ProjectDestination } from './app-project.ts';
export type {
  Application,
  ApplicationCondition,
  ApplicationDestination,
  ApplicationSource,
  ApplicationSpec,
  ApplicationStatus,
  AutomatedSyncPolicy,
  DirectorySource,
  HealthStatus,
  HelmSource,
  KustomizeSource,
  Operation,
  OperationInitiator,
  OperationState,
  ResourceIgnoreDifferences,
  ResourceResult,
  ResourceStatus,
  RetryStrategy,
  RevisionHistory,
  SyncOperation,
  SyncOperationResult,
  SyncPolicy,
} from './application.ts';
export type {
  ApplicationSet,
  ApplicationSetCondition,
  ApplicationSetGenerator,
  ApplicationSetSpec,
  ApplicationSetStatus,
  ApplicationSetTemplate,
  ClusterGenerator,
  GitGenerator,
  ListGenerator,
  MatrixGenerator,
  MergeGenerator,
} from './application-set.ts';
export { argocdCrds } from './crds.ts';
export {
  ANNOTATION,
  API_VERSION,
  BACKGROUND_FINALIZER,
  FINALIZER,
  FOREGROUND_FINALIZER,
  GROUP,
  SECRET_TYPE_LABEL,
} from './names.ts';
export {
  type Parsed,
  parseApplication,
  parseApplicationSet,
  parseAppProject,
} from './parse-resources.ts';
