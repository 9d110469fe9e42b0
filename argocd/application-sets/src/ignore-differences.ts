import type { ApplicationSet } from '@capstan/argocd-api';
import { applyJsonPatch } from '@capstan/kube-merge';
import type { JsonObject } from '@capstan/kube-object';

/** An application without the fields that spec.ignoreApplicationDifferences leaves to others. */
export function ignoreDifferences(
  application: JsonObject,
  { spec }: ApplicationSet,
  name: string,
): JsonObject {
  return (spec.ignoreApplicationDifferences ?? [])
    .filter((rule) => rule.name === undefined || rule.name === '' || rule.name === name)
    .flatMap((rule) => rule.jsonPointers ?? [])
    .reduce(removeAt, application);
}

function removeAt(object: JsonObject, path: string): JsonObject {
  try {
    const result = applyJsonPatch(object, [{ op: 'remove', path }]);
    return typeof result === 'object' && result !== null && !Array.isArray(result)
      ? (result as JsonObject)
      : object;
  } catch {
    // Nothing is there.
    return object;
  }
}
