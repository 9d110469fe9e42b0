import type { ApplicationSet } from '@capstan/argocd-api';
import type { Json, KubeObject } from '@capstan/kube-object';
import { isRecord } from './json.ts';
import type { ApplicationPlan } from './plan-applications.ts';

/** Capstan's own annotation on an ApplicationSet: `true` has the controller only say what it would do. */
export const DRY_RUN = 'capstan.dev/dry-run';

export function isDryRun({ metadata }: ApplicationSet): boolean {
  return metadata.annotations?.[DRY_RUN] === 'true';
}

const SHOWN_MAX = 10;

/**
 * What a plan would do, as a sentence: which applications are created, which fields of which are changed, and which are
 * deleted, with how many resources.
 */
export function describePlan(plan: ApplicationPlan, existing: readonly KubeObject[]): string {
  const { create, update, remove, refused, overBudget } = plan;
  const parts = [
    tell(
      create.map(({ metadata }) => metadata.name ?? ''),
      'create',
    ),
    tell(
      update.map(({ name, patch }) => `${name}: ${pathsOf(patch).join(' ')}`),
      'change',
    ),
    tell(
      remove.map(({ name }) => `${name} with ${resourcesOf(name, existing)} resources`),
      'delete',
    ),
  ];
  const problems = [...refused.map(({ message }) => message), overBudget?.message].filter(
    (text) => text !== undefined,
  );
  return [`dry run: ${parts.join(', ')}`, ...problems].join('; ');
}

export function isIdle({ create, update, remove }: ApplicationPlan): boolean {
  return create.length + update.length + remove.length === 0;
}

function tell(items: readonly string[], verb: string): string {
  const shown = items.slice(0, SHOWN_MAX).join(', ');
  const more = items.length > SHOWN_MAX ? ` and ${items.length - SHOWN_MAX} more` : '';
  return `${items.length} to ${verb}${items.length === 0 ? '' : ` (${shown}${more})`}`;
}

/** The fields that a merge patch sets or removes. */
function pathsOf(patch: Json, path = ''): readonly string[] {
  if (!isRecord(patch) || Object.keys(patch).length === 0) return [path];
  return Object.entries(patch).flatMap(([key, value]) =>
    pathsOf(value ?? null, path === '' ? key : `${path}.${key}`),
  );
}

function resourcesOf(name: string, existing: readonly KubeObject[]): number {
  const status = existing.find(({ metadata }) => metadata.name === name)?.['status'];
  const resources = isRecord(status) ? status['resources'] : undefined;
  return Array.isArray(resources) ? resources.length : 0;
}
