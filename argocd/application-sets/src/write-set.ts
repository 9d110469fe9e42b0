import {
  API_VERSION,
  type ApplicationSet,
  type ApplicationSetStatus,
  FINALIZER,
} from '@capstan/argocd-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { createJsonMergePatch } from '@capstan/kube-merge';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { isRecord } from './json.ts';
import { FIELD_MANAGER } from './perform-plan.ts';

/** Asks for a look that trusts no cache; cleared when that was done. */
export const REFRESH = 'argocd.argoproj.io/application-set-refresh';

interface WriteOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

/** Writes the status if it changed, and clears the refresh annotation; answers what was written last. */
export async function writeSetStatus(
  set: ApplicationSet,
  status: ApplicationSetStatus,
  { client, signal }: WriteOptions,
): Promise<KubeObject | undefined> {
  const patch = createJsonMergePatch(set.status ?? {}, status);
  let written: KubeObject | undefined;
  const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal } as const;
  try {
    if (isRecord(patch) && Object.keys(patch).length > 0) {
      written = await client.patch(
        refOf(set),
        { status: patch },
        { ...options, subresource: 'status' },
      );
    }
    if (set.metadata.annotations?.[REFRESH] !== undefined) {
      const clear: JsonObject = { metadata: { annotations: { [REFRESH]: null } } };
      written = await client.patch(refOf(set), clear, options);
    }
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  return written;
}

/** Takes the set's ownership from its applications, so that they outlive it. */
export async function releaseApplications(
  applications: readonly KubeObject[],
  { client, signal }: WriteOptions,
): Promise<void> {
  for (const { metadata } of applications) {
    const { name = '', namespace = '' } = metadata;
    const ref = { apiVersion: API_VERSION, kind: 'Application', namespace, name };
    const patch = { metadata: { ownerReferences: null } };
    await client.patch(ref, patch, { type: 'merge', fieldManager: FIELD_MANAGER, signal });
  }
}

/** The set holds itself until its applications are gone in order. */
export async function addFinalizer(
  set: ApplicationSet,
  { client, signal }: WriteOptions,
): Promise<void> {
  const { finalizers = [] } = set.metadata;
  if (finalizers.includes(FINALIZER)) return;
  const patch = { metadata: { finalizers: [...finalizers, FINALIZER] } };
  await client.patch(refOf(set), patch, { type: 'merge', fieldManager: FIELD_MANAGER, signal });
}

export async function removeFinalizer(
  set: ApplicationSet,
  { client, signal }: WriteOptions,
): Promise<void> {
  const { finalizers = [] } = set.metadata;
  if (!finalizers.includes(FINALIZER)) return;
  const kept = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const patch = { metadata: { finalizers: kept.length === 0 ? null : kept } };
  try {
    await client.patch(refOf(set), patch, { type: 'merge', fieldManager: FIELD_MANAGER, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function refOf({ metadata }: ApplicationSet) {
  const { name = '', namespace = '' } = metadata;
  return { apiVersion: API_VERSION, kind: 'ApplicationSet', namespace, name };
}
