/** What a change of a live object asks of its application: often nothing (documentation: "Reconcile Optimization"). */
import { externalUrlsOf, imagesOf, type Weight } from '@capstan/engine-delivery';
import {
  applyIgnoreRules,
  type IgnoreRule,
  type PathEvaluator,
  sameJson,
} from '@capstan/engine-diff';
import { assessHealth } from '@capstan/engine-health';
import { isHook } from '@capstan/engine-sync';
import type { LiveChange } from '@capstan/kube-client';
import type { KubeObject, ObjectMeta } from '@capstan/kube-object';
import type { Customization } from './resource-customizations.ts';
import type { Settings } from './settings.ts';
import { ARGO_VOCABULARY } from './vocabulary.ts';

/** What every write changes. */
const CHANGING = new Set(['resourceVersion', 'generation', 'managedFields']);
const ALWAYS = [...CHANGING].map((name) => `/metadata/${name}`);
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
 * `none`: a change concerns nothing but such fields. Another health counts as `health`; what else a status tells of the object by
 * itself as `note`, and so does what a controller notes in annotations beside an unchanged spec; every other change as `content`, and
 * so do all of hooks, which a sync waits for, and of definitions, which others wait for.
 */
export function weighUpdate(
  { before, after }: LiveChange,
  { idleUpdates, healthRules }: Pick<Settings, 'idleUpdates' | 'healthRules'>,
  { evaluator, nowMs }: { readonly evaluator: PathEvaluator; readonly nowMs: number },
): Weight | 'none' {
  if (!idleUpdates.enabled || before?.whole !== true || after?.whole !== true) return 'content';
  if (before.uid !== after.uid || after.key.kind === DEFINITION.kind) return 'content';
  const [old, current] = [before.read(), after.read()];
  if (isHook(current, ARGO_VOCABULARY)) return 'content';
  const { desired, live } = applyIgnoreRules(old, current, { rules: idleUpdates.rules, evaluator });
  const isSame = sameJson(desired, live);
  if (!isSame && !onlyGains(old, current)) return 'content';
  const [was, is] = [old, current].map((object) => assessHealth(object, healthRules, { nowMs }));
  if (was?.status !== is?.status) return 'health';
  const told = (object: KubeObject, health: object | undefined) => [
    { ...health },
    imagesOf(object),
    externalUrlsOf(object),
  ];
  return isSame && sameJson(told(old, was), told(current, is)) ? 'none' : 'note';
}

/** Beside the status there are only more labels and annotations: the server counts what the spec of most kinds was. */
function onlyGains({ metadata: old }: KubeObject, { metadata: current }: KubeObject): boolean {
  if (old.generation === undefined || old.generation !== current.generation) return false;
  const others = ({ labels: _labels, annotations: _annotations, ...rest }: ObjectMeta) =>
    Object.fromEntries(Object.entries(rest).filter(([name]) => !CHANGING.has(name)));
  const keeps = (
    before: { readonly [name: string]: string } = {},
    after: { readonly [name: string]: string } = {},
  ) => Object.entries(before).every(([name, value]) => after[name] === value);
  return (
    sameJson(others(old), others(current)) &&
    keeps(old.labels, current.labels) &&
    keeps(old.annotations, current.annotations)
  );
}
