import { FINALIZER } from '@capstan/flux-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { createJsonMergePatch } from '@capstan/kube-merge';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';

export interface WriteOptions {
  readonly client: KubeClient;
  readonly fieldManager: string;
  readonly signal: AbortSignal;
}

/** Writes what changed of a status; nothing, and undefined, when nothing did or the object is gone. */
export async function writeStatus(
  object: KubeObject,
  status: JsonObject,
  { client, fieldManager, signal }: WriteOptions,
): Promise<KubeObject | undefined> {
  const before = object['status'];
  const patch = createJsonMergePatch(isRecord(before) ? before : {}, status);
  if (isEmpty(patch)) return undefined;
  try {
    return await client.patch(
      refOf(object),
      { status: patch },
      {
        type: 'merge',
        subresource: 'status',
        fieldManager,
        signal,
      },
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Sets or removes a finalizer (Flux's own); answers the object as it stands then, undefined when there was nothing to do. */
export async function setFinalizer(
  object: KubeObject,
  isWanted: boolean,
  { client, fieldManager, signal }: WriteOptions,
  finalizer: string = FINALIZER,
): Promise<KubeObject | undefined> {
  const { finalizers = [], resourceVersion } = object.metadata;
  if (finalizers.includes(finalizer) === isWanted) return undefined;
  const kept = finalizers.filter((name) => name !== finalizer);
  const metadata: Json = {
    finalizers: isWanted ? [...kept, finalizer] : kept,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  try {
    return await client.patch(refOf(object), { metadata }, { type: 'merge', fieldManager, signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function refOf({ apiVersion, kind, metadata }: KubeObject) {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
