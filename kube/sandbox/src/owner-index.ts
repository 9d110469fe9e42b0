import type { LocalClient, StoreEvent } from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';

/** Which objects each owner has, kept up to date by the store's events: finding them costs what there are of them. */
export interface OwnerIndex {
  see(event: StoreEvent): void;
  /** The objects of one resource that an owner controls, in the order of their names. */
  owned(client: LocalClient, path: string, owner: KubeObject): KubeObject[];
}

export function createOwnerIndex(): OwnerIndex {
  const byOwner = new Map<string, Map<string, string>>();
  const note = (object: KubeObject | undefined, bucket: string, key: string, is: boolean): void => {
    for (const owner of object?.metadata.ownerReferences ?? []) {
      const known = byOwner.get(owner.uid) ?? new Map<string, string>();
      byOwner.set(owner.uid, known);
      if (is) known.set(`${bucket}|${key}`, key);
      else known.delete(`${bucket}|${key}`);
      if (known.size === 0) byOwner.delete(owner.uid);
    }
  };
  return {
    see({ bucket, key, object, previous, removed }) {
      note(previous, bucket, key, false);
      note(object, bucket, key, !removed);
    },
    owned(client, path, owner) {
      const bucket = client.resource(path)?.bucket;
      const found: KubeObject[] = [];
      for (const [place, key] of byOwner.get(owner.metadata.uid ?? '') ?? []) {
        if (bucket === undefined || !place.startsWith(`${bucket}|`)) continue;
        const name = key.slice(key.indexOf('/') + 1);
        const object = client.get(path, owner.metadata.namespace ?? '', name);
        if (object !== undefined && isControlledBy(object, owner)) found.push(object);
      }
      return found.sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
    },
  };
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    (reference) => reference.controller === true && reference.uid === owner.metadata.uid,
  );
}
