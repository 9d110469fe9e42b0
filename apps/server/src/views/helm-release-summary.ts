import type { AppSummary, HealthState, SyncRecord, SyncState } from '@capstan/apps-contract';
import type { Json, KubeObject } from '@capstan/kube-object';
import { listAt, numberAt, textAt, valueAt } from './fields.ts';
import { findCondition } from './kustomization-summary.ts';

/** A Flux HelmRelease as a row of the list; `source` is where its chart comes from, when that is known. */
export function helmReleaseSummary(object: KubeObject, source: KubeObject | undefined): AppSummary {
  const ready = findCondition(object, 'Ready');
  const [latest] = listAt(object, 'status', 'history');
  const { name = '', namespace = '' } = object.metadata;
  const chart = textAt(object, 'spec', 'chart', 'spec', 'chart');
  return {
    kind: 'HelmRelease',
    family: 'flux',
    namespace,
    name,
    project: '',
    sync: syncState(object, ready),
    health: healthState(ready),
    syncing: textAt(findCondition(object, 'Reconciling'), 'status') === 'True',
    suspended: valueAt(object, 'spec', 'suspend') === true,
    repo: textAt(source, 'spec', 'url'),
    path: chart || textAt(object, 'spec', 'chartRef', 'name'),
    targetRevision: textAt(object, 'spec', 'chart', 'spec', 'version') || '*',
    revision: textAt(latest, 'chartVersion'),
    destination: textAt(object, 'spec', 'targetNamespace') || namespace,
    message: textAt(ready, 'status') === 'True' ? '' : textAt(ready, 'message'),
    lastSyncedAt: textAt(latest, 'lastDeployed'),
  };
}

/** In place is what the last attempt released, unless its drift or failure is told. */
function syncState(object: KubeObject, ready: Json | undefined): SyncState {
  const status = textAt(ready, 'status');
  if (status === 'True') return 'Synced';
  if (status === '' || textAt(ready, 'reason') === 'ArtifactFailed') return 'Unknown';
  const released = textAt(findCondition(object, 'Released'), 'status') === 'True';
  return released && status === 'Unknown' ? 'Synced' : 'OutOfSync';
}

function healthState(ready: Json | undefined): HealthState {
  const status = textAt(ready, 'status');
  if (status === 'True') return 'Healthy';
  if (status === 'False') return 'Degraded';
  return status === '' ? 'Unknown' : 'Progressing';
}

/** Its releases, newest first: the id is Helm's revision. */
export function helmReleaseHistory(object: KubeObject): readonly SyncRecord[] {
  return listAt(object, 'status', 'history').map((entry) => ({
    id: numberAt(entry, 'version'),
    revision: textAt(entry, 'chartVersion'),
    deployedAt: textAt(entry, 'lastDeployed'),
    initiatedBy: 'automated',
    commit: null,
  }));
}
