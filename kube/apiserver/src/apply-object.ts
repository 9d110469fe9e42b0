import { ApiError, badRequest, conflict, invalid, notFound } from './api-error.ts';
import { type Core, keyFor } from './core.ts';
import { mergeApplied } from './field-management.ts';
import { cloneJson, type Draft, isDraftObject, textAt } from './json.ts';
import type { PatchRequest } from './patch-object.ts';
import { toVersion } from './version-conversion.ts';
import {
  asObject,
  createObject,
  decodeObject,
  requireNamespace,
  subjectOf,
  type Target,
  updateObject,
  type WriteOptions,
  type Written,
} from './write-object.ts';

/** Server-side apply: creates or merges, with the ownership of every field recorded. */
export function applyPatch(
  core: Core,
  target: Target,
  request: PatchRequest,
  options: WriteOptions,
): Written {
  if (!request.hasFieldManager) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions', name: '' }, [
      {
        reason: 'FieldValueRequired',
        field: 'fieldManager',
        detail: 'is required for apply patch',
      },
    ]);
  }
  const { resource } = target;
  const applied = readConfiguration(request, target);
  const key = keyFor(resource, target.namespace, target.name);
  const stored = core.store.get(resource.bucket, key);
  const version = textAt(applied, 'metadata', 'resourceVersion');
  if (stored === undefined) {
    if (request.subresource !== '') throw notFound(subjectOf(target));
    if (version !== '' || textAt(applied, 'metadata', 'uid') !== '') {
      throw conflict(
        subjectOf(target),
        `uid mismatch: the provided object specified uid ${textAt(applied, 'metadata', 'uid')}, and no existing object was found`,
      );
    }
    requireNamespace(core, target, target.name);
  }
  const live = stored === undefined ? undefined : toVersion(stored, resource);
  checkStrict(applied, target, options);
  const metadata = { ...(applied['metadata'] as object), namespace: target.namespace };
  const merged = mergeApplied(core, {
    live,
    applied: asObject({ ...applied, ...(resource.namespaced ? { metadata } : {}) }),
    resource,
    subresource: request.subresource,
    fieldManager: options.fieldManager,
    force: request.force,
  });
  const draft = cloneJson(merged);
  const silent: WriteOptions = { ...options, fieldValidation: 'Ignore' };
  if (live === undefined) {
    return createObject(core, target, draft, { ...silent, managedFields: 'given' });
  }
  return updateObject(core, target, draft, {
    ...silent,
    subresource: request.subresource,
    applied: true,
  });
}

function readConfiguration(request: PatchRequest, target: Target): { [key: string]: Draft } {
  let parsed: unknown;
  try {
    parsed = request.parseYaml(request.text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: ${message}`);
  }
  if (!isDraftObject(parsed as Draft)) {
    throw badRequest('error decoding YAML: the configuration must be an object');
  }
  const applied = parsed as { [key: string]: Draft };
  if (textAt(applied, 'metadata', 'name') === '' && isDraftObject(applied['metadata'])) {
    applied['metadata']['name'] = target.name;
  }
  if (textAt(applied, 'kind') === '' || textAt(applied, 'apiVersion') === '') {
    throw new ApiError(
      500,
      'InternalError',
      `error decoding YAML: Object 'Kind' is missing in '${request.text.slice(0, 100)}'`,
    );
  }
  return applied;
}

/** Unknown fields are told (or refused) before the merge, which would otherwise stumble over them. */
function checkStrict(
  applied: { [key: string]: Draft },
  target: Target,
  options: WriteOptions,
): void {
  if (target.resource.custom !== undefined) return;
  const zeroes = cloneJson(applied);
  decodeObject(zeroes, target.resource, options, []);
  prune(applied, zeroes);
}

/** Takes out of the configuration what decoding dropped as unknown; what decoding added does not count. */
function prune(applied: { [key: string]: Draft | undefined }, decoded: unknown): void {
  if (!isDraftObject(decoded as Draft)) return;
  const kept = decoded as { [key: string]: Draft | undefined };
  for (const key of Object.keys(applied)) {
    const value = applied[key];
    const other = kept[key];
    if (other === undefined) {
      if (isUnset(value)) continue;
      delete applied[key];
    } else if (isDraftObject(value)) prune(value, other);
    else if (Array.isArray(value) && Array.isArray(other)) {
      for (const [i, item] of value.entries()) {
        if (isDraftObject(item)) prune(item, other[i]);
      }
    }
  }
}

/** Zero values are dropped by encoding, not by pruning: they are meant, and owned. */
function isUnset(value: Draft | undefined): boolean {
  return (
    value === null ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (isDraftObject(value) && Object.keys(value).length === 0)
  );
}
