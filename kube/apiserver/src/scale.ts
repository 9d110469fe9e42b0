import type { Json, KubeObject } from '@capstan/kube-object';
import { attributesOf, mutateDraft } from './admission/admit-write.ts';
import type { AdmissionAttributes } from './admission/attributes.ts';
import { badRequest, internalError, invalid } from './api-error.ts';
import { bodyText, mediaType, requireObject } from './body.ts';
import type { Core } from './core.ts';
import { encodeObject, withWarnings } from './encode.ts';
import { type Call, readDraft, targetOf, writeOptionsOf } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import {
  childDraft,
  cloneJson,
  type DraftObject,
  isDraftObject,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from './json.ts';
import { representationFor } from './negotiation.ts';
import { patchedDraft } from './patch-object.ts';
import { readObject } from './read-object.ts';
import { formatSelector, fromSelectorObject } from './selectors.ts';
import { simplePath } from './tables/simple-path.ts';
import { asObject, updateObject } from './write-object.ts';

/** `/scale`: an autoscaling/v1 Scale as a view of the object, whose spec.replicas can be written. */
export function runScale(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const target = targetOf(call);
  const object = readObject(core, target);
  const isRead = call.info.verb === 'get';
  const view = scaleOf(object, call, { strict: isRead });
  if (isRead) {
    return encodeObject(core, { status: 200, object: view, representation, call });
  }
  const options = writeOptionsOf(call);
  const wanted = call.info.verb === 'patch' ? patchScale(view, call) : readScale(core, call);
  const given = numberAt(wanted, 'spec', 'replicas') ?? 0;
  const attributes = (scale: KubeObject): AdmissionAttributes =>
    attributesOf({ ...target, ...options, subresource: 'scale' }, 'UPDATE', {
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      object: scale,
      oldObject: view,
    });
  const asked: DraftObject = cloneJson(withReplicas(view, given));
  mutateDraft(core, asked, attributes(asObject(asked)), {
    warn: options.warn,
    settle: () => undefined,
  });
  const replicas = numberAt(asked, 'spec', 'replicas') ?? 0;
  if (replicas < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale', name: target.name }, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        value: replicas,
        detail: 'must be greater than or equal to 0',
      },
    ]);
  }
  core.admission.validate(core, attributes(asObject(asked)), options.warn);
  const draft = cloneJson(object);
  setPath(draft, replicasPath(call), replicas);
  const version = textAt(wanted, 'metadata', 'resourceVersion');
  childDraft(draft, 'metadata')['resourceVersion'] =
    version === '' ? (object.metadata.resourceVersion ?? '') : version;
  const written = updateObject(core, target, draft, { ...options, subresource: 'scale' });
  const answer = scaleOf(written.object, call, { strict: false });
  return withWarnings(
    encodeObject(core, { status: 200, object: answer, representation, call }),
    call.warnings,
  );
}

function withReplicas(view: KubeObject, replicas: number): KubeObject {
  return { ...view, spec: replicas === 0 ? {} : { replicas } };
}

function readScale(core: Core, call: Call): DraftObject {
  const draft = requireObject(readDraft(core, call).value);
  const kind = textAt(draft, 'kind');
  if (kind !== '' && kind !== 'Scale') {
    throw badRequest(`the kind of the object (${kind}) does not match the expected kind (Scale)`);
  }
  return draft;
}

function patchScale(view: KubeObject, call: Call): DraftObject {
  const type = mediaType(call.request.headers['content-type']);
  // The Scale kind has no schema of its own to merge lists by; it has no lists.
  const merge =
    type === 'application/strategic-merge-patch+json' ? 'application/merge-patch+json' : type;
  return patchedDraft(view, merge, bodyText(call.request.body), targetOf(call)).patched;
}

function replicasPath(call: Call): readonly string[] {
  const path = call.resource.custom?.scale?.specReplicasPath ?? '.spec.replicas';
  return path.split('.').filter((part) => part !== '');
}

function setPath(draft: DraftObject, path: readonly string[], value: number): void {
  let at = draft;
  for (const key of path.slice(0, -1)) at = childDraft(at, key);
  const last = path[path.length - 1];
  if (last !== undefined && isDraftObject(at)) at[last] = value;
}

function scaleOf(
  object: KubeObject,
  call: Call,
  { strict }: { readonly strict: boolean },
): KubeObject {
  const {
    name = '',
    namespace = '',
    uid = '',
    resourceVersion = '',
    creationTimestamp,
  } = object.metadata;
  const custom = call.resource.custom?.scale;
  const spec: Json | undefined = valueAt(object, ...replicasPath(call));
  if (strict && custom !== undefined && spec === undefined) {
    throw internalError(
      `the spec replicas field ${JSON.stringify(custom.specReplicasPath)} does not exist`,
    );
  }
  const status =
    custom === undefined
      ? numberAt(object, 'status', 'replicas')
      : simplePath(object, custom.statusReplicasPath);
  const selector = selectorOf(object, custom?.labelSelectorPath);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: typeof spec === 'number' && spec !== 0 ? { replicas: spec } : {},
    status: {
      replicas: typeof status === 'number' ? status : 0,
      ...(selector === '' ? {} : { selector }),
    },
  };
}

function selectorOf(object: KubeObject, path: string | undefined): string {
  if (path !== undefined) {
    const found = simplePath(object, path);
    return typeof found === 'string' ? found : '';
  }
  const selector = objectAt(object, 'spec', 'selector');
  const plain = selector['matchLabels'] === undefined && selector['matchExpressions'] === undefined;
  const requirements = fromSelectorObject(plain ? { matchLabels: selector } : selector) ?? [];
  return formatSelector([...requirements].sort((a, b) => (a.key < b.key ? -1 : 1)));
}
