import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import type { KindRef, KubeClient, ResourceKind } from './kube-client.ts';

/** An object as the cache holds it. */
export interface LiveObject {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The uids of its owner references. */
  readonly owners: readonly string[];
  /** True: `read()` gives the object as the server sent it. False: what `trim` left of it. */
  readonly whole: boolean;
  /** The values under which an index finds it. Costs nothing, unlike reading. */
  indexedBy(name: string): readonly string[];
  /** Parses the stored text; callers may not change the result, which can be shared. */
  read(): KubeObject;
}

export interface LiveChange {
  readonly key: ObjectKey;
  /** Absent for an object that is new to the cache. */
  readonly before: LiveObject | undefined;
  /** Absent for an object that is gone. */
  readonly after: LiveObject | undefined;
  /** True while the kind is read as a whole: at its first sight, and again when the watch lost its place. */
  readonly isInitial: boolean;
  /** Who `observeWrite` said had written it, and so knows. */
  readonly writer?: string | undefined;
}

export type KindState =
  | { readonly kind: 'syncing' }
  | { readonly kind: 'synced' }
  /** Was synced, the watch is broken and being reopened: what is held may be old. */
  | { readonly kind: 'stale'; readonly error: unknown; readonly sinceMs: number }
  /** Forbidden or not served (also after it was synced: what is held is old then), or never reached. Tried again with backoff. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface WatchedKind {
  readonly resource: ResourceKind;
  readonly state: KindState;
  readonly objects: number;
}

export interface LiveStateOptions {
  readonly client: KubeClient;
  /** Objects for which this is true are kept whole (with managedFields); the others as `trim` leaves them. */
  readonly isManaged: (object: KubeObject) => boolean;
  /**
   * Named indexes: each function gives the values under which `byIndex(name, value)` finds the object. They must be pure;
   * they see the object as the server sent it, or only metadata for a kind under `metadataOnly`.
   */
  readonly indexes?: {
    readonly [name: string]: (object: KubeObject) => readonly string[];
  };
  /** What to keep of an object that is not managed. Default `trimObject`: metadata, and what health needs. */
  readonly trim?: (object: KubeObject) => KubeObject;
  /** Kinds never watched, even when asked for. Default `isVolatile`: Events, Leases, metrics. */
  readonly isExcluded?: (kind: ResourceKind) => boolean;
  /** Kinds watched as PartialObjectMetadata. Default `isBulky`: EndpointSlice, Endpoints, ControllerRevision. */
  readonly metadataOnly?: (kind: ResourceKind) => boolean;
  /** Watch in these namespaces only (a watch per kind and namespace); absent: the whole cluster. */
  readonly namespaces?: readonly string[];
  /** An index function or a subscriber threw; the cache goes on. */
  readonly onError?: (error: unknown) => void;
  readonly now?: () => number;
}

/**
 * The objects of one cluster, kept by one watch per kind however many apps look. Kinds are watched from the first time
 * they are asked for, each in the version that the server prefers. Reading never waits and never asks the server.
 */
export interface LiveState extends AsyncDisposable {
  /**
   * Watches these kinds from now on, and resolves when each has been read once. Kinds that cannot be read are reported in
   * the answer, not thrown; so are all that the cache was closed before. Excluded kinds are left out.
   */
  ensure(
    kinds: readonly KindRef[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly { readonly kind: KindRef; readonly error: unknown }[]>;
  /**
   * As `ensure` for every kind that the server can list and watch, and for kinds that appear later (CRDs); but for those
   * that the cluster derives from others (isDerived).
   */
  ensureAll(options?: {
    readonly signal?: AbortSignal;
  }): Promise<readonly { readonly kind: KindRef; readonly error: unknown }[]>;
  get(key: ObjectKey): LiveObject | undefined;
  /** Objects of a kind (any version), of one namespace when given. */
  list(kind: { readonly group: string; readonly kind: string }, namespace?: string): LiveObject[];
  byIndex(name: string, value: string): LiveObject[];
  /** Objects with an ownerReference to this uid. */
  ownedBy(uid: string): LiveObject[];
  byUid(uid: string): LiveObject | undefined;
  inNamespace(namespace: string): LiveObject[];
  /** Calls the listener after each change of the cache, in order, synchronously; returns the way to stop it. */
  subscribe(listener: (change: LiveChange) => void): () => void;
  /**
   * Resolves when the cache has seen the kind's state at `resourceVersion` or later, so that own writes are seen.
   * Rejects by `signal`, when the cache is closed, or with NOT_FRESH after `timeoutMs` (10 s by default).
   */
  waitUntilFresh(
    kind: KindRef,
    resourceVersion: string,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<void>;
  /**
   * Tells the cache of an object just written, without waiting for the watch. Older versions are ignored. A watch event
   * that is older than what is held does not bring the old state back. Listeners are told who the `writer` is.
   */
  observeWrite(object: KubeObject, options?: { readonly writer?: string }): void;
  watched(): readonly WatchedKind[];
  /** For metrics and benchmarks. */
  size(): { readonly objects: number; readonly whole: number; readonly storedChars: number };
}
