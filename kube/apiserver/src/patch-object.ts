import type { KubeObject } from '@capstan/kube-object';
import {
  ApiError,
  badRequest,
  invalid,
  notFound,
  tooLarge,
  unsupportedMediaType,
} from './api-error.ts';
import { applyPatch } from './apply-object.ts';
import { mediaType, type ParseYaml, parseJsonText } from './body.ts';
import { type Core, keyFor } from './core.ts';
import { type Draft, type DraftObject, isDraftObject, stringifyJson } from './json.ts';
import { runPatchFormat } from './patch-formats.ts';
import { fromStorage } from './version-conversion.ts';
import {
  subjectOf,
  type Target,
  updateObject,
  type WriteOptions,
  type Written,
} from './write-object.ts';

export const PATCH_TYPES: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const CUSTOM_PATCH_TYPES = PATCH_TYPES.filter((type) => !type.includes('strategic'));

export interface PatchRequest {
  readonly contentType: string | undefined;
  readonly text: string;
  readonly force: boolean;
  readonly subresource: string;
  readonly parseYaml: ParseYaml;
  /** Given when the patch is not of the stored object itself but of a view of it (scale). */
  readonly hasFieldManager: boolean;
}

/** Performs a PATCH of any of the four types. */
export function patchObject(
  core: Core,
  target: Target,
  request: PatchRequest,
  options: WriteOptions,
): Written {
  const type = mediaType(request.contentType);
  const { resource } = target;
  const accepted = resource.custom === undefined ? PATCH_TYPES : CUSTOM_PATCH_TYPES;
  if (resource.custom !== undefined && PATCH_TYPES.includes(type) && !accepted.includes(type)) {
    throw unsupportedMediaType(accepted);
  }
  if (!accepted.includes(type)) {
    throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', { details: {} });
  }
  if (type === 'application/apply-patch+yaml') return applyPatch(core, target, request, options);
  if (request.force) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions', name: '' }, [
      {
        reason: 'FieldValueForbidden',
        field: 'force',
        detail: 'may not be specified for non-apply patch',
      },
    ]);
  }
  const key = keyFor(resource, target.namespace, target.name);
  const stored = core.store.get(resource.bucket, key);
  if (stored === undefined) throw notFound(subjectOf(target));
  const old = fromStorage(stored, resource);
  const { patched, duplicates } = patchedDraft(old, type, request.text, target);
  if (stored !== undefined && isDraftObject(patched['metadata'])) {
    patched['metadata']['resourceVersion'] ??= old.metadata.resourceVersion ?? '';
  }
  try {
    return updateObject(core, target, patched, {
      ...options,
      body: { duplicates },
      subresource: request.subresource,
    });
  } catch (error) {
    throw asPatchFault(error, resource.custom === undefined ? patched : sortKeys(patched));
  }
}

/** A custom resource is a map for Go, and shown in the order of its keys. */
function sortKeys(value: Draft): Draft {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isDraftObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item ?? null)]));
}

/** A patch that leads to an object of wrong types is itself at fault. */
function asPatchFault(error: unknown, patched: Draft): unknown {
  if (!(error instanceof ApiError) || error.code !== 400) return error;
  const why = /cannot be handled as a \w+: ((?!no kind ).*)$/s.exec(error.message)?.[1];
  if (why === undefined) return error;
  return invalid({ group: '', kind: '', name: '' }, [
    { reason: 'FieldValueInvalid', field: 'patch', value: stringifyJson(patched), detail: why },
  ]);
}

/** The object after a JSON, merge or strategic patch. */
export function patchedDraft(
  old: KubeObject,
  type: string,
  text: string,
  target: Target,
): { patched: DraftObject; duplicates: readonly string[] } {
  const { value: patch, duplicates } = parseJsonText(text, 'error decoding patch: ');
  const patched = runPatch(patch, { old, type, target });
  if (!isDraftObject(patched)) {
    throw badRequest(
      `unable to decode patched object: json: cannot unmarshal ${Array.isArray(patched) ? 'array' : typeof patched} into Go value of type map[string]interface {}`,
    );
  }
  return { patched, duplicates: type.includes('json-patch') ? [] : duplicates };
}

function runPatch(
  patch: Draft,
  { old, type, target }: { old: KubeObject; type: string; target: Target },
): Draft {
  if (type !== 'application/json-patch+json' && !isDraftObject(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    );
  }
  if (type === 'application/json-patch+json' && !Array.isArray(patch)) {
    const kind = isDraftObject(patch) ? 'object' : typeof patch;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (Array.isArray(patch) && patch.length > JSON_PATCH_OPERATIONS_MAX) {
    throw tooLarge(
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${patch.length}`,
    );
  }
  return runPatchFormat(old, type, patch, target.resource);
}

const JSON_PATCH_OPERATIONS_MAX = 10_000;
