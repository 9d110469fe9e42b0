import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { attributesOf } from './admission/admit-write.ts';
import {
  ApiError,
  badRequest,
  conflict,
  type ErrorSubject,
  forbidden,
  invalid,
  notFound,
} from './api-error.ts';
import { type Core, keyFor, timestamp } from './core.ts';
import { CLEANUP_FINALIZER, withEndPending } from './definition-termination.ts';
import { numberAt, textAt } from './json.ts';
import { CRD_BUCKET } from './registry.ts';
import type { ServedResource } from './served-resource.ts';
import type { UserInfo } from './user.ts';
import { fromStorage } from './version-conversion.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface RemoveOptions {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagation?: Propagation;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly warn: (text: string) => void;
  /** Of a collection one by one: no request names the object. Of an eviction: it has been admitted as such. */
  readonly admitted?: 'unnamed' | 'already';
}

/** What a deletion answers with: the object, while it still exists (or always, for some kinds), else a Success status. */
export interface Removed {
  readonly object: KubeObject;
  readonly gone: boolean;
}

const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-public', 'kube-system']);
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/**
 * Asks for an object's end. It goes at once when nothing holds it; finalizers, a grace period or a namespace's contents
 * make it stay with a deletionTimestamp until they are done.
 */
export function removeObject(
  core: Core,
  target: { readonly resource: ServedResource; readonly namespace: string; readonly name: string },
  options: RemoveOptions,
): Removed {
  const { resource } = target;
  const subject: ErrorSubject = {
    group: resource.group,
    resource: resource.name,
    name: target.name,
  };
  if (resource.bucket === 'batch/jobs' && options.propagation === undefined) {
    options.warn(
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    );
  }
  if (resource.bucket === '/namespaces' && IMMORTAL.has(target.name)) {
    throw forbidden(subject, 'this namespace may not be deleted');
  }
  const key = keyFor(resource, target.namespace, target.name);
  const stored = core.store.get(resource.bucket, key);
  if (stored === undefined) throw notFound(subject);
  checkPreconditions(
    stored,
    { ...subject, group: groupOfBucket(resource), resource: resource.kind },
    options,
  );
  admitRemoval(core, target, stored, options);
  const finalizers = deletionFinalizers(stored, resource, options.propagation);
  const grace = graceSeconds(stored, resource, options.gracePeriodSeconds);
  const held = finalizers.length > 0 || grace > 0 || isHeldNamespace(stored, resource);
  if (!held) {
    const last = lastState(core, stored, resource);
    if (options.dryRun) return { object: fromStorage(last, resource), gone: true };
    const gone = core.store.remove(resource.bucket, key, last) ?? last;
    return { object: fromStorage(gone, resource), gone: true };
  }
  const marked = markDeleted(core, stored, { finalizers, grace, resource });
  if (marked === stored || options.dryRun) {
    return { object: fromStorage(marked, resource), gone: false };
  }
  const kept = core.store.put(resource.bucket, key, marked);
  return { object: fromStorage(kept, resource), gone: false };
}

function admitRemoval(
  core: Core,
  target: { readonly resource: ServedResource; readonly namespace: string; readonly name: string },
  stored: KubeObject,
  options: RemoveOptions,
): void {
  if (options.admitted === 'already') return;
  const { user, dryRun, warn, gracePeriodSeconds, propagation } = options;
  const name = options.admitted === 'unnamed' ? '' : target.name;
  const requestOptions = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
  };
  const request = { ...target, name, subresource: '', user, dryRun, warn, requestOptions };
  const attributes = attributesOf(request, 'DELETE', {
    object: undefined,
    oldObject: fromStorage(stored, target.resource),
  });
  core.admission.validate(core, attributes, warn);
}

/** Of events both APIs speak by the name of the old one. */
function groupOfBucket({ bucket }: ServedResource): string {
  return bucket.slice(0, bucket.lastIndexOf('/'));
}

/** What goes at once is shown as it was; only pods, which end gracefully, show the moment of their end. */
function lastState(core: Core, stored: KubeObject, resource: ServedResource): KubeObject {
  if (resource.bucket !== '/pods') return stored;
  return withDeletion(core, stored, [], 0, resource);
}

/**
 * Called with an object that is being deleted and was just written: removes it when nothing holds it any more.
 * Undefined when it stays.
 */
export function finishDeletion(
  core: Core,
  resource: ServedResource,
  key: string,
  object: KubeObject,
): KubeObject | undefined {
  if ((object.metadata.finalizers ?? []).length > 0) return undefined;
  if (isHeldNamespace(object, resource)) return undefined;
  if ((numberAt(object, 'metadata', 'deletionGracePeriodSeconds') ?? 0) > 0) return undefined;
  return core.store.remove(resource.bucket, key, object);
}

function checkPreconditions(
  object: KubeObject,
  subject: ErrorSubject,
  { uid, resourceVersion }: RemoveOptions,
): void {
  if (uid !== undefined && uid !== object.metadata.uid) {
    if (object.kind === 'Namespace') {
      throw conflict(
        { ...subject, resource: 'namespaces' },
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid ?? ''}`,
      );
    }
    throw conflict(
      subject,
      `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
    throw conflict(
      subject,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${object.metadata.resourceVersion ?? ''}). The object might have been modified`,
    );
  }
}

function deletionFinalizers(
  object: KubeObject,
  resource: ServedResource,
  propagation: Propagation | undefined,
): readonly string[] {
  const finalizers = (object.metadata.finalizers ?? []).map(String);
  const has = new Set(finalizers);
  const policy =
    propagation ??
    (has.has(ORPHAN)
      ? 'Orphan'
      : has.has(FOREGROUND)
        ? 'Foreground'
        : ORPHANING.has(resource.bucket)
          ? 'Orphan'
          : 'Background');
  const kept = finalizers.filter((f) => f !== ORPHAN && f !== FOREGROUND);
  const isFirst = object.metadata.deletionTimestamp === undefined;
  const others =
    resource.bucket === CRD_BUCKET && isFirst && !has.has(CLEANUP_FINALIZER)
      ? [...kept, CLEANUP_FINALIZER]
      : kept;
  if (policy === 'Orphan') return [...others, ORPHAN];
  if (policy === 'Foreground') return [...others, FOREGROUND];
  return others;
}

/** Kinds whose dependents stay unless the request says otherwise. */
const ORPHANING: ReadonlySet<string> = new Set(['batch/jobs', '/replicationcontrollers']);

function graceSeconds(
  object: KubeObject,
  resource: ServedResource,
  asked: number | undefined,
): number {
  if (resource.bucket !== '/pods') return 0;
  const phase = textAt(object, 'status', 'phase');
  if (textAt(object, 'spec', 'nodeName') === '') return 0;
  if (phase === 'Succeeded' || phase === 'Failed') return 0;
  const wanted = asked ?? numberAt(object, 'spec', 'terminationGracePeriodSeconds') ?? 30;
  const current = numberAt(object, 'metadata', 'deletionGracePeriodSeconds');
  if (object.metadata.deletionTimestamp === undefined || current === undefined) return wanted;
  // A second deletion may only shorten the wait.
  return Math.min(wanted, current);
}

function isHeldNamespace(object: KubeObject, resource: ServedResource): boolean {
  if (resource.bucket !== '/namespaces') return false;
  const finalizers = (object['spec'] as JsonObject | undefined)?.['finalizers'];
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function markDeleted(
  core: Core,
  stored: KubeObject,
  how: { finalizers: readonly string[]; grace: number; resource: ServedResource },
): KubeObject {
  const { finalizers, grace, resource } = how;
  const again = stored.metadata.deletionTimestamp !== undefined;
  const sameFinalizers =
    finalizers.join() === (stored.metadata.finalizers ?? []).map(String).join();
  const current = numberAt(stored, 'metadata', 'deletionGracePeriodSeconds') ?? 0;
  if (again && sameFinalizers && grace >= current) return stored;
  return withDeletion(core, stored, finalizers, grace, resource);
}

function withDeletion(
  core: Core,
  stored: KubeObject,
  finalizers: readonly string[],
  grace: number,
  resource: ServedResource,
): KubeObject {
  const { finalizers: _f, ...rest } = stored.metadata;
  const again = stored.metadata.deletionTimestamp !== undefined;
  if (resource.bucket === CRD_BUCKET && !again) return withEndPending(core, stored, finalizers);
  const current = numberAt(stored, 'metadata', 'deletionGracePeriodSeconds') ?? 0;
  const shortened = again && grace < current;
  const metadata: { [key: string]: Json | undefined } = {
    ...rest,
    ...(finalizers.length === 0 ? {} : { finalizers }),
    ...(again && !shortened
      ? {}
      : {
          deletionTimestamp: timestamp(core.clock, grace * 1000),
          // Namespaces have an end of their own kind.
          ...(resource.bucket === '/namespaces' ? {} : { deletionGracePeriodSeconds: grace }),
        }),
  };
  if (!again && stored.metadata.generation !== undefined) {
    metadata['generation'] = stored.metadata.generation + 1;
  }
  const marked = { ...stored, metadata } as unknown as KubeObject;
  if (resource.bucket !== '/namespaces') return marked;
  return { ...marked, status: { ...(stored['status'] as JsonObject), phase: 'Terminating' } };
}

/** Reads DeleteOptions from body and query; the query's deprecated `orphanDependents` too. */
export function readDeleteOptions(
  body: JsonObject,
  query: URLSearchParams,
): Omit<RemoveOptions, 'user' | 'warn'> {
  const grace =
    numberAt(body, 'gracePeriodSeconds') ?? integerParameter(query.get('gracePeriodSeconds'));
  const orphan = body['orphanDependents'] ?? query.get('orphanDependents') ?? undefined;
  const propagation = textAt(body, 'propagationPolicy') || (query.get('propagationPolicy') ?? '');
  if (propagation !== '' && orphan !== undefined) {
    throw invalidOptions(
      'propagationPolicy',
      propagation,
      'orphanDependents and deletionPropagation cannot be both set',
    );
  }
  if (!['', 'Background', 'Foreground', 'Orphan'].includes(propagation)) {
    throw new ApiError(
      422,
      'Invalid',
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(propagation)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      {
        details: {
          group: 'meta.k8s.io',
          kind: 'DeleteOptions',
          causes: [
            {
              reason: 'FieldValueNotSupported',
              message: `Unsupported value: ${JSON.stringify(propagation)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
              field: 'propagationPolicy',
            },
          ],
        },
      },
    );
  }
  const dryRun = [...query.getAll('dryRun'), ...((body['dryRun'] as readonly string[]) ?? [])];
  const uid = textAt(body, 'preconditions', 'uid');
  const resourceVersion = textAt(body, 'preconditions', 'resourceVersion');
  const policy =
    propagation === ''
      ? orphan === undefined
        ? undefined
        : String(orphan) === 'true'
          ? 'Orphan'
          : 'Background'
      : (propagation as Propagation);
  return {
    dryRun: dryRun.includes('All'),
    ...(grace === undefined ? {} : { gracePeriodSeconds: Math.max(0, grace) }),
    ...(policy === undefined ? {} : { propagation: policy }),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
  };
}

function invalidOptions(field: string, value: string, detail: string): ApiError {
  return invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions', name: '' }, [
    { reason: 'FieldValueInvalid', field, value, detail },
  ]);
}

function integerParameter(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return value;
}
