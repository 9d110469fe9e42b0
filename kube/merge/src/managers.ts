import type { JsonObject, ManagedFieldsEntry } from '@capstan/kube-object';
import { FieldSet, formatFieldsV1, parseFieldsV1 } from './field-set.ts';
import { goJson, goJsonString } from './go-text.ts';
import { compareText, isMap } from './value.ts';

/** What one manager owns, in the version it was said in. */
export interface ManagerFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly set: FieldSet;
  /** RFC 3339 with seconds, as the entry has it. */
  readonly time: string | undefined;
  /** The entry's own encoding of a set, to be written again while `set` is still that one. */
  readonly encoded?: { readonly set: FieldSet; readonly fieldsV1: JsonObject };
}

/** Managers by identity: see `managerId`. Never changed in place. */
export type Managers = ReadonlyMap<string, ManagerFields>;

/**
 * The identity of a manager: name, operation and subresource, and for updates the version too. An applier keeps its
 * identity over versions. Written as the server writes it, since the order of entries depends on it.
 */
export function managerId(
  entry: Pick<ManagerFields, 'manager' | 'operation' | 'apiVersion' | 'subresource'>,
): string {
  const parts: string[] = [];
  if (entry.manager !== '') parts.push(`"manager":${goJsonString(entry.manager)}`);
  parts.push(`"operation":"${entry.operation}"`);
  if (entry.operation === 'Update' && entry.apiVersion !== '')
    parts.push(`"apiVersion":${goJsonString(entry.apiVersion)}`);
  if (entry.subresource !== '') parts.push(`"subresource":${goJsonString(entry.subresource)}`);
  return `{${parts.join(',')}}`;
}

/** Reads `metadata.managedFields`; throws an Error that says which entry is malformed and how. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers = new Map<string, ManagerFields>();
  for (const [index, entry] of (entries ?? []).entries()) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      throw new Error('operation must be `Apply` or `Update`');
    if (!entry.apiVersion) throw new Error('apiVersion must not be empty');
    const type: string = entry.fieldsType ?? '';
    if (type === '') throw new Error(`missing fieldsType in managed fields entry ${index}`);
    if (type !== 'FieldsV1')
      throw new Error(`invalid fieldsType ${goJson(type)} in managed fields entry ${index}`);
    const { fieldsV1 } = entry;
    const set = parseFieldsV1(fieldsV1 ?? null);
    const fields: ManagerFields = {
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      subresource: entry.subresource ?? '',
      set,
      time: entry.time ?? undefined,
      ...(isMap(fieldsV1) ? { encoded: { set, fieldsV1 } } : {}),
    };
    managers.set(managerId(fields), fields);
  }
  return managers;
}

/** Writes managers as `metadata.managedFields` in the server's order; undefined if there are none. */
export function encodeManagers(managers: Managers): readonly ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareEntries).map((fields) => {
    const entry: Record<string, string | JsonObject> = {};
    if (fields.manager !== '') entry['manager'] = fields.manager;
    entry['operation'] = fields.operation;
    entry['apiVersion'] = fields.apiVersion;
    if (fields.time !== undefined) entry['time'] = fields.time;
    entry['fieldsType'] = 'FieldsV1';
    const { encoded, set } = fields;
    entry['fieldsV1'] = encoded?.set === set ? encoded.fieldsV1 : formatFieldsV1(set);
    if (fields.subresource !== '') entry['subresource'] = fields.subresource;
    return entry as ManagedFieldsEntry;
  });
}

function compareEntries(left: ManagerFields, right: ManagerFields): number {
  return (
    compareText(left.operation, right.operation) ||
    secondsOf(left.time) - secondsOf(right.time) ||
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  );
}

function secondsOf(time: string | undefined): number {
  if (time === undefined) return 0;
  const milliseconds = Date.parse(time);
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}

/** At most this many entries from updates are kept apart. */
const updateManagersMax = 10;
const bucketName = 'ancient-changes';

/**
 * Merges the oldest entries from updates, version by version, into one named `ancient-changes`, until no more than ten are
 * left (or each has a version of its own).
 */
export function capUpdateManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, fields]) => fields.operation === 'Update');
  if (updaters.length <= updateManagersMax) return managers;
  updaters.sort(
    ([leftId, left], [rightId, right]) =>
      secondsOf(left.time) - secondsOf(right.time) || compareText(leftId, rightId),
  );
  const result = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  let count = updaters.length;
  for (const [id, fields] of updaters) {
    if (count <= updateManagersMax) break;
    const first = firstOfVersion.get(fields.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(fields.apiVersion, id);
      continue;
    }
    mergeIntoBucket(result, { id, fields, first });
    count--;
  }
  return result;
}

function mergeIntoBucket(
  managers: Map<string, ManagerFields>,
  { id, fields, first }: { id: string; fields: ManagerFields; first: string },
): void {
  const identity = {
    manager: bucketName,
    operation: 'Update',
    apiVersion: fields.apiVersion,
    subresource: '',
  } as const;
  const bucket = managerId(identity);
  if (!managers.has(bucket)) {
    const oldest = managers.get(first);
    managers.delete(first);
    managers.set(bucket, { ...identity, set: oldest?.set ?? new FieldSet(), time: oldest?.time });
  }
  const merged = fields.set.union(managers.get(bucket)?.set ?? new FieldSet());
  managers.delete(id);
  managers.set(bucket, { ...identity, set: merged, time: fields.time });
}
