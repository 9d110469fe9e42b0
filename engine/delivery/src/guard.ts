import { matchesGlob } from '@capstan/engine-diff';
import type { ObjectKey } from '@capstan/kube-object';
import type { Guard, KindList, KindPattern } from './types.ts';

/** Why the guard forbids this object; undefined when it may be touched. Denials win over permissions. */
export function findRefusal(
  guard: Guard,
  key: ObjectKey,
  place: { readonly namespaced: boolean; readonly cluster: string },
): string | undefined {
  const list = place.namespaced ? guard.namespacedKinds : guard.clusterKinds;
  if (!isKindAllowed(list, key)) {
    return `resource ${key.group}:${key.kind} is not permitted in project ${guard.name}`;
  }
  if (
    place.namespaced &&
    !isDestinationAllowed(guard, { cluster: place.cluster, namespace: key.namespace })
  ) {
    return `namespace ${key.namespace} is not permitted in project '${guard.name}'`;
  }
  return undefined;
}

/** A pattern that begins with `!` denies; without one that allows, everything not denied is refused. */
export function isDestinationAllowed(
  guard: Guard,
  wanted: { readonly cluster: string; readonly namespace: string },
): boolean {
  if (guard.destinations === undefined) return true;
  let allowed = false;
  for (const { cluster, namespace } of guard.destinations) {
    const deniesCluster = cluster.startsWith('!');
    const deniesNamespace = namespace.startsWith('!');
    const clusterFits = fits(deniesCluster ? cluster.slice(1) : cluster, wanted.cluster);
    const namespaceFits = fits(deniesNamespace ? namespace.slice(1) : namespace, wanted.namespace);
    if (deniesCluster || deniesNamespace) {
      // The part that is denied must fit, and so must the other one.
      if (clusterFits && namespaceFits) return false;
    } else if (clusterFits && namespaceFits) allowed = true;
  }
  return allowed;
}

function isKindAllowed({ allowed, denied }: KindList, key: ObjectKey): boolean {
  if (denied.some((pattern) => kindFits(pattern, key))) return false;
  return allowed === undefined || allowed.some((pattern) => kindFits(pattern, key));
}

function kindFits(pattern: KindPattern, key: ObjectKey): boolean {
  return (
    fits(pattern.group, key.group) &&
    fits(pattern.kind, key.kind) &&
    (pattern.name === undefined || pattern.name === '' || fits(pattern.name, key.name))
  );
}

function fits(pattern: string, text: string): boolean {
  return pattern === text || matchesGlob(pattern, text);
}
