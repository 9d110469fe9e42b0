import type { Condition } from '@capstan/flux-api';
import { formatTime } from './durations.ts';

export interface NewCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/**
 * The conditions as they are to be: those in `wanted`, in that order, each with the time of its last change of status;
 * others in `previous` go. Messages are cut where the API would refuse them.
 */
export function setConditions(
  previous: readonly Condition[],
  wanted: readonly NewCondition[],
  { generation, nowMs }: { readonly generation: number; readonly nowMs: number },
): readonly Condition[] {
  return wanted.map(({ type, status, reason, message }) => {
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
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((one) => one.type === type);
}
