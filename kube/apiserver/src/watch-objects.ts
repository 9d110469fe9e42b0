import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { ApiError } from './api-error.ts';
import type { Core } from './core.ts';
import { type ListOptions, selects } from './list-objects.ts';
import { CRD_BUCKET } from './registry.ts';
import type { ServedResource } from './served-resource.ts';
import type { StoreEvent } from './store.ts';
import { fromStorage } from './version-conversion.ts';

export interface WatchMessage {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

/** How many events wait for a slow reader before its watch is closed, beside those of its beginning. */
export const WATCH_BUFFER_MAX = 5000;
const BOOKMARK_EVERY_MS = 60_000;
const INITIAL_END = 'k8s.io/initial-events-end';

/** One reader's place in a watch. */
export interface Watcher extends AsyncIterableIterator<WatchMessage> {
  /** The next message when it is there already. */
  ready(): WatchMessage | undefined;
  /** All that are there already. */
  readyAll(): readonly WatchMessage[];
  /** How many are there already. */
  readonly waiting: number;
  /** Calls back once: at the next message, or at the end. Only when none is ready. */
  wait(wake: () => void): void;
  /** No more messages will come than are ready. */
  readonly ended: boolean;
  close(): void;
}

export interface WatchedObjects {
  [Symbol.asyncIterator](): Watcher;
}

export interface WatchOptions extends ListOptions {
  readonly namespace: string;
  readonly signal?: AbortSignal;
  readonly bufferMax?: number;
}

/**
 * The changes of a resource as an async iterable that ends when the reader leaves, the time is up, or the reader is too
 * slow. Begins with what the resourceVersion asks for: nothing given or '0' means the present objects first.
 */
export function watchObjects(
  core: Core,
  resource: ServedResource,
  options: WatchOptions,
): WatchedObjects {
  return { [Symbol.asyncIterator]: () => new Watch(core, resource, options) };
}

class Watch implements Watcher {
  readonly #resource: ServedResource;
  readonly #options: WatchOptions;
  readonly #core: Core;
  /** Of the keys in scope, and whether more than that is asked of an object. */
  readonly #prefix: string;
  readonly #isSelective: boolean;
  #queue: WatchMessage[] = [];
  #read = 0;
  #bound: number;
  #wake: (() => void) | undefined;
  #closed = false;
  #release: (() => void)[] = [];
  #sent = 0;

  constructor(core: Core, resource: ServedResource, options: WatchOptions) {
    this.#core = core;
    this.#resource = resource;
    this.#options = options;
    const { namespace, labels, fields } = options;
    this.#prefix = namespace === '' || !resource.namespaced ? '' : `${namespace}/`;
    this.#isSelective = labels.length > 0 || fields.length > 0;
    this.#begin();
    this.#bound = this.#queue.length + (options.bufferMax ?? WATCH_BUFFER_MAX);
    if (this.#closed) return;
    this.#release.push(core.store.subscribe((event) => this.#see(event), resource.bucket));
    if (resource.custom !== undefined) this.#endWithKind();
    const { timeoutSeconds, signal, allowWatchBookmarks } = options;
    if (timeoutSeconds !== undefined && timeoutSeconds > 0) {
      this.#release.push(core.clock.after(timeoutSeconds * 1000, () => this.#finish()));
      if (allowWatchBookmarks && timeoutSeconds > 2) {
        this.#release.push(
          core.clock.after(Math.max(0, timeoutSeconds * 1000 - 2000), () => this.#bookmark()),
        );
      }
    }
    if (allowWatchBookmarks) this.#bookmarkLater();
    if (signal !== undefined) {
      const stop = (): void => this.#finish();
      signal.addEventListener('abort', stop, { once: true });
      this.#release.push(() => signal.removeEventListener('abort', stop));
      if (signal.aborted) this.#finish();
    }
  }

  [Symbol.asyncIterator](): Watcher {
    return this;
  }

  ready(): WatchMessage | undefined {
    const message = this.#queue[this.#read];
    if (message === undefined) return undefined;
    this.#read++;
    if (this.#read === this.#queue.length) this.#empty();
    return message;
  }

  readyAll(): readonly WatchMessage[] {
    const messages = this.#read === 0 ? this.#queue : this.#queue.slice(this.#read);
    this.#empty();
    return messages;
  }

  get waiting(): number {
    return this.#queue.length - this.#read;
  }

  get ended(): boolean {
    return this.#closed;
  }

  wait(wake: () => void): void {
    if (this.#closed) wake();
    else this.#wake = wake;
  }

  async next(): Promise<IteratorResult<WatchMessage>> {
    const message = this.ready();
    if (message !== undefined) return { done: false, value: message };
    if (this.#closed) return { done: true, value: undefined };
    await new Promise<void>((resolve) => this.wait(resolve));
    return this.next();
  }

  return(): Promise<IteratorResult<WatchMessage>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  close(): void {
    this.#finish();
    this.#queue = [];
    this.#read = 0;
  }

  /** When the definition goes, its objects have gone before, and been told of. */
  #endWithKind(): void {
    const { name, group } = this.#resource;
    const end = this.#core.store.subscribe(({ key, removed }) => {
      if (removed && key === `${name}.${group}`) this.#finish();
    }, CRD_BUCKET);
    this.#release.push(end);
  }

  #empty(): void {
    this.#queue = [];
    this.#read = 0;
    this.#bound = this.#options.bufferMax ?? WATCH_BUFFER_MAX;
  }

  #begin(): void {
    const { resourceVersion, sendInitialEvents } = this.#options;
    const { store } = this.#core;
    const version = resourceVersion === '' ? 0 : Number(resourceVersion);
    const initial = sendInitialEvents ?? version === 0;
    if (initial) {
      for (const [key, object] of store.view(this.#resource.bucket).entries()) {
        if (this.#inScope(key, object)) this.#push('ADDED', fromStorage(object, this.#resource));
      }
      this.#sent = store.resourceVersion;
      if (sendInitialEvents === true && this.#options.allowWatchBookmarks) {
        this.#bookmark({ [INITIAL_END]: 'true' });
      }
      return;
    }
    const events = store.eventsSince(this.#resource.bucket, version);
    if (events === undefined || version > store.resourceVersion) {
      this.#fail(
        events === undefined
          ? `too old resource version: ${version} (${store.compactedVersion})`
          : `Too large resource version: ${version}, current: ${store.resourceVersion}`,
        events === undefined,
      );
      return;
    }
    this.#sent = version;
    for (const event of events) this.#see(event);
  }

  #inScope(key: string, object: KubeObject): boolean {
    if (this.#prefix !== '' && !key.startsWith(this.#prefix)) return false;
    return !this.#isSelective || selects(this.#options, object, this.#resource);
  }

  #see(event: StoreEvent): void {
    if (this.#closed || event.resourceVersion <= this.#sent) return;
    this.#sent = event.resourceVersion;
    const was = event.previous !== undefined && this.#inScope(event.key, event.previous);
    const is = !event.removed && this.#inScope(event.key, event.object);
    if (is) this.#push(was ? 'MODIFIED' : 'ADDED', fromStorage(event.object, this.#resource));
    else if (was) {
      // An object that leaves the selection is shown as it was, at the version at which it left.
      const object = event.removed
        ? event.object
        : withVersion(event.previous ?? event.object, event.resourceVersion);
      this.#push('DELETED', fromStorage(object, this.#resource));
    }
  }

  #push(type: WatchMessage['type'], object: JsonObject): void {
    this.#queue.push({ type, object });
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake !== undefined) wake();
    else if (this.waiting > this.#bound) this.close();
  }

  #bookmark(annotations?: { readonly [key: string]: string }): void {
    const { resource, version } = {
      resource: this.#resource,
      version: this.#core.store.resourceVersion,
    };
    this.#sent = version;
    this.#push('BOOKMARK', {
      kind: resource.kind,
      apiVersion:
        resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
      metadata: {
        resourceVersion: String(version),
        ...(annotations === undefined ? {} : { annotations }),
      },
    });
  }

  #bookmarkLater(): void {
    this.#release.push(
      this.#core.clock.after(BOOKMARK_EVERY_MS, () => {
        if (this.#closed) return;
        this.#bookmark();
        this.#release = this.#release.slice(0, 8);
        this.#bookmarkLater();
      }),
    );
  }

  #fail(message: string, isExpired: boolean): void {
    const error = isExpired
      ? new ApiError(410, 'Expired', message)
      : new ApiError(504, 'Timeout', message, {
          details: {
            causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
            retryAfterSeconds: 1,
          },
        });
    this.#push('ERROR', error.toStatus());
    this.#finish();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const release of this.#release) release();
    this.#release = [];
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function withVersion(object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}
