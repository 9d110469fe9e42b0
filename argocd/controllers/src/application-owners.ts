import { ANNOTATION } from '@capstan/argocd-api';
import type { KubeObject } from '@capstan/kube-object';
import { ownerName } from './to-delivery.ts';

/** Reads whose an object is from its tracking annotation: for the live cache's owner index. */
export function applicationOwners(
  controlNamespace: string,
): (object: KubeObject) => readonly string[] {
  return (object) => {
    const text = object.metadata.annotations?.[ANNOTATION.trackingId];
    const colon = text?.indexOf(':') ?? -1;
    if (text === undefined || colon <= 0) return [];
    const instance = text.slice(0, colon);
    const underscore = instance.indexOf('_');
    // Names of objects hold no underscore: one separates the namespace.
    const [namespace, name] =
      underscore < 0
        ? [controlNamespace, instance]
        : [instance.slice(0, underscore), instance.slice(underscore + 1)];
    return [ownerName(namespace, name)];
  };
}
