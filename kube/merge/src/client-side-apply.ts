import type { KubeObject, ManagedFieldsEntry } from '@capstan/kube-object';
import { formatFieldsV1, parseFieldsV1 } from './field-set.ts';

/** The names under which kubectl writes by client-side apply, and wrote by its first server-side apply. */
export const clientSideApplyManagers: readonly string[] = ['kubectl-client-side-apply', 'kubectl'];

/**
 * The object with what client-side apply wrote made an applier's own, as client-go's csaupgrade does it: the Update entry of
 * each manager in `from` is joined with `to`'s Apply entry (which is made of it, if there is none), and all its entries go.
 * After that a server-side apply by `to` removes what the old one set and the new one does not say. The same object comes
 * back if there is nothing to do. Throws if an entry that is joined cannot be read.
 */
export function migrateClientSideApply(
  object: KubeObject,
  options: { readonly from: readonly string[]; readonly to: string; readonly subresource?: string },
): KubeObject {
  const before = object.metadata.managedFields;
  if (before === undefined) return object;
  const subresource = options.subresource ?? '';
  const after = options.from.reduce(
    (entries, from) => migrateEntries(entries, { from, to: options.to, subresource }),
    before,
  );
  if (after === before) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: after } };
}

interface Move {
  readonly from: string;
  readonly to: string;
  readonly subresource: string;
}

function migrateEntries(
  entries: readonly ManagedFieldsEntry[],
  { from, to, subresource }: Move,
): readonly ManagedFieldsEntry[] {
  const isHere = (entry: ManagedFieldsEntry): boolean => (entry.subresource ?? '') === subresource;
  const isOld = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === from && entry.operation === 'Update' && isHere(entry);
  const applier = entries.find((e) => e.manager === to && e.operation === 'Apply' && isHere(e));
  const heir = applier ?? entries.find(isOld);
  if (heir === undefined || !entries.some(isOld)) return entries;
  // Sets of other versions cannot be joined; they are dropped with their entries.
  const joined = entries.find((entry) => isOld(entry) && entry.apiVersion === heir.apiVersion);
  const set = parseFieldsV1(heir.fieldsV1 ?? {}).union(parseFieldsV1(joined?.fieldsV1 ?? {}));
  const made: ManagedFieldsEntry = {
    ...heir,
    manager: to,
    operation: 'Apply',
    fieldsV1: formatFieldsV1(set),
  };
  return entries
    .filter((entry) => entry === heir || !isOld(entry))
    .map((e) => (e === heir ? made : e));
}
