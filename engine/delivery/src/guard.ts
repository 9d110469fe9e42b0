import { matchesGlob } from '@capstan/engine-diff';
import type { ObjectKey } from '@capstan/kube-object';
import { compileGlob } from '@capstan/lib-files';
import type { Guard, KindList, KindPattern } from './types.ts';

/** Why the guard forbids this object; undefined when it may be touched. Denials win over permissions. */
export function findRefusal(
  guard: Guard,
  key: ObjectKey,
  place: { readonly namespaced: boolean },
): string | undefined {
  const unmanaged = findUnmanaged(guard, key, place);
  if (unmanaged !== undefined) return unmanaged;
  const list = place.namespaced ? guard.namespacedKinds : guard.clusterKinds;
  if (!isKindAllowed(list, key)) {
    return `resource ${key.group}:${key.kind} is not permitted in project ${guard.name}`;
  }
  if (place.namespaced && !isNamespaceAllowed(guard, key.namespace)) {
    return `namespace ${key.namespace} is not permitted in project '${guard.name}'`;
  }
  return undefined;
}

function findUnmanaged(
  { managed }: Guard,
  { kind, name, namespace }: ObjectKey,
  { namespaced }: { readonly namespaced: boolean },
): string | undefined {
  if (managed === undefined) return undefined;
  if (!namespaced) {
    return managed.clusterObjects
      ? undefined
      : `Cluster level ${kind} ${JSON.stringify(name)} can not be managed when in namespaced mode`;
  }
  return managed.namespaces.includes(namespace)
    ? undefined
    : `namespace ${JSON.stringify(namespace)} for ${kind} ${JSON.stringify(name)} is not managed`;
}

/**
 * Whether the guard lets a delivery into a namespace of its cluster. A pattern with `!` fits what the rest of it does not;
 * the first denial ends the search, otherwise one rule has to allow. '' is the namespace of no object.
 */
export function isNamespaceAllowed(guard: Guard, namespace: string): boolean {
  if (guard.namespaces === undefined) return true;
  let isAllowed = false;
  for (const { pattern, cluster } of guard.namespaces) {
    const fitsHere = fitsNegatable(pattern, namespace);
    if (cluster.allowed && fitsHere) isAllowed = true;
    else if (cluster.denied && fitsHere) return false;
    else if (!fitsHere && pattern.startsWith('!') && cluster.named) return false;
  }
  return isAllowed;
}

/** `*` takes everything; `!` in front turns the meaning of the rest around. */
export function fitsNegatable(pattern: string, text: string): boolean {
  if (pattern.startsWith('!')) return !fitsGlob(pattern.slice(1), text);
  return pattern === '*' || fitsGlob(pattern, text);
}

function fitsGlob(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  return /[*?[{\\]/.test(pattern) && compileGlob(pattern, { braces: true })(text);
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
