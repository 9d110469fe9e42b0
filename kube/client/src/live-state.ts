import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { linkAbort, sleep } from './abort.ts';
import type { FollowPiece, KindRef, ResourceKind } from './kube-client.ts';
import { hasSeen, type Slot, type Stream, waitFor, worstState } from './live-slot.ts';
import type {
  LiveChange,
  LiveObject,
  LiveState,
  LiveStateOptions,
  WatchedKind,
} from './live-state-types.ts';
import { type IndexedValue, LiveStore, type StoredObject } from './live-store.ts';
import { ObjectsByName } from './objects-by-name.ts';
import { kindNameOf, nameKind } from './paths.ts';
import { isJsonObject } from './requester.ts';
import { compareResourceVersions } from './resource-version.ts';
import { isBulky, isDerived, isVolatile, trimObject } from './trim-object.ts';

/** Starts with no kind watched; see LiveState. Disposing it ends its watches. */
export function createLiveState(options: LiveStateOptions): LiveState {
  return new Cache(options);
}

type Missed = { readonly kind: KindRef; readonly error: unknown };
/** An object, and its JSON if that is at hand. */
type Told = { readonly object: KubeObject; readonly text?: string };
type Options = { readonly signal?: AbortSignal };
/** Why an object is put: what its listeners are told of it. */
type Cause = Pick<LiveChange, 'isInitial' | 'writer'> & Partial<Pick<Stream, 'isReread'>>;

/** Answers that trying again soon will not change: wait longer, or until somebody asks for the kind again. */
const lasting = new Set(['NOT_FOUND', 'KIND_NOT_SERVED', 'FORBIDDEN', 'METHOD_NOT_ALLOWED']);
const lastingPauseMs = 30_000;
const writtenMax = 10_000;

class Cache implements LiveState {
  readonly #options: LiveStateOptions;
  readonly #store = new LiveStore();
  readonly #slots = new Map<string, Slot>();
  readonly #listeners = new Set<(change: LiveChange) => void>();
  readonly #life = linkAbort(undefined);
  readonly #running = new Set<Promise<void>>();
  #watchesAll = false;
  /** Kinds, as `group/kind`, whose definitions have changed since the last look. */
  readonly #redefined = new Set<string>();
  #rescan: NodeJS.Timeout | undefined;

  constructor(options: LiveStateOptions) {
    this.#options = options;
  }

  async ensure(kinds: readonly KindRef[], options: Options = {}): Promise<readonly Missed[]> {
    const missed = await Promise.all(kinds.map((kind) => this.#ensureOne(kind, options)));
    return missed.flat();
  }

  async ensureAll(options: Options = {}): Promise<readonly Missed[]> {
    this.#watchesAll = true;
    const kinds = await this.#options.client.discovery.kinds(options);
    return this.ensure(
      kinds.filter((kind) => isWatchable(kind) && !isDerived(kind)),
      options,
    );
  }

  get({ group, kind, namespace, name }: ObjectKey): LiveObject | undefined {
    return this.#slots.get(`${group}/${kind}`)?.objects.get(namespace, name);
  }

  list(kind: { readonly group: string; readonly kind: string }, namespace?: string): LiveObject[] {
    const objects = this.#slots.get(`${kind.group}/${kind.kind}`)?.objects;
    return (namespace === undefined ? objects?.all() : objects?.inNamespace(namespace)) ?? [];
  }

  byIndex(name: string, value: string): LiveObject[] {
    return this.#store.indexed(name, value);
  }

  ownedBy(uid: string): LiveObject[] {
    return this.#store.ownedBy(uid);
  }

  byUid(uid: string): LiveObject | undefined {
    return this.#store.byUid(uid);
  }

  inNamespace(namespace: string): LiveObject[] {
    return this.#store.inNamespace(namespace);
  }

  subscribe(listener: (change: LiveChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async waitUntilFresh(
    ref: KindRef,
    resourceVersion: string,
    options: Options & { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const { group, kind } = kindNameOf(ref);
    using limit = linkAbort(options.signal, options.timeoutMs ?? 10_000);
    for (;;) {
      const slot = this.#slots.get(`${group}/${kind}`);
      if (slot === undefined) {
        throw new CapstanError('NOT_WATCHED', `${nameKind(ref)} is not watched by this cache`, {
          kind: 'bug',
        });
      }
      const { signal: life } = this.#life;
      const isDone = () => life.aborted || this.#isOld(slot) || hasSeen(slot, resourceVersion);
      await waitFor(slot, isDone, limit.signal).catch((error: unknown) => {
        if (!limit.timedOut) throw error;
        throw new CapstanError(
          'NOT_FRESH',
          `the watch of ${nameKind(ref)} did not reach resourceVersion ${resourceVersion} in time`,
          { kind: 'retry', hint: 'the API server may be slow or out of reach' },
        );
      });
      life.throwIfAborted();
      if (!this.#isOld(slot)) return;
    }
  }

  observeWrite(object: KubeObject, options: { readonly writer?: string } = {}): void {
    const { group, kind } = kindNameOf(object);
    const slot = this.#slots.get(`${group}/${kind}`);
    const { resourceVersion = '', namespace } = object.metadata;
    const stream = slot?.streams.find(
      (one) => one.namespace === undefined || one.namespace === namespace,
    );
    if (slot === undefined || stream === undefined || stream.state.kind === 'syncing') return;
    // Another version's fields must not stand where the watched version's are expected.
    if (kindNameOf(object).version !== slot.resource.version) return;
    // The watch is past it: what it told since is newer, and may be that the object is gone.
    if (compareResourceVersions(resourceVersion, stream.seen) <= 0) return;
    this.#put(slot, { object }, { isInitial: false, ...options });
    // A state that is being told has to name it.
    if (stream.present === undefined && stream.written.size < writtenMax) {
      stream.written.add(resourceVersion);
    }
  }

  watched(): readonly WatchedKind[] {
    return [...this.#slots.values()].map((slot) => ({
      resource: slot.resource,
      state: worstState(slot.streams),
      objects: slot.objects.size,
    }));
  }

  size() {
    return this.#store.size();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#rescan);
    this.#life.abort(new DOMException('the cache was closed', 'AbortError'));
    for (const { waiters } of this.#slots.values()) for (const waiter of [...waiters]) waiter();
    await Promise.all(this.#running);
  }

  async #ensureOne(ref: KindRef, { signal }: Options): Promise<Missed[]> {
    const { signal: life } = this.#life;
    try {
      for (;;) {
        life.throwIfAborted();
        const slot = await this.#slotFor(ref, signal);
        if (slot === undefined) return [];
        for (const stream of slot.streams) {
          if (stream.state.kind === 'failed') stream.state = { kind: 'syncing' };
        }
        for (const wake of slot.wakers) wake();
        const isRead = () => this.#isOld(slot) || worstState(slot.streams).kind !== 'syncing';
        await waitFor(slot, () => life.aborted || isRead(), signal);
        if (!isRead() || this.#isOld(slot)) continue;
        const state = worstState(slot.streams);
        return state.kind === 'failed' ? [{ kind: ref, error: state.error }] : [];
      }
    } catch (error) {
      signal?.throwIfAborted();
      return [{ kind: ref, error }];
    }
  }

  /** Looks the kind up by its group: whatever version was asked for, the preferred one is watched. */
  async #slotFor(ref: KindRef, signal: AbortSignal | undefined): Promise<Slot | undefined> {
    const { group, kind } = kindNameOf(ref);
    const known = this.#slots.get(`${group}/${kind}`);
    if (known !== undefined) return known;
    const resource = await this.#options.client.discovery.resolve(
      { group, kind },
      signal === undefined ? {} : { signal },
    );
    const isExcluded = this.#options.isExcluded ?? isVolatile;
    this.#life.signal.throwIfAborted();
    if (isExcluded(resource)) return undefined;
    return this.#slots.get(`${group}/${kind}`) ?? this.#open(resource);
  }

  #open(resource: ResourceKind): Slot {
    const namespaces = resource.namespaced ? this.#options.namespaces : undefined;
    const slot: Slot = {
      resource,
      objects: new ObjectsByName<StoredObject>(),
      streams: (namespaces ?? [undefined]).map((namespace) => ({
        namespace,
        state: { kind: 'syncing' },
        seen: '',
        present: undefined,
        isReread: false,
        written: new Set<string>(),
      })),
      waiters: new Set(),
      wakers: new Set(),
      restarts: new Set(),
    };
    this.#slots.set(`${resource.group}/${resource.kind}`, slot);
    for (const stream of slot.streams) {
      const running = this.#run(slot, stream).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    return slot;
  }

  async #run(slot: Slot, stream: Stream): Promise<void> {
    const { signal } = this.#life;
    while (!signal.aborted && !this.#isOld(slot)) {
      try {
        await this.#follow(slot, stream);
        await this.#pause(slot);
        await this.#reopenIfMoved(slot);
      } catch (error) {
        if (signal.aborted) return;
        if (error === definitionChanged) continue;
        this.#options.onError?.(error);
        await sleep(1_000, signal).catch(() => {});
      }
    }
  }

  /** Another version of the kind is watched in its place: who waits for it waits for that one. */
  #isOld(slot: Slot): boolean {
    const { group, kind } = slot.resource;
    return this.#slots.get(`${group}/${kind}`) !== slot;
  }

  /** The watched version may have been taken out of service while another one is served. */
  async #reopenIfMoved(slot: Slot): Promise<void> {
    const { group, kind, version } = slot.resource;
    const { discovery } = this.#options.client;
    const resource = await discovery.find({ group, kind }, { signal: this.#life.signal });
    if (resource === undefined || resource.version === version || this.#isOld(slot)) return;
    for (const object of slot.objects.all()) this.#drop(slot, object, false);
    this.#open(resource);
    for (const waiter of slot.waiters) waiter();
    for (const wake of slot.wakers) wake();
  }

  /** Returns when the kind is not served or not allowed, so that the next try comes later. */
  async #follow(slot: Slot, stream: Stream): Promise<void> {
    const { client, metadataOnly = isBulky } = this.#options;
    using turn = linkAbort(this.#life.signal);
    const restart = () => {
      stream.isReread = true;
      turn.abort(definitionChanged);
    };
    slot.restarts.add(restart);
    try {
      await this.#takeAll(
        slot,
        stream,
        client.followPieces(slot.resource, {
          signal: turn.signal,
          metadataOnly: metadataOnly(slot.resource),
          isKnown: (version) => stream.present === undefined && stream.written.delete(version),
          ...(stream.namespace === undefined ? {} : { namespace: stream.namespace }),
        }),
      );
    } finally {
      slot.restarts.delete(restart);
    }
  }

  async #takeAll(slot: Slot, stream: Stream, events: AsyncIterable<FollowPiece>): Promise<void> {
    for await (const event of events) {
      this.#take(slot, stream, event);
      for (const waiter of [...slot.waiters]) waiter();
      if (event.type === 'INTERRUPTED' && isLasting(event.error)) return;
    }
  }

  async #pause(slot: Slot): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using pause = linkAbort(this.#life.signal);
    slot.wakers.add(resolve);
    try {
      await Promise.race([promise, sleep(lastingPauseMs, pause.signal)]);
    } finally {
      slot.wakers.delete(resolve);
      pause.abort(undefined);
    }
  }

  #take(slot: Slot, stream: Stream, piece: FollowPiece): void {
    switch (piece.type) {
      case 'INTERRUPTED':
        this.#interrupt(slot, stream, piece.error);
        return;
      case 'BEGIN':
        stream.present = new Set();
        stream.written.clear();
        return;
      case 'PRESENT': {
        const { namespace = '', name = '' } = piece.object.metadata;
        stream.present?.add(localKey(namespace, name));
        this.#put(slot, piece, { isInitial: true, isReread: stream.isReread });
        return;
      }
      case 'END':
        this.#dropAbsent(slot, stream, piece.resourceVersion);
        break;
      case 'CHANGED':
        this.#put(slot, piece, { isInitial: false });
        break;
      case 'DELETED':
        this.#delete(slot, stream, piece.object, piece.resourceVersion);
        break;
      case 'PROGRESS':
        break;
      default:
        piece satisfies never;
    }
    // A state that is half told is not yet the state at any version.
    if (stream.present !== undefined) return;
    if (piece.resourceVersion !== '') stream.seen = piece.resourceVersion;
    stream.state = { kind: 'synced' };
  }

  #interrupt(slot: Slot, stream: Stream, error: unknown): void {
    const sinceMs = (this.#options.now ?? Date.now)();
    const code = error instanceof CapstanError ? error.code : '';
    if (code === 'NOT_FOUND' || code === 'KIND_NOT_SERVED') {
      // The kind itself is gone, and all of its objects with it.
      for (const object of this.#objectsOf(slot, stream)) this.#drop(slot, object, false);
      stream.state = { kind: 'failed', error };
    } else if (isLasting(error)) {
      // What is held stays, but nobody may go by it who does not know that it can no longer be seen.
      stream.state = { kind: 'failed', error };
    } else if (stream.state.kind === 'synced') {
      stream.state = { kind: 'stale', error, sinceMs };
    } else if (stream.state.kind !== 'stale') {
      stream.state = { kind: 'failed', error };
    }
  }

  /** At the end of a state: what it did not hold is gone, unless it is newer (an own write). */
  #dropAbsent(slot: Slot, stream: Stream, resourceVersion: string): void {
    const { present } = stream;
    stream.present = undefined;
    stream.isReread = false;
    for (const object of this.#objectsOf(slot, stream)) {
      const isNewer = compareResourceVersions(object.resourceVersion, resourceVersion) > 0;
      if (!isNewer && present?.has(localKey(object.namespace, object.name)) !== true) {
        this.#drop(slot, object, true);
      }
    }
  }

  #objectsOf({ objects }: Slot, { namespace }: Stream): StoredObject[] {
    return namespace === undefined ? objects.all() : objects.inNamespace(namespace);
  }

  #put(slot: Slot, { object, text }: Told, { isReread = false, ...cause }: Cause): void {
    const { namespace = '', name = '', resourceVersion = '' } = object.metadata;
    const held = slot.objects.get(namespace, name);
    const order =
      held === undefined ? 1 : compareResourceVersions(resourceVersion, held.resourceVersion);
    if (order < 0 || (order === 0 && !isReread)) return;
    const { trim = trimObject, isManaged } = this.#options;
    const isPartial = (this.#options.metadataOnly ?? isBulky)(slot.resource);
    const whole = !isPartial && isManaged(object);
    const kept = whole ? object : trim(object);
    if (order === 0 && isDeepStrictEqual(held?.read(), kept)) return;
    const { before, after } = this.#store.put(slot, {
      object: kept,
      ...(whole && text !== undefined ? { text } : {}),
      whole,
      indexed: this.#indexed(object),
    });
    this.#tell({ key: after.key, before, after, ...cause });
    if (!bringsKinds.has(slot.resource.kind)) return;
    if (before !== undefined) this.#noteDefinition(before, object);
    if (this.#watchesAll) this.#lookForKinds();
  }

  /** The objects of a kind whose definition has changed may read otherwise, though none of them has changed. */
  #noteDefinition(before: StoredObject, object: KubeObject): void {
    const spec = object['spec'];
    if (before.read().metadata.generation === object.metadata.generation) return;
    if (!isJsonObject(spec) || !isJsonObject(spec['names'])) return;
    this.#redefined.add(`${spec['group']}/${spec['names']['kind']}`);
    this.#lookForKinds();
  }

  #indexed(object: KubeObject): IndexedValue[] {
    const values: IndexedValue[] = [];
    for (const [index, valuesOf] of Object.entries(this.#options.indexes ?? {})) {
      try {
        for (const value of valuesOf(object)) values.push({ index, value });
      } catch (error) {
        this.#options.onError?.(error);
      }
    }
    // A copy of just the length: one that grew has room for more.
    return values.slice();
  }

  #delete(slot: Slot, stream: Stream, object: KubeObject, resourceVersion: string): void {
    const { namespace = '', name = '' } = object.metadata;
    stream.present?.delete(localKey(namespace, name));
    const held = slot.objects.get(namespace, name);
    // Made anew in the meantime, and already known by an own write: this is the end of the one before.
    const isOther =
      held !== undefined && compareResourceVersions(resourceVersion, held.resourceVersion) < 0;
    if (held !== undefined && !isOther) this.#drop(slot, held, false);
  }

  #drop(slot: Slot, object: StoredObject, isInitial: boolean): void {
    this.#store.remove(slot, object.namespace, object.name);
    this.#tell({ key: object.key, before: object, after: undefined, isInitial });
  }

  #tell(change: LiveChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.onError?.(error);
      }
    }
  }

  /** After a change of CRDs or APIServices, once they have settled. */
  #lookForKinds(): void {
    if (this.#rescan !== undefined || this.#life.signal.aborted) return;
    this.#rescan = setTimeout(() => {
      this.#rescan = undefined;
      this.#options.client.discovery.invalidate();
      for (const name of this.#redefined) {
        for (const restart of this.#slots.get(name)?.restarts ?? []) restart();
      }
      this.#redefined.clear();
      if (!this.#watchesAll) return;
      this.ensureAll({ signal: this.#life.signal }).catch((error: unknown) => {
        if (this.#life.signal.aborted) return;
        this.#options.onError?.(error);
        this.#lookForKinds();
      });
    }, 1_000);
  }
}

const definitionChanged = new CapstanError(
  'DEFINITION_CHANGED',
  'the definition of the kind has changed',
  { kind: 'retry' },
);

const bringsKinds = new Set(['CustomResourceDefinition', 'APIService']);

function localKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

function isLasting(error: unknown): boolean {
  return error instanceof CapstanError && lasting.has(error.code);
}

function isWatchable({ verbs }: ResourceKind): boolean {
  return verbs.includes('list') && verbs.includes('watch');
}
