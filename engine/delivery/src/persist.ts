import { backoffDelayMs, type Clock } from '@capstan/lib-std';

const BACKOFF = { baseMs: 200, factor: 2, maxMs: 10_000, jitter: 0 };

/** Does `work` until it succeeds, with growing pauses: for what a process needs before it can serve. Ends by `signal` only. */
export async function persist<T>(
  work: () => Promise<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch {
      signal.throwIfAborted();
      await pause(backoffDelayMs(BACKOFF, attempt, 0), clock, signal);
    }
  }
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
