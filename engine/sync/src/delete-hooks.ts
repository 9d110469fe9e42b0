/**
 * Hooks of a delivery's end: PreDelete before its objects are deleted, PostDelete when they are gone (Argo CD's
 * documentation: "PreDelete and PostDelete Hooks"). No progress is kept anywhere: what is live tells how far they have
 * come, so that any process can go on. They run wave by wave; Argo CD creates them all at once.
 */
import type { KubeObject } from '@capstan/kube-object';
import { groupPhases, makeStep, nameHook, orderSteps } from './plan-sync.ts';
import { isDeleteHook, readHints } from './read-hints.ts';
import type {
  DeletePhase,
  HookDeletePolicy,
  StepObservation,
  SyncPlan,
  SyncPolicy,
  SyncStep,
  SyncVocabulary,
} from './types.ts';

/** The hooks among these that run in one of the two phases, in order. */
export function planDeleteHooks(
  hooks: readonly KubeObject[],
  phase: DeletePhase,
  policy: SyncPolicy,
): SyncPlan {
  const { vocabulary, hookSuffix } = policy;
  const due = hooks.filter((hook) => isDeleteHook(hook, phase, vocabulary));
  const steps = due.map((hook) => {
    const hints = readHints(hook, vocabulary);
    const object = nameHook(hook, phase, hookSuffix);
    return makeStep({ verb: 'hook', phase, wave: hints.wave, object, policy, hints });
  });
  return { phases: groupPhases(orderSteps(steps)), skipped: [] };
}

export type DeleteHooksNext =
  | { readonly kind: 'run'; readonly steps: readonly SyncStep[] }
  | { readonly kind: 'wait'; readonly for: readonly SyncStep[]; readonly message: string }
  /** These are to be deleted; then everything begins again, by what Git says then. */
  | { readonly kind: 'failed'; readonly steps: readonly SyncStep[]; readonly message: string }
  | { readonly kind: 'done' };

/** What may be done now, by what is seen of each hook; undefined: it is not there. */
export function nextDeleteHooks(
  plan: SyncPlan,
  observe: (step: SyncStep) => StepObservation | undefined,
): DeleteHooksNext {
  for (const { phase, batches } of plan.phases.flatMap(({ waves }) => waves)) {
    const seen = batches.flat().map((step) => ({ step, observation: observe(step) }));
    const inState = (kind: StepObservation['kind'] | undefined) =>
      seen.filter(({ observation }) => observation?.kind === kind).map(({ step }) => step);
    const absent = inState(undefined);
    if (absent.length > 0) return { kind: 'run', steps: absent };
    const missed = inState('missed');
    if (missed.length > 0) {
      const reasons = seen.flatMap(({ step, observation }) =>
        observation?.kind === 'missed' ? [`${placeOf(step)}: ${observation.message}`] : [],
      );
      const message = `${phase} hook(s) failed: ${reasons.join(', ')}`;
      return { kind: 'failed', steps: missed, message };
    }
    const waiting = inState('waiting');
    if (waiting.length > 0) {
      const message = `waiting for ${phase} hook(s): ${waiting.map(placeOf).join(', ')}`;
      return { kind: 'wait', for: waiting, message };
    }
  }
  return { kind: 'done' };
}

function placeOf({ key }: SyncStep): string {
  return key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

export interface LiveHook {
  readonly object: KubeObject;
  readonly verdict: 'good' | 'bad' | 'open';
}

/**
 * Hooks of a phase that are to be deleted after it, as their policies ask: all of them are judged together. Without a
 * policy a hook stays, since it asks to be deleted before it is created again.
 */
export function hooksToClean(
  hooks: readonly LiveHook[],
  phase: DeletePhase,
  vocabulary: SyncVocabulary,
): readonly KubeObject[] {
  const own = hooks.filter(({ object }) => isDeleteHook(object, phase, vocabulary));
  const asked: HookDeletePolicy | undefined = own.some(({ verdict }) => verdict === 'bad')
    ? 'HookFailed'
    : own.every(({ verdict }) => verdict === 'good')
      ? 'HookSucceeded'
      : undefined;
  if (asked === undefined) return [];
  return own
    .map(({ object }) => object)
    .filter((object) => readHints(object, vocabulary).hookDeletePolicies.includes(asked));
}
