import {
  ANNOTATION,
  API_VERSION,
  type Application,
  type ApplicationCondition,
  type ApplicationStatus,
} from '@capstan/argocd-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { createJsonMergePatch } from '@capstan/kube-merge';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { thinStatus } from './thin-status.ts';

/** What asks for a look, and goes when that was had, together with the time that tells one request from the next. */
const ASKED: readonly string[] = [ANNOTATION.refresh, ANNOTATION.hydrate];
const timeOf = (asked: string) => `${asked}-timestamp`;

export interface WriteOptions {
  readonly client: KubeClient;
  readonly isFinal: boolean;
  readonly clearsOperation: boolean;
  /** Annotations as they were when the look began: a request that came since stays. */
  readonly seen?: { readonly [name: string]: string } | undefined;
  readonly signal: AbortSignal;
}

/**
 * Writes what changed, in one patch; with nothing changed and nothing to clear, nothing is written and undefined is
 * returned. The time of the look alone is no change, nor is another commit with the same content for this application:
 * otherwise each commit would be written to every application of its repository. Clearing the operation, or a refresh that tells
 * its time, insists on the version that was read, so that a request made in between is not lost: the server answers CONFLICT then.
 * Where the server has no room for all results of a sync, the telling ones are written.
 */
export async function writeStatus(
  app: Application,
  status: ApplicationStatus,
  { client, isFinal, clearsOperation, seen, signal }: WriteOptions,
): Promise<KubeObject | undefined> {
  const before = app.status ?? {};
  const { annotations = {} } = app.metadata;
  const isSeen = (name: string) => seen === undefined || seen[name] === annotations[name];
  const asked = ASKED.filter(
    (name) => annotations[name] !== undefined && isSeen(name) && isSeen(timeOf(name)),
  );
  const timed = asked.map(timeOf).filter((name) => annotations[name] !== undefined);
  const refreshed = isFinal && asked.length > 0;
  const changed =
    Object.keys(asRecord(createJsonMergePatch(essence(before), essence(status)))).length > 0;
  if (!changed && !refreshed && !clearsOperation) return undefined;
  const { name = '', namespace = '', resourceVersion } = app.metadata;
  const isBound = clearsOperation || (refreshed && timed.length > 0);
  const metadata = {
    ...(refreshed
      ? {
          annotations: Object.fromEntries(
            [...asked, ...timed].map((name) => [name, null] as const),
          ),
        }
      : {}),
    ...(isBound && resourceVersion !== undefined ? { resourceVersion } : {}),
  };
  const patch: Json = {
    status: createJsonMergePatch(before, status),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(clearsOperation ? { operation: null } : {}),
  };
  try {
    return await client.patch(
      { apiVersion: API_VERSION, kind: 'Application', namespace, name },
      patch,
      {
        type: 'merge',
        fieldManager: 'argocd-application-controller',
        signal,
      },
    );
  } catch (error) {
    // It was deleted meanwhile; there is nothing to tell.
    if (isNotFound(error)) return undefined;
    if (!isTooLarge(error)) throw error;
    const thin = thinStatus(status);
    const told = isSame(status, thin) ? withoutRoom(before, status.reconciledAt) : thin;
    if (isSame(status, told)) throw error;
    return writeStatus(app, told, { client, isFinal, clearsOperation, seen, signal });
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof CapstanError && error.code === 'REQUEST_TOO_LARGE';
}

const NO_ROOM =
  'Application status exceeds the Kubernetes resource size limit and could not be persisted. The displayed status may be stale. Reduce the number of managed resources, set ApplyOutOfSyncOnly=true, lower spec.revisionHistoryLimit, or split the Application.';

/** What stood there, with the word that more does not fit. */
function withoutRoom(before: ApplicationStatus, now: string | undefined): ApplicationStatus {
  const { conditions = [] } = before;
  const isTold = (one: ApplicationCondition) =>
    one.type === 'UnknownError' && one.message === NO_ROOM;
  if (conditions.some(isTold)) return before;
  const at = now === undefined ? {} : { lastTransitionTime: now };
  const told = { type: 'UnknownError', message: NO_ROOM, ...at };
  return { ...before, conditions: [...conditions, told] };
}

function isSame(left: ApplicationStatus, right: ApplicationStatus): boolean {
  return Object.keys(asRecord(createJsonMergePatch(left, right))).length === 0;
}

function essence({ reconciledAt: _time, sync, ...rest }: ApplicationStatus): JsonObject {
  if (sync === undefined) return rest;
  const { revision = '', revisions: _revisions, ...compared } = sync;
  // A status without a commit is worth completing.
  return { ...rest, sync: { ...compared, known: revision !== '' } };
}

function asRecord(value: Json): { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json | undefined })
    : {};
}
