export { followedSource } from './await-dependencies.ts';
export { AwaitedObjects } from './awaited-objects.ts';
export {
  type Cluster,
  type ClusterOptions,
  createCluster,
  keyOfOwner,
  OWNER_INDEX,
  watchOwners,
} from './cluster.ts';
export {
  actAs,
  type ClusterAccess,
  ClusterPool,
  type ClusterPoolOptions,
  serviceAccount,
} from './cluster-pool.ts';
export { createVerdictCache, type VerdictCache } from './compare-live.ts';
export { type Decision, decide, decideRetry, type Situation } from './decide.ts';
export {
  type DeleteOptions,
  type DeletionPolicy,
  type DeletionState,
  deleteDelivery,
} from './delete-delivery.ts';
export { cleanDeleteHooks, type DeleteHooksState, runDeleteHooks } from './delete-hooks.ts';
export {
  DEPENDS_ON,
  DependencyGraph,
  type DependencyGraphOptions,
  type DependencyNode,
  type DependencyReader,
  type DependencyRef,
  type DependencyVerdict,
  readDependsOn,
  type SourceCommit,
} from './dependency-graph.ts';
export { findRefusal, fitsNegatable, isNamespaceAllowed } from './guard.ts';
export { awaitedBy } from './health-gate.ts';
export type { Weight } from './held-wakes.ts';
export { inspectObject, type ObjectInsight } from './inspect-object.ts';
export { problemOf } from './load-desired.ts';
export { mapLimited } from './map-limited.ts';
export { externalUrlsOf, imagesOf } from './object-info.ts';
export { persist } from './persist.ts';
export type { DeliveryLook, DeliveryPorts } from './ports.ts';
export { PREEMPT, readPreemption } from './preemption.ts';
export { type PreviewOptions, previewSync, type SyncPreview } from './preview-sync.ts';
export { withReferences } from './refer-sources.ts';
export { type Look, runDelivery } from './run-delivery.ts';
export { ChangeJudge, type LoadedRender, SourceWatches } from './source-watches.ts';
export { type FieldTrace, type TracedLine, traceField, withAuthor } from './trace-field.ts';
export type {
  Automation,
  ComparePolicy,
  Delivery,
  DeliveryId,
  DeliverySource,
  DeliveryStatus,
  DeliverySyncPolicy,
  Destination,
  Guard,
  HealthGate,
  HealthPolicy,
  InlineFields,
  InventoryEntry,
  KindList,
  KindPattern,
  KnownType,
  NamespaceRule,
  ObjectStatus,
  OperationPhase,
  OperationRequest,
  OperationResult,
  OperationState,
  Problem,
  RetryPolicy,
  SourceRevision,
  SyncHold,
  SyncStatus,
  TrackingMark,
} from './types.ts';
export { unlookedStatus } from './unlooked-status.ts';
