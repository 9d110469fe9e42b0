import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { objectAt } from './json.ts';

/** Only what identifies an object, as clients ask for it to save memory. */
export function partialMetadata(object: KubeObject, version: string): JsonObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.kind === 'DaemonSet' ? storedMetadata(object) : object.metadata,
  };
}

/** The real server keeps this annotation in a field of its own, and shows it only in the whole object. */
function storedMetadata(object: KubeObject): JsonObject {
  const { annotations, ...rest } = object.metadata;
  const { 'deprecated.daemonset.template.generation': _, ...others } = objectAt(annotations);
  return { ...rest, ...(Object.keys(others).length === 0 ? {} : { annotations: others }) };
}
