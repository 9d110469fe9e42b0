import type { CapstanError } from '@capstan/lib-std';

/**
 * How a reconcile ended. There is no fourth way: whatever is thrown counts as `retry` with that error (an error of kind
 * `stalled` counts as `stalled`).
 * - `settled`: nothing to do until something changes, or until `recheckAfterMs`.
 * - `retry`: try again with backoff of this key (or after `afterMs` exactly, when the caller knows when).
 * - `stalled`: trying again cannot help; wait for a change. `recheckAfterMs` still applies when given.
 */
export type ReconcileResult =
  | { readonly kind: 'settled'; readonly recheckAfterMs?: number }
  | { readonly kind: 'retry'; readonly error: CapstanError; readonly afterMs?: number }
  | { readonly kind: 'stalled'; readonly error: CapstanError; readonly recheckAfterMs?: number };

/**
 * The contract of a reconciler, and what the controller promises in return.
 *
 * The reconciler: decides from what is there, never from which event woke it (level-based); may be run at any time, any
 * number of times, with the same outcome; stops soon after `signal` aborts.
 *
 * The controller: never runs the same key twice at once; a key that changed while it ran is run again afterwards; a key
 * enqueued many times while waiting runs once; every enqueued key is run at least once after its last enqueue, unless
 * the controller stops. On `supersede` the running reconcile's signal aborts with `Superseded` and the key runs again at
 * once, without backoff; on shutdown it aborts with `Shutdown` and `run` waits for it.
 */
export type Reconcile<Key> = (
  key: Key,
  options: { readonly signal: AbortSignal },
) => Promise<ReconcileResult>;

export interface EnqueueOptions {
  /** Not before this time has passed; an earlier time already set for the key wins, and a key that is queued stays so. */
  readonly afterMs?: number;
  /**
   * Higher runs first; the highest of a key's enqueues counts, and a retry or recheck keeps that of its run. 0 by default;
   * -100 is usual for the initial list.
   */
  readonly priority?: number;
  /** If the key is being reconciled, abort that with `Superseded`: there is something newer. */
  readonly supersede?: boolean;
  /** Why, for a person (logs); the last one wins. */
  readonly reason?: string;
}

export interface Controller<Key> {
  readonly name: string;
  enqueue(key: Key, options?: EnqueueOptions): void;
  /** Forgets backoff and waiting times of the key (it was deleted, or its spec is new). */
  forget(key: Key): void;
  /** Runs until `signal` aborts, then waits for the running reconciles. Call once. */
  run(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Resolves when no key is queued, due or running. Keys that wait for a later time do not count. */
  idle(): Promise<void>;
  stats(): { readonly queued: number; readonly delayed: number; readonly running: number };
}
