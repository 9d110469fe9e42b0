import { setMaxListeners } from 'node:events';

export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** True when the time ran out, false when the parent (or nobody) aborted. */
  readonly timedOut: boolean;
  /** Stops the time; the returned function lets it run on. */
  hold(): () => void;
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
  const timer = stopwatch(timeoutMs, () => {
    timedOut = !controller.signal.aborted;
    controller.abort(new DOMException('the time ran out', 'TimeoutError'));
  });
  timer.run();
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    get timedOut() {
      return timedOut;
    },
    hold() {
      timer.stop();
      return timer.run;
    },
    [Symbol.dispose]() {
      timer.stop();
      parent?.removeEventListener('abort', follow);
    },
  };
}

function stopwatch(limitMs: number | undefined, ring: () => void) {
  let leftMs = limitMs ?? 0;
  let startedMs = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    run() {
      if (limitMs === undefined || timer !== undefined) return;
      startedMs = performance.now();
      timer = setTimeout(ring, Math.max(0, leftMs));
    },
    stop() {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      leftMs -= performance.now() - startedMs;
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
