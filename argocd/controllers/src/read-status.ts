import type {
  Application,
  ResourceResult,
  OperationState as WireOperation,
} from '@capstan/argocd-api';
import {
  type DeliveryStatus,
  type InventoryEntry,
  type OperationPhase,
  type OperationRequest,
  type OperationResult,
  type OperationState,
  unlookedStatus,
} from '@capstan/engine-delivery';
import type { PhaseName } from '@capstan/engine-sync';
import { keyString } from '@capstan/kube-object';
import { toRetry } from './to-delivery.ts';

/**
 * What an Application's status says of the past: enough to go on after a restart, or after the original controller. Pure.
 * Durations in it may be any text a person wrote; unreadable ones count as none.
 */
export function readStatus(app: Application): DeliveryStatus | undefined {
  const { status } = app;
  if (status?.sync === undefined && status?.operationState === undefined) return undefined;
  const inventory = (status.resources ?? []).flatMap(
    ({
      group = '',
      version = '',
      kind = '',
      namespace = '',
      name = '',
      hook,
    }): readonly InventoryEntry[] =>
      hook === true ? [] : [{ key: { group, kind, namespace, name }, version }],
  );
  const operation = status.operationState && readOperation(status.operationState);
  const revisions = status.sync?.revisions ?? (status.sync?.revision ? [status.sync.revision] : []);
  return unlookedStatus({
    revisions: revisions.map((id) => ({ id, name: '' })),
    inventory,
    observedAtMs: 0,
    ...(operation === undefined ? {} : { operation }),
  });
}

const PHASES: readonly OperationPhase[] = [
  'Running',
  'Terminating',
  'Succeeded',
  'Failed',
  'Error',
];

function readOperation(state: WireOperation): OperationState {
  const phase = PHASES.find((one) => one === state.phase) ?? 'Error';
  const result = state.syncResult;
  const finishedAtMs = readTime(state.finishedAt);
  return {
    request: readRequest(state),
    phase,
    message: state.message ?? '',
    startedAtMs: readTime(state.startedAt) ?? 0,
    retryCount: state.retryCount ?? 0,
    revisions: result?.revisions ?? (result?.revision ? [result.revision] : []),
    desiredDigest: '',
    results: (result?.resources ?? []).map(readResult),
    ...(finishedAtMs === undefined ? {} : { finishedAtMs }),
  };
}

function readRequest({ operation }: WireOperation): OperationRequest {
  const { sync, initiatedBy, retry } = operation;
  const automated = initiatedBy?.automated === true;
  return {
    id: JSON.stringify(operation),
    initiatedBy: automated
      ? { kind: 'automation' }
      : { kind: 'person', name: initiatedBy?.username ?? '' },
    policy: {
      ...(sync?.prune === undefined ? {} : { prune: sync.prune }),
      ...(sync?.dryRun === undefined ? {} : { dryRun: sync.dryRun }),
    },
    retry: readRetry(retry),
    healAttempt: sync?.autoHealAttemptsCount ?? 0,
  };
}

function readRetry(retry: WireOperation['operation']['retry']): OperationRequest['retry'] {
  try {
    return toRetry(retry, 'operation.retry');
  } catch {
    return { limit: 0, backoff: { baseMs: 5000, factor: 2, maxMs: 180_000, jitter: 0 } };
  }
}

const SYNC_PHASES: readonly PhaseName[] = [
  'PreSync',
  'Sync',
  'PostSync',
  'SyncFail',
  'PreDelete',
  'PostDelete',
];

function readResult(result: ResourceResult): OperationResult {
  const { group, kind, namespace, name, version } = result;
  const key = { group, kind, namespace, name };
  const phase = SYNC_PHASES.find((one) => one === result.syncPhase) ?? 'Sync';
  const hook = (result.hookType ?? '') !== '';
  const status = STATUSES.find((one) => one === result.status) ?? 'Synced';
  const isPrune = status === 'Pruned' || status === 'PruneSkipped';
  const verb = hook ? 'hook' : isPrune ? 'prune' : 'apply';
  return {
    stepId: `${verb}/${phase}/${keyString(key)}`,
    key,
    version,
    phase,
    hook,
    status,
    state: STATES.find((one) => one === result.hookPhase) ?? 'Succeeded',
    message: result.message ?? '',
    images: result.images ?? [],
  };
}

const STATUSES: readonly OperationResult['status'][] = [
  'Synced',
  'SyncFailed',
  'Pruned',
  'PruneSkipped',
];
const STATES: readonly OperationResult['state'][] = ['Running', 'Succeeded', 'Failed', 'Error'];

function readTime(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
