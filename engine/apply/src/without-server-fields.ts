import type { KubeObject } from '@capstan/kube-object';

/** The object without what the server alone decides: manifests that were read from a cluster hold it. */
export function withoutServerFields(object: KubeObject): KubeObject {
  const {
    managedFields: _managers,
    resourceVersion: _version,
    uid: _uid,
    generation: _generation,
    creationTimestamp: _created,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}
