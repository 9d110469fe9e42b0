import type { JsonObject } from '@capstan/kube-object';
import {
  ApiError,
  forbidden,
  methodNotAllowed,
  noSuchResource,
  notAcceptable,
  unsupportedMediaType,
} from './api-error.ts';
import { answerReview, isReview } from './auth/reviews.ts';
import {
  BODY_TYPES,
  bodyText,
  checkSize,
  mediaType,
  PROTOBUF_TYPE,
  parseBody,
  requireObject,
} from './body.ts';
import type { Core } from './core.ts';
import { isTerminating } from './definition-termination.ts';
import { encodeList, encodeObject, encodeValue, encodeWatch, withWarnings } from './encode.ts';
import { trackChange } from './field-management.ts';
import type { ApiRequest, ApiResponse } from './http-types.ts';
import { cloneJson, type Draft, type DraftObject, isDraftObject, textAt } from './json.ts';
import {
  checkVersionMatch,
  listObjects,
  readListOptions,
  TooLargeVersion,
} from './list-objects.ts';
import { representationFor, STREAMED } from './negotiation.ts';
import { patchObject } from './patch-object.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { readObject } from './read-object.ts';
import { CRD_BUCKET } from './registry.ts';
import { removeCollection } from './remove-collection.ts';
import { readDeleteOptions, removeObject } from './remove-object.ts';
import { isTrue, type ResourceRequest } from './request-info.ts';
import type { ServedResource } from './served-resource.ts';
import { runSubresource } from './subresources.ts';
import type { UserInfo } from './user.ts';
import { watchObjects } from './watch-objects.ts';
import {
  asObject,
  createObject,
  decodeObject,
  type FieldValidation,
  type Target,
  updateObject,
  type WriteOptions,
} from './write-object.ts';
import { readWriteParameters } from './write-parameters.ts';

/** One authorized request for a resource, with everything its verb may need. */
export interface Call {
  readonly request: ApiRequest;
  readonly info: ResourceRequest;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly resource: ServedResource;
  readonly warnings: string[];
}

export type { FieldValidation };

/** Runs the verb. Throws ApiError for every answer that is not a success. */
export function handleResource(core: Core, call: Call): ApiResponse | Promise<ApiResponse> {
  const { info, resource } = call;
  if (info.subresource !== '') return runSubresource(core, call);
  const named = info.name !== '';
  if (resource.namespaced && info.namespace === '') {
    // An object in no namespace has no path; all objects of a kind have one, for some verbs.
    if (named) throw noSuchResource();
    if (!ACROSS_NAMESPACES.has(info.verb)) throw methodNotAllowed();
  }
  const misplaced = info.verb === 'create' ? named : NEEDS_NAME.has(info.verb) && !named;
  if (misplaced || !resource.verbs.includes(info.verb)) {
    throw methodNotAllowed();
  }
  switch (info.verb) {
    case 'get':
      return get(core, call);
    case 'list':
      return list(core, call);
    case 'watch':
      return watch(core, call);
    case 'create':
      return create(core, call);
    case 'update':
      return update(core, call);
    case 'patch':
      return patch(core, call);
    case 'delete':
      return remove(core, call);
    case 'deletecollection':
      return removeCollection(core, call);
    default:
      throw methodNotAllowed();
  }
}

const NEEDS_NAME: ReadonlySet<string> = new Set(['update', 'patch']);
const ACROSS_NAMESPACES: ReadonlySet<string> = new Set(['list', 'watch']);

export function targetOf(call: Call): Target {
  return {
    resource: call.resource,
    namespace: call.resource.namespaced ? call.info.namespace : '',
    name: call.info.name,
  };
}

function get(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const object = readObject(core, targetOf(call));
  return encodeObject(core, { status: 200, object, representation, call });
}

function list(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const options = readListOptions(call.query, call.resource);
  const listing = listOrFail(core, call, options);
  return encodeList(core, { listing, representation, call });
}

function listOrFail(
  core: Core,
  call: Call,
  options: ReturnType<typeof readListOptions>,
): ReturnType<typeof listObjects> {
  try {
    return listObjects(core, call.resource, call.info.namespace, options);
  } catch (error) {
    if (!(error instanceof TooLargeVersion)) throw error;
    throw new ApiError(504, 'Timeout', `Timeout: ${error.message}`, {
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
      headers: { 'retry-after': '1' },
    });
  }
}

function watch(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  if (representation.format === 'yaml') throw notAcceptable(STREAMED);
  const options = readListOptions(call.query, call.resource);
  checkVersionMatch({ ...options, watch: true }, call.resource);
  const fields =
    call.info.name === ''
      ? options.fields
      : [...options.fields, { field: 'metadata.name', value: call.info.name, negated: false }];
  const events = watchObjects(core, call.resource, {
    ...options,
    fields,
    namespace: call.info.namespace,
    ...(call.request.signal === undefined ? {} : { signal: call.request.signal }),
  });
  return encodeWatch(core, { events, representation, call });
}

export function readDraft(core: Core, call: Call): ReturnType<typeof parseBody> {
  const { body, headers } = call.request;
  if (mediaType(headers['content-type']) === PROTOBUF_TYPE) {
    checkSize(body);
    if (call.resource.custom !== undefined) throw unsupportedMediaType(BODY_TYPES);
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array(0));
    return { value: decodeProtobuf(bytes, core.messages, call.resource.kind), duplicates: [] };
  }
  return parseBody(bodyText(body), headers['content-type'], {
    parseYaml: core.parseYaml,
    kind: call.resource.kind,
  });
}

export function writeOptionsOf(call: Call): WriteOptions {
  const requestOptions: { [key: string]: string } = {};
  for (const name of ['fieldManager', 'fieldValidation']) {
    const given = call.query.get(name) ?? '';
    if (given !== '') requestOptions[name] = given;
  }
  return {
    ...readWriteParameters(call),
    requestOptions,
    user: call.user,
    warn: (text) => {
      call.warnings.push(text);
    },
  };
}

function create(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const options = writeOptionsOf(call);
  const body = readDraft(core, call);
  const { value } = body;
  if (call.resource.custom !== undefined) refuseWhileEnding(core, call.resource, value);
  const review = answerReview(core, call.resource.bucket, trackedReview(core, call, value), {
    user: call.user,
    namespace: call.info.namespace,
  });
  if (review !== undefined) {
    return encodeObject(core, { status: 201, object: review, representation, call });
  }
  const written = createObject(core, targetOf(call), requireObject(value), {
    ...options,
    body,
  });
  return withWarnings(
    encodeObject(core, { status: 201, object: written.object, representation, call }),
    call.warnings,
  );
}

/** A kind that is about to go takes no new objects. */
function refuseWhileEnding(core: Core, { name, group }: ServedResource, value: Draft): void {
  if (!isTerminating(core.store.get(CRD_BUCKET, `${name}.${group}`))) return;
  throw forbidden(
    { group, resource: name, name: textAt(value, 'metadata', 'name') },
    'create not allowed while custom resource definition is terminating',
  );
}

/** Reviews go through decoding and field management like everything that is created. */
function trackedReview(core: Core, call: Call, value: Draft): DraftObject {
  const draft = requireObject(value);
  if (!isReview(call.resource.bucket)) return draft;
  const options = writeOptionsOf(call);
  decodeObject(draft, call.resource, options);
  const { resource } = call;
  draft['apiVersion'] = `${resource.group}/${resource.version}`;
  draft['kind'] = resource.kind;
  const tracked = trackChange(core, {
    before: undefined,
    after: asObject(draft),
    resource,
    subresource: '',
    fieldManager: options.fieldManager,
  });
  return cloneJson(tracked);
}

function update(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const options = writeOptionsOf(call);
  const body = readDraft(core, call);
  const { value } = body;
  const written = updateObject(core, targetOf(call), requireObject(value), {
    ...options,
    body,
  });
  const status = written.created ? 201 : 200;
  return withWarnings(
    encodeObject(core, { status, object: written.object, representation, call }),
    call.warnings,
  );
}

function patch(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const options = writeOptionsOf(call);
  const written = patchObject(
    core,
    targetOf(call),
    {
      contentType: call.request.headers['content-type'],
      text: bodyText(call.request.body),
      force: isTrue(call.query.get('force')),
      subresource: call.info.subresource,
      parseYaml: core.parseYaml,
      hasFieldManager: (call.query.get('fieldManager') ?? '') !== '',
    },
    options,
  );
  const status = written.created ? 201 : 200;
  return withWarnings(
    encodeObject(core, { status, object: written.object, representation, call }),
    call.warnings,
  );
}

function remove(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const options = readDeleteOptions(readDeleteBody(core, call), call.query);
  const target = targetOf(call);
  const removed = removeObject(core, target, {
    ...options,
    user: call.user,
    warn: (text) => {
      call.warnings.push(text);
    },
  });
  if (!removed.gone || ANSWERS_OBJECT.has(call.resource.bucket)) {
    return withWarnings(
      encodeObject(core, { status: 200, object: removed.object, representation, call }),
      call.warnings,
    );
  }
  const status: JsonObject = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: target.name,
      ...(call.resource.group === '' ? {} : { group: call.resource.group }),
      kind: call.resource.name,
      uid: removed.object.metadata.uid ?? '',
    },
  };
  return withWarnings(encodeValue(core, 200, status, representation), call.warnings);
}

export function readDeleteBody(core: Core, call: Call): JsonObject {
  if (call.request.body === undefined || call.request.body.length === 0) return {};
  const { value } = readDraft(core, call);
  return isDraftObject(value) ? value : {};
}

/** Kinds whose deletion answers with the object even when it is gone at once. */
const ANSWERS_OBJECT: ReadonlySet<string> = new Set([
  '/namespaces',
  '/persistentvolumeclaims',
  '/persistentvolumes',
  '/pods',
  '/podtemplates',
  '/resourcequotas',
  '/serviceaccounts',
  '/services',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/resourceclaims',
  'resource.k8s.io/resourceclaimtemplates',
  'resource.k8s.io/resourceslices',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/volumeattachments',
  'storage.k8s.io/volumeattributesclasses',
]);
