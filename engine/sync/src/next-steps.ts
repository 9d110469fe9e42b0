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
 * same: a sync ends with its last request). After a failure nothing further of the ordinary phases begins; what runs is
 * awaited as before, hooks are deleted as their policies ask, and the SyncFail hooks run.
 */
export function nextSteps(plan: SyncPlan, progress: SyncProgress): NextSteps {
  const waves = plan.phases.flatMap((phase) => phase.waves);
  const ordinary = waves.filter(({ phase }) => phase !== 'SyncFail');
  const failed = ordinary.some((wave) => hasFailed(wave, progress));
  if (failed) return afterFailure(waves, progress);
  const last = ordinary.at(-1);
  const hasSteps = waves.length > 1;
  for (const wave of ordinary) {
    const next = nextInWave(wave, progress, { isLast: wave === last, hasSteps });
    if (next !== undefined) return next;
  }
  const endsWithHooks = last === undefined || hooksOf(last).length > 0;
  const message = endsWithHooks
    ? 'successfully synced (no more tasks)'
    : 'successfully synced (all tasks run)';
  return afterSuccess(waves, progress, message);
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
  // A hook that an earlier sync left was deleted for its policy; the one that is made now is another.
  const cleaned = new Set(progress.cleaned);
  cleaned.delete(step.id);
  return withState({ ...progress, cleaned }, step, state);
}

export function recordObservation(
  progress: SyncProgress,
  step: SyncStep,
  observation: StepObservation,
): SyncProgress {
  const known = progress.states.get(step.id);
  if (known === undefined || known.kind !== 'running') return progress;
  const { result } = known;
  // Until it is known what becomes of an object, what was done to it is told; of a hook, how far it is.
  const tellsDone = observation.kind === 'waiting' && step.verb !== 'hook';
  const fallback = observation.kind === 'waiting' ? known.message : result.message;
  const message = observation.message === '' || tellsDone ? fallback : observation.message;
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
  const alive = open.filter(({ verb }) => isAwaited(verb, hasSteps));
  if (alive.some(({ verb }) => verb === 'hook')) return waitFor(alive, 'hook');
  if (alive.length > 0) return waitFor(alive, 'health');
  const deletions = open.filter(({ verb }) => verb === 'prune');
  return deletions.length > 0 ? waitFor(deletions, 'deletion') : undefined;
}

function hooksOf({ batches }: PlannedWave): readonly SyncStep[] {
  return batches.flat().filter(({ verb }) => verb === 'hook');
}

/**
 * What is still to be done once something failed, in the order of the original: hooks for failures begin at once beside what
 * runs when an object could not be sent, and else when all that runs has ended and the hooks that ask for it are deleted.
 */
function afterFailure(waves: readonly PlannedWave[], progress: SyncProgress): NextSteps {
  const steps = stepsIn(waves);
  const ordinary = waves.filter(({ phase }) => phase !== 'SyncFail');
  const onFailure = steps.filter(({ phase }) => phase === 'SyncFail');
  const pending = onFailure.filter(({ id }) => !progress.states.has(id));
  const wasRefused = failures(ordinary, progress).some(({ result }) => result.outcome === 'failed');
  if (wasRefused && pending.length > 0) return { kind: 'run', steps: pending };
  const endsAtOnce = wasRefused && onFailure.length === 0 && !wasSentBeside(ordinary, progress);
  const open = running(steps, progress).filter(({ verb }) => isAwaited(verb, waves.length > 1));
  if (open.length > 0 && !endsAtOnce) {
    return waitFor(open, open.some(({ verb }) => verb === 'hook') ? 'hook' : 'health');
  }
  const over = hooksToDelete(steps, progress, 'HookFailed');
  if (over.length > 0) return { kind: 'clean', steps: over };
  if (pending.length > 0) return { kind: 'run', steps: pending };
  const head = endsAtOnce
    ? 'one or more objects failed to apply'
    : 'one or more synchronization tasks completed unsuccessfully';
  const message = `${head}, reason: ${tellAll(failures(ordinary, progress))}`;
  const more = onFailure.flatMap(({ id }) => failedState(progress.states.get(id)));
  const tail =
    more.length === 0 ? '' : `\none or more SyncFail hooks failed, reason: ${tellAll(more)}`;
  const retryable = failures(waves, progress).every(({ result }) => result.retryable !== false);
  return {
    kind: 'finished',
    outcome: { kind: 'failed', message: `${message}${tail}`, retryable },
  };
}

/** Something else was sent in the wave in which something could not be: what came of it is seen first. */
function wasSentBeside(waves: readonly PlannedWave[], progress: SyncProgress): boolean {
  return waves
    .filter((wave) => failures([wave], progress).some(({ result }) => result.outcome === 'failed'))
    .some((wave) =>
      stepsIn([wave]).some(({ id, verb }) => {
        const state = progress.states.get(id);
        return verb !== 'prune' && state !== undefined && state.result.outcome !== 'failed';
      }),
    );
}

/** Hooks are always waited for; objects where there is a next step. */
function isAwaited(verb: SyncStep['verb'], hasSteps: boolean): boolean {
  return verb === 'hook' || (hasSteps && verb === 'apply');
}

/** Those that ask for it and are there, whether they ran in this sync or were left by an earlier one. */
function hooksToDelete(
  steps: readonly SyncStep[],
  { states, cleaned }: SyncProgress,
  policy: 'HookFailed' | 'HookSucceeded',
): readonly SyncStep[] {
  return steps.filter((step) => {
    const state = states.get(step.id);
    const isThere = step.live !== undefined || state?.result.live !== undefined;
    return (
      step.verb === 'hook' &&
      isThere &&
      state?.kind !== 'running' &&
      step.hookDeletePolicies.includes(policy) &&
      !cleaned.has(step.id)
    );
  });
}

function afterSuccess(
  waves: readonly PlannedWave[],
  progress: SyncProgress,
  message: string,
): NextSteps {
  const over = hooksToDelete(stepsIn(waves), progress, 'HookSucceeded');
  if (over.length > 0) return { kind: 'clean', steps: over };
  return { kind: 'finished', outcome: { kind: 'succeeded', message } };
}

function stepsIn(waves: readonly PlannedWave[]): readonly SyncStep[] {
  return waves.flatMap(({ batches }) => batches.flat());
}

function failedState(state: StepState | undefined): readonly StepState[] {
  return state?.kind === 'failed' ? [state] : [];
}

/**
 * What turned bad counts at once, and so does what could not be pruned: nothing else of its wave is sent. What could not be applied
 * counts when the rest of its wave was sent as well.
 */
function hasFailed(wave: PlannedWave, progress: SyncProgress): boolean {
  const steps = stepsIn([wave]);
  const isOver = steps.every(({ id }) => progress.states.has(id));
  return steps.some(({ id, verb }) =>
    failedState(progress.states.get(id)).some(
      ({ result }) => isOver || verb === 'prune' || result.outcome !== 'failed',
    ),
  );
}

function failures(waves: readonly PlannedWave[], progress: SyncProgress): readonly StepState[] {
  return stepsIn(waves).flatMap(({ id }) => failedState(progress.states.get(id)));
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
