import type { KubeObject } from '@capstan/kube-object';
import { backoffDelayMs, CapstanError } from '@capstan/lib-std';
import { linkAbort, sleep } from './abort.ts';
import { ApiError, isExpired } from './api-error.ts';
import type {
  FollowEvent,
  KindRef,
  KubeClient,
  ListOptions,
  WatchEvent,
  WatchOptions,
} from './kube-client.ts';

export type FollowOptions = Omit<
  WatchOptions,
  'resourceVersion' | 'sendInitialEvents' | 'timeoutMs' | 'onAnswer' | 'timeoutSeconds'
> & { readonly pageSize?: number };

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
  client: Pick<KubeClient, 'watch' | 'listPages'>,
  ref: KindRef,
  options: FollowOptions,
  streaming: StreamingLists,
): AsyncGenerator<FollowEvent, void, undefined> {
  const { signal } = options;
  let resourceVersion: string | undefined;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    const startedMs = Date.now();
    try {
      const events = attempt(client, ref, options, resourceVersion, streaming);
      for await (const event of events) {
        if (event.type !== 'INTERRUPTED') resourceVersion = event.resourceVersion;
        failures = 0;
        yield event;
      }
      // A watch that ends at once, again and again, must not become a busy loop.
      if (Date.now() - startedMs < 1_000) await sleep(backoff.baseMs, signal);
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
): AsyncGenerator<FollowEvent, void, undefined> {
  if (resourceVersion !== undefined) {
    yield* changes(watchFor(client, ref, { ...options, resourceVersion }));
    return;
  }
  if (streaming.areServed) {
    const outcome = yield* streamList(client, ref, options, streaming);
    if (outcome === 'ended') return;
  }
  const state = await readAll(client, ref, options);
  yield state;
  yield* changes(watchFor(client, ref, { ...options, resourceVersion: state.resourceVersion }));
}

/** Streaming list, then the same request goes on as the watch. 'refused' when this server cannot. */
async function* streamList(
  client: Pick<KubeClient, 'watch'>,
  ref: KindRef,
  options: FollowOptions,
  streaming: StreamingLists,
): AsyncGenerator<FollowEvent, 'ended' | 'refused', undefined> {
  using patience = linkAbort(options.signal);
  const timer = setTimeout(() => patience.abort(silence), firstEventMs);
  const objects = new Map<string, KubeObject>();
  let isInitial = true;
  try {
    const request = { ...options, sendInitialEvents: true, signal: patience.signal };
    for await (const event of watchFor(client, ref, request)) {
      clearTimeout(timer);
      if (!isInitial) {
        yield change(event);
      } else if (event.type !== 'BOOKMARK') {
        keep(objects, event);
      } else if (event.initialEventsEnd) {
        isInitial = false;
        const { resourceVersion } = event;
        yield { type: 'STATE', objects: [...objects.values()], resourceVersion };
        objects.clear();
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

function keep(
  objects: Map<string, KubeObject>,
  event: Exclude<WatchEvent, { type: 'BOOKMARK' }>,
): void {
  const { uid, namespace = '', name = '' } = event.object.metadata;
  const key = uid ?? `${namespace}/${name}`;
  if (event.type === 'DELETED') objects.delete(key);
  else objects.set(key, event.object);
}

async function readAll(
  client: Pick<KubeClient, 'listPages'>,
  ref: KindRef,
  options: FollowOptions,
): Promise<Extract<FollowEvent, { type: 'STATE' }>> {
  const read = async (list: ListOptions) => {
    const objects: KubeObject[] = [];
    let resourceVersion = '';
    for await (const page of client.listPages(ref, list)) {
      for (const item of page.items) objects.push(item);
      resourceVersion = page.resourceVersion;
    }
    return { type: 'STATE' as const, objects, resourceVersion };
  };
  try {
    return await read(options);
  } catch (error) {
    // The pages expired while they were read: all at once cannot.
    if (isExpired(error)) return read({ ...options, pageSize: 0 });
    throw error;
  }
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
): AsyncGenerator<FollowEvent, void, undefined> {
  for await (const event of events) yield change(event);
}

function change(event: WatchEvent): FollowEvent {
  if (event.type === 'BOOKMARK') {
    return { type: 'PROGRESS', resourceVersion: event.resourceVersion };
  }
  return {
    type: event.type === 'DELETED' ? 'DELETED' : 'CHANGED',
    object: event.object,
    resourceVersion: event.object.metadata.resourceVersion ?? '',
  };
}
