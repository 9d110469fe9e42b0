import { ApiError, badRequest, conflict, invalid, notFound } from './api-error.ts';
import { readYaml } from './body.ts';
import { type Core, keyFor } from './core.ts';
import { mergeApplied } from './field-management.ts';
import { cloneJson, type Draft, isDraftObject, textAt } from './json.ts';
import type { PatchRequest } from './patch-object.ts';
import { fromStorage } from './version-conversion.ts';
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
  const { applied, problem } = readConfiguration(request, target);
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
  const live = stored === undefined ? undefined : fromStorage(stored, resource);
  const fault = typeFault(applied, target);
  const merged = mergeApplied(core, {
    live,
    applied: asObject(applied),
    resource,
    subresource: request.subresource,
    fieldManager: options.fieldManager,
    force: request.force,
  });
  if (problem !== undefined) complain(problem, options);
  if (fault !== undefined) throw fault;
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

/** Of keys that stand twice: told after what the merge has to say. */
function complain(problem: string, options: WriteOptions): void {
  if (options.fieldValidation === 'Ignore') return;
  if (options.fieldValidation === 'Strict') {
    throw badRequest(`error strict decoding YAML: ${problem}`);
  }
  options.warn(problem);
}

function readConfiguration(
  request: PatchRequest,
  target: Target,
): { readonly applied: { [key: string]: Draft }; readonly problem: string | undefined } {
  let parsed: unknown;
  let problem: string | undefined;
  try {
    ({ value: parsed, problem } = readYaml(request.text, request.parseYaml));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: ${message}`);
  }
  if (!isDraftObject(parsed as Draft)) {
    const kind = Array.isArray(parsed) ? 'array' : typeof parsed;
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    );
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
  return { applied, problem };
}

/** What decoding says of a value of a wrong type: only where the merge, which looks first, has nothing to say. */
function typeFault(applied: { [key: string]: Draft }, target: Target): ApiError | undefined {
  const { resource, name } = target;
  if (resource.custom !== undefined) return undefined;
  try {
    decodeObject(cloneJson(applied), resource, {
      fieldValidation: 'Ignore',
      warn: () => undefined,
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const why = /cannot be handled as a \w+: (.*)$/s.exec(error.message)?.[1] ?? error.message;
    const kind = `${resource.group}/${resource.version}, Kind=${resource.kind}`;
    const shown = `${textAt(applied, 'metadata', 'namespace')}/${textAt(applied, 'metadata', 'name') || name}`;
    const text = why.replace(/Go struct field \S+ of type/, 'Go value of type');
    return new ApiError(
      500,
      '',
      `failed to convert new object (${shown}; ${kind}) to proper version: unable to convert unstructured object to ${kind}: ${text}`,
    );
  }
}
