import type { FormerManager } from '@capstan/engine-sync';
import { formatFieldsV1, parseFieldsV1 } from '@capstan/kube-merge';
import type { Json, KubeObject, ManagedFieldsEntry } from '@capstan/kube-object';

export interface TakeOver {
  /** Managers whose fields become ours. */
  readonly from: readonly FormerManager[];
  readonly to: string;
}

/**
 * The JSON patch that hands the fields of other managers to our server-side one, so that a field dropped from the
 * manifest is dropped from the object, and nothing else changes: no field of the object itself is touched. undefined when
 * there is nothing to hand over. It holds for this resourceVersion only; the server answers CONFLICT otherwise.
 */
export function takeOverPatch(live: KubeObject, { from, to }: TakeOver): Json | undefined {
  const { managedFields = [], resourceVersion } = live.metadata;
  const isOurs = (entry: ManagedFieldsEntry) =>
    entry.manager === to && entry.operation === 'Apply' && (entry.subresource ?? '') === '';
  const theirs = managedFields.filter(
    (entry) => !isOurs(entry) && from.some((one) => isPredecessor(entry, one)),
  );
  const [newest] = [...theirs].sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
  if (newest === undefined || resourceVersion === undefined) return undefined;
  const ours = managedFields.find(isOurs);
  const sets = [...(ours === undefined ? [] : [ours]), ...theirs].flatMap(({ fieldsV1 }) =>
    fieldsV1 === undefined ? [] : [parseFieldsV1(fieldsV1)],
  );
  const [first, ...rest] = sets;
  if (first === undefined) return undefined;
  const union = rest.reduce((all, one) => all.union(one), first);
  const entry: ManagedFieldsEntry = {
    ...(ours ?? newest),
    manager: to,
    operation: 'Apply',
    fieldsV1: formatFieldsV1(union),
  };
  const others = managedFields.filter((one) => !theirs.includes(one) && !isOurs(one));
  return [
    { op: 'replace', path: '/metadata/managedFields', value: [...others, entry] },
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
}

export function isPredecessor(
  {
    manager = '',
    operation,
    subresource = '',
  }: Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'subresource'>,
  { manager: name, isPrefix = false, operation: wanted = 'Update' }: FormerManager,
): boolean {
  const isNamed = isPrefix ? manager.startsWith(name) : manager === name;
  return isNamed && operation === wanted && subresource === '';
}
