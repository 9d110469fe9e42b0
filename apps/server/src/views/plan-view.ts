import type { AppRef, PlanObject, PlanStep, PlanView } from '@capstan/apps-contract';
import type { SyncPreview } from '@capstan/engine-delivery';
import type { SyncStep } from '@capstan/engine-sync';
import { keyString, type ObjectKey } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { toDifferenceView } from './resource-detail.ts';

/** What a sync would do, for people. Differences come masked where they are secret. */
export function toPlanView(ref: AppRef, preview: SyncPreview | undefined): PlanView {
  if (preview === undefined) {
    const message = `there is no plan of ${ref.kind} ${ref.namespace}/${ref.name}: what it wants is not known`;
    throw new CapstanError('NOT_FOUND', message, { hint: 'see whether its source is ready' });
  }
  const { plan, revisions, problems, differences } = preview;
  return {
    revisions: revisions.map(({ id }) => id),
    problems: problems.map(({ severity, message }) => ({ severity, message })),
    waves:
      plan === undefined
        ? null
        : plan.phases.flatMap(({ waves }) =>
            waves.map(({ phase, wave, batches }) => ({
              phase,
              wave,
              steps: batches.flat().map((step) => toStep(step, differences)),
            })),
          ),
    skipped: (plan?.skipped ?? []).map(({ key, reason }) => ({ object: toObject(key), reason })),
  };
}

function toStep(step: SyncStep, differences: SyncPreview['differences']): PlanStep {
  const change = changeOf(step);
  const shown = change === 'change' ? (differences.get(keyString(step.key)) ?? []) : [];
  return {
    change,
    object: toObject(step.key),
    note: step.refused ?? '',
    differences: shown.map(toDifferenceView),
  };
}

function changeOf({ verb, inSync, live, refused }: SyncStep): PlanStep['change'] {
  if (verb === 'hook') return 'hook';
  if (verb === 'prune') return refused === undefined ? 'prune' : 'keep';
  if (live === undefined) return 'create';
  return inSync ? 'unchanged' : 'change';
}

function toObject({ group, kind, namespace, name }: ObjectKey): PlanObject {
  return { group, kind, namespace, name };
}
