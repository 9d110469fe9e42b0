import { noSuchResource } from './api-error.ts';
import { bodyText, requireObject } from './body.ts';
import type { Core } from './core.ts';
import { encodeObject, withWarnings } from './encode.ts';
import { type Call, readDraft, targetOf, writeOptionsOf } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { negotiate } from './negotiation.ts';
import { patchObject } from './patch-object.ts';
import { readObject } from './read-object.ts';
import { isTrue } from './request-info.ts';
import { updateObject } from './write-object.ts';

/** Answers a request below an object: `/status`, `/scale` and so on. */
export function runSubresource(core: Core, call: Call): ApiResponse | Promise<ApiResponse> {
  const { info, resource } = call;
  const known = resource.subresources.find((sub) => sub.name === info.subresource);
  if (known === undefined || !known.verbs.includes(info.verb)) throw noSuchResource();
  if (info.subresource === 'status') return status(core, call);
  throw noSuchResource();
}

function status(core: Core, call: Call): ApiResponse {
  const representation = negotiate(call.request.headers['accept'], call.query);
  if (call.info.verb === 'get') {
    const object = readObject(core, targetOf(call), '');
    return encodeObject(core, { status: 200, object, representation, call });
  }
  const options = writeOptionsOf(call);
  if (call.info.verb === 'patch') {
    const written = patchObject(
      core,
      targetOf(call),
      {
        contentType: call.request.headers['content-type'],
        text: bodyText(call.request.body),
        force: isTrue(call.query.get('force')),
        subresource: 'status',
        parseYaml: core.parseYaml,
        hasFieldManager: (call.query.get('fieldManager') ?? '') !== '',
      },
      options,
    );
    return withWarnings(
      encodeObject(core, { status: 200, object: written.object, representation, call }),
      call.warnings,
    );
  }
  const { value, duplicates } = readDraft(core, call);
  const written = updateObject(core, targetOf(call), requireObject(value), {
    ...options,
    duplicates,
    subresource: 'status',
  });
  return withWarnings(
    encodeObject(core, { status: 200, object: written.object, representation, call }),
    call.warnings,
  );
}
