import {
  type StepResult,
  type StepState,
  type SyncPlan,
  type SyncProgress,
  type SyncStep,
  stepsOf,
} from '@capstan/engine-sync';
import { parseApiVersion } from '@capstan/kube-object';
import { imagesOf } from './object-info.ts';
import type { OperationResult } from './types.ts';

/** What a status keeps of the progress, in the order of the plan. */
export function resultsOf(plan: SyncPlan, progress: SyncProgress): readonly OperationResult[] {
  return stepsOf(plan).flatMap((step) => {
    const state = progress.states.get(step.id);
    return state === undefined ? [] : [toResult(step, state)];
  });
}

/** The progress that a status kept: a restarted process goes on where the last one stopped, and runs no hook twice. */
export function progressOf(plan: SyncPlan, results: readonly OperationResult[]): SyncProgress {
  const byId = new Map(results.map((result) => [result.stepId, result]));
  const states = new Map<string, StepState>();
  for (const step of stepsOf(plan)) {
    const result = byId.get(step.id);
    if (result !== undefined) states.set(step.id, toState(step, result));
  }
  return { states, cleaned: new Set() };
}

function toResult(step: SyncStep, { kind, result, message }: StepState): OperationResult {
  const shown = step.object ?? step.live;
  return {
    stepId: step.id,
    key: step.key,
    version: parseApiVersion(step.apiVersion).version,
    phase: step.phase,
    hook: step.verb === 'hook',
    status: statusOf(result),
    state: kind === 'running' ? 'Running' : kind === 'succeeded' ? 'Succeeded' : 'Failed',
    outcome: result.outcome,
    message,
    images: shown === undefined ? [] : imagesOf(shown),
  };
}

function statusOf({ outcome }: StepResult): OperationResult['status'] {
  switch (outcome) {
    case 'pruned':
    case 'deleted':
      return 'Pruned';
    case 'prune skipped':
      return 'PruneSkipped';
    case 'failed':
      return 'SyncFailed';
    case 'created':
    case 'configured':
    case 'unchanged':
      return 'Synced';
  }
}

function toState(step: SyncStep, kept: OperationResult): StepState {
  const { status, state, message, outcome = outcomeOf(status) } = kept;
  const result: StepResult = { stepId: step.id, key: step.key, outcome, message };
  const kind = state === 'Running' ? 'running' : state === 'Succeeded' ? 'succeeded' : 'failed';
  return { kind, result, message };
}

/** As far as a status tells, where nothing else is known of what a step did. */
function outcomeOf(status: OperationResult['status']): StepResult['outcome'] {
  switch (status) {
    case 'Pruned':
      return 'pruned';
    case 'PruneSkipped':
      return 'prune skipped';
    case 'SyncFailed':
      return 'failed';
    case 'Synced':
      return 'configured';
  }
}
