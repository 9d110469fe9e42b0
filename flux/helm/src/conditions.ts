/** Conditions as Flux's own library keeps them: pure functions from one object to the next. */
import type { Condition } from '@capstan/flux-api';
import { formatTime } from '@capstan/flux-controllers';
import type { JsonObject, KubeObject } from '@capstan/kube-object';

export interface Conditioned extends KubeObject {
  readonly status: JsonObject & { readonly conditions?: readonly Condition[] };
}

export type ConditionState = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

const MESSAGE_MAX = 32_768;
const FIRST: readonly string[] = ['Stalled', 'Reconciling', 'Ready'];

export function conditionOf(object: Conditioned, type: string): Condition | undefined {
  return object.status.conditions?.find((one) => one.type === type);
}

export function isTrue(object: Conditioned, type: string): boolean {
  return conditionOf(object, type)?.status === 'True';
}

export function isReady(object: Conditioned): boolean {
  return isTrue(object, 'Ready') && !isTrue(object, 'Stalled') && !isTrue(object, 'Reconciling');
}

/** Sets one condition. Its time changes with its status, reason or message; all are put into the order of the original. */
export function mark<T extends Conditioned>(object: T, state: ConditionState, nowMs: number): T {
  const { conditions = [] } = object.status;
  const { generation = 0 } = object.metadata;
  const { type, status, reason } = state;
  const message = trim(state.message);
  const known = conditions.find((one) => one.type === type);
  const isSame = known?.status === status && known.reason === reason && known.message === message;
  const lastTransitionTime = (isSame ? known.lastTransitionTime : undefined) ?? formatTime(nowMs);
  const made: Condition = {
    lastTransitionTime,
    message,
    observedGeneration: generation,
    reason,
    status,
    type,
  };
  return withConditions(object, [...conditions.filter((one) => one.type !== type), made]);
}

export function unmark<T extends Conditioned>(object: T, ...types: readonly string[]): T {
  const { conditions = [] } = object.status;
  if (!conditions.some(({ type }) => types.includes(type))) return object;
  return withConditions(
    object,
    conditions.filter(({ type }) => !types.includes(type)),
  );
}

export function markReconciling<T extends Conditioned>(
  object: T,
  reason: string,
  message: string,
  nowMs: number,
): T {
  const state = { type: 'Reconciling', status: 'True' as const, reason, message };
  return mark(unmark(object, 'Stalled'), state, nowMs);
}

export function markStalled<T extends Conditioned>(
  object: T,
  reason: string,
  message: string,
  nowMs: number,
): T {
  const state = { type: 'Stalled', status: 'True' as const, reason, message };
  return mark(unmark(object, 'Reconciling'), state, nowMs);
}

/** The same object with some fields of its status changed; undefined takes a field away. */
export function withStatus<T extends Conditioned>(object: T, change: Partial<T['status']>): T {
  const status = Object.fromEntries(
    Object.entries({ ...object.status, ...change }).filter(([, value]) => value !== undefined),
  );
  return { ...object, status };
}

function withConditions<T extends Conditioned>(object: T, conditions: readonly Condition[]): T {
  return withStatus(object, {
    conditions: conditions.toSorted(inOrder),
  } as unknown as Partial<T['status']>);
}

/** Stalled, Reconciling and Ready first; then those of the newest generation, by type. */
function inOrder(a: Condition, b: Condition): number {
  const [first, second] = [FIRST.indexOf(a.type), FIRST.indexOf(b.type)];
  if (first >= 0 || second >= 0) {
    if (first >= 0 && second >= 0) return first - second;
    return first >= 0 ? -1 : 1;
  }
  const newest = (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0);
  return newest || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}

function trim(message: string): string {
  return message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX - 3)}...` : message;
}
