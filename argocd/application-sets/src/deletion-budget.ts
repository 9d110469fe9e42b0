import type { ApplicationSet } from '@capstan/argocd-api';
import { CapstanError } from '@capstan/lib-std';

/** Capstan's own annotation on an ApplicationSet: how many applications one change may delete, a number or a percentage. */
export const DELETION_BUDGET = 'capstan.dev/deletion-budget';

export interface DeletionBudget {
  readonly text: string;
  readonly count: number;
  readonly isPercent: boolean;
}

/** The budget of a set; undefined when it has none. Throws when the annotation is neither a number nor a percentage. */
export function readBudget({ metadata }: ApplicationSet): DeletionBudget | undefined {
  const text = metadata.annotations?.[DELETION_BUDGET]?.trim();
  if (text === undefined) return undefined;
  const found = /^(\d{1,6})(%?)$/.exec(text);
  const count = Number(found?.[1]);
  const isPercent = found?.[2] === '%';
  if (found === null || (isPercent && count > 100)) {
    throw new CapstanError(
      'BUDGET_INVALID',
      `annotation ${DELETION_BUDGET}: ${JSON.stringify(text)} is neither a number nor a percentage`,
      { hint: 'write "3" or "20%"' },
    );
  }
  return { text, count, isPercent };
}

const NAMES_SHOWN = 5;

/** Why these deletions are too many; undefined when they are within the budget. */
export function exceedsBudget(
  budget: DeletionBudget,
  names: readonly string[],
  owned: number,
): string | undefined {
  const allowed = budget.isPercent ? Math.floor((owned * budget.count) / 100) : budget.count;
  if (names.length <= allowed) return undefined;
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  const share = budget.isPercent ? `${budget.text} (${allowed} of ${owned})` : budget.text;
  return `${names.length} of ${owned} applications would be deleted (${shown}${rest}), which is over the deletion budget of ${share}; nothing was changed. If it is meant, raise the annotation ${DELETION_BUDGET} for this change`;
}
