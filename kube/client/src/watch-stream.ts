import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { ApiError, statusFrom } from './api-error.ts';
import { parseJson } from './json.ts';
import type { ResourceKind, WatchEvent } from './kube-client.ts';
import { isJsonObject } from './requester.ts';

const lineBytesMax = 64 * 1024 * 1024;

/** The lines of a stream; a last line without a newline is incomplete and is dropped. */
export async function* splitLines(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of body) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      if (end < 0) break;
      const line = decode([...rest, chunk.subarray(from, end)]);
      rest = [];
      restBytes = 0;
      from = end + 1;
      if (line !== '') yield line;
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
    }
    if (restBytes > lineBytesMax) {
      throw new CapstanError('UNREADABLE_ANSWER', 'a watch event is larger than 64 MiB', {
        kind: 'retry',
      });
    }
  }
}

function decode(parts: readonly Uint8Array[]): string {
  const [first] = parts;
  const bytes = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  return new TextDecoder().decode(bytes);
}

/** The resourceVersion of the object in a line of a watch: metadata comes before everything that could quote another. */
export function versionIn(line: string): string | undefined {
  return /"resourceVersion":"(\d+)"/.exec(line)?.[1];
}

/** Reads one line of a watch. An ERROR event, or a line that is no event, is thrown. */
export function readWatchEvent(line: string, resource: ResourceKind, what: string): WatchEvent {
  const event = parseEvent(line, what);
  const object = isJsonObject(event['object']) ? event['object'] : {};
  switch (event['type']) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return {
        type: event['type'],
        object: asKubeObject(object, resource),
        ...textIn(line, event),
      };
    case 'BOOKMARK': {
      const { metadata } = asKubeObject(object, resource);
      const annotation = metadata.annotations?.['k8s.io/initial-events-end'];
      return {
        type: 'BOOKMARK',
        resourceVersion: metadata.resourceVersion ?? '',
        initialEventsEnd: annotation === 'true',
      };
    }
    case 'ERROR':
      throw new ApiError(what, statusFrom(500, object));
    default:
      throw unreadable(line, what);
  }
}

/** The object as the server wrote it, so that who keeps it need not write it again. */
function textIn(line: string, event: JsonObject): { readonly text?: string } {
  const head = `{"type":"${String(event['type'])}","object":`;
  const isBare = line.startsWith(head) && line.endsWith('}') && Object.keys(event).length === 2;
  return isBare ? { text: line.slice(head.length, -1) } : {};
}

function parseEvent(line: string, what: string): JsonObject {
  let event: Json;
  try {
    event = parseJson(line);
  } catch {
    throw unreadable(line, what);
  }
  if (!isJsonObject(event)) throw unreadable(line, what);
  return event;
}

function unreadable(line: string, what: string): CapstanError {
  return new CapstanError(
    'UNREADABLE_ANSWER',
    `cannot ${what}: not a watch event: ${line.slice(0, 100)}`,
    { kind: 'retry', hint: 'something between here and the API server may answer in its place' },
  );
}

/**
 * Gives an item its apiVersion and kind: the server leaves them out in lists of built-in kinds, and calls metadata-only
 * objects PartialObjectMetadata.
 */
export function asKubeObject(object: JsonObject, resource: ResourceKind): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object;
  const isPartial = kind === 'PartialObjectMetadata';
  const apiVersionOf =
    resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  return {
    apiVersion: typeof apiVersion === 'string' && !isPartial ? apiVersion : apiVersionOf,
    kind: typeof kind === 'string' && !isPartial ? kind : resource.kind,
    metadata: isJsonObject(metadata) ? metadata : {},
    ...rest,
  };
}
