export {
  type DeleteHooksNext,
  hooksToClean,
  type LiveHook,
  nextDeleteHooks,
  planDeleteHooks,
} from './delete-hooks.ts';
export { compareKinds } from './kind-order.ts';
export {
  CLEAN_PROGRESS,
  describeStep,
  nextSteps,
  recordCleaned,
  recordObservation,
  recordResult,
} from './next-steps.ts';
export { planSync, selectorOf, stepsOf } from './plan-sync.ts';
export { printPlan } from './print-plan.ts';
export { isDeleteHook, isHook, isLeftAlone, readHints } from './read-hints.ts';
export { leavesOutUnknown, sendsRepeated, validates } from './step-options.ts';
export { SYNC_DEFAULTS } from './sync-defaults.ts';
export type {
  DeletePhase,
  FormerManager,
  HookDeletePolicy,
  HookObject,
  HookVocabulary,
  ManagedNamespace,
  NextSteps,
  Permission,
  PhaseName,
  PlannedPhase,
  PlannedWave,
  Propagation,
  SkippedObject,
  StagedKind,
  StepGoal,
  StepObservation,
  StepOptions,
  StepResult,
  StepState,
  SyncHints,
  SyncInput,
  SyncOutcome,
  SyncPlan,
  SyncPolicy,
  SyncProgress,
  SyncStep,
  SyncSwitch,
  SyncVocabulary,
  TypedKinds,
} from './types.ts';
