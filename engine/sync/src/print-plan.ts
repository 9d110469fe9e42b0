import { describeStep } from './next-steps.ts';
import type { SyncPlan } from './types.ts';

/** A plan as lines for a person: a wave each, its batches separated by `|`; then what is left out, and why. */
export function printPlan(plan: SyncPlan): string {
  const lines = plan.phases.flatMap(({ name, waves }) =>
    waves.map(({ wave, batches }) => {
      const told = batches.map((batch) => batch.map(describeStep).join(', ')).join(' | ');
      return `${name} ${wave}: ${told}`;
    }),
  );
  const skipped = plan.skipped.map(
    ({ key, reason }) => `skipped ${key.kind} ${key.name}: ${reason}`,
  );
  return [...lines, ...skipped].join('\n');
}
