import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type ApiError, notAcceptable } from './api-error.ts';
import type { Core } from './core.ts';
import type { Call } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { stringifyJson } from './json.ts';
import { type Listing, listHead, listMeta } from './list-objects.ts';
import type { Representation } from './negotiation.ts';
import { withoutType } from './object-texts.ts';
import { partialMetadata } from './partial-metadata.ts';
import { tableOf } from './tables/table.ts';
import type { WatchedObjects, WatchMessage } from './watch-objects.ts';

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
  const { version } = representation;
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
      return listResponse(
        {
          kind: 'PartialObjectMetadataList',
          apiVersion: `meta.k8s.io/${representation.version}`,
          metadata: listMeta(listing),
        },
        listing,
        { representation, shown: (item) => partialMetadata(item, version) },
      );
    case 'object':
      return listResponse(listHead(call.resource, listing), listing, {
        representation,
        // Items of built-in kinds come without their type, as typed lists encode.
        ...(call.resource.custom === undefined
          ? { shown: withoutType, textOf: (item) => core.objectTexts.untypedTextOf(item) }
          : { shown: (item) => item, textOf: (item) => core.objectTexts.textOf(item) }),
      });
    default:
      throw notAcceptable(['application/json']);
  }
}

interface ListItems {
  readonly representation: Representation;
  readonly shown: (item: KubeObject) => JsonObject;
  /** The text of what is shown, when it may be kept already. */
  readonly textOf?: (item: KubeObject) => string;
}

/** Long lists are made and sent in pieces, so that one of 50,000 objects holds up neither others nor the memory. */
function listResponse(
  head: JsonObject,
  { items }: Listing,
  { representation, shown, textOf = (item) => stringifyJson(shown(item)) }: ListItems,
): ApiResponse {
  if (representation.pretty || representation.format !== 'json') {
    return json(200, { ...head, items: items.map(shown) }, representation);
  }
  const pieces = listPieces(stringifyJson({ ...head, items: [] }), items, textOf);
  const first = pieces.next().value ?? '';
  const second = pieces.next();
  const body = second.done === true ? first : joined(first, second.value, pieces);
  return { status: 200, headers: JSON_HEADERS, body };
}

const PIECE_CHARS = 128_000;

function* listPieces(
  empty: string,
  items: readonly KubeObject[],
  textOf: (item: KubeObject) => string,
): Generator<string, undefined> {
  let piece = empty.slice(0, -']}'.length);
  let separator = '';
  for (const item of items) {
    piece += separator + textOf(item);
    separator = ',';
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]}\n`;
}

async function* joined(
  first: string,
  second: string,
  rest: Iterable<string>,
): AsyncGenerator<string> {
  yield first;
  yield second;
  yield* rest;
}

export function encodeWatch(
  core: Core,
  answer: {
    readonly events: WatchedObjects;
    readonly representation: Representation;
    readonly call: Call;
  },
): ApiResponse {
  return { status: 200, headers: JSON_HEADERS, body: watchPieces(core, answer) };
}

/** Lines; those that are ready together go together. */
async function* watchPieces(
  core: Core,
  answer: {
    readonly events: WatchedObjects;
    readonly representation: Representation;
    readonly call: Call;
  },
): AsyncGenerator<string> {
  const lineOf = watchEncoder(core, answer);
  const watcher = answer.events[Symbol.asyncIterator]();
  for await (const message of watcher) {
    let piece = lineOf(message);
    while (piece.length < PIECE_CHARS) {
      const next = watcher.ready();
      if (next === undefined) break;
      piece += lineOf(next);
    }
    yield piece;
  }
}

function watchEncoder(
  core: Core,
  { representation, call }: { readonly representation: Representation; readonly call: Call },
): (message: WatchMessage) => string {
  let first = true;
  return ({ type, object }) => {
    if (type === 'ERROR' || representation.as === 'object') {
      return `{"type":"${type}","object":${core.objectTexts.textOf(object)}}\n`;
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
    return `{"type":"${type}","object":${stringifyJson(shown)}}\n`;
  };
}

const JSON_HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-cache, private',
} as const;

function json(status: number, value: unknown, representation: Representation): ApiResponse {
  if (representation.format === 'yaml') throw notAcceptable(['application/json']);
  const text = representation.pretty ? stringifyJson(value, 2) : `${stringifyJson(value)}\n`;
  return {
    status,
    headers: JSON_HEADERS,
    body: text,
  };
}

export function statusResponse(code: number, status: JsonObject): ApiResponse {
  return {
    status: code,
    headers: JSON_HEADERS,
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
