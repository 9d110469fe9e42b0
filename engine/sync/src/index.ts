export { compareKinds } from './kind-order.ts';
export {
  CLEAN_PROGRESS,
  describeStep,
  nextSteps,
  recordCleaned,
  recordObservation,
  recordResult,
} from './next-steps.ts';
export { planSync, stepsOf } from './plan-sync.ts';
export { isHook, readHints } from './read-hints.ts';
export type {
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
} from './types.ts';
