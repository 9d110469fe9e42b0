import { ApiError } from './api-error.ts';
import type { Core } from './core.ts';
import { encodeList, withWarnings } from './encode.ts';
import { type Call, readDeleteBody, targetOf } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { listObjects, readListOptions } from './list-objects.ts';
import { representationFor } from './negotiation.ts';
import { readDeleteOptions, removeObject } from './remove-object.ts';

/** Deletes every object that the selectors choose, and answers with their list. */
export function removeCollection(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const selection = readListOptions(call.query, call.resource);
  const options = readDeleteOptions(readDeleteBody(core, call), call.query);
  const listing = listObjects(core, call.resource, call.info.namespace, selection);
  for (const object of listing.items) {
    const target = {
      ...targetOf(call),
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
    };
    try {
      removeObject(core, target, {
        ...options,
        user: call.user,
        warn: (text) => {
          call.warnings.push(text);
        },
        admitted: 'unnamed',
      });
    } catch (error) {
      // Gone in the meantime: what was asked for.
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
  }
  return withWarnings(encodeList(core, { listing, representation, call }), call.warnings);
}
