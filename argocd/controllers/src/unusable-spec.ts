import type { Application } from '@capstan/argocd-api';
import { type DeliveryStatus, problemOf, unlookedStatus } from '@capstan/engine-delivery';
import type { CapstanError } from '@capstan/lib-std';

/** The status of an application whose spec cannot be used: nothing is known of its state, and nothing is touched. */
export function unusableStatus(
  app: Application,
  previous: DeliveryStatus | undefined,
  { error, nowMs }: { readonly error: CapstanError; readonly nowMs: number },
): DeliveryStatus {
  const operation = refuseOperation(app, { error, nowMs }) ?? previous?.operation;
  return unlookedStatus({
    problems: [problemOf(error, 'spec')],
    inventory: previous?.inventory ?? [],
    observedAtMs: nowMs,
    ...(operation === undefined ? {} : { operation }),
  });
}

/** What somebody asks for is answered, though it cannot be begun. */
function refuseOperation(
  { operation }: Application,
  { error, nowMs }: { readonly error: CapstanError; readonly nowMs: number },
): DeliveryStatus['operation'] {
  if (operation === undefined) return undefined;
  const { initiatedBy } = operation;
  return {
    request: {
      id: JSON.stringify(operation),
      initiatedBy:
        initiatedBy?.automated === true
          ? { kind: 'automation' }
          : { kind: 'person', name: initiatedBy?.username ?? '' },
      policy: {},
      retry: { limit: 0, backoff: { baseMs: 5000, factor: 2, maxMs: 180_000, jitter: 0 } },
      healAttempt: 0,
    },
    phase: 'Error',
    message: error.message,
    startedAtMs: nowMs,
    finishedAtMs: nowMs,
    retryCount: 0,
    revisions: [],
    desiredDigest: '',
    results: [],
  };
}
