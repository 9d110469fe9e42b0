import { keepTimestamps } from '@capstan/kube-merge';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { decodeBuiltIn } from '@capstan/kube-schema';
import { attributesOf, mutateDraft, type WriteRequest } from './admission/admit-write.ts';
import {
  ApiError,
  alreadyExists,
  badRequest,
  conflict,
  type ErrorSubject,
  forbidden,
  invalid,
  MODIFIED,
  notFound,
} from './api-error.ts';
import { NO_COMPLAINTS, type TextComplaints } from './body.ts';
import { carryOver, raiseGeneration, writesStatus } from './carry-over.ts';
import { coerceMetadata } from './coerce-metadata.ts';
import { type Core, keyFor, timestamp } from './core.ts';
import { decodeTyped } from './decode-typed.ts';
import { isMistyped, trackChange } from './field-management.ts';
import { childDraft, cloneJson, type DraftObject, equalJson, textAt } from './json.ts';
import { admitLimits, fillFromLimits } from './limit-ranges.ts';
import { metadataErrors, metadataUpdateErrors } from './metadata-validation.ts';
import { generateName } from './names.ts';
import { admitQuota } from './quota.ts';
import { finishDeletion } from './remove-object.ts';
import type { ServedResource } from './served-resource.ts';
import { strategyContext } from './strategy-context.ts';
import type { UserInfo } from './user.ts';
import { fromStorage, toStorageVersion } from './version-conversion.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface WriteOptions {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly warn: (text: string) => void;
  /** What the client gave of fieldManager and fieldValidation, for those who are shown the request. */
  readonly requestOptions?: JsonObject;
}

/** Which object a write is for, from the URL. */
export interface Target {
  readonly resource: ServedResource;
  readonly namespace: string;
  readonly name: string;
}

export interface Written {
  /** In the version of the request. */
  readonly object: KubeObject;
  readonly created: boolean;
}

export function subjectOf(target: Target): ErrorSubject {
  return { group: target.resource.group, resource: target.resource.name, name: target.name };
}

/** Stores a new object. `draft` is freshly decoded and becomes the server's. */
export function createObject(
  core: Core,
  target: Target,
  draft: DraftObject,
  options: WriteOptions & {
    readonly body?: TextComplaints;
    readonly managedFields?: 'given';
  },
): Written {
  const { resource } = target;
  checkIdentity(draft, target);
  if (options.managedFields !== 'given' || resource.custom === undefined) {
    decodeObject(draft, resource, options, options.body);
  } else coerceCustom(draft, resource);
  placeInNamespace(draft, target);
  const hasVersion = textAt(draft, 'metadata', 'resourceVersion') !== '';
  requireNamespace(core, target, textAt(draft, 'metadata', 'name'));
  const context = strategyContext(core, options.user, options.warn);
  resource.strategy.applyDefaults?.(draft);
  // What admission and the kind's own preparation add belongs to nobody.
  if (options.managedFields !== 'given') {
    takeManagedFields(
      childDraft(draft, 'metadata'),
      trackChange(core, {
        before: undefined,
        after: asObject(draft),
        resource,
        subresource: '',
        ...options,
        isMistyped: isMistyped(asObject(draft), resource),
      }),
    );
  }
  admitNew(core, target, draft, options);
  const metadata = childDraft(draft, 'metadata');
  nameNew(core, metadata);
  stampNew(core, metadata, resource);
  if (resource.strategy.hasStatus === true) resetStatus(draft, resource);
  resource.strategy.prepareCreate?.(draft, context);
  const name = textAt(metadata, 'name');
  const object = asObject(draft);
  const errors = [
    ...metadataErrors(object, resource),
    ...(resource.strategy.validate?.(object, context) ?? []),
  ];
  if (errors.length > 0) {
    throw invalid({ group: storedGroup(resource), kind: resource.kind, name }, errors);
  }
  // What an apply has made of a custom resource loses what is unknown when it is stored.
  if (options.managedFields === 'given') resource.strategy.prune?.(draft, true);
  const key = keyFor(resource, target.namespace, name);
  admitLimits(core, resource, object);
  const request = requestOf({ ...target, name }, options);
  const attributes = attributesOf(request, 'CREATE', { object, oldObject: undefined });
  core.admission.validate(core, attributes, options.warn);
  admitQuota(core, resource, object);
  if (hasVersion && !options.dryRun) {
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  if (core.store.get(resource.bucket, key) !== undefined) {
    throw alreadyExists({ ...subjectOf(target), name });
  }
  const stored = toStorageVersion(object, resource);
  if (options.dryRun) return { object: fromStorage(stored, resource), created: true };
  const kept = core.store.put(resource.bucket, key, stored);
  resource.strategy.afterWrite?.(kept, undefined, context);
  return {
    object: fromStorage(core.store.get(resource.bucket, key) ?? kept, resource),
    created: true,
  };
}

/** What the server's own plugins add to a new object, and then what policies do. */
function admitNew(core: Core, target: Target, draft: DraftObject, options: WriteOptions): void {
  const { resource } = target;
  const plugins = (object: DraftObject): void => {
    fillFromLimits(core, resource, object);
    resource.strategy.admit?.(object, strategyContext(core, options.user, options.warn));
  };
  plugins(draft);
  const name = textAt(draft, 'metadata', 'name');
  const attributes = attributesOf(requestOf({ ...target, name }, options), 'CREATE', {
    object: asObject(draft),
    oldObject: undefined,
  });
  mutateDraft(core, draft, attributes, {
    warn: options.warn,
    settle(object) {
      settle(object, resource);
      plugins(object);
    },
  });
}

/** Decodes and defaults what a policy has made of an object. */
function settle(object: DraftObject, resource: ServedResource): void {
  decodeObject(object, resource, { fieldValidation: 'Ignore', warn: () => undefined });
  resource.strategy.applyDefaults?.(object);
}

function requestOf(
  target: Target,
  options: WriteOptions & { readonly subresource?: string },
): WriteRequest {
  const { user, dryRun, warn, requestOptions, subresource = '' } = options;
  return {
    ...target,
    user,
    dryRun,
    warn,
    subresource,
    ...(requestOptions === undefined ? {} : { requestOptions }),
  };
}

/**
 * Replaces an object, or with `subresource: 'status'` only its status. Gives the stored one unchanged (and no new
 * resourceVersion) when the update changes nothing.
 */
export function updateObject(
  core: Core,
  target: Target,
  draft: DraftObject,
  options: WriteOptions & {
    readonly subresource?: string;
    readonly body?: TextComplaints;
    /** The managedFields are those of an apply, which has computed them already. */
    readonly applied?: boolean;
  },
): Written {
  const { resource } = target;
  const key = keyFor(resource, target.namespace, target.name);
  checkIdentity(draft, target);
  // What an apply has made of a custom resource is not decoded again.
  if (options.applied !== true || resource.custom === undefined) {
    decodeObject(draft, resource, options, options.body);
  } else coerceCustom(draft, resource);
  placeInNamespace(draft, target);
  const stored = core.store.get(resource.bucket, key);
  if (stored === undefined) {
    if (resource.strategy.createsOnUpdate === true && (options.subresource ?? '') === '') {
      requireNameInBody(draft, target);
      return createObject(core, target, draft, options);
    }
    throw notFound(subjectOf(target));
  }
  const old = fromStorage(stored, resource);
  requireNameInBody(draft, target);
  checkPreconditions(draft, old, target);
  const context = strategyContext(core, options.user, options.warn);
  resource.strategy.applyDefaults?.(draft);
  const wasMistyped = isMistyped(asObject(draft), resource);
  const part = resource.strategy.parts?.[options.subresource ?? ''];
  const ofStatus = writesStatus(options.subresource);
  carryOver(draft, old, resource, options.subresource);
  part?.keep(draft, old);
  if (options.applied !== true) {
    takeManagedFields(
      childDraft(draft, 'metadata'),
      trackChange(core, {
        before: old,
        after: asObject(draft),
        resource,
        subresource: options.subresource ?? '',
        ...options,
        isMistyped: wasMistyped,
      }),
    );
  }
  admitChange(core, target, { draft, old }, options);
  if (ofStatus) {
    resource.strategy.prepareStatus?.(draft, old, context, options.subresource ?? '');
  } else {
    resource.strategy.prepareUpdate?.(draft, old, context);
    raiseGeneration(draft, old, resource);
  }
  const object = asObject(draft);
  const errors = ofStatus
    ? (resource.strategy.validateStatus?.(object, old, options.subresource ?? '') ?? [])
    : [
        ...metadataUpdateErrors(object, old, resource),
        ...(resource.strategy.validate?.(object, context, old) ?? []),
        ...(part === undefined
          ? (resource.strategy.validateUpdate?.(object, old, context) ?? [])
          : part.validateUpdate(object, old)),
      ];
  if (errors.length > 0) {
    throw invalid({ group: storedGroup(resource), kind: resource.kind, name: target.name }, errors);
  }
  if (options.applied === true) resource.strategy.prune?.(draft, true);
  // A Scale is admitted as such, not as the object behind it.
  if (options.subresource !== 'scale') {
    const attributes = attributesOf(requestOf(target, options), 'UPDATE', {
      object,
      oldObject: old,
    });
    core.admission.validate(core, attributes, options.warn);
  }
  if ((options.subresource ?? '') === '') {
    if (resource.bucket !== '/pods') admitLimits(core, resource, object);
    admitQuota(core, resource, object, old);
  }
  const tracked = keepTimestamps(old, object);
  return storeUpdate(core, { target, key, old, stored, tracked, options });
}

function admitChange(
  core: Core,
  target: Target,
  { draft, old }: { readonly draft: DraftObject; readonly old: KubeObject },
  options: WriteOptions & { readonly subresource?: string },
): void {
  const { subresource = '' } = options;
  if (subresource === 'scale') return;
  const attributes = attributesOf(requestOf(target, options), 'UPDATE', {
    object: asObject(draft),
    oldObject: old,
  });
  const isChanged = mutateDraft(core, draft, attributes, {
    warn: options.warn,
    settle: (object) => settle(object, target.resource),
  });
  if (isChanged) carryOver(draft, old, target.resource, subresource);
}

/** Where a kind is kept, and what errors name it by: events are the core group's in both. */
export function storedGroup({ bucket }: ServedResource): string {
  return bucket.slice(0, bucket.lastIndexOf('/'));
}

function takeManagedFields(metadata: DraftObject, tracked: KubeObject): void {
  const fields = tracked.metadata.managedFields;
  if (fields === undefined) delete metadata['managedFields'];
  else metadata['managedFields'] = fields.map((entry) => cloneJson(entry));
}

function storeUpdate(
  core: Core,
  change: {
    target: Target;
    key: string;
    old: KubeObject;
    stored: KubeObject;
    tracked: KubeObject;
    options: WriteOptions;
  },
): Written {
  const { target, key, old, stored, tracked, options } = change;
  const { resource } = target;
  if (equalJson(withoutVersion(tracked), withoutVersion(old))) {
    return { object: old, created: false };
  }
  if (options.dryRun) return { object: tracked, created: false };
  if (tracked.metadata.deletionTimestamp !== undefined) {
    const gone = finishDeletion(core, resource, key, toStorageVersion(tracked, resource));
    if (gone !== undefined) return { object: fromStorage(gone, resource), created: false };
  }
  const kept = core.store.put(resource.bucket, key, toStorageVersion(tracked, resource));
  const context = strategyContext(core, options.user, options.warn);
  resource.strategy.afterWrite?.(kept, stored, context);
  return {
    object: fromStorage(core.store.get(resource.bucket, key) ?? kept, resource),
    created: false,
  };
}

function withoutVersion(object: KubeObject): KubeObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** The draft as an object, its shape being checked: what decoding has made sure of. */
export function asObject(draft: DraftObject): KubeObject {
  return draft as unknown as KubeObject;
}

function checkIdentity(draft: DraftObject, { resource, name, namespace }: Target): void {
  const expected =
    resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  const apiVersion = textAt(draft, 'apiVersion');
  const kind = textAt(draft, 'kind');
  if (apiVersion === '') draft['apiVersion'] = expected;
  else if (apiVersion !== expected) {
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${resource.kind}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  if (kind === '') draft['kind'] = resource.kind;
  else if (kind !== resource.kind) {
    throw badRequest(
      `${kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(expected)}`,
    );
  }
  const given = textAt(draft, 'metadata', 'name');
  if (name !== '' && given !== '' && given !== name) {
    throw badRequest(
      `the name of the object (${given}) does not match the name on the URL (${name})`,
    );
  }
  const givenNamespace = textAt(draft, 'metadata', 'namespace');
  if (resource.namespaced && givenNamespace !== '' && givenNamespace !== namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  }
}

function requireNameInBody(draft: DraftObject, target: Target): void {
  if (textAt(draft, 'metadata', 'name') !== '') return;
  throw badRequest(
    `the name of the object (${target.name} based on URL) was undeterminable: name must be provided`,
  );
}

/** Prunes and checks the object by its schema, with the answers that fieldValidation asks for. */
export function decodeObject(
  draft: DraftObject,
  resource: ServedResource,
  options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
  body: TextComplaints = NO_COMPLAINTS,
): void {
  if (resource.custom !== undefined || resource.schema === undefined) {
    const dropped = resource.strategy.prune?.(draft, false) ?? [];
    const unknown = coerceCustom(draft, resource);
    childDraft(draft, 'metadata');
    reportStrict(resource, options, [...body.duplicates, ...[...dropped, ...unknown].sort()]);
    return;
  }
  const { typeError, unknownFields } = decodeBuiltIn(resource.schema.schema, draft as JsonObject);
  if (typeError !== undefined) throw unreadable(resource, typeError);
  decodeTyped(draft, resource.schema.schema);
  childDraft(draft, 'metadata');
  const unknown = unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`);
  const { duplicates, inOrder } = body;
  const complaints = [...duplicates, ...unknown];
  const isMixed = duplicates.length > 0 && unknown.length > 0;
  reportStrict(resource, options, isMixed ? (inOrder?.(complaints) ?? complaints) : complaints);
}

/** Unknown fields in the metadata of a custom resource; throws on values of a wrong type there. */
function coerceCustom(draft: DraftObject, resource: ServedResource): readonly string[] {
  const objectMeta = resource.schema?.schema.properties?.get('metadata');
  if (resource.custom === undefined || objectMeta === undefined) return [];
  const { problem, unknown } = coerceMetadata(draft, { own: resource.custom.schema, objectMeta });
  if (problem !== undefined) throw unreadable(resource, problem);
  return unknown;
}

function unreadable({ kind, version }: ServedResource, why: string): ApiError {
  return badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`,
  );
}

function reportStrict(
  resource: ServedResource,
  options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
  complaints: readonly string[],
): void {
  if (complaints.length === 0 || options.fieldValidation === 'Ignore') return;
  if (options.fieldValidation === 'Warn') {
    for (const complaint of complaints) options.warn(complaint);
    return;
  }
  throw unreadable(resource, `strict decoding error: ${complaints.join(', ')}`);
}

function placeInNamespace(draft: DraftObject, { resource, namespace }: Target): void {
  const metadata = childDraft(draft, 'metadata');
  if (resource.namespaced) metadata['namespace'] = namespace;
  else delete metadata['namespace'];
}

/** The NamespaceLifecycle admission: nothing is created where no namespace is, or one that goes away. */
export function requireNamespace(core: Core, target: Target, name: string): void {
  if (!target.resource.namespaced) return;
  const namespace = core.store.get('/namespaces', target.namespace);
  if (namespace === undefined) {
    throw notFound({ group: '', resource: 'namespaces', name: target.namespace });
  }
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const error = forbidden(
    { ...subjectOf(target), name },
    `unable to create new content in namespace ${target.namespace} because it is being terminated`,
  );
  throw new ApiError(error.code, error.reason, error.message, {
    details: {
      ...error.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${target.namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  });
}

function nameNew(core: Core, metadata: DraftObject): void {
  const base = textAt(metadata, 'generateName');
  if (textAt(metadata, 'name') !== '' || base === '') return;
  metadata['name'] = generateName(base, core.random);
}

function stampNew(core: Core, metadata: DraftObject, resource: ServedResource): void {
  metadata['uid'] = core.newUid();
  metadata['creationTimestamp'] = timestamp(core.clock);
  delete metadata['deletionTimestamp'];
  delete metadata['deletionGracePeriodSeconds'];
  delete metadata['selfLink'];
  delete metadata['resourceVersion'];
  const { hasGeneration, startsWithoutGeneration } = resource.strategy;
  if (hasGeneration === true && startsWithoutGeneration !== true) metadata['generation'] = 1;
  else delete metadata['generation'];
}

function resetStatus(draft: DraftObject, resource: ServedResource): void {
  if (resource.custom === undefined) {
    draft['status'] = {};
    return;
  }
  delete draft['status'];
  // Defaults are filled in whenever an object is read from storage: a status that has one is never absent.
  resource.strategy.applyDefaults?.(draft);
}

function checkPreconditions(draft: DraftObject, old: KubeObject, target: Target): void {
  const version = textAt(draft, 'metadata', 'resourceVersion');
  const needed = target.resource.strategy.needsVersionOnUpdate === true;
  if (version === '' && (needed || target.resource.custom !== undefined)) {
    throw invalid(
      {
        group: target.resource.group,
        kind: target.resource.name,
        name: target.name,
      },
      [
        {
          reason: 'FieldValueInvalid',
          field: 'metadata.resourceVersion',
          value: 0,
          detail: 'must be specified for an update',
        },
      ],
    );
  }
  const uid = textAt(draft, 'metadata', 'uid');
  if (uid !== '' && uid !== old.metadata.uid) {
    throw conflict(
      subjectOf(target),
      storageText(
        target,
        `UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
      ),
    );
  }
  if (version !== '' && version !== '0' && version !== old.metadata.resourceVersion) {
    throw conflict(subjectOf(target), MODIFIED);
  }
}

/** The words of the storage below the real server, which clients do see. */
function storageText({ resource, namespace, name }: Target, mismatch: string): string {
  const slash = resource.bucket.indexOf('/');
  const group = slash === 0 ? '' : `${resource.bucket.slice(0, slash)}/`;
  const place = namespace === '' ? name : `${namespace}/${name}`;
  const key = `/registry/${STORED_WITHOUT_GROUP.has(resource.group) ? '' : group}${resource.name}/${place}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${mismatch}`;
}

/** Groups that are as old as the core one, and kept beside it. */
const STORED_WITHOUT_GROUP: ReadonlySet<string> = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'policy',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'discovery.k8s.io',
  'coordination.k8s.io',
  'scheduling.k8s.io',
  'admissionregistration.k8s.io',
  'node.k8s.io',
]);
