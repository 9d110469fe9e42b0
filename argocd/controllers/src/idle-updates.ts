/** Changes of live objects that ask for no look at the application (documentation: "Reconcile Optimization"). */
import { externalUrlsOf, imagesOf } from '@capstan/engine-delivery';
import {
  applyIgnoreRules,
  type IgnoreRule,
  type PathEvaluator,
  sameJson,
} from '@capstan/engine-diff';
import { assessHealth } from '@capstan/engine-health';
import { isHook } from '@capstan/engine-sync';
import type { LiveChange } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import type { Customization } from './resource-customizations.ts';
import type { Settings } from './settings.ts';
import { ARGO_VOCABULARY } from './vocabulary.ts';

/** What every write changes. */
const ALWAYS = ['/metadata/resourceVersion', '/metadata/generation', '/metadata/managedFields'];
const DEFINITION = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' };

/**
 * The fields whose changes are of no account: those that ignoreResourceUpdates names and, unless ignoreDifferencesOnResourceUpdates
 * is off, those that are not compared either. Managers count in comparisons only.
 */
export function readIdleRules(
  customizations: readonly Customization[],
  {
    withDifferences,
    ignoredStatus,
  }: { readonly withDifferences: boolean } & Pick<Settings, 'ignoredStatus'>,
): readonly IgnoreRule[] {
  const rule = (
    kind: { readonly group: string; readonly kind: string },
    part: Partial<IgnoreRule>,
  ) => ({
    target: { group: kind.group, kind: kind.kind, syntax: 'glob' as const },
    jsonPointers: part.jsonPointers ?? [],
    pathExpressions: part.pathExpressions ?? [],
    managers: [],
  });
  const all = { group: '*', kind: '*' };
  const told = customizations.flatMap((one) => [
    ...(one.ignoreResourceUpdates === undefined ? [] : [rule(one, one.ignoreResourceUpdates)]),
    ...(withDifferences && one.ignoreDifferences !== undefined
      ? [rule(one, one.ignoreDifferences)]
      : []),
  ]);
  const status = { jsonPointers: ['/status'] };
  const statuses = { all: [rule(all, status)], definitions: [rule(DEFINITION, status)], none: [] };
  return [
    ...told,
    ...(withDifferences ? statuses[ignoredStatus] : []),
    rule(all, { jsonPointers: ALWAYS }),
  ];
}

/**
 * Whether a change concerns nothing but such fields. What a status tells of the object by itself still counts, its health above
 * all; and so does every change of hooks, which a sync waits for, and of definitions, which others wait for.
 */
export function isIdleUpdate(
  { before, after }: LiveChange,
  { idleUpdates, healthRules }: Pick<Settings, 'idleUpdates' | 'healthRules'>,
  { evaluator, nowMs }: { readonly evaluator: PathEvaluator; readonly nowMs: number },
): boolean {
  if (!idleUpdates.enabled || before?.whole !== true || after?.whole !== true) return false;
  if (before.uid !== after.uid || after.key.kind === DEFINITION.kind) return false;
  const [old, current] = [before.read(), after.read()];
  if (isHook(current, ARGO_VOCABULARY)) return false;
  const { desired, live } = applyIgnoreRules(old, current, { rules: idleUpdates.rules, evaluator });
  if (!sameJson(desired, live)) return false;
  const told = (object: KubeObject) => [
    { ...assessHealth(object, healthRules, { nowMs }) },
    imagesOf(object),
    externalUrlsOf(object),
  ];
  return sameJson(told(old), told(current));
}
