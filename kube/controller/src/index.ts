export {
  type ControllerMetrics,
  createControllerMetrics,
  createLeaderMetric,
  createRequestMetrics,
} from './controller-metrics.ts';
export type {
  Controller,
  EnqueueOptions,
  Reconcile,
  ReconcileResult,
} from './controller-types.ts';
export {
  type ControllerOptions,
  type ControllerRuntime,
  createController,
} from './create-controller.ts';
export { type EnqueueChangesOptions, enqueueChanges, isMeaningful } from './enqueue-changes.ts';
export {
  createEventRecorder,
  type EventInput,
  type EventRecorder,
  type EventRecorderOptions,
} from './event-recorder.ts';
export { LeadershipLost, Moved, Shutdown, Superseded } from './interruption.ts';
export type { GateTenant, KeyGate } from './key-gate.ts';
export { type LeaderElectionOptions, runAsLeader } from './leader-elector.ts';
export {
  type Counter,
  createRegistry,
  type Gauge,
  type Histogram,
  type Labels,
  type Registry,
} from './metrics.ts';
export { pinKeys } from './pin-keys.ts';
export {
  bucketLimiter,
  cappedLimiter,
  exponentialLimiter,
  fastSlowLimiter,
  maxOfLimiters,
  type RateLimiter,
} from './rate-limiter.ts';
export { currentReconcileId } from './reconcile-id.ts';
export { ownerOf } from './rendezvous.ts';
export {
  runShardMember,
  type ShardMembership,
  type ShardMembershipOptions,
  shardLabel,
} from './shard-membership.ts';
export { StatusWrites } from './status-writes.ts';
export { systemClock } from './system-clock.ts';
