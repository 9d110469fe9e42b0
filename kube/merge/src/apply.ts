import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from '@capstan/kube-object';
import { type KindSchema, normalizeBuiltIn, zeroObject } from '@capstan/kube-schema';
import { formatProblems } from './atoms.ts';
import { type Conflict, formatConflicts } from './conflict.ts';
import { FieldSet } from './field-set.ts';
import { allowedByLastApplied, hasLastApplied, withLastApplied } from './last-applied.ts';
import {
  capUpdateManagers,
  decodeManagers,
  encodeManagers,
  type ManagerFields,
  type Managers,
  managerId,
} from './managers.ts';
import {
  type Actor,
  type ApplyOutcome,
  applyConfig,
  recordUpdate,
  type TypedValue,
  UpdaterError,
  type UpdaterPorts,
} from './updater.ts';
import { typeProblems } from './validate-type.ts';
import { valuesEqual } from './value.ts';

/** Gives an object in another version of its group, with that version's schema; undefined if there is none. */
export type VersionConverter = (
  object: KubeObject,
  apiVersion: string,
) => { readonly object: KubeObject; readonly schema: KindSchema } | undefined;

interface Tracking {
  readonly manager: string;
  /** '' or absent for the main resource. */
  readonly subresource?: string;
  /** The schema of the version that the request speaks. */
  readonly schema: KindSchema;
  /** The time of the request, in milliseconds since the epoch. */
  readonly now: number;
  /** Fields that the request cannot set and so cannot own, e.g. `.status` for the main resource of a kind with status. */
  readonly resetFields?: FieldSet;
  readonly convert?: VersionConverter;
}

export interface ApplyRequest extends Tracking {
  /** The stored object in the version of the request; undefined if the apply creates it. */
  readonly live: KubeObject | undefined;
  readonly applied: KubeObject;
  readonly force: boolean;
}

export type ApplyResult =
  | {
      readonly kind: 'applied';
      readonly object: KubeObject;
      /** False if no value changed: then the object is the live one but for who owns what. */
      readonly changed: boolean;
    }
  | {
      readonly kind: 'conflicts';
      readonly conflicts: readonly Conflict[];
      /** `Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas` */
      readonly message: string;
    }
  /** The applied object or the live one is not what the schema says; the server answers 400 or 500 with this message. */
  | {
      readonly kind: 'invalid';
      readonly reason: 'BadRequest' | 'InternalError';
      readonly message: string;
    };

/**
 * Server-side apply as kube-apiserver 1.36 does it, without storage, defaulting and admission: gives the merged object with
 * its managedFields, or the conflicts. Does not change its inputs; untouched subtrees are shared with `live`.
 * Cost: linear in the sizes of both objects and their managedFields, plus sorting of field names.
 */
export function applyServerSide(request: ApplyRequest): ApplyResult {
  const { applied, schema } = request;
  const problem = checkApplied(applied, schema);
  if (problem !== undefined) return { kind: 'invalid', reason: 'BadRequest', message: problem };
  const live = request.live ?? emptyObject(schema);
  let managers: Managers;
  try {
    managers = decodeManagers(live.metadata?.managedFields);
  } catch (error) {
    const message = `failed to decode managed fields: ${error instanceof Error ? error.message : error}`;
    return { kind: 'invalid', reason: 'InternalError', message };
  }
  const context = createContext(request);
  const mistake = checkTypes(live, applied, schema, managers.size === 0);
  if (mistake !== undefined) return { kind: 'invalid', reason: 'InternalError', message: mistake };
  try {
    if (managers.size === 0) managers = firstManagers(live, request, context);
    return toResult(applyFor(live, managers, request, context), live, request);
  } catch (error) {
    if (!(error instanceof UpdaterError)) throw error;
    return { kind: 'invalid', reason: 'InternalError', message: error.message };
  }
}

export interface UpdateRequest extends Tracking {
  /** The stored object in the version of the request; undefined if the request creates it. */
  readonly before: KubeObject | undefined;
  /** What is to be stored: patched, defaulted, admitted. */
  readonly after: KubeObject;
}

/**
 * The managedFields of an object after a create, update or patch, as kube-apiserver 1.36 tracks them: what changed is the
 * manager's, and nobody else's any more. undefined: the object has none (it was never applied and was written before
 * tracking began, or a client asked to forget them, or it is not what its schema says).
 */
export function trackUpdate(request: UpdateRequest): readonly ManagedFieldsEntry[] | undefined {
  const { before, after, schema } = request;
  const live = before ?? emptyObject(schema);
  const lenient = { allowDuplicates: true };
  if (typeProblems(schema.mergeType, after, lenient).length > 0) return undefined;
  if (typeProblems(schema.mergeType, live, lenient).length > 0) return undefined;
  const managers = managersForUpdate(before, after, request.subresource ?? '');
  if (managers.size === 0 && live.metadata?.uid) return undefined;
  const context = createContext(request);
  try {
    return encodeManagers(track(live, withoutManagedFields(after), managers, request, context));
  } catch (error) {
    if (error instanceof UpdaterError) return undefined;
    throw error;
  }
}

/**
 * The object that a request leaves, given the stored one: if nothing but times of managedFields changed, the stored times
 * stay, so that a request which changes nothing writes nothing.
 */
export function keepTimestamps(before: KubeObject, after: KubeObject): KubeObject {
  const old = before.metadata.managedFields;
  const entries = after.metadata.managedFields;
  if (old === undefined || entries === undefined || old.length !== entries.length) return after;
  const strip = (entry: ManagedFieldsEntry): Json => ({ ...entry, time: null });
  // Times decide the order of entries, so they are matched by content, not by position.
  const known = new Map(old.map((entry) => [JSON.stringify(strip(entry)), entry]));
  if (!entries.every((entry) => known.has(JSON.stringify(strip(entry))))) return after;
  const restored = { ...after, metadata: { ...after.metadata, managedFields: old } };
  return sameApartFromVersion(before, restored) ? restored : after;
}

function sameApartFromVersion(before: KubeObject, after: KubeObject): boolean {
  const strip = (object: KubeObject): JsonObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: null },
  });
  return valuesEqual(strip(before), strip(after));
}

interface Context {
  readonly ports: UpdaterPorts;
  readonly typed: (object: KubeObject) => TypedValue;
}

function createContext(request: Tracking): Context {
  const { schema, resetFields, convert } = request;
  const typed = (object: KubeObject): TypedValue => ({
    apiVersion: apiVersionOf(schema),
    type: schema.mergeType,
    value: object,
  });
  return {
    typed,
    ports: {
      filter: resetFields === undefined ? undefined : (set) => set.recursiveDifference(resetFields),
      convert(value, apiVersion) {
        if (value.apiVersion === apiVersion) return value;
        const found = convert?.(value.value as KubeObject, apiVersion);
        if (found === undefined) return undefined;
        const type = found.schema.mergeType;
        // Here the server does not let duplicates pass, whatever the object held before.
        const problems = typeProblems(type, found.object, { allowDuplicates: false });
        if (problems.length > 0) throw new UpdaterError(formatProblems(problems));
        return { apiVersion, type, value: found.object };
      },
    },
  };
}

function apiVersionOf({ kind }: KindSchema): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** What the server starts a create from: for a built-in kind the zero value of its Go type, else just its kind. */
function emptyObject(schema: KindSchema): KubeObject {
  const kind = { apiVersion: apiVersionOf(schema), kind: schema.kind.kind };
  if (!schema.builtIn) return kind as KubeObject;
  return { ...zeroObject(schema.schema), ...kind } as KubeObject;
}

function checkApplied(applied: KubeObject, schema: KindSchema): string | undefined {
  const { group, version, kind } = schema.kind;
  if (applied.apiVersion !== apiVersionOf(schema) || applied.kind !== kind) {
    const slash = applied.apiVersion.indexOf('/');
    const given = `${slash < 0 ? '' : applied.apiVersion.slice(0, slash)}/${applied.apiVersion.slice(slash + 1)}, Kind=${applied.kind}`;
    return group === '' && version === '' ? undefined : `invalid object type: ${given}`;
  }
  return applied.metadata?.managedFields === undefined
    ? undefined
    : 'metadata.managedFields must be nil';
}

function checkTypes(
  live: KubeObject,
  applied: KubeObject,
  schema: KindSchema,
  isFirst: boolean,
): string | undefined {
  // What the live object holds twice is not the applier's fault.
  const old = typeProblems(schema.mergeType, live, { allowDuplicates: true });
  if (isFirst && old.length > 0)
    return `failed to create manager for existing fields: failed to convert new object (${describe(live)}) to smd typed: ${formatProblems(old)}`;
  const problems = typeProblems(schema.mergeType, applied, { allowDuplicates: false });
  if (problems.length > 0)
    return `failed to create typed patch object (${describe(applied)}): ${formatProblems(problems)}`;
  return old.length === 0
    ? undefined
    : `failed to create typed live object (${describe(live)}): ${formatProblems(old)}`;
}

function describe(object: KubeObject): string {
  const { namespace, name } = object.metadata ?? {};
  const version = object.apiVersion.includes('/') ? object.apiVersion : `/${object.apiVersion}`;
  return `${namespace ?? ''}/${name ?? ''}; ${version}, Kind=${object.kind}`;
}

/** The fields of an object that nobody owns yet are put down to whoever wrote them before the first apply. */
function firstManagers(live: KubeObject, request: Tracking, context: Context): Managers {
  const past: Tracking = { ...request, manager: 'before-first-apply' };
  return track(emptyObject(request.schema), live, new Map(), past, context);
}

function track(
  before: KubeObject,
  after: KubeObject,
  managers: Managers,
  request: Tracking,
  context: Context,
): Managers {
  // The change is recorded under a name of its own first, to know whether this request changed anything.
  const self: Actor = { ...actorOf(request, 'Update'), manager: currentOperation };
  const recorded = recordUpdate(
    context.typed(before),
    context.typed(after),
    managers,
    self,
    context.ports,
  );
  const result = new Map(recorded);
  const changes = stripped(result.get(managerId(self)));
  result.delete(managerId(self));
  if (changes !== undefined) {
    const actor = actorOf(request, 'Update');
    const id = managerId(actor);
    const previous = result.get(id);
    const set = previous === undefined ? changes.set : changes.set.union(previous.set);
    result.set(id, { ...actor, set, time: timestamp(request.now) });
  }
  return capUpdateManagers(result);
}

/** Not a name a client can have: a manager's name may not be longer than 128 characters nor hold a control character. */
const currentOperation = '\u0000current-operation';

function actorOf(request: Tracking, operation: 'Apply' | 'Update'): Actor {
  return {
    manager: request.manager === '' ? 'unknown' : request.manager,
    operation,
    apiVersion: apiVersionOf(request.schema),
    subresource: request.subresource ?? '',
  };
}

function timestamp(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/** Identity and what the server sets itself is nobody's. */
const neverOwned = FieldSet.of(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
);

function stripped(fields: ManagerFields | undefined): ManagerFields | undefined {
  if (fields === undefined) return undefined;
  const set = fields.set.difference(neverOwned);
  return set.isEmpty ? undefined : { ...fields, set };
}

function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function managersForUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  subresource: string,
): Managers {
  const given = after.metadata?.managedFields;
  // A subresource cannot set managedFields; elsewhere a client may edit them, or reset them by an empty list.
  if (subresource === '' && given !== undefined) {
    if (given.length === 0 || (given.length === 1 && Object.keys(given[0]!).length === 0))
      return new Map();
    const decoded = decodeOrEmpty(given);
    // What a client wrote is encoded anew, in the server's order.
    if (decoded.size > 0)
      return new Map([...decoded].map(([id, { encoded: _, ...fields }]) => [id, fields]));
  }
  return decodeOrEmpty(before?.metadata?.managedFields);
}

function decodeOrEmpty(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  try {
    return decodeManagers(entries);
  } catch {
    return new Map();
  }
}

/** Applies; `kubectl` may also take over what it set by client-side apply, as the last-applied annotation tells. */
function applyFor(
  live: KubeObject,
  managers: Managers,
  request: ApplyRequest,
  context: Context,
): ApplyOutcome {
  const run = (force: boolean): ApplyOutcome =>
    applyConfig(context.typed(live), context.typed(request.applied), managers, {
      actor: actorOf(request, 'Apply'),
      force,
      ports: context.ports,
    });
  const outcome = run(request.force);
  if (outcome.kind !== 'conflicts' || request.manager !== 'kubectl') return outcome;
  const allowed = allowedByLastApplied(live, request.schema);
  if (allowed === undefined) return outcome;
  const conflicts = outcome.conflicts.filter(({ path }) => !allowed.has(path));
  return conflicts.length > 0 ? { kind: 'conflicts', conflicts } : run(true);
}

function toResult(outcome: ApplyOutcome, live: KubeObject, request: ApplyRequest): ApplyResult {
  if (outcome.kind === 'conflicts')
    return { ...outcome, message: formatConflicts(outcome.conflicts) };
  const id = managerId(actorOf(request, 'Apply'));
  const managers = new Map(outcome.managers);
  const own = stripped(managers.get(id));
  if (own === undefined) managers.delete(id);
  else
    managers.set(id, outcome.kind === 'applied' ? { ...own, time: timestamp(request.now) } : own);
  const merged = outcome.kind === 'applied' ? (outcome.value as KubeObject) : live;
  const normal =
    outcome.kind === 'applied' && request.schema.builtIn
      ? (normalizeBuiltIn(request.schema.schema, merged) as KubeObject)
      : merged;
  let object = withManagers(normal, managers);
  if (request.manager === 'kubectl' && hasLastApplied(object))
    object = withLastApplied(object, request.applied);
  return { kind: 'applied', object, changed: outcome.kind === 'applied' };
}

function withManagers(object: KubeObject, managers: Managers): KubeObject {
  const entries = encodeManagers(managers);
  if (entries === undefined) return withoutManagedFields(object);
  return { ...object, metadata: { ...object.metadata, managedFields: entries } };
}
