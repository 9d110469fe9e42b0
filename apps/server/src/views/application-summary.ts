import type { AppSummary, ConditionView, HealthState, SyncState } from '@capstan/apps-contract';
import type { Json, KubeObject } from '@capstan/kube-object';
import { isMapping, listAt, textAt, valueAt } from './fields.ts';

const HEALTH: readonly string[] = [
  'Healthy',
  'Progressing',
  'Degraded',
  'Suspended',
  'Missing',
  'Unknown',
] satisfies HealthState[];

/** An Argo CD Application as a row of the list. */
export function applicationSummary(object: KubeObject): AppSummary {
  const source = valueAt(object, 'spec', 'source') ?? listAt(object, 'spec', 'sources')[0];
  const status = valueAt(object, 'status');
  const destination = valueAt(object, 'spec', 'destination');
  const cluster = textAt(destination, 'name') || textAt(destination, 'server');
  const operation = textAt(status, 'operationState', 'phase');
  return {
    kind: 'Application',
    family: 'argocd',
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    project: textAt(object, 'spec', 'project'),
    sync: toSyncState(textAt(status, 'sync', 'status')),
    health: toHealthState(textAt(status, 'health', 'status')),
    syncing: operation === 'Running' || operation === 'Terminating',
    suspended: false,
    repo: textAt(source, 'repoURL'),
    path: textAt(source, 'path') || textAt(source, 'chart'),
    targetRevision: textAt(source, 'targetRevision') || 'HEAD',
    revision: textAt(status, 'sync', 'revision') || firstText(valueAt(status, 'sync', 'revisions')),
    destination: [cluster, textAt(destination, 'namespace')].filter(Boolean).join('/'),
    message: applicationMessage(object),
    lastSyncedAt: textAt(status, 'operationState', 'finishedAt'),
  };
}

export function toSyncState(text: string): SyncState {
  return text === 'Synced' || text === 'OutOfSync' ? text : 'Unknown';
}

export function toHealthState(text: string): HealthState {
  return HEALTH.includes(text) ? (text as HealthState) : 'Unknown';
}

function firstText(value: Json | undefined): string {
  const first = Array.isArray(value) ? (value as readonly Json[])[0] : undefined;
  return typeof first === 'string' ? first : '';
}

/** The worst thing that the status says, in one line. */
function applicationMessage(object: KubeObject): string {
  const status = valueAt(object, 'status');
  const error = applicationConditions(object).find(({ severity }) => severity === 'error');
  if (error !== undefined) return error.message;
  const phase = textAt(status, 'operationState', 'phase');
  if (phase === 'Failed' || phase === 'Error' || phase === 'Running') {
    return textAt(status, 'operationState', 'message');
  }
  return textAt(status, 'health', 'message');
}

export function applicationConditions(object: KubeObject): readonly ConditionView[] {
  return listAt(object, 'status', 'conditions').flatMap((condition) => {
    if (!isMapping(condition)) return [];
    const type = textAt(condition, 'type');
    const severity = type.endsWith('Error') ? 'error' : 'warning';
    const at = textAt(condition, 'lastTransitionTime');
    return [{ type, severity, message: textAt(condition, 'message'), at }];
  });
}
