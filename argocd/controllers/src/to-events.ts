import type { Application, ApplicationStatus, AppProject } from '@capstan/argocd-api';
import { fitsListed } from './project-guard.ts';
import type { Settings } from './settings.ts';

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

/** Labels of an application, and of its project where it has none of that name, as the administrator chose them for events. */
export function eventLabels(
  { metadata }: Application,
  project: AppProject | undefined,
  { eventLabels: { include, exclude } }: Pick<Settings, 'eventLabels'>,
): { readonly labels?: { readonly [key: string]: string } } {
  if (include.length === 0) return {};
  const all = { ...project?.metadata.labels, ...metadata.labels };
  const fits = (globs: readonly string[], key: string) =>
    globs.some((glob) => fitsListed(glob, key));
  const chosen = Object.entries(all).filter(([key]) => fits(include, key) && !fits(exclude, key));
  return chosen.length === 0 ? {} : { labels: Object.fromEntries(chosen) };
}

function operationEvents(
  before: ApplicationStatus,
  after: ApplicationStatus,
): readonly ApplicationEvent[] {
  const [old, current] = [before.operationState, after.operationState];
  if (current === undefined) return [];
  const events: ApplicationEvent[] = [];
  const { revision: single, revisions: several = [] } = current.syncResult ?? {};
  const revision = single || several.join(', ');
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
      message: `${kind} operation to ${single || several.join(',')} ${outcome}`,
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
