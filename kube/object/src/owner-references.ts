import type { KubeObject, OwnerReference } from './object.ts';
import { parseApiVersion } from './object-key.ts';

/** The owner that manages the object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Whether `owner` (which must have a uid) is among the object's owners. */
export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  const { uid } = owner.metadata;
  return uid !== undefined && object.metadata.ownerReferences?.some((r) => r.uid === uid) === true;
}

export function ownerReferenceTo(
  owner: KubeObject,
  options: { readonly controller: boolean; readonly blockOwnerDeletion?: boolean },
): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  const block = options.blockOwnerDeletion ?? options.controller;
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name,
    uid,
    ...(options.controller ? { controller: true } : {}),
    ...(block ? { blockOwnerDeletion: true } : {}),
  };
}

/** Two references to one owner, whichever version of its group they name. */
export function isSameOwner(left: OwnerReference, right: OwnerReference): boolean {
  return (
    parseApiVersion(left.apiVersion).group === parseApiVersion(right.apiVersion).group &&
    left.kind === right.kind &&
    left.name === right.name
  );
}
