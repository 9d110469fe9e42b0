import {
  applyJsonPatch,
  jsonMergePatch as mergePatch,
  PatchError,
  strategicMergePatch,
} from '@capstan/kube-merge';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { ApiError, badRequest } from './api-error.ts';
import { cloneJson, type Draft } from './json.ts';
import type { ServedResource } from './served-resource.ts';

/** The result of a patch, as a draft of its own. Faults of the patch become the server's 400 and 422. */
export function runPatchFormat(
  old: KubeObject,
  type: string,
  patch: Json,
  resource: ServedResource,
): Draft {
  try {
    return cloneJson(patchedBy(old, type, patch, resource));
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.reason === 'malformed') throw badRequest(error.message);
    const message = 'the server rejected our request due to an error in our request';
    throw new ApiError(422, 'Invalid', message, { details: {}, cause: error });
  }
}

function patchedBy(old: KubeObject, type: string, patch: Json, resource: ServedResource): Json {
  if (type === 'application/json-patch+json') return applyJsonPatch(old, patch);
  if (type === 'application/merge-patch+json') return mergePatch(old, patch);
  if (resource.schema === undefined) return mergePatch(old, patch);
  return strategicMergePatch(resource.schema.schema, old, patch as JsonObject);
}
