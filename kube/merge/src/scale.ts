import type { ManagedFieldsEntry } from '@capstan/kube-object';
import { FieldSet } from './field-set.ts';
import { decodeManagers, encodeManagers, type ManagerFields, type Managers } from './managers.ts';
import type { FieldPath } from './path-element.ts';

/**
 * Where each version of a kind keeps its replicas, by apiVersion. null: the version has no scale subresource. A version that
 * is not named here is unknown.
 */
export type ReplicasPaths = Readonly<Record<string, FieldPath | null>>;

const scaleVersion = 'autoscaling/v1';
const replicasOfScale: FieldPath = ['f:spec', 'f:replicas'];

/** The managers of a Scale object: those who own the replicas of its parent. Follows apimachinery's ScaleHandler (0.36). */
export function scaleEntries(
  parent: readonly ManagedFieldsEntry[] | undefined,
  paths: ReplicasPaths,
): readonly ManagedFieldsEntry[] | undefined {
  const result = new Map<string, ManagerFields>();
  for (const [id, fields] of decodeManagers(parent)) {
    const path = paths[fields.apiVersion];
    if (!path || !fields.set.has(path)) continue;
    result.set(id, { ...fields, apiVersion: scaleVersion, set: FieldSet.of(replicasOfScale) });
  }
  return encodeManagers(result);
}

/**
 * The parent's managers after a write to its scale: who owns the replicas of the Scale owns them in the parent, in
 * `apiVersion`; who does not any more has lost them. Times stay with the entries they came with.
 */
export function parentEntries(
  parent: readonly ManagedFieldsEntry[] | undefined,
  scale: readonly ManagedFieldsEntry[] | undefined,
  options: { readonly apiVersion: string; readonly paths: ReplicasPaths },
): readonly ManagedFieldsEntry[] | undefined {
  const before = decodeManagers(parent);
  const owners = new Map(decodeManagers(scale));
  const result = keepOrTake(before, owners, options.paths);
  const path = options.paths[options.apiVersion];
  for (const [id, fields] of owners) {
    if (!path || !fields.set.has(replicasOfScale)) continue;
    const time = before.get(id)?.time;
    const { encoded: _, ...rest } = fields;
    result.set(id, { ...rest, apiVersion: options.apiVersion, set: FieldSet.of(path), time });
  }
  return encodeManagers(result);
}

/** Takes the replicas from those who are not among the scale's owners; those who are leave `owners`. */
function keepOrTake(
  before: Managers,
  owners: Map<string, ManagerFields>,
  paths: ReplicasPaths,
): Map<string, ManagerFields> {
  const result = new Map<string, ManagerFields>();
  for (const [id, fields] of before) {
    const path = paths[fields.apiVersion];
    if (path === undefined) continue;
    if (path === null || !fields.set.has(path) || owners.delete(id)) {
      result.set(id, fields);
      continue;
    }
    const set = fields.set.difference(FieldSet.of(path));
    if (!set.isEmpty) result.set(id, { ...fields, set });
  }
  return result;
}
