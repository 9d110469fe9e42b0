import type { ApplicationSet } from '@capstan/argocd-api';
import {
  applyIgnoreRules,
  createPathEvaluator,
  type IgnoreRule,
  type PathEvaluator,
} from '@capstan/engine-diff';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

/**
 * Both states of an application without the fields that spec.ignoreApplicationDifferences leaves to others. Throws for a
 * path that is not understood: to overwrite what was to be left alone would be worse.
 */
export function withoutIgnored(
  wanted: KubeObject,
  live: KubeObject,
  { spec }: ApplicationSet,
  evaluator?: PathEvaluator,
): { readonly wanted: KubeObject; readonly live: KubeObject } {
  const rules: IgnoreRule[] = (spec.ignoreApplicationDifferences ?? [])
    .filter(({ name = '' }) => name === '' || name === wanted.metadata.name)
    .map(({ jsonPointers = [], jqPathExpressions = [] }) => ({
      target: { syntax: 'glob' },
      jsonPointers,
      pathExpressions: jqPathExpressions,
      managers: [],
    }));
  const result = applyIgnoreRules(wanted, live, {
    rules,
    evaluator: evaluator ?? evaluatorFor(spec),
  });
  const [problem] = result.diagnostics;
  if (problem === undefined) return { wanted: result.desired, live: result.live };
  throw new CapstanError(
    'IGNORE_RULE_INVALID',
    `spec.ignoreApplicationDifferences: ${problem.message}`,
    { hint: problem.hint ?? 'write a JSON pointer' },
  );
}

/** What finds the places of jq expressions; undefined for a set that has none. */
export function evaluatorFor({
  ignoreApplicationDifferences = [],
}: ApplicationSet['spec']): PathEvaluator | undefined {
  const hasJq = ignoreApplicationDifferences.some(
    ({ jqPathExpressions = [] }) => jqPathExpressions.length > 0,
  );
  return hasJq ? createPathEvaluator() : undefined;
}
