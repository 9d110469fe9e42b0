import { computeStatus, type KubeObject, type ObjectStatus } from '@capstan/kube-object';
import type { Health } from './types.ts';

const MEANS: Readonly<Record<ObjectStatus, Health['status']>> = {
  Current: 'Healthy',
  InProgress: 'Progressing',
  Failed: 'Degraded',
  Terminating: 'Progressing',
  NotFound: 'Missing',
  Unknown: 'Unknown',
};

/** The time that a Pod has to find its node. */
const SCHEDULE_WINDOW_MS = 15_000;

/** Judges any object as kstatus does (the library by which Flux waits), in the words of health. */
export function judgeByConditions(
  object: KubeObject,
  { nowMs }: { readonly nowMs: number },
): Health {
  const { status, message, reason } = computeStatus(object, nowMs);
  const health = { status: MEANS[status], message };
  if (reason !== 'PodNotScheduled') return health;
  // Nothing but time makes a failure of it.
  const createdAtMs = Date.parse(object.metadata.creationTimestamp ?? '');
  return { ...health, changesAtMs: createdAtMs + SCHEDULE_WINDOW_MS };
}
