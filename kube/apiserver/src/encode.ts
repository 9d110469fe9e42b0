import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type ApiError, notAcceptable } from './api-error.ts';
import type { Core } from './core.ts';
import type { Call } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { stringifyJson } from './json.ts';
import { type Listing, listMeta, listObject } from './list-objects.ts';
import type { Representation } from './negotiation.ts';
import { partialMetadata } from './partial-metadata.ts';
import { tableOf } from './tables/table.ts';
import type { WatchMessage } from './watch-objects.ts';

export function encodeObject(
  core: Core,
  answer: {
    readonly status: number;
    readonly object: KubeObject;
    readonly representation: Representation;
    readonly call: Call;
  },
): ApiResponse {
  const { status, object, representation, call } = answer;
  switch (representation.as) {
    case 'Table':
      return json(
        status,
        tableOf(core, call.resource, [object], {
          version: representation.version,
          include: call.query.get('includeObject'),
          metadata: { resourceVersion: object.metadata.resourceVersion ?? '' },
        }),
        representation,
      );
    case 'PartialObjectMetadata':
      return json(status, partialMetadata(object, representation.version), representation);
    case 'object':
      return json(status, object, representation);
    default:
      throw notAcceptable(['application/json']);
  }
}

export function encodeList(
  core: Core,
  answer: {
    readonly listing: Listing;
    readonly representation: Representation;
    readonly call: Call;
  },
): ApiResponse {
  const { listing, representation, call } = answer;
  switch (representation.as) {
    case 'Table':
      return json(
        200,
        tableOf(core, call.resource, listing.items, {
          version: representation.version,
          include: call.query.get('includeObject'),
          metadata: listMeta(listing),
        }),
        representation,
      );
    case 'PartialObjectMetadataList':
      return json(
        200,
        {
          kind: 'PartialObjectMetadataList',
          apiVersion: `meta.k8s.io/${representation.version}`,
          metadata: listMeta(listing),
          items: listing.items.map((item) => partialMetadata(item, representation.version)),
        },
        representation,
      );
    case 'object':
      return json(200, listObject(call.resource, listing), representation);
    default:
      throw notAcceptable(['application/json']);
  }
}

export function encodeWatch(
  core: Core,
  answer: {
    readonly events: AsyncIterable<WatchMessage>;
    readonly representation: Representation;
    readonly call: Call;
  },
): ApiResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    body: watchLines(core, answer),
  };
}

async function* watchLines(
  core: Core,
  answer: {
    readonly events: AsyncIterable<WatchMessage>;
    readonly representation: Representation;
    readonly call: Call;
  },
): AsyncGenerator<string> {
  const { representation, call } = answer;
  let first = true;
  for await (const { type, object } of answer.events) {
    if (type === 'ERROR' || representation.as === 'object') {
      yield `{"type":${JSON.stringify(type)},"object":${objectText(core.objectTexts, object)}}\n`;
      continue;
    }
    const shown =
      representation.as === 'Table'
        ? tableOf(core, call.resource, [object as KubeObject], {
            version: representation.version,
            include: call.query.get('includeObject'),
            metadata: { resourceVersion: (object as KubeObject).metadata.resourceVersion ?? '' },
            withoutColumns: !first,
            withoutRows: type === 'BOOKMARK',
          })
        : partialMetadata(object as KubeObject, representation.version);
    first = false;
    yield `{"type":${JSON.stringify(type)},"object":${stringifyJson(shown)}}\n`;
  }
}

/** Many watchers see the same object: its text is made once, and lives as long as the object does. */
function objectText(texts: WeakMap<object, string>, object: JsonObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    text = stringifyJson(object);
    texts.set(object, text);
  }
  return text;
}

function json(status: number, value: unknown, representation: Representation): ApiResponse {
  if (representation.format === 'yaml') throw notAcceptable(['application/json']);
  const text = representation.pretty
    ? `${JSON.stringify(value, (_k, v: unknown) => (typeof v === 'bigint' ? Number(v) : v), 2)}`
    : `${stringifyJson(value)}\n`;
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    body: text,
  };
}

export function statusResponse(code: number, status: JsonObject): ApiResponse {
  return {
    status: code,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    body: `${stringifyJson(status)}\n`,
  };
}

export function errorResponse(error: ApiError): ApiResponse {
  const response = statusResponse(error.code, error.toStatus());
  return { ...response, headers: { ...response.headers, ...error.headers } };
}

/** RFC 7234 Warning headers, as client-go prints them: `299 - "text"`. */
export function withWarnings(response: ApiResponse, warnings: readonly string[]): ApiResponse {
  if (warnings.length === 0) return response;
  const header = [...new Set(warnings)]
    .map((text) => `299 - "${text.replace(/[\\"]/g, (c) => `\\${c}`)}"`)
    .join(', ');
  return { ...response, headers: { ...response.headers, warning: header } };
}
