import type { InventoryEntry } from '@capstan/engine-delivery';
import type { ResourceEntry } from '@capstan/flux-api';
import type { ObjectKey } from '@capstan/kube-object';

const RBAC = 'rbac.authorization.k8s.io';

/** `namespace_name_group_kind`; colons of RBAC names are doubled underscores, as in Flux's inventories. */
export function formatEntry({ key, version }: InventoryEntry): ResourceEntry {
  const name = key.group === RBAC ? key.name.replaceAll(':', '__') : key.name;
  return { id: `${key.namespace}_${name}_${key.group}_${key.kind}`, v: version };
}

/** undefined for what is no such id. */
export function parseEntry({ id, v }: ResourceEntry): InventoryEntry | undefined {
  const [first, last, kindAt] = [id.indexOf('_'), id.lastIndexOf('_'), id.lastIndexOf('_')];
  const groupAt = last < 0 ? -1 : id.lastIndexOf('_', last - 1);
  if (first < 0 || groupAt <= first) return undefined;
  const group = id.slice(groupAt + 1, kindAt);
  const told = id.slice(first + 1, groupAt);
  const name = group === RBAC ? told.replaceAll('__', ':') : told;
  const key: ObjectKey = { namespace: id.slice(0, first), name, group, kind: id.slice(kindAt + 1) };
  return { key, version: v };
}
