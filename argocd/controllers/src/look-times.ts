/** When applications are looked at without anything having changed, as the administrator sets it (argocd-cm, argocd-cmd-params-cm). */
import type { DeliveryStatus } from '@capstan/engine-delivery';
import type { Clock } from '@capstan/lib-std';
import type { Settings } from './settings.ts';

/** From 0 to 999. */
export function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) % 1000;
  return hash;
}

/** Put on top of the interval of looks at a remote, so that not all are asked at once (timeout.reconciliation.jitter). */
export function spreadMs(id: string, { pollJitterMs }: Settings): number {
  return Math.floor((hashOf(id) / 1000) * pollJitterMs);
}

/** Whether the administrator's limit ends the operation that runs (controller.sync.timeout.seconds). */
export function isOverdue(
  status: DeliveryStatus | undefined,
  { syncTimeoutMs }: Settings,
  nowMs: number,
): boolean {
  const operation = status?.operation;
  if (operation?.phase !== 'Running' || syncTimeoutMs === 0) return false;
  return nowMs - operation.startedAtMs >= syncTimeoutMs;
}

/** When to look again for the sake of the limits: at the end of an operation's time, or to make everything anew. */
export function limitAtMs(
  { operation }: DeliveryStatus,
  { syncTimeoutMs, hardIntervalMs }: Settings,
  hardAtMs: number,
): number {
  const isTimed = operation?.phase === 'Running' && syncTimeoutMs > 0;
  const endsAtMs = isTimed ? operation.startedAtMs + syncTimeoutMs : Number.POSITIVE_INFINITY;
  const nextHardAtMs = hardIntervalMs > 0 ? hardAtMs + hardIntervalMs : Number.POSITIVE_INFINITY;
  return Math.min(endsAtMs, nextHardAtMs);
}

const LEISURE_MS = 450_000;

/**
 * A commit that leaves applications' files alone is no reason to hurry: a look at leisure at all of them is a safeguard,
 * some time after the first of such commits. One timer, however many there are.
 */
export function leisureOf(clock: Clock, look: () => void) {
  let cancel: (() => void) | undefined;
  return {
    begin: () => {
      cancel ??= clock.after(LEISURE_MS, () => {
        cancel = undefined;
        look();
      });
    },
    end: () => cancel?.(),
  };
}

/** When an application is looked at then: they are spread over the time by their names. */
export function leisureMs(id: string): number {
  return 1 + (LEISURE_MS * hashOf(id)) / 1000;
}
