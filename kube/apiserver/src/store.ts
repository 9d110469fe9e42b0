import type { KubeObject } from '@capstan/kube-object';
import { OrderedMap } from './ordered-map.ts';

/** `group/resource`, e.g. `apps/deployments` or `/pods`: where all versions of a resource are kept together. */
export type Bucket = string;

/** One change, as watchers and the log see it. */
export interface StoreEvent {
  readonly resourceVersion: number;
  readonly bucket: Bucket;
  readonly key: string;
  /** The new state; for a removal the last state, bearing the removal's resourceVersion. */
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly removed: boolean;
}

/** Told of a change before it is made: may throw to refuse it (disk full), then nothing has happened. */
export interface WriteAhead {
  append(event: StoreEvent): void;
}

export interface StoreOptions {
  /** How many changes are kept for watches that resume and for lists of an older state. */
  readonly historyMax?: number;
}

/** The key of an object in its bucket: sorted, it gives the order in which the real server lists. */
export function storeKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

const HISTORY_MAX = 10_000;

/**
 * All objects of a cluster with one counter for every change. Synchronous: a change is made, recorded and told to the
 * subscribers in one go, so that nobody sees half of it. `fork` copies everything in O(1).
 */
export class Store {
  readonly #buckets: Map<Bucket, OrderedMap<KubeObject>>;
  readonly #historyMax: number;
  readonly #subscribers = new Map<Bucket | undefined, Set<(event: StoreEvent) => void>>();
  #history: StoreEvent[];
  #resourceVersion: number;
  /** The newest change that the history does not hold any more. */
  #compacted: number;
  #writeAhead: WriteAhead | undefined;

  constructor(options: StoreOptions = {}) {
    this.#buckets = new Map();
    this.#history = [];
    this.#resourceVersion = 1;
    this.#compacted = 1;
    this.#historyMax = options.historyMax ?? HISTORY_MAX;
  }

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  get compactedVersion(): number {
    return this.#compacted;
  }

  attach(writeAhead: WriteAhead): void {
    this.#writeAhead = writeAhead;
  }

  get(bucket: Bucket, key: string): KubeObject | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  /** The bucket as it is, for reading at once: it must not be kept over a change. */
  view(bucket: Bucket): OrderedMap<KubeObject> {
    return this.#bucket(bucket);
  }

  buckets(): readonly Bucket[] {
    return [...this.#buckets.keys()];
  }

  /**
   * The bucket as it was at an older resourceVersion: the present state with later changes undone.
   * Undefined when the history does not reach back so far.
   */
  viewAt(bucket: Bucket, resourceVersion: number): OrderedMap<KubeObject> | undefined {
    if (resourceVersion < this.#compacted || resourceVersion > this.#resourceVersion) {
      return undefined;
    }
    if (resourceVersion === this.#resourceVersion) return this.#bucket(bucket);
    const past = this.#bucket(bucket).fork();
    for (let i = this.#history.length - 1; i >= 0; i--) {
      const event = this.#history[i]!;
      if (event.resourceVersion <= resourceVersion) break;
      if (event.bucket !== bucket) continue;
      if (event.previous === undefined) past.delete(event.key);
      else past.set(event.key, event.previous);
    }
    return past;
  }

  /**
   * Stores an object under a new resourceVersion, which is set in its metadata. With `same` the object equals the
   * stored one and nothing happens: the caller decides that, because only it knows what does not count.
   */
  put(bucket: Bucket, key: string, object: KubeObject): KubeObject {
    const version = this.#resourceVersion + 1;
    const stored: KubeObject = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(version) },
    };
    const previous = this.get(bucket, key);
    this.#commit({
      resourceVersion: version,
      bucket,
      key,
      object: stored,
      previous,
      removed: false,
    });
    return stored;
  }

  /** Removes an object; gives its last state with the removal's resourceVersion, or undefined when it was not there. */
  remove(bucket: Bucket, key: string, last?: KubeObject): KubeObject | undefined {
    const previous = this.get(bucket, key);
    if (previous === undefined) return undefined;
    const version = this.#resourceVersion + 1;
    const final = last ?? previous;
    const object: KubeObject = {
      ...final,
      metadata: { ...final.metadata, resourceVersion: String(version) },
    };
    this.#commit({ resourceVersion: version, bucket, key, object, previous, removed: true });
    return object;
  }

  /** Changes after `resourceVersion` in one bucket; undefined when some of them are forgotten already. */
  eventsSince(bucket: Bucket, resourceVersion: number): StoreEvent[] | undefined {
    if (resourceVersion < this.#compacted) return undefined;
    const events: StoreEvent[] = [];
    for (let i = this.#history.length - 1; i >= 0; i--) {
      const event = this.#history[i]!;
      if (event.resourceVersion <= resourceVersion) break;
      if (event.bucket === bucket) events.push(event);
    }
    return events.reverse();
  }

  /** Forgets the history up to `resourceVersion`, as etcd's compaction does. */
  compact(resourceVersion = this.#resourceVersion): void {
    this.#compacted = Math.max(this.#compacted, Math.min(resourceVersion, this.#resourceVersion));
    this.#history = this.#history.filter((event) => event.resourceVersion > this.#compacted);
  }

  /** Tells of each change, or of those in one bucket; returns the way to stop it. */
  subscribe(listener: (event: StoreEvent) => void, bucket?: Bucket): () => void {
    let listeners = this.#subscribers.get(bucket);
    if (listeners === undefined) {
      listeners = new Set();
      this.#subscribers.set(bucket, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** A copy that shares all objects; neither sees the other's later changes. Subscribers and the log stay here. */
  fork(): Store {
    const copy = new Store({ historyMax: this.#historyMax });
    for (const [bucket, map] of this.#buckets) copy.#buckets.set(bucket, map.fork());
    copy.#history = [...this.#history];
    copy.#resourceVersion = this.#resourceVersion;
    copy.#compacted = this.#compacted;
    return copy;
  }

  /** Takes over what a log has kept: only for a store in which nothing has happened yet. */
  restore(
    objects: Iterable<readonly [Bucket, string, KubeObject]>,
    events: Iterable<Pick<StoreEvent, 'resourceVersion' | 'bucket' | 'key' | 'object' | 'removed'>>,
    resourceVersion: number,
  ): void {
    for (const [bucket, key, object] of objects) this.#bucket(bucket).set(key, object);
    this.#resourceVersion = Math.max(this.#resourceVersion, resourceVersion);
    this.#compacted = this.#resourceVersion;
    for (const event of events) {
      if (event.resourceVersion <= this.#resourceVersion) continue;
      this.#record({ ...event, previous: this.get(event.bucket, event.key) });
    }
  }

  #bucket(bucket: Bucket): OrderedMap<KubeObject> {
    let found = this.#buckets.get(bucket);
    if (found === undefined) {
      found = new OrderedMap();
      this.#buckets.set(bucket, found);
    }
    return found;
  }

  #commit(event: StoreEvent): void {
    this.#writeAhead?.append(event);
    this.#record(event);
    for (const listener of this.#subscribers.get(undefined) ?? []) listener(event);
    for (const listener of this.#subscribers.get(event.bucket) ?? []) listener(event);
  }

  #record(event: StoreEvent): void {
    const bucket = this.#bucket(event.bucket);
    if (event.removed) bucket.delete(event.key);
    else bucket.set(event.key, event.object);
    this.#resourceVersion = event.resourceVersion;
    this.#history.push(event);
    // Twice the bound before it is cut, so that cutting costs O(1) per change.
    if (this.#history.length >= 2 * this.#historyMax) {
      const dropped = this.#history.length - this.#historyMax;
      this.#compacted = this.#history[dropped - 1]!.resourceVersion;
      this.#history = this.#history.slice(dropped);
    }
  }
}
