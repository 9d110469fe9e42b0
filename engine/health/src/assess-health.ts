import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { judgeByConditions } from './condition-health.ts';
import { judgeByRules } from './custom-rules.ts';
import type { Health, HealthRules, HealthStatus, JudgeOptions, Verdict } from './types.ts';
import { WORKLOAD_JUDGES } from './workload-health.ts';

/**
 * Judges one live object. undefined: this kind has no health (only under base `workload`), so it counts as fine.
 * An object that is being deleted is Progressing, unless a rule says otherwise of its deletion, or it is a hook, whose
 * finalizer keeps it for its verdict. A rule that fails gives Unknown, never an exception.
 */
export function assessHealth(
  object: KubeObject,
  rules: HealthRules,
  options: JudgeOptions,
): Health | undefined {
  try {
    const verdict = judge(object, rules, options);
    const isLeaving = object.metadata.deletionTimestamp !== undefined && options.isHook !== true;
    if (isLeaving && rules.base === 'workload') return judgeDeletion(object, verdict);
    if (verdict?.deletionMessage === undefined) return verdict;
    const { deletionMessage: _unused, ...health } = verdict;
    return health;
  } catch (error) {
    return { status: 'Unknown', message: messageOf(error) };
  }
}

function judge(object: KubeObject, rules: HealthRules, options: JudgeOptions): Verdict | undefined {
  const custom = judgeByRules(object, rules.custom);
  if (custom !== undefined) return custom;
  if (rules.base === 'condition') return judgeByConditions(object, options);
  const { group } = parseApiVersion(object.apiVersion);
  const workload = WORKLOAD_JUDGES.get(`${group}/${object.kind}`);
  return workload?.(object, { mustStay: mustStay(object, rules, options) });
}

/** As Argo CD says it: who holds the object back, or what its rule says. */
function judgeDeletion({ metadata }: KubeObject, verdict: Verdict | undefined): Health {
  if (verdict?.deletionMessage !== undefined && verdict.deletionMessage !== '') {
    return { status: verdict.status, message: verdict.deletionMessage };
  }
  const { finalizers = [] } = metadata;
  const held = finalizers.length === 0 ? '' : `; blocked by finalizers: ${finalizers.join(', ')}`;
  return { status: 'Progressing', message: `Pending deletion${held}` };
}

/** A Pod that may end, of which its owner says that it does not. */
function mustStay(
  { metadata }: KubeObject,
  { ignoreRestartPolicyAnnotation: name }: HealthRules,
  { isHook = false }: JudgeOptions,
): boolean {
  return name !== undefined && !isHook && metadata.annotations?.[name] === 'true';
}

/** From best to worst, in the order of Argo CD. */
export const HEALTH_ORDER: readonly HealthStatus[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

export function isWorse(current: HealthStatus, candidate: HealthStatus): boolean {
  return HEALTH_ORDER.indexOf(candidate) > HEALTH_ORDER.indexOf(current);
}

/** The worst of many; Healthy for none. */
export function rollUpHealth(all: Iterable<Health>): Health {
  let worst: Health = { status: 'Healthy' };
  for (const health of all) if (isWorse(worst.status, health.status)) worst = health;
  return worst;
}
