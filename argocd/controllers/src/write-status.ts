import {
  ANNOTATION,
  API_VERSION,
  type Application,
  type ApplicationStatus,
} from '@capstan/argocd-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { createJsonMergePatch } from '@capstan/kube-merge';
import type { Json, KubeObject } from '@capstan/kube-object';

export interface WriteOptions {
  readonly client: KubeClient;
  readonly isFinal: boolean;
  readonly clearsOperation: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes what changed, in one patch; with nothing changed (but the time of the look) and nothing to clear, nothing is
 * written and undefined is returned. Clearing the operation insists on the version that was read, so that a request made
 * in between is not lost: the server answers CONFLICT then.
 */
export async function writeStatus(
  app: Application,
  status: ApplicationStatus,
  { client, isFinal, clearsOperation, signal }: WriteOptions,
): Promise<KubeObject | undefined> {
  const before = app.status ?? {};
  const refreshed = isFinal && app.metadata.annotations?.[ANNOTATION.refresh] !== undefined;
  const { reconciledAt: _old, ...beforeRest } = before;
  const { reconciledAt: _new, ...afterRest } = status;
  const changed = Object.keys(asRecord(createJsonMergePatch(beforeRest, afterRest))).length > 0;
  if (!changed && !refreshed && !clearsOperation) return undefined;
  const { name = '', namespace = '', resourceVersion } = app.metadata;
  const metadata = {
    ...(refreshed ? { annotations: { [ANNOTATION.refresh]: null } } : {}),
    ...(clearsOperation && resourceVersion !== undefined ? { resourceVersion } : {}),
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
    throw error;
  }
}

function asRecord(value: Json): { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json | undefined })
    : {};
}
