import { formatKey } from '@capstan/kube-object';
import type {
  NextSteps,
  PlannedWave,
  StepObservation,
  StepResult,
  StepState,
  SyncPlan,
  SyncProgress,
  SyncStep,
} from './types.ts';

export const CLEAN_PROGRESS: SyncProgress = { states: new Map(), cleaned: new Set() };

/**
 * What may be done now. Waves run one after the other, each waiting for the goals of the one before; the last wave, when it
 * holds no hook, is done as soon as it is applied, and a plan of a single wave waits for its hooks alone (Argo CD does the
 * same: a sync ends with its last request). After a
 * failure nothing further of the ordinary phases begins; hooks that run are awaited, then the SyncFail hooks run.
 * Hooks that are over are cleaned as their policies ask, before the outcome is told.
 */
export function nextSteps(plan: SyncPlan, progress: SyncProgress): NextSteps {
  const waves = plan.phases.flatMap((phase) => phase.waves);
  const ordinary = waves.filter(({ phase }) => phase !== 'SyncFail');
  const failed = ordinary.some((wave) => isOver(wave, progress) && hasFailed(wave, progress));
  if (failed) return afterFailure(waves, progress);
  const last = ordinary.at(-1);
  const hasSteps = waves.length > 1;
  for (const wave of ordinary) {
    const next = nextInWave(wave, progress, { isLast: wave === last, hasSteps });
    if (next !== undefined) return next;
  }
  const endsWithHooks = last === undefined || hooksOf(last).length > 0;
  const message = `successfully synced (${endsWithHooks ? 'no more tasks' : 'all tasks run'})`;
  return finish(ordinary, progress, { failed: false, message });
}

export function recordResult(
  progress: SyncProgress,
  step: SyncStep,
  result: StepResult,
): SyncProgress {
  const { message } = result;
  const state: StepState =
    result.outcome === 'failed'
      ? { kind: 'failed', result, message }
      : needsWatching(step, result)
        ? { kind: 'running', result, message }
        : { kind: 'succeeded', result, message };
  return withState(progress, step, state);
}

export function recordObservation(
  progress: SyncProgress,
  step: SyncStep,
  observation: StepObservation,
): SyncProgress {
  const known = progress.states.get(step.id);
  if (known === undefined || known.kind !== 'running') return progress;
  const { result } = known;
  const fallback = observation.kind === 'waiting' ? known.message : result.message;
  const message = observation.message === '' ? fallback : observation.message;
  switch (observation.kind) {
    case 'reached':
      return withState(progress, step, { kind: 'succeeded', result, message });
    case 'missed':
      return withState(progress, step, { kind: 'failed', result, message });
    case 'waiting':
      return withState(progress, step, { kind: 'running', result, message });
  }
}

export function recordCleaned(progress: SyncProgress, step: SyncStep): SyncProgress {
  return { ...progress, cleaned: new Set([...progress.cleaned, step.id]) };
}

function withState(progress: SyncProgress, step: SyncStep, state: StepState): SyncProgress {
  return { ...progress, states: new Map(progress.states).set(step.id, state) };
}

function needsWatching(step: SyncStep, result: StepResult): boolean {
  if (step.options.dryRun || result.outcome === 'prune skipped') return false;
  return step.goal !== 'applied';
}

function nextInWave(
  wave: PlannedWave,
  progress: SyncProgress,
  { isLast, hasSteps }: { readonly isLast: boolean; readonly hasSteps: boolean },
): NextSteps | undefined {
  const steps = wave.batches.flat();
  const held = steps.filter(({ refused }) => refused === 'awaits confirmation');
  if (held.length > 0) return waitFor(held, 'confirmation');
  for (const batch of wave.batches) {
    const pending = batch.filter(({ id }) => !progress.states.has(id));
    if (pending.length > 0) return { kind: 'run', steps: pending };
    // A kind must be served before its objects can be sent.
    const unready = running(batch, progress).filter(({ goal }) => goal === 'established');
    if (unready.length > 0) return waitFor(unready, 'health');
  }
  if (isLast && hooksOf(wave).length === 0) return undefined;
  const open = running(steps, progress);
  const alive = open.filter(({ verb }) => verb === 'hook' || (hasSteps && verb === 'apply'));
  if (alive.some(({ verb }) => verb === 'hook')) return waitFor(alive, 'hook');
  if (alive.length > 0) return waitFor(alive, 'health');
  const deletions = open.filter(({ verb }) => verb === 'prune');
  return deletions.length > 0 ? waitFor(deletions, 'deletion') : undefined;
}

function hooksOf({ batches }: PlannedWave): readonly SyncStep[] {
  return batches.flat().filter(({ verb }) => verb === 'hook');
}

function afterFailure(waves: readonly PlannedWave[], progress: SyncProgress): NextSteps {
  const ordinary = waves.filter(({ phase }) => phase !== 'SyncFail');
  const runningHooks = running(
    ordinary.flatMap(({ batches }) => batches.flat()),
    progress,
  ).filter(({ verb }) => verb === 'hook');
  if (runningHooks.length > 0) return waitFor(runningHooks, 'hook');
  const onFailure = waves.filter(({ phase }) => phase === 'SyncFail');
  for (const wave of onFailure) {
    const next = nextInWave(wave, progress, { isLast: false, hasSteps: true });
    if (next !== undefined) return next;
  }
  const reasons = failures(ordinary, progress);
  const more = failures(onFailure, progress);
  const began = reasons.some(({ result }) => result.outcome === 'failed');
  const head = began
    ? 'one or more objects failed to apply'
    : 'one or more synchronization tasks completed unsuccessfully';
  const message = `${head}, reason: ${tellAll(reasons)}`;
  const tail =
    more.length === 0 ? '' : `\none or more SyncFail hooks failed, reason: ${tellAll(more)}`;
  return finish(waves, progress, { failed: true, message: `${message}${tail}` });
}

function finish(
  waves: readonly PlannedWave[],
  progress: SyncProgress,
  { failed, message }: { failed: boolean; message: string },
): NextSteps {
  const policy = failed ? 'HookFailed' : 'HookSucceeded';
  const over = waves
    .flatMap(({ batches }) => batches.flat())
    .filter((step) => step.verb === 'hook' && progress.states.get(step.id) !== undefined)
    .filter((step) => step.hookDeletePolicies.includes(policy) && !progress.cleaned.has(step.id));
  if (over.length > 0) return { kind: 'clean', steps: over };
  if (!failed) return { kind: 'finished', outcome: { kind: 'succeeded', message } };
  const retryable = failures(waves, progress).every(({ result }) => result.retryable !== false);
  return { kind: 'finished', outcome: { kind: 'failed', message, retryable } };
}

/** All of its steps were begun. */
function isOver(wave: PlannedWave, progress: SyncProgress): boolean {
  return wave.batches.every((batch) => batch.every(({ id }) => progress.states.has(id)));
}

function hasFailed(wave: PlannedWave, progress: SyncProgress): boolean {
  return failures([wave], progress).length > 0;
}

function failures(waves: readonly PlannedWave[], progress: SyncProgress): readonly StepState[] {
  return waves
    .flatMap(({ batches }) => batches.flat())
    .flatMap(({ id }) => progress.states.get(id) ?? [])
    .filter(({ kind }) => kind === 'failed');
}

function running(steps: readonly SyncStep[], progress: SyncProgress): readonly SyncStep[] {
  return steps.filter(({ id }) => progress.states.get(id)?.kind === 'running');
}

const WHAT = {
  hook: 'completion of hook',
  health: 'healthy state of',
  deletion: 'deletion of',
  confirmation: 'pruning confirmation of',
} as const;

/** In the words of the original, which its command prints: a hook is named before others. */
function waitFor(steps: readonly SyncStep[], why: keyof typeof WHAT): NextSteps {
  const hooks = steps.filter(({ verb }) => verb === 'hook');
  const first = hooks[0] ?? steps[0];
  const { group = '', kind = '', name = '' } = first?.key ?? {};
  const more = steps.length - 1;
  const what = hooks.length === steps.length ? 'hooks' : 'resources';
  const tail = more === 0 ? '' : ` and ${more} more ${what}`;
  const message = `waiting for ${WHAT[why]} ${group}/${kind}/${name}${tail}`;
  return { kind: 'wait', for: steps, why, message };
}

/** Each reason once. */
function tellAll(states: readonly StepState[]): string {
  return [...new Set(states.map(({ message }) => message))].join(',');
}

/** One line for a person. */
export function describeStep(step: SyncStep): string {
  const refused = step.refused === undefined ? '' : ` (${step.refused})`;
  const note = step.inSync ? ' (in sync)' : refused;
  return `${step.verb} ${formatKey(step.key)}${note}`;
}
