import { setMaxListeners } from 'node:events';

export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** True when the time ran out, false when the parent (or nobody) aborted. */
  readonly timedOut: boolean;
}

/**
 * A signal that aborts with its parent's reason, or after `timeoutMs` (undefined: never). Disposing it takes the listener
 * and the timer away, so that a parent which lives as long as the process does not collect them.
 */
export function linkAbort(parent: AbortSignal | undefined, timeoutMs?: number): LinkedAbort {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  let timedOut = false;
  const follow = () => controller.abort(parent?.reason);
  if (parent !== undefined) {
    setMaxListeners(0, parent);
    if (parent.aborted) follow();
    else parent.addEventListener('abort', follow, { once: true });
  }
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = !controller.signal.aborted;
          controller.abort(new DOMException('the time ran out', 'TimeoutError'));
        }, timeoutMs);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    get timedOut() {
      return timedOut;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', follow);
    },
  };
}

/** Waits, or rejects with the signal's reason. */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
