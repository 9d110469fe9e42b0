import type { KubeObject } from '@capstan/kube-object';
import { backoffDelayMs, CapstanError } from '@capstan/lib-std';
import { linkAbort, sleep } from './abort.ts';
import { ApiError, isExpired } from './api-error.ts';
import type {
  FollowEvent,
  FollowOptions,
  FollowPiece,
  KindRef,
  KubeClient,
  WatchEvent,
  WatchOptions,
} from './kube-client.ts';

/** What one server was found to be able to do; shared by all who follow it. */
export interface StreamingLists {
  areServed: boolean;
}

const backoff = { baseMs: 250, factor: 2, maxMs: 10_000, jitter: 0.5 };
/** A server that knows streaming lists sends its first event at once; one that does not may stay silent for ever. */
const firstEventMs = 10_000;

/**
 * List and watch without an end, as KubeClient.follow promises. The resourceVersion from which to go on is taken from
 * every event and bookmark, so that a reconnect misses nothing and repeats nothing; when the server no longer has that
 * part of its history (410), everything is read again and told as a new STATE.
 */
export async function* followKind(
  client: Pick<KubeClient, 'followPieces'>,
  ref: KindRef,
  options: FollowOptions,
): AsyncGenerator<FollowEvent, void, undefined> {
  const present = new Map<string, KubeObject>();
  let isBeginning = false;
  for await (const piece of client.followPieces(ref, options)) {
    if (piece.type === 'BEGIN') {
      present.clear();
      isBeginning = true;
    } else if (piece.type === 'PRESENT') {
      present.set(identity(piece.object), piece.object);
    } else if (piece.type === 'END') {
      const { resourceVersion } = piece;
      isBeginning = false;
      yield { type: 'STATE', objects: [...present.values()], resourceVersion };
      present.clear();
    } else if (piece.type === 'DELETED' && isBeginning) {
      present.delete(identity(piece.object));
    } else if (piece.type === 'CHANGED') {
      const { type, object, resourceVersion } = piece;
      yield { type, object, resourceVersion };
    } else {
      yield piece;
    }
  }
}

function identity({ metadata: { uid, namespace = '', name = '' } }: KubeObject): string {
  return uid ?? `${namespace}/${name}`;
}

/** `followKind` for those who keep the objects in a form of their own: see KubeClient.followPieces. */
export async function* followPieces(
  client: Pick<KubeClient, 'watch' | 'listPages'>,
  ref: KindRef,
  options: FollowOptions,
  streaming: StreamingLists,
): AsyncGenerator<FollowPiece, void, undefined> {
  const { signal } = options;
  let resourceVersion: string | undefined;
  let isBeginning = false;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    const startedMs = performance.now();
    try {
      for await (const piece of attempt(client, ref, options, resourceVersion, streaming)) {
        if (piece.type === 'BEGIN') isBeginning = true;
        else if (piece.type === 'END') isBeginning = false;
        // From within a state that was half told nobody can go on: it would never be told to its end.
        if (!isBeginning && 'resourceVersion' in piece) resourceVersion = piece.resourceVersion;
        if (piece.type !== 'BEGIN') failures = 0;
        yield piece;
      }
      // A watch that ends at once, again and again, must not become a busy loop.
      if (performance.now() - startedMs < 1_000) await sleep(backoff.baseMs, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (isExpired(error)) resourceVersion = undefined;
      else yield { type: 'INTERRUPTED', error };
      await sleep(backoffDelayMs(backoff, failures++, Math.random()), signal);
    }
  }
}

/** One watch, with what must come before it. */
async function* attempt(
  client: Pick<KubeClient, 'watch' | 'listPages'>,
  ref: KindRef,
  options: FollowOptions,
  resourceVersion: string | undefined,
  streaming: StreamingLists,
): AsyncGenerator<FollowPiece, void, undefined> {
  if (resourceVersion !== undefined) {
    yield* changes(watchFor(client, ref, { ...options, resourceVersion }));
    return;
  }
  if (streaming.areServed) {
    const outcome = yield* streamList(client, ref, options, streaming);
    if (outcome === 'ended') return;
  }
  const listedVersion = yield* readAll(client, ref, options);
  yield* changes(watchFor(client, ref, { ...options, resourceVersion: listedVersion }));
}

/** Streaming list, then the same request goes on as the watch. 'refused' when this server cannot. */
async function* streamList(
  client: Pick<KubeClient, 'watch'>,
  ref: KindRef,
  options: FollowOptions,
  streaming: StreamingLists,
): AsyncGenerator<FollowPiece, 'ended' | 'refused', undefined> {
  using patience = linkAbort(options.signal);
  const timer = setTimeout(() => patience.abort(silence), firstEventMs);
  let isInitial = true;
  try {
    yield { type: 'BEGIN' };
    const request = { ...options, sendInitialEvents: true, signal: patience.signal };
    for await (const event of watchFor(client, ref, request)) {
      clearTimeout(timer);
      if (!isInitial || event.type === 'DELETED') {
        yield change(event);
      } else if (event.type !== 'BOOKMARK') {
        yield { type: 'PRESENT', object: event.object, ...textOf(event) };
      } else if (event.initialEventsEnd) {
        isInitial = false;
        yield { type: 'END', resourceVersion: event.resourceVersion };
      }
    }
  } catch (error) {
    if (!isInitial || (error !== silence && !isRefusal(error))) throw error;
    streaming.areServed = false;
    return 'refused';
  } finally {
    clearTimeout(timer);
  }
  if (!isInitial) return 'ended';
  streaming.areServed = false;
  return 'refused';
}

const silence = new CapstanError('STREAMING_LIST_SILENT', 'no event of a streaming list came', {
  kind: 'retry',
});

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && [400, 403, 406, 422].includes(error.status.code);
}

/** Lists in pages; returns the resourceVersion from which to watch. */
async function* readAll(
  client: Pick<KubeClient, 'listPages'>,
  ref: KindRef,
  options: FollowOptions,
): AsyncGenerator<FollowPiece, string, undefined> {
  try {
    return yield* readPages(client, ref, options);
  } catch (error) {
    if (!isExpired(error)) throw error;
    // The pages expired while they were read: all at once cannot.
    return yield* readPages(client, ref, { ...options, pageSize: 0 });
  }
}

async function* readPages(
  client: Pick<KubeClient, 'listPages'>,
  ref: KindRef,
  options: FollowOptions,
): AsyncGenerator<FollowPiece, string, undefined> {
  let resourceVersion = '';
  yield { type: 'BEGIN' };
  for await (const page of client.listPages(ref, options)) {
    for (const object of page.items) yield { type: 'PRESENT', object };
    resourceVersion = page.resourceVersion;
  }
  yield { type: 'END', resourceVersion };
  return resourceVersion;
}

/** One watch request that the server ends after some minutes, and that ends by itself if the server forgets to. */
async function* watchFor(
  client: Pick<KubeClient, 'watch'>,
  ref: KindRef,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const timeoutSeconds = 240 + Math.floor(Math.random() * 120);
  using life = linkAbort(options.signal, (timeoutSeconds + 30) * 1000);
  try {
    yield* client.watch(ref, { ...options, timeoutSeconds, signal: life.signal });
  } catch (error) {
    if (!life.timedOut) throw error;
  }
}

async function* changes(
  events: AsyncIterable<WatchEvent>,
): AsyncGenerator<FollowPiece, void, undefined> {
  for await (const event of events) yield change(event);
}

function textOf({ text }: { readonly text?: string }): { readonly text?: string } {
  return text === undefined ? {} : { text };
}

function change(event: WatchEvent): FollowPiece {
  if (event.type === 'BOOKMARK') {
    return { type: 'PROGRESS', resourceVersion: event.resourceVersion };
  }
  const { object } = event;
  const { resourceVersion = '' } = object.metadata;
  if (event.type === 'DELETED') return { type: 'DELETED', object, resourceVersion };
  return { type: 'CHANGED', object, resourceVersion, ...textOf(event) };
}
