import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { conflict, notFound } from './api-error.ts';
import { type Core, keyFor } from './core.ts';
import { listAt, objectAt, textAt } from './json.ts';
import { toStorageVersion } from './version-conversion.ts';

/** Sets the node of a pod, which an ordinary update may not. */
export function bindPod(core: Core, namespace: string, name: string, node: string): KubeObject {
  const key = `${namespace}/${name}`;
  const subject = { group: '', resource: 'pods/binding', name };
  const pod = core.store.get('/pods', key);
  if (pod === undefined) throw notFound({ group: '', resource: 'pods', name });
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(subject, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const bound = textAt(pod, 'spec', 'nodeName');
  if (bound !== '') {
    throw conflict(subject, `pod ${name} is already assigned to node ${JSON.stringify(bound)}`);
  }
  const conditions = listAt(pod, 'status', 'conditions').filter(
    (condition) => textAt(condition, 'type') !== 'PodScheduled',
  );
  const scheduled: Json = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: new Date(core.clock.now()).toISOString(),
  };
  return core.store.put('/pods', key, {
    ...pod,
    spec: { ...objectAt(pod, 'spec'), nodeName: node },
    status: { ...objectAt(pod, 'status'), conditions: [...conditions, scheduled] },
  });
}

/** Takes the server's own finalizer off a namespace, and with it the namespace, unless something else holds it. */
export function finalizeNamespace(core: Core, name: string): void {
  const namespace = core.store.get('/namespaces', name);
  if (namespace === undefined || namespace.metadata.deletionTimestamp === undefined) return;
  const finalizers = listAt(namespace, 'spec', 'finalizers').filter((f) => f !== 'kubernetes');
  const spec: JsonObject = finalizers.length === 0 ? {} : { finalizers };
  const freed: KubeObject = { ...namespace, spec };
  if (finalizers.length > 0 || (namespace.metadata.finalizers ?? []).length > 0) {
    core.store.put('/namespaces', name, freed);
  } else core.store.remove('/namespaces', name, freed);
}

/** Stores an object as it stands, without defaults, admission and validation: for what another cluster has checked. */
export function putImported(core: Core, object: KubeObject): boolean {
  const slash = object.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash);
  const version = object.apiVersion.slice(slash + 1);
  const resource = core.registry.findKind(group, version, object.kind);
  const { namespace = '', name = '' } = object.metadata;
  if (resource === undefined || name === '' || !resource.verbs.includes('list')) return false;
  const stored = toStorageVersion(object, resource);
  core.store.put(resource.bucket, keyFor(resource, namespace, name), stored);
  return true;
}
