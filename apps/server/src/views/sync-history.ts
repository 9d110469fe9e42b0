import type { CommitView, OperationView, SyncRecord } from '@capstan/apps-contract';
import type { KubeObject } from '@capstan/kube-object';
import { listAt, numberAt, textAt, valueAt } from './fields.ts';
import { commitOfRevision } from './kustomization-summary.ts';

export type FindCommit = (revision: string) => CommitView | null;

/** An Application's deployments, newest first. */
export function applicationHistory(object: KubeObject, find: FindCommit): readonly SyncRecord[] {
  const records = listAt(object, 'status', 'history').map((entry) => {
    const revision = textAt(entry, 'revision');
    const isAutomated = valueAt(entry, 'initiatedBy', 'automated') === true;
    const username = textAt(entry, 'initiatedBy', 'username');
    return {
      id: numberAt(entry, 'id'),
      revision,
      deployedAt: textAt(entry, 'deployedAt'),
      initiatedBy: isAutomated ? 'automated' : username,
      commit: find(revision),
    };
  });
  return records.reverse();
}

/** A Kustomization's, from status.history; the newest stands first there already. */
export function kustomizationHistory(object: KubeObject, find: FindCommit): readonly SyncRecord[] {
  return listAt(object, 'status', 'history').map((entry, index, all) => {
    const revision = commitOfRevision(textAt(entry, 'metadata', 'revision'));
    return {
      id: all.length - 1 - index,
      revision,
      deployedAt: textAt(entry, 'lastReconciled'),
      initiatedBy: 'automated',
      commit: find(revision),
    };
  });
}

export function applicationOperation(object: KubeObject): OperationView | null {
  const state = valueAt(object, 'status', 'operationState');
  const phase = textAt(state, 'phase');
  if (!isPhase(phase)) return null;
  return {
    phase,
    message: textAt(state, 'message'),
    startedAt: textAt(state, 'startedAt'),
    finishedAt: textAt(state, 'finishedAt'),
    revision:
      textAt(state, 'syncResult', 'revision') || textAt(state, 'operation', 'sync', 'revision'),
  };
}

function isPhase(text: string): text is OperationView['phase'] {
  return ['Running', 'Succeeded', 'Failed', 'Error', 'Terminating'].includes(text);
}
