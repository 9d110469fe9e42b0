import type { KubeObject } from '@capstan/kube-object';
import { notFound } from './api-error.ts';
import { type Core, keyFor } from './core.ts';
import { fromStorage } from './version-conversion.ts';
import { subjectOf, type Target } from './write-object.ts';

/**
 * One object in the version of the request. A `resourceVersion` in the query is only a lower bound, which the store always
 * meets.
 */
export function readObject(core: Core, target: Target): KubeObject {
  const key = keyFor(target.resource, target.namespace, target.name);
  const stored = core.store.get(target.resource.bucket, key);
  if (stored === undefined) throw notFound(subjectOf(target));
  return fromStorage(stored, target.resource);
}
