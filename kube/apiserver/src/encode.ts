import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type GoValue, toYaml } from '@capstan/lib-yaml';
import { type ApiError, notAcceptable } from './api-error.ts';
import type { Core } from './core.ts';
import type { Call } from './handle-request.ts';
import type { ApiRequest, ApiResponse, ChunkReader, ChunkStream } from './http-types.ts';
import { stringifyJson } from './json.ts';
import { type Listing, listHead, listMeta } from './list-objects.ts';
import { negotiateStatus, type Representation } from './negotiation.ts';
import { plainLine, withoutType } from './object-texts.ts';
import { partialMetadata } from './partial-metadata.ts';
import { encodeProtobuf, encodeProtobufList, encodeWatchFrame } from './protobuf/encode.ts';
import { tableOf } from './tables/table.ts';
import type { WatchedObjects, Watcher, WatchMessage } from './watch-objects.ts';

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
      return encodeValue(
        core,
        status,
        tableOf(core, call.resource, [object], {
          version: representation.version,
          include: call.query.get('includeObject'),
          metadata: { resourceVersion: object.metadata.resourceVersion ?? '' },
        }),
        representation,
      );
    case 'PartialObjectMetadata':
      return encodeValue(
        core,
        status,
        partialMetadata(object, representation.version),
        representation,
      );
    case 'object':
      return encodeValue(core, status, object, representation);
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
      return encodeValue(
        core,
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
        core,
        {
          kind: 'PartialObjectMetadataList',
          apiVersion: `meta.k8s.io/${representation.version}`,
          metadata: listMeta(listing),
        },
        listing,
        { representation, shown: (item) => partialMetadata(item, version) },
      );
    case 'object':
      if (representation.format === 'protobuf') return protobufList(core, call, listing);
      return listResponse(core, listHead(call.resource, listing), listing, {
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
  core: Core,
  head: JsonObject,
  { items }: Listing,
  { representation, shown, textOf = (item) => stringifyJson(shown(item)) }: ListItems,
): ApiResponse {
  if (representation.pretty || representation.format !== 'json') {
    const list = { ...head, items: items.map(shown) };
    return encodeValue(core, 200, list, representation);
  }
  const pieces = listPieces(stringifyJson({ ...head, items: [] }), items, textOf);
  const first = pieces.next().value ?? '';
  const second = pieces.next();
  const body = second.done === true ? first : joined(first, second.value, pieces);
  return { status: 200, headers: headersOf('application/json'), body };
}

function protobufList(core: Core, call: Call, listing: Listing): ApiResponse {
  const { group, version, kind, listKind } = call.resource;
  const message = core.messages.ofKind({ group, version, kind });
  if (message === undefined) throw notAcceptable(['application/json', 'application/yaml']);
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const { items } = listing;
  const list = { apiVersion, kind: listKind, metadata: listMeta(listing), items, message };
  const body = encodeProtobufList(list, core.messages, core.objectBytes);
  return { status: 200, headers: headersOf('application/vnd.kubernetes.protobuf'), body };
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
  const protobuf = answer.representation.format === 'protobuf';
  return {
    status: 200,
    headers: headersOf(
      protobuf ? 'application/vnd.kubernetes.protobuf;stream=watch' : 'application/json',
    ),
    body: protobuf ? watchFrames(core, answer) : new WatchLines(core, answer),
  };
}

async function* watchFrames(
  core: Core,
  {
    events,
    representation,
  }: { readonly events: WatchedObjects; readonly representation: Representation },
): AsyncGenerator<Uint8Array> {
  for await (const { type, object } of events[Symbol.asyncIterator]()) {
    const shown =
      type === 'ERROR' || representation.as === 'object'
        ? object
        : partialMetadata(object as KubeObject, representation.version);
    yield encodeWatchFrame(type, shown, core.messages, core.objectBytes);
  }
}

/** More than that are a beginning, which each watcher has for itself. */
const TOGETHER_MAX = 50;

/** Lines; those that are ready together go together. */
class WatchLines implements ChunkStream {
  readonly #core: Core;
  readonly #answer: Parameters<typeof encodeWatch>[1];

  constructor(core: Core, answer: Parameters<typeof encodeWatch>[1]) {
    this.#core = core;
    this.#answer = answer;
  }

  open(): ChunkReader {
    const watcher = this.#answer.events[Symbol.asyncIterator]();
    const lineOf = watchEncoder(this.#core, this.#answer);
    const isPlain = this.#answer.representation.as === 'object';
    return {
      take: () => {
        if (isPlain && watcher.waiting <= TOGETHER_MAX) {
          const messages = watcher.readyAll();
          return messages.length === 0 ? undefined : this.#core.eventLines.linesOf(messages);
        }
        const first = watcher.ready();
        return first === undefined ? undefined : piece(lineOf, first, watcher);
      },
      wait: (wake) => watcher.wait(wake),
      get ended() {
        return watcher.ended;
      },
      close: () => watcher.close(),
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    const lineOf = watchEncoder(this.#core, this.#answer);
    const watcher = this.#answer.events[Symbol.asyncIterator]();
    for await (const message of watcher) yield piece(lineOf, message, watcher);
  }
}

function piece(
  lineOf: (message: WatchMessage) => string,
  first: WatchMessage,
  watcher: Watcher,
): string {
  let text = lineOf(first);
  while (text.length < PIECE_CHARS) {
    const next = watcher.ready();
    if (next === undefined) break;
    text += lineOf(next);
  }
  return text;
}

function watchEncoder(
  core: Core,
  { representation, call }: { readonly representation: Representation; readonly call: Call },
): (message: WatchMessage) => string {
  let first = true;
  return ({ type, object }) => {
    if (type === 'ERROR' || representation.as === 'object') {
      return plainLine(core.objectTexts, { type, object });
    }
    const shown =
      representation.as === 'Table'
        ? tableOf(core, call.resource, [object as KubeObject], {
            version: representation.version,
            include: call.query.get('includeObject'),
            metadata: { resourceVersion: (object as KubeObject).metadata.resourceVersion ?? '' },
            withoutColumns: !first,
          })
        : partialMetadata(object as KubeObject, representation.version);
    first = false;
    return `{"type":"${type}","object":${stringifyJson(shown)}}\n`;
  };
}

/** A whole answer in the form that was asked for. */
export function encodeValue(
  core: Pick<Core, 'messages'>,
  status: number,
  value: JsonObject,
  { format, pretty }: Pick<Representation, 'format' | 'pretty'>,
): ApiResponse {
  switch (format) {
    case 'json': {
      const text = pretty ? stringifyJson(value, 2) : `${stringifyJson(value)}\n`;
      return { status, headers: headersOf('application/json'), body: text };
    }
    case 'yaml': {
      const text = toYaml(value as GoValue);
      return { status, headers: headersOf('application/yaml'), body: text };
    }
    case 'protobuf': {
      const body = encodeProtobuf(value, core.messages);
      if (body === undefined) throw notAcceptable(['application/json', 'application/yaml']);
      return { status, headers: headersOf('application/vnd.kubernetes.protobuf'), body };
    }
    default:
      return format satisfies never;
  }
}

function headersOf(contentType: string): Readonly<Record<string, string>> {
  return { 'content-type': contentType, 'cache-control': 'no-cache, private' };
}

/** An error in the form that the request asks for. */
export function encodeError(
  core: Pick<Core, 'messages'>,
  request: ApiRequest,
  error: ApiError,
): ApiResponse {
  const response = encodeValue(core, error.code, error.toStatus(), negotiateStatus(request));
  return { ...response, headers: { ...response.headers, ...error.headers } };
}

/** An error in JSON, where no request is known. */
export function errorResponse(error: ApiError): ApiResponse {
  return {
    status: error.code,
    headers: { ...headersOf('application/json'), ...error.headers },
    body: `${stringifyJson(error.toStatus())}\n`,
  };
}

/** RFC 7234 Warning headers, as client-go prints them: `299 - "text"`. */
export function withWarnings(response: ApiResponse, warnings: readonly string[]): ApiResponse {
  if (warnings.length === 0) return response;
  const header = [...new Set(warnings)]
    .map((text) => `299 - "${text.replace(/[\\"]/g, (c) => `\\${c}`)}"`)
    .join(', ');
  return { ...response, headers: { ...response.headers, warning: header } };
}
