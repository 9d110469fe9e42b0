import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { TransportRequest, TransportResponse } from './transport.ts';

/** Which kind: by `apiVersion` exactly, or by group, where an absent version means the one that the server prefers. */
export type KindRef =
  | { readonly apiVersion: string; readonly kind: string }
  | { readonly group: string; readonly version?: string; readonly kind: string };

/** Which object. An ObjectKey fits. For a cluster-scoped kind the namespace is ignored. */
export type ObjectRef = KindRef & { readonly name: string; readonly namespace?: string };

/** A kind as the server serves it (what client-go calls a REST mapping). */
export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The plural in paths, e.g. `deployments`. */
  readonly resource: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** For the whole call with its retries; by default the client's (60 s). Watches and streams have none. */
  readonly timeoutMs?: number;
  /** Called once with the HTTP status (201: created) and the server's Warning headers. */
  readonly onAnswer?: (answer: Answer) => void;
  /** Stands back while the client has other requests to make, for so long at most. */
  readonly yieldsForMs?: number;
}
export interface Answer {
  readonly status: number;
  readonly warnings: readonly string[];
}

export interface GetOptions extends RequestOptions {
  readonly resourceVersion?: string;
  readonly subresource?: string;
  /** Only metadata (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
}

export interface ListOptions extends RequestOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact';
  readonly metadataOnly?: boolean;
  /** Objects per page; 500 by default, 0 for all at once. */
  readonly pageSize?: number;
}

export interface ObjectPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Present when more pages follow. */
  readonly continueToken?: string;
}

export interface WatchOptions extends RequestOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly metadataOnly?: boolean;
  readonly resourceVersion?: string;
  /** Streaming list: the server first sends all objects, then a bookmark with the annotation k8s.io/initial-events-end. */
  readonly sendInitialEvents?: boolean;
  /** The server ends the watch after about this time. */
  readonly timeoutSeconds?: number;
  /** True for a resourceVersion whose object is at hand: of it only the progress is told. */
  readonly isKnown?: (resourceVersion: string) => boolean;
}

export type WatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: KubeObject;
      /** As it came, where that is JSON of the object and nothing else. */
      readonly text?: string;
    }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      readonly initialEventsEnd: boolean;
    };

/** What a watch that never ends tells: the state at its beginning, then each change, without a gap over reconnects. */
export type FollowEvent =
  /** All objects that exist at `resourceVersion`; comes first, and again when the history was lost (410). */
  | {
      readonly type: 'STATE';
      readonly objects: readonly KubeObject[];
      readonly resourceVersion: string;
    }
  | { readonly type: 'CHANGED'; readonly object: KubeObject; readonly resourceVersion: string }
  | { readonly type: 'DELETED'; readonly object: KubeObject; readonly resourceVersion: string }
  | { readonly type: 'PROGRESS'; readonly resourceVersion: string }
  /** The stream broke and is being opened again; everything known stays valid, but may be old. */
  | { readonly type: 'INTERRUPTED'; readonly error: unknown };

/** As FollowEvent, but a state comes object by object, between BEGIN and END, so that nobody has to hold it whole. */
export type FollowPiece =
  /** What came since an unfinished BEGIN is void. Until END, a DELETED takes back a PRESENT. */
  | { readonly type: 'BEGIN' }
  | { readonly type: 'PRESENT'; readonly object: KubeObject; readonly text?: string }
  | { readonly type: 'END'; readonly resourceVersion: string }
  | (Extract<FollowEvent, { type: 'CHANGED' }> & { readonly text?: string })
  | Exclude<FollowEvent, { type: 'STATE' | 'CHANGED' }>;

export type FollowOptions = Omit<
  WatchOptions,
  'resourceVersion' | 'sendInitialEvents' | 'timeoutMs' | 'onAnswer' | 'timeoutSeconds'
> & { readonly pageSize?: number };

export interface WriteOptions extends RequestOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  readonly subresource?: string;
}
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take over fields of other managers instead of failing with APPLY_CONFLICT. */
  readonly force?: boolean;
}
export interface PatchOptions extends WriteOptions {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  readonly force?: boolean;
}
export interface DeleteOptions extends RequestOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}
export type DeleteCollectionOptions = Omit<DeleteOptions, 'preconditions'> &
  Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

export interface LogOptions {
  readonly signal?: AbortSignal;
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly tailLines?: number;
  readonly limitBytes?: number;
}

export interface ExecOptions {
  readonly signal?: AbortSignal;
  readonly container?: string;
  readonly command: readonly string[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly tty?: boolean;
  /** Terminal sizes as they change; needs `tty`. */
  readonly resize?: AsyncIterable<{ readonly width: number; readonly height: number }>;
}
export interface ExecSession {
  /** stdout and stderr in the order of arrival. */
  readonly output: AsyncIterable<{
    readonly stream: 'stdout' | 'stderr';
    readonly data: Uint8Array;
  }>;
  /** Resolves with the exit code once `output` is read to its end; rejects when the server could not run the command. */
  readonly exitCode: Promise<number>;
  close(): void;
}
export interface PortConnection {
  readonly data: AsyncIterable<Uint8Array>;
  write(data: Uint8Array): Promise<void>;
  close(): void;
}

export interface AccessQuestion {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Instead of a resource: e.g. `/metrics`. */
  readonly path?: string;
}
export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Who to act as. `user` must not be empty, nor any group: an empty identity would mean "act as myself". */
export interface Identity {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

/** What the server serves; read once, refreshed when an unknown kind is asked for. */
export interface Discovery {
  /** Throws KIND_NOT_SERVED (kind `wait`) when the server does not serve it, after one fresh look. */
  resolve(ref: KindRef, options?: { readonly signal?: AbortSignal }): Promise<ResourceKind>;
  /** As `resolve`, but undefined instead of an error, and no second look. */
  find(
    ref: KindRef,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ResourceKind | undefined>;
  /** All kinds, each in its group's preferred version (or the newest that has it) unless `allVersions`. */
  kinds(options?: {
    readonly allVersions?: boolean;
    readonly signal?: AbortSignal;
  }): Promise<readonly ResourceKind[]>;
  version(options?: { readonly signal?: AbortSignal }): Promise<ServerVersion>;
  /** Forgets what was read; the next question reads again. */
  invalidate(): void;
}
export interface ServerVersion {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
}

/**
 * One identity at one API server, for any resource, without loss: unknown fields, 64-bit integers (bigint beyond 2^53)
 * and timestamps stay as they were. Every method throws ApiError (a CapstanError with a stable code) that names the
 * object. 429 and 503 with Retry-After are waited for and tried again within the time limit, on any verb; other failures
 * are tried again only on reads.
 */
export interface KubeClient {
  readonly server: string;
  readonly discovery: Discovery;

  get(ref: ObjectRef, options?: GetOptions): Promise<KubeObject>;
  /** As `get`; undefined when the object does not exist (an unknown kind still throws). */
  find(ref: ObjectRef, options?: GetOptions): Promise<KubeObject | undefined>;
  /** All objects, page by page; throws when pages cannot be continued (410) so that no list is ever half old, half new. */
  list(ref: KindRef, options?: ListOptions): Promise<ObjectPage>;
  listPages(ref: KindRef, options?: ListOptions): AsyncIterable<ObjectPage>;
  /** One watch request, until it ends. Most callers want `follow`. */
  watch(ref: KindRef, options?: WatchOptions): AsyncIterable<WatchEvent>;
  /** List and watch for ever: reconnects with backoff, resumes, recovers from 410 with a new STATE. Ends by `signal` only. */
  follow(ref: KindRef, options?: FollowOptions): AsyncIterable<FollowEvent>;
  followPieces(ref: KindRef, options?: FollowOptions): AsyncIterable<FollowPiece>;

  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  update(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  patch(ref: ObjectRef, patch: Json, options: PatchOptions): Promise<KubeObject>;
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** Resolves with the object when it stays for now (finalizers), undefined when it is gone. NOT_FOUND is thrown. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<KubeObject | undefined>;
  deleteCollection(ref: KindRef, options?: DeleteCollectionOptions): Promise<void>;
  /** Asks for a Pod's eviction (policy/v1), which a PodDisruptionBudget may refuse with TOO_MANY_REQUESTS. */
  evict(
    pod: { readonly namespace: string; readonly name: string },
    options?: DeleteOptions,
  ): Promise<void>;

  logs(
    pod: { readonly namespace: string; readonly name: string },
    options?: LogOptions,
  ): AsyncIterable<Uint8Array>;
  exec(
    pod: { readonly namespace: string; readonly name: string },
    options: ExecOptions,
  ): Promise<ExecSession>;
  portForward(
    pod: { readonly namespace: string; readonly name: string },
    port: number,
    options?: { readonly signal?: AbortSignal },
  ): Promise<PortConnection>;

  canI(question: AccessQuestion, options?: RequestOptions): Promise<AccessAnswer>;
  /** The same connection as someone else. Throws IDENTITY_EMPTY for an empty identity: it fails closed. */
  as(identity: Identity): KubeClient;
  /** Any path, for what has no method here; the status is the caller's business. */
  raw(request: TransportRequest): Promise<TransportResponse>;
  /** GET of any path as JSON, e.g. `/openapi/v3`. */
  getJson(path: string, options?: RequestOptions): Promise<JsonObject>;
  /** Closes the connections; derived clients (`as`) end with it. */
  close(): Promise<void>;
}
