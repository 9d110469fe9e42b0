import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type Clock, messageOf } from '@capstan/lib-std';
import type { Release } from './release.ts';

export interface ClusterObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

interface WriteCall extends CallOptions {
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Ignore' | 'Strict';
  readonly dryRun?: boolean;
}

/** What a release needs of a cluster; the client of kube/client is one. Its errors carry the codes named there. */
export interface ReleaseCluster {
  readonly discovery: {
    resolve(
      ref: { readonly apiVersion: string; readonly kind: string },
      options?: CallOptions,
    ): Promise<{ readonly namespaced: boolean }>;
    kinds(options?: {
      readonly allVersions?: boolean;
      readonly signal?: AbortSignal;
    }): Promise<
      readonly { readonly group: string; readonly version: string; readonly kind: string }[]
    >;
    version(options?: CallOptions): Promise<{
      readonly major: string;
      readonly minor: string;
      readonly gitVersion: string;
    }>;
    invalidate(): void;
  };
  find(ref: ClusterObjectRef, options?: CallOptions): Promise<KubeObject | undefined>;
  list(
    ref: { readonly apiVersion: string; readonly kind: string },
    options?: CallOptions & { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }>;
  create(object: KubeObject, options?: WriteCall): Promise<KubeObject>;
  update(object: KubeObject, options?: WriteCall): Promise<KubeObject>;
  patch(
    ref: ClusterObjectRef,
    patch: Json,
    options: WriteCall & { readonly type: 'json' | 'merge' | 'strategic' },
  ): Promise<KubeObject>;
  apply(
    object: KubeObject,
    options: WriteCall & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<KubeObject>;
  delete(
    ref: ClusterObjectRef,
    options?: CallOptions & {
      readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
      readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
    },
  ): Promise<KubeObject | undefined>;
}

/** The merges of Helm 3's way; kube/merge has them. */
export interface ReleaseMerge {
  /**
   * The patch from what was released (`original`) and what is live to what is wanted; undefined when nothing changes. For
   * built-in kinds a strategic one, else a JSON merge patch.
   */
  threeWayPatch(objects: {
    readonly original: KubeObject;
    readonly modified: KubeObject;
    readonly live: KubeObject;
  }): { readonly type: 'strategic' | 'merge'; readonly patch: JsonObject } | undefined;
  /** The live object with what `manager` wrote by Update made its own by Apply; the same object if there is nothing. */
  migrateManager(live: KubeObject, manager: string): KubeObject;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** How an operation waits for objects. Each rejects with what is to be said of the release. */
export interface ReleaseWaits {
  /** Until all are ready; Jobs until they ended, when `jobs`. */
  untilReady(
    objects: readonly KubeObject[],
    options: WaitOptions & { readonly jobs: boolean },
  ): Promise<void>;
  /** Until hooks have run: Jobs and Pods until they ended. */
  untilRun(objects: readonly KubeObject[], options: WaitOptions): Promise<void>;
  /** Until none exists. */
  untilGone(objects: readonly KubeObject[], options: WaitOptions): Promise<void>;
}

export interface ReleasePorts {
  readonly cluster: ReleaseCluster;
  readonly clock: Clock;
  /** Needed for releases that are not applied on the server's side: those of Helm 3. */
  readonly merge?: ReleaseMerge;
  /** Who acts, as others read it of a release that is under way. */
  readonly holder?: string;
  /** Told what the original logs: skipped deletions, failed records. */
  readonly warn?: (message: string) => void;
  /** Told of each record after it was written (or deleted), as it then is; not of the signs of life on it. */
  readonly observe?: (release: Release) => void;
  /** Another way of waiting than Helm's own. */
  readonly waits?: ReleaseWaits;
  /** Given the logs of hooks that ask for it (`helm.sh/hook-output-log-policy`); reading them is the caller's part. */
  readonly outputHookLogs?: (hook: {
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  }) => Promise<void>;
}

export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

export function isNotFound(error: unknown): boolean {
  return codeOf(error) === 'NOT_FOUND';
}

/** The server's own words when it answered, as client-go would print them. */
export function serverMessage(error: unknown): string {
  const status: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  const message: unknown =
    typeof status === 'object' && status !== null ? Reflect.get(status, 'message') : undefined;
  return typeof message === 'string' ? message : messageOf(error);
}

/** Resolves after the time, or rejects with the signal's reason. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
