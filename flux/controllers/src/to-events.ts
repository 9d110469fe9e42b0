import type { DeliveryStatus, OperationResult } from '@capstan/engine-delivery';
import { KUSTOMIZE_GROUP, type Kustomization } from '@capstan/flux-api';
import type { ObjectKey } from '@capstan/kube-object';
import { findCondition } from './conditions.ts';
import { formatDuration, formatTime, parseDurationMs } from './durations.ts';
import { compareKeys } from './kind-order.ts';
import { endOfAttempt, tookToCheck } from './to-kustomization-status.ts';

export interface KustomizationEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly annotations: { readonly [name: string]: string };
}

/** What happened between two statuses: changes made, failures, recoveries; with the original's reasons and metadata. Pure. */
export function toEvents(
  before: Kustomization,
  after: Kustomization,
  {
    delivery,
    revision,
    originRevision,
    superseded,
  }: {
    readonly delivery: DeliveryStatus;
    readonly revision: string;
    readonly originRevision?: string;
    /** What ended a wait for health before its time: `kind/namespace/name`. */
    readonly superseded?: string | undefined;
  },
): readonly KustomizationEvent[] {
  const annotations = toMetadata(revision, originRevision);
  const ready = findCondition(after.status.conditions, 'Ready');
  const old = findCondition(before.status.conditions, 'Ready');
  const interval = formatDuration(parseDurationMs(after.spec.interval, 'spec.interval'));
  const events: KustomizationEvent[] = [];
  if (ready === undefined) return events;
  if (superseded !== undefined) {
    const message = `Health checks canceled due to new reconciliation triggered by ${superseded}`;
    events.push({ type: 'Normal', reason: 'HealthCheckCanceled', message, annotations });
  }
  const isOver = ready.status !== 'Unknown' && isNewOperation(before, after, delivery);
  for (const message of isOver ? describeChanges(delivery) : []) {
    events.push({ type: 'Normal', reason: 'Progressing', message, annotations });
  }
  const healthy = findCondition(after.status.conditions, 'Healthy');
  const wasHealthy = findCondition(before.status.conditions, 'Healthy')?.status === 'True';
  // What a new revision changed is told to be healthy, too.
  const isNewlyApplied =
    isOver && before.status.lastAppliedRevision !== revision && appliedLines(delivery).length > 0;
  if (healthy?.status === 'True' && (!wasHealthy || isNewlyApplied)) {
    const message = tookToCheck(delivery) ?? healthy.message;
    events.push({ type: 'Normal', reason: 'Progressing', message, annotations });
  }
  if (isWaitingForSource(delivery)) return events;
  if (ready.status === 'False' && old?.message !== ready.message) {
    const { reason, message } = ready;
    events.push(
      reason === 'DependencyNotReady'
        ? {
            type: 'Normal',
            reason,
            message: `Dependencies do not meet ready condition: ${message}`,
            annotations,
          }
        : { type: 'Warning', reason, message: `${failing(delivery)}${message}`, annotations },
    );
  } else if (ready.status === 'True' && (old?.status !== 'True' || old.message !== ready.message)) {
    events.push({
      type: 'Normal',
      reason: ready.reason,
      message: `Reconciliation finished${isOver ? took(delivery) : ''}, next run in ${interval}`,
      annotations: { ...annotations, [`${KUSTOMIZE_GROUP}/commit_status`]: 'update' },
    });
  }
  return events;
}

/** Of the end of a Kustomization, which does not change its conditions any more. */
export function toDeletionEvent(
  { status }: Kustomization,
  message: string,
  type: KustomizationEvent['type'],
): KustomizationEvent {
  const { lastAppliedRevision = '', lastAppliedOriginRevision } = status;
  return {
    type,
    reason:
      findCondition(status.conditions, 'Ready')?.reason ?? (type === 'Normal' ? 'info' : 'error'),
    message,
    annotations: toMetadata(lastAppliedRevision, lastAppliedOriginRevision),
  };
}

/** A line each, in the order of their deletion. */
export function describeDeletions(keys: readonly ObjectKey[]): string {
  return keys
    .toSorted(compareKeys)
    .toReversed()
    .map((key) => `${subjectOf(key)} deleted`)
    .join('\n');
}

function toMetadata(
  revision: string,
  originRevision: string | undefined,
): { readonly [name: string]: string } {
  return {
    ...(revision === '' ? {} : { [`${KUSTOMIZE_GROUP}/revision`]: revision }),
    ...(originRevision === undefined
      ? {}
      : { [`${KUSTOMIZE_GROUP}/originRevision`]: originRevision }),
  };
}

/** What an event says before the condition's words: there the original names what it could not do. */
function failing({ problems }: DeliveryStatus): string {
  return problems.some(({ code }) => code.startsWith('KUBECONFIG_'))
    ? 'failed to build kube client: '
    : '';
}

/** A source that is not there yet is told by the conditions alone. */
function isWaitingForSource({ problems }: DeliveryStatus): boolean {
  return problems.some(({ code, kind }) => code === 'ArtifactFailed' && kind === 'wait');
}

/**
 * The history gains or renews an entry with each operation that is over; and with a revision that has nothing to do, while
 * the operation that is known was told before.
 */
function isNewOperation(
  before: Kustomization,
  after: Kustomization,
  { operation }: DeliveryStatus,
): boolean {
  const history = before.status.history ?? [];
  const [current] = after.status.history ?? [];
  if (JSON.stringify(history[0]) === JSON.stringify(current)) return false;
  const endedAtMs = operation && endOfAttempt(operation);
  const known = history.find(
    ({ digest, lastReconciledStatus }) =>
      digest === current?.digest && lastReconciledStatus === current.lastReconciledStatus,
  );
  return (
    known === undefined || endedAtMs === undefined || known.lastReconciled < formatTime(endedAtMs)
  );
}

function took({ operation }: DeliveryStatus): string {
  if (operation?.finishedAtMs === undefined) return '';
  return ` in ${formatDuration(operation.finishedAtMs - operation.startedAtMs)}`;
}

const VERBS: Readonly<Record<string, string>> = {
  created: 'created',
  configured: 'configured',
  pruned: 'deleted',
};

/** What was applied, then what was deleted: a line each, in the order of Flux, deletions the other way round. */
function describeChanges(delivery: DeliveryStatus): readonly string[] {
  const deleted = inOrder(delivery).filter(isPrune).toReversed().flatMap(describeChange);
  return [appliedLines(delivery), deleted]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'));
}

function appliedLines(delivery: DeliveryStatus): readonly string[] {
  return inOrder(delivery)
    .filter((result) => !isPrune(result))
    .flatMap(describeChange);
}

function inOrder({ operation }: DeliveryStatus): readonly OperationResult[] {
  return (operation?.results ?? []).toSorted((a, b) => compareKeys(a.key, b.key));
}

function isPrune({ outcome }: OperationResult): boolean {
  return outcome === 'pruned';
}

function describeChange({ key, outcome }: OperationResult): readonly string[] {
  const verb = outcome && VERBS[outcome];
  return verb === undefined ? [] : [`${subjectOf(key)} ${verb}`];
}

function subjectOf({ kind, namespace, name }: ObjectKey): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
