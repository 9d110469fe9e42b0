import type { Condition } from '@capstan/flux-api';
import { formatTime } from './durations.ts';

export interface NewCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/**
 * The conditions as they are to be: those in `wanted`, in that order, each with the time of its last change of status, then
 * those of the types in `kept` as they were; others in `previous` go. Messages are cut where the API would refuse them.
 */
export function setConditions(
  previous: readonly Condition[],
  wanted: readonly NewCondition[],
  {
    generation,
    nowMs,
    kept = [],
  }: {
    readonly generation: number;
    readonly nowMs: number;
    readonly kept?: readonly string[];
  },
): readonly Condition[] {
  const told = wanted.map(({ type, status, reason, message }) => {
    const known = previous.find((one) => one.type === type);
    const time = known?.status === status ? known.lastTransitionTime : undefined;
    return {
      lastTransitionTime: time ?? formatTime(nowMs),
      message: message.length > 32_000 ? `${message.slice(0, 32_000)}…` : message,
      observedGeneration: generation,
      reason,
      status,
      type,
    };
  });
  const isTold = (type: string) => wanted.some((one) => one.type === type);
  return [...told, ...previous.filter(({ type }) => kept.includes(type) && !isTold(type))];
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((one) => one.type === type);
}
