import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { judgeByConditions } from './condition-health.ts';
import { judgeByRules } from './custom-rules.ts';
import type { Health, HealthRules, HealthStatus } from './types.ts';
import { type JudgeOptions, WORKLOAD_JUDGES } from './workload-health.ts';

/**
 * Judges one live object. undefined: this kind has no health (only under base `workload`), so it counts as fine.
 * An object that is being deleted is Progressing, except a hook, whose finalizer keeps it for its verdict. A rule that
 * fails gives Unknown, never an exception.
 */
export function assessHealth(
  object: KubeObject,
  rules: HealthRules,
  options: JudgeOptions = { isHook: false },
): Health | undefined {
  try {
    if (object.metadata.deletionTimestamp !== undefined && !options.isHook) {
      return { status: 'Progressing', message: 'Pending deletion' };
    }
    const custom = judgeByRules(object, rules.custom);
    if (custom !== undefined) return custom;
    if (rules.base === 'condition') return judgeByConditions(object);
    const { group } = parseApiVersion(object.apiVersion);
    return WORKLOAD_JUDGES.get(`${group}/${object.kind}`)?.(object, options);
  } catch (error) {
    return { status: 'Unknown', message: messageOf(error) };
  }
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
