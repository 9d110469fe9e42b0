import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import { toHealthState, toSyncState } from './application-summary.ts';
import { isMapping, listAt, textAt, valueAt } from './fields.ts';
import type { ManagedObject } from './resource-tree.ts';

/** What an Application's status.resources lists. */
export function applicationObjects(object: KubeObject): readonly ManagedObject[] {
  return listAt(object, 'status', 'resources').flatMap((resource) => {
    if (!isMapping(resource) || valueAt(resource, 'hook') === true) return [];
    const health = textAt(resource, 'health', 'status');
    const message = textAt(resource, 'health', 'message');
    return [
      {
        key: {
          group: textAt(resource, 'group'),
          kind: textAt(resource, 'kind'),
          namespace: textAt(resource, 'namespace'),
          name: textAt(resource, 'name'),
        },
        version: textAt(resource, 'version'),
        sync: toSyncState(textAt(resource, 'status')),
        health:
          health === ''
            ? undefined
            : { status: toHealthState(health), ...(message === '' ? {} : { message }) },
        requiresPruning: valueAt(resource, 'requiresPruning') === true,
      },
    ];
  });
}

/** What the status.inventory of a Kustomization or HelmRelease lists: `<namespace>_<name>_<group>_<kind>` with the version beside it. */
export function inventoryObjects(object: KubeObject): readonly ManagedObject[] {
  return listAt(object, 'status', 'inventory', 'entries').flatMap((entry) => {
    const key = parseInventoryId(textAt(entry, 'id'));
    if (key === undefined) return [];
    return [
      {
        key,
        version: textAt(entry, 'v'),
        sync: 'Synced' as const,
        health: undefined,
        requiresPruning: false,
      },
    ];
  });
}

/** In names of RBAC objects `:` stands as `__`. */
export function parseInventoryId(id: string): ObjectKey | undefined {
  const found = /^([^_]*)_(.+)_([^_]*)_([^_]+)$/.exec(id);
  if (found === null) return undefined;
  const [, namespace = '', name = '', group = '', kind = ''] = found;
  return { group, kind, namespace, name: name.replaceAll('__', ':') };
}
