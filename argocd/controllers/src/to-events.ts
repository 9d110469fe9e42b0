import type { ApplicationStatus } from '@capstan/argocd-api';

export interface ApplicationEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What happened between two statuses, with the reasons and words of the original. Pure. */
export function toEvents(
  before: ApplicationStatus,
  after: ApplicationStatus,
): readonly ApplicationEvent[] {
  return [...operationEvents(before, after), ...statusEvents(before, after)];
}

function operationEvents(
  before: ApplicationStatus,
  after: ApplicationStatus,
): readonly ApplicationEvent[] {
  const [old, current] = [before.operationState, after.operationState];
  if (current === undefined) return [];
  const events: ApplicationEvent[] = [];
  const revision = current.syncResult?.revision || (current.syncResult?.revisions ?? []).join(', ');
  if (old?.startedAt !== current.startedAt) {
    const automated = current.operation.initiatedBy?.automated === true;
    const user = current.operation.initiatedBy?.username;
    const who = automated ? 'Initiated automated sync' : `${user ? `${user} i` : 'I'}nitiated sync`;
    events.push({ type: 'Normal', reason: 'OperationStarted', message: `${who} to '${revision}'` });
  }
  const isNew = old?.startedAt !== current.startedAt || old?.phase !== current.phase;
  if (isNew && current.finishedAt !== undefined) {
    const failed = current.phase !== 'Succeeded';
    const kind = (current.operation.sync?.resources?.length ?? 0) > 0 ? 'Partial sync' : 'Sync';
    const outcome = failed ? `failed: ${current.message ?? ''}` : 'succeeded';
    events.push({
      type: failed ? 'Warning' : 'Normal',
      reason: 'OperationCompleted',
      message: `${kind} operation to ${revision} ${outcome}`,
    });
  }
  return events;
}

function statusEvents(
  before: ApplicationStatus,
  after: ApplicationStatus,
): readonly ApplicationEvent[] {
  const events: ApplicationEvent[] = [];
  const [oldSync = '', sync = ''] = [before.sync?.status, after.sync?.status];
  if (oldSync !== sync) events.push(updated('sync', oldSync, sync));
  const [oldHealth = '', health = ''] = [before.health?.status, after.health?.status];
  if (oldHealth !== health) events.push(updated('health', oldHealth, health));
  return events;
}

function updated(what: string, from: string, to: string): ApplicationEvent {
  return {
    type: 'Normal',
    reason: 'ResourceUpdated',
    message: `Updated ${what} status: ${from} -> ${to}`,
  };
}
