import type { Application, Operation } from '@capstan/argocd-api';
import type { OperationRequest, OperationState } from '@capstan/engine-delivery';
import { readSyncOptions } from './sync-options.ts';
import { type LoweringContext, toDeliverySources, toRetry } from './to-delivery.ts';

/**
 * The `operation` field as a request. It is the same request until it is over: afterwards, whatever stands in the field is
 * a new one.
 */
export function toOperationRequest(
  app: Application,
  last: OperationState | undefined,
  context: LoweringContext,
): OperationRequest | undefined {
  const { operation } = app;
  if (operation === undefined) return undefined;
  const { sync = {} } = operation;
  const refusal = refusalOf(operation);
  const text = JSON.stringify(operation);
  const isOver = last?.finishedAtMs !== undefined;
  const id = isOver
    ? `${text} after ${last.finishedAtMs}`
    : isSame(last, text)
      ? (last?.request.id ?? text)
      : text;
  const sources = sync.sources ?? (sync.source === undefined ? undefined : [sync.source]);
  const revisions = sync.revisions ?? (sync.revision ? [sync.revision] : undefined);
  const retry = toRetry(operation.retry, 'operation.retry');
  return {
    id,
    initiatedBy: toInitiator(operation),
    policy: toPolicy(operation),
    // Who names no revision means the newest one, with each attempt.
    retry: revisions === undefined ? { ...retry, refresh: true } : retry,
    healAttempt: sync.autoHealAttemptsCount ?? 0,
    ...(revisions === undefined ? {} : { revisions }),
    ...(sources === undefined ? {} : { sources: toDeliverySources(sources, app, context) }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Why nobody performs it, whatever else it says. */
function refusalOf({ sync }: Operation): string | undefined {
  if (sync === undefined) return 'Invalid operation request: no operation specified';
  if ((sync.manifests ?? []).length === 0) return undefined;
  return 'operation.sync.manifests: local manifests are not applied (push them, and sync to their commit)';
}

function isSame(last: OperationState | undefined, text: string): boolean {
  return last?.request.id === text || last?.request.id.startsWith(`${text} after `) === true;
}

function toInitiator({ initiatedBy }: Operation): OperationRequest['initiatedBy'] {
  if (initiatedBy?.automated === true) return { kind: 'automation' };
  return { kind: 'person', name: initiatedBy?.username ?? '' };
}

function toPolicy({ sync }: Operation): OperationRequest['policy'] {
  const strategy = sync?.syncStrategy;
  const options = sync?.syncOptions === undefined ? {} : readSyncOptions(sync.syncOptions).policy;
  const force = strategy?.apply?.force ?? strategy?.hook?.force;
  return {
    ...options,
    prune: sync?.prune ?? false,
    dryRun: sync?.dryRun ?? false,
    skipHooks: strategy?.apply !== undefined,
    ...(force === undefined ? {} : { force }),
    ...(sync?.resources === undefined || sync.resources.length === 0
      ? {}
      : {
          selected: sync.resources.map(({ group = '', kind, name, namespace = '' }) => ({
            group,
            kind,
            namespace,
            name,
          })),
        }),
  };
}
