import type { AppSummary, ConditionView, HealthState, SyncState } from '@capstan/apps-contract';
import type { Json, KubeObject } from '@capstan/kube-object';
import { isMapping, listAt, textAt, valueAt } from './fields.ts';

/** Reasons of Flux which say that the objects are in place and only their health is in question. */
const APPLIED_REASONS = new Set(['HealthCheckFailed', 'Progressing', 'ProgressingWithRetry']);

/** A Flux Kustomization as a row of the list; `source` is its GitRepository, when that is known. */
export function kustomizationSummary(
  object: KubeObject,
  source: KubeObject | undefined,
): AppSummary {
  const ready = findCondition(object, 'Ready');
  const reconciling = textAt(findCondition(object, 'Reconciling'), 'status') === 'True';
  const applied = textAt(object, 'status', 'lastAppliedRevision');
  return {
    kind: 'Kustomization',
    family: 'flux',
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    project: '',
    sync: syncState(object, ready),
    health: healthState(ready),
    syncing: reconciling,
    suspended: valueAt(object, 'spec', 'suspend') === true,
    repo: textAt(source, 'spec', 'url'),
    path: textAt(object, 'spec', 'path') || './',
    targetRevision: targetRevision(source),
    revision: commitOfRevision(applied),
    destination: textAt(object, 'spec', 'targetNamespace'),
    message: textAt(ready, 'status') === 'True' ? '' : textAt(ready, 'message'),
    lastSyncedAt: applied === '' ? '' : textAt(ready, 'lastTransitionTime'),
  };
}

/** `main@sha1:abc…` → `abc…`. */
export function commitOfRevision(revision: string): string {
  return revision.slice(revision.lastIndexOf(':') + 1);
}

function targetRevision(source: KubeObject | undefined): string {
  const ref = valueAt(source, 'spec', 'ref');
  const names = ['commit', 'name', 'semver', 'tag', 'branch'].map((field) => textAt(ref, field));
  return names.find((name) => name !== '') ?? (source === undefined ? '' : 'master');
}

function syncState(object: KubeObject, ready: Json | undefined): SyncState {
  const applied = textAt(object, 'status', 'lastAppliedRevision');
  const attempted = textAt(object, 'status', 'lastAttemptedRevision');
  const status = textAt(ready, 'status');
  if (status === '') return 'Unknown';
  if (status === 'True') return 'Synced';
  if (APPLIED_REASONS.has(textAt(ready, 'reason')) && applied === attempted && applied !== '') {
    return 'Synced';
  }
  return textAt(ready, 'reason') === 'ArtifactFailed' ? 'Unknown' : 'OutOfSync';
}

function healthState(ready: Json | undefined): HealthState {
  const status = textAt(ready, 'status');
  if (status === 'True') return 'Healthy';
  if (status === 'False') return 'Degraded';
  return status === '' ? 'Unknown' : 'Progressing';
}

export function findCondition(object: KubeObject, type: string): Json | undefined {
  return listAt(object, 'status', 'conditions').find((item) => textAt(item, 'type') === type);
}

export function fluxConditions(object: KubeObject): readonly ConditionView[] {
  return listAt(object, 'status', 'conditions').flatMap((condition) => {
    if (!isMapping(condition)) return [];
    const type = textAt(condition, 'type');
    const isBad =
      (type === 'Ready' && textAt(condition, 'status') === 'False') ||
      (type === 'Stalled' && textAt(condition, 'status') === 'True');
    return [
      {
        type,
        severity: isBad ? 'error' : 'info',
        message: textAt(condition, 'message'),
        at: textAt(condition, 'lastTransitionTime'),
      } satisfies ConditionView,
    ];
  });
}
