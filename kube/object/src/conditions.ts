import type { Json, JsonObject, KubeObject } from './object.ts';

/** A condition as most kinds have it (metav1.Condition and its relatives). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

/** The conditions in `status.conditions`; what is not one is left out. */
export function conditionsOf(object: KubeObject): readonly Condition[] {
  const status = object['status'];
  const list = isObject(status) ? status['conditions'] : undefined;
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).filter(isCondition);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCondition(value: Json): value is Json & Condition {
  return (
    isObject(value) && typeof value['type'] === 'string' && typeof value['status'] === 'string'
  );
}

export function findCondition(
  conditions: readonly Condition[],
  type: string,
): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[], type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with a condition set, as apimachinery's meta.SetStatusCondition: `lastTransitionTime` moves only when `status`
 * does. The same list comes back if nothing changes. `now` is RFC 3339.
 */
export function setCondition(
  conditions: readonly Condition[],
  condition: Condition,
  now: string,
): readonly Condition[] {
  const old = findCondition(conditions, condition.type);
  if (old === undefined)
    return [
      ...conditions,
      { ...condition, lastTransitionTime: condition.lastTransitionTime ?? now },
    ];
  const moved = old.status !== condition.status;
  const time = moved ? (condition.lastTransitionTime ?? now) : old.lastTransitionTime;
  const next: Condition = {
    ...old,
    ...condition,
    ...(time === undefined ? {} : { lastTransitionTime: time }),
  };
  const isSame = (Object.keys(next) as (keyof Condition)[]).every((key) => next[key] === old[key]);
  return isSame ? conditions : conditions.map((item) => (item === old ? next : item));
}

export function removeCondition(
  conditions: readonly Condition[],
  type: string,
): readonly Condition[] {
  const kept = conditions.filter((condition) => condition.type !== type);
  return kept.length === conditions.length ? conditions : kept;
}
