import { type LocalClient, OrderedMap, type StoreEvent } from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';

/** An object that names an owner, by where it is found. */
export interface Dependent {
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
}

/** Which objects each owner has, kept up to date by the store's events: finding them costs what there are of them. */
export interface OwnerIndex {
  see(event: StoreEvent): void;
  dependents(ownerUid: string): readonly Dependent[];
  /** The objects of one resource that an owner controls, in the order of their names. */
  owned(client: LocalClient, path: string, owner: KubeObject): KubeObject[];
  /** A copy in O(1). */
  fork(): OwnerIndex;
}

/** `paths`: of each dependent, by `owner's uid|bucket|key`. */
export function createOwnerIndex(paths = new OrderedMap<string>()): OwnerIndex {
  const below = (prefix: string): Dependent[] =>
    // What begins with a prefix that ends in a bar stands before the prefix with the next character, a brace.
    [...paths.entries(prefix, `${prefix.slice(0, -1)}}`)].map(([entry, path]) => {
      const key = entry.slice(entry.lastIndexOf('|') + 1);
      const slash = key.indexOf('/');
      return { path, namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
    });
  return {
    see({ bucket, key, object, previous, removed }) {
      for (const { uid } of previous?.metadata.ownerReferences ?? []) {
        paths.delete(`${uid}|${bucket}|${key}`);
      }
      for (const { uid } of object.metadata.ownerReferences ?? []) {
        if (removed) paths.delete(`${uid}|${bucket}|${key}`);
        else paths.set(`${uid}|${bucket}|${key}`, pathOf(bucket, object));
      }
    },
    dependents: (ownerUid) => below(`${ownerUid}|`),
    owned(client, path, owner) {
      const bucket = client.resource(path)?.bucket;
      if (bucket === undefined) return [];
      const { uid = '', namespace = '' } = owner.metadata;
      return below(`${uid}|${bucket}|`).flatMap(({ name }) => {
        const object = client.get(path, namespace, name);
        return object !== undefined && isControlledBy(object, owner) ? [object] : [];
      });
    },
    fork: () => createOwnerIndex(paths.fork()),
  };
}

/** The path of a stored object's resource, in the version that is stored. */
export function pathOf(bucket: string, object: KubeObject): string {
  return `${object.apiVersion}/${bucket.slice(bucket.lastIndexOf('/') + 1)}`;
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    (reference) => reference.controller === true && reference.uid === owner.metadata.uid,
  );
}
