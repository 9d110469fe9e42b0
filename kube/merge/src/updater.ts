import type { MergeType } from '@capstan/kube-schema';
import { type Comparison, compareTyped, filterComparison } from './compare.ts';
import type { Conflict } from './conflict.ts';
import { FieldSet } from './field-set.ts';
import { type ManagerFields, type Managers, managerId } from './managers.ts';
import { mergeTyped } from './merge-typed.ts';
import { reconcileWithSchema } from './reconcile-schema.ts';
import { removeItems } from './remove-items.ts';
import { toFieldSet } from './to-field-set.ts';
import { type Value, valuesEqual } from './value.ts';

/** A value in one version of its kind. */
export interface TypedValue {
  readonly apiVersion: string;
  readonly type: MergeType;
  readonly value: Value;
}

/** What the calculus needs from its surroundings. */
export interface UpdaterPorts {
  /** The value in another version; undefined if that version is not known (any more). May throw UpdaterError. */
  readonly convert: (value: TypedValue, apiVersion: string) => TypedValue | undefined;
  /** Drops the fields that a request cannot set, e.g. `status` outside its subresource. */
  readonly filter: ((set: FieldSet) => FieldSet) | undefined;
}

/** Why the calculus cannot go on: a converted object is not what its schema says. The message is the server's. */
export class UpdaterError extends Error {}

function within<T>(context: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UpdaterError)) throw error;
    throw new UpdaterError(`${context}: ${error.message}`);
  }
}

/** Who acts: the identity of the entry to write. */
export type Actor = Pick<ManagerFields, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

export type ApplyOutcome =
  | { readonly kind: 'applied'; readonly value: Value; readonly managers: Managers }
  | { readonly kind: 'unchanged'; readonly managers: Managers }
  | { readonly kind: 'conflicts'; readonly conflicts: readonly Conflict[] };

/** Records what changed from `before` to `after` as the actor's, and takes it from everyone else. */
export function recordUpdate(
  before: TypedValue,
  after: TypedValue,
  managers: Managers,
  actor: Actor,
  ports: UpdaterPorts,
): Managers {
  const reconciled = reconcileManagers(before, managers, ports);
  const taken = takeChanges(before, after, reconciled, { actor, ports, force: true });
  if (taken.kind === 'conflicts') return managers;
  const { comparison } = taken;
  const id = managerId(actor);
  const result = new Map(taken.managers);
  const set = (result.get(id)?.set ?? new FieldSet())
    .difference(comparison.removed)
    .union(comparison.modified)
    .union(comparison.added);
  setOrDelete(result, id, {
    ...actor,
    set: ports.filter?.(set) ?? set,
    time: result.get(id)?.time,
  });
  return result;
}

/**
 * Server-side apply: merges `config` over `live`, drops what the actor applied before and does not any more (unless others
 * own it), and moves ownership. Without `force`, a field that another manager owns with another value is a conflict.
 */
export function applyConfig(
  live: TypedValue,
  config: TypedValue,
  managers: Managers,
  options: { readonly actor: Actor; readonly force: boolean; readonly ports: UpdaterPorts },
): ApplyOutcome {
  const { actor, force, ports } = options;
  const reconciled = new Map(reconcileManagers(live, managers, ports));
  const merged = { ...live, value: mergeTyped(live.type, live.value, config.value) };
  const id = managerId(actor);
  const last = reconciled.get(id);
  const set = toFieldSet(config.type, config.value);
  reconciled.set(id, {
    ...actor,
    apiVersion: config.apiVersion,
    set: ports.filter?.(set) ?? set,
    time: last?.time,
  });
  const pruned = within('failed to prune fields', () =>
    prune(merged, reconciled, { id, last, ports }),
  );
  const taken = takeChanges(live, pruned, reconciled, { actor, ports, force });
  if (taken.kind === 'conflicts') return taken;
  if (valuesEqual(live.value, pruned.value)) return { kind: 'unchanged', managers: taken.managers };
  return { kind: 'applied', value: pruned.value, managers: taken.managers };
}

type Taken =
  | { readonly kind: 'taken'; readonly managers: Managers; readonly comparison: Comparison }
  | { readonly kind: 'conflicts'; readonly conflicts: readonly Conflict[] };

/** Finds what changed, in each manager's own version, and takes it from those who are not the actor. */
function takeChanges(
  before: TypedValue,
  after: TypedValue,
  managers: Managers,
  options: { readonly actor: Actor; readonly ports: UpdaterPorts; readonly force: boolean },
): Taken {
  const { actor, ports, force } = options;
  const self = managerId(actor);
  const own = filterComparison(compareTyped(before.type, before.value, after.value), ports.filter);
  const byVersion = new Map<string, Comparison | undefined>([[after.apiVersion, own]]);
  const result = new Map(managers);
  const conflicts: Conflict[] = [];
  for (const [id, owner] of managers) {
    if (id === self) continue;
    if (!byVersion.has(owner.apiVersion))
      byVersion.set(owner.apiVersion, compareIn(owner.apiVersion, before, after, ports));
    const comparison = byVersion.get(owner.apiVersion);
    if (comparison === undefined) {
      result.delete(id);
      continue;
    }
    const contested = owner.set.intersection(comparison.modified.union(comparison.added));
    for (const path of contested.paths()) conflicts.push({ managerId: id, owner, path });
    const left = owner.set.difference(contested).difference(comparison.removed);
    result.set(id, left === owner.set ? owner : { ...owner, set: left });
  }
  if (!force && conflicts.length > 0) return { kind: 'conflicts', conflicts };
  for (const [id, owner] of result) if (owner.set.isEmpty) result.delete(id);
  return { kind: 'taken', managers: result, comparison: own };
}

function compareIn(
  apiVersion: string,
  before: TypedValue,
  after: TypedValue,
  ports: UpdaterPorts,
): Comparison | undefined {
  const left = within('failed to convert old object', () => ports.convert(before, apiVersion));
  const right = within('failed to convert new object', () => ports.convert(after, apiVersion));
  if (left === undefined || right === undefined) return undefined;
  return filterComparison(compareTyped(left.type, left.value, right.value), ports.filter);
}

function setOrDelete(
  managers: Map<string, ManagerFields>,
  id: string,
  fields: ManagerFields,
): void {
  if (fields.set.isEmpty) managers.delete(id);
  else managers.set(id, fields);
}

function reconcileManagers(live: TypedValue, managers: Managers, ports: UpdaterPorts): Managers {
  const result = new Map<string, ManagerFields>();
  for (const [id, fields] of managers) {
    const versioned = ports.convert(live, fields.apiVersion);
    if (versioned === undefined) continue;
    const set = reconcileWithSchema(fields.set, versioned.type);
    result.set(id, set === fields.set ? fields : { ...fields, set });
  }
  return result;
}

interface PruneOptions {
  readonly id: string;
  readonly last: ManagerFields | undefined;
  readonly ports: UpdaterPorts;
}

/** Removes what the applier applied last time and not this time, and nobody else owns. */
function prune(
  merged: TypedValue,
  managers: Managers,
  { id, last, ports }: PruneOptions,
): TypedValue {
  if (last === undefined || last.set.isEmpty) return merged;
  const converted = within('failed to convert merged object to last applied version', () =>
    ports.convert(merged, last.apiVersion),
  );
  if (converted === undefined || !mayPrune(converted.type, last, managers)) return merged;
  const removed = without(converted, last.set.withNamedFields(converted.type));
  if (removed.value === converted.value) return merged;
  const withOwned = addBackOwned(converted, removed, managers, ports);
  const result = addBackUnowned(converted, withOwned, last, ports);
  return ports.convert(result, managers.get(id)?.apiVersion ?? merged.apiVersion) ?? merged;
}

/** Whether pruning can change anything; if not, what follows would give back all it takes. */
function mayPrune(type: MergeType, last: ManagerFields, managers: Managers): boolean {
  let owned = new FieldSet();
  for (const { apiVersion, set } of managers.values())
    if (apiVersion === last.apiVersion) owned = owned.union(set);
  if (!last.set.withNamedFields(type).difference(owned.withNamedFields(type)).isEmpty) return true;
  return hasBareItem(last.set, owned);
}

/**
 * An item of a list that is owned with none of its fields (`{}`, all keys by default). Pruning empties it, and what is
 * empty has no identity any more: the official library then removes it though it is owned.
 */
function hasBareItem(last: FieldSet, owned: FieldSet | undefined): boolean {
  for (const member of last.members)
    if (member[0] === 'k' && owned?.children.get(member) === undefined) return true;
  for (const [element, child] of last.children)
    if (hasBareItem(child, owned?.children.get(element))) return true;
  return false;
}

function without(value: TypedValue, set: FieldSet): TypedValue {
  return { ...value, value: removeItems(value.type, value.value, set) };
}

function addBackOwned(
  merged: TypedValue,
  pruned: TypedValue,
  managers: Managers,
  ports: UpdaterPorts,
): TypedValue {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, set } of managers.values())
    owned.set(apiVersion, owned.get(apiVersion)?.union(set) ?? set);
  // The version at hand first: a field pruned there may be needed to convert to another one.
  const versions = [...owned.keys()].sort(
    (a, b) => Number(b === pruned.apiVersion) - Number(a === pruned.apiVersion),
  );
  let result = pruned;
  for (const apiVersion of versions) {
    const context = `failed add back owned items: failed to convert`;
    const at = `object at version ${apiVersion}`;
    const full = within(`${context} merged ${at}`, () => ports.convert(merged, apiVersion));
    if (full === undefined) continue;
    const part = within(`${context} pruned ${at}`, () => ports.convert(result, apiVersion));
    if (part === undefined) continue;
    const { type } = full;
    const all = toFieldSet(type, full.value).withNamedFields(type);
    const kept = toFieldSet(type, part.value)
      .withNamedFields(type)
      .union(owned.get(apiVersion)!.withNamedFields(type));
    result = without(full, all.difference(kept));
  }
  return result;
}

/** Only what the applier itself owned may go: items without an owner come back. */
function addBackUnowned(
  merged: TypedValue,
  pruned: TypedValue,
  last: ManagerFields,
  ports: UpdaterPorts,
): TypedValue {
  const part = ports.convert(pruned, last.apiVersion);
  if (part === undefined) return merged;
  const { type } = merged;
  const left = toFieldSet(type, part.value).withNamedFields(type);
  const all = toFieldSet(type, merged.value).withNamedFields(type);
  return without(merged, all.difference(left).intersection(last.set.withNamedFields(type)));
}
