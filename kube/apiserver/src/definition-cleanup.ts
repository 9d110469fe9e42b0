import type { KubeObject } from '@capstan/kube-object';
import type { Core } from './core.ts';
import { CLEANUP_FINALIZER, withTermination } from './definition-termination.ts';
import { listAt, textAt } from './json.ts';
import { CRD_BUCKET } from './registry.ts';
import { finishDeletion, removeObject } from './remove-object.ts';
import { SYSTEM } from './user.ts';

/**
 * A definition that is to go takes its objects along: each is deleted as if somebody had asked for it, and the definition
 * goes when the last one is gone, whatever its finalizers make of that.
 */
export function cleanUpDefinitions(core: Core): void {
  /** By the bucket of their objects. */
  const waiting = new Map<string, string>();
  const due = new Set<string>();
  const look = (name: string): void => {
    due.add(name);
    if (due.size > 1) return;
    queueMicrotask(() => {
      const names = [...due];
      due.clear();
      for (const one of names) cleanUp(core, one, waiting);
    });
  };
  core.store.subscribe(({ key, object, removed }) => {
    if (!removed && object.metadata.deletionTimestamp !== undefined) look(key);
  }, CRD_BUCKET);
  core.store.subscribe(({ bucket, removed }) => {
    const name = removed && waiting.size > 0 ? waiting.get(bucket) : undefined;
    if (name !== undefined) look(name);
  });
  for (const [key, { metadata }] of core.store.view(CRD_BUCKET).entries()) {
    if (metadata.deletionTimestamp !== undefined) look(key);
  }
}

function cleanUp(core: Core, key: string, waiting: Map<string, string>): void {
  const definition = core.store.get(CRD_BUCKET, key);
  if (definition?.metadata.deletionTimestamp === undefined) return;
  if (definition.metadata.finalizers?.includes(CLEANUP_FINALIZER) !== true) return;
  const group = textAt(definition, 'spec', 'group');
  const plural = textAt(definition, 'spec', 'names', 'plural');
  const bucket = `${group}/${plural}`;
  removeAll(core, definition, bucket);
  if ([...core.store.view(bucket).entries()].length > 0) {
    waiting.set(bucket, key);
    return;
  }
  waiting.delete(bucket);
  const finalizers = definition.metadata.finalizers.filter((one) => one !== CLEANUP_FINALIZER);
  const { finalizers: _held, ...metadata } = definition.metadata;
  const free = withTermination(
    core,
    { ...definition, metadata: { ...metadata, ...(finalizers.length > 0 ? { finalizers } : {}) } },
    {
      status: 'False',
      reason: 'InstanceDeletionCompleted',
      message: 'removed all instances',
    },
  );
  const kept = core.store.put(CRD_BUCKET, key, free);
  const resource = core.registry.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  if (resource !== undefined) finishDeletion(core, resource, key, kept);
}

function removeAll(core: Core, definition: KubeObject, bucket: string): void {
  const served = listAt(definition, 'spec', 'versions').map((version) => textAt(version, 'name'));
  const [group = '', plural = ''] = bucket.split('/');
  const resource = served
    .map((version) => core.registry.find(group, version, plural))
    .find((found) => found !== undefined);
  for (const [key, { metadata }] of [...core.store.view(bucket).entries()]) {
    if (metadata.deletionTimestamp !== undefined) continue;
    const { namespace = '', name = '' } = metadata;
    if (resource === undefined) core.store.remove(bucket, key);
    else {
      const options = { user: SYSTEM, dryRun: false, warn: () => undefined };
      removeObject(core, { resource, namespace, name }, { ...options, admitted: 'already' });
    }
  }
}
