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
  /** The pods, or replica sets, of a namespace that nobody controls. */
  orphans(client: LocalClient, path: string, namespace: string): KubeObject[];
  /** A copy in O(1). */
  fork(): OwnerIndex;
}

/** What workloads adopt when nobody controls it. */
const ADOPTED: ReadonlySet<string> = new Set(['/pods', 'apps/replicasets']);

/** `paths`: of each dependent, by `owner's uid|bucket|key`. */
export function createOwnerIndex(paths = new OrderedMap<string>()): OwnerIndex {
  const below = (prefix: string, beginning = ''): Dependent[] => {
    const from = prefix + beginning;
    // What begins with a text stands before that text with the character after its last.
    const next = String.fromCharCode(from.charCodeAt(from.length - 1) + 1);
    const entries = [...paths.entries(from, from.slice(0, -1) + next)];
    return entries.map(([entry, path]) => {
      const key = entry.slice(entry.lastIndexOf('|') + 1);
      const slash = key.indexOf('/');
      return { path, namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
    });
  };
  return {
    see({ bucket, key, object, previous, removed }) {
      for (const { uid } of previous?.metadata.ownerReferences ?? []) {
        paths.delete(`${uid}|${bucket}|${key}`);
      }
      const owners = object.metadata.ownerReferences ?? [];
      for (const { uid } of owners) {
        if (removed) paths.delete(`${uid}|${bucket}|${key}`);
        else paths.set(`${uid}|${bucket}|${key}`, pathOf(bucket, object));
      }
      if (!ADOPTED.has(bucket)) return;
      // Orphans stand under the owner without a name.
      if (removed || owners.some(({ controller }) => controller === true)) {
        paths.delete(`|${bucket}|${key}`);
      } else paths.set(`|${bucket}|${key}`, pathOf(bucket, object));
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
    orphans(client, path, namespace) {
      const bucket = client.resource(path)?.bucket;
      if (bucket === undefined) return [];
      return below(`|${bucket}|`, `${namespace}/`).flatMap(({ name }) => {
        const object = client.get(path, namespace, name);
        return object === undefined ? [] : [object];
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
