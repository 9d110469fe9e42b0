import { sleep } from './abort.ts';

export interface LimiterOptions {
  /** Requests under way at once (streams do not count once they are open). */
  readonly inFlightMax: number;
  /** Requests per second on the long run, and how many may come at once; absent: no limit but the server's own. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

/**
 * What one cluster is asked at most. When the server answers 429, everything waits until the time it named: the server's
 * priority and fairness decides the rate, not a figure guessed here.
 */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;
  #pausedUntilMs = 0;
  #tokens: number;
  #refilledAtMs = Date.now();

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#tokens = options.rate?.burst ?? 0;
  }

  /** Waits for a place; the returned function gives it back. First come, first served. */
  async enter(signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#inFlight >= this.#options.inFlightMax) await this.#queue(signal);
    else this.#inFlight++;
    try {
      await this.#waitForTime(signal);
    } catch (error) {
      this.#leave();
      throw error;
    }
    let left = false;
    return () => {
      if (!left) this.#leave();
      left = true;
    };
  }

  /** Nobody enters for this long. */
  pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, Date.now() + forMs);
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inFlight--;
    else next();
  }

  async #queue(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const stop = () => {
      const at = this.#waiting.indexOf(resolve);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #waitForTime(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const pausedMs = this.#pausedUntilMs - Date.now();
      if (pausedMs <= 0) break;
      await sleep(pausedMs, signal);
    }
    const waitMs = this.#takeToken();
    if (waitMs > 0) await sleep(waitMs, signal);
  }

  /** Tokens may go below zero: each debtor waits for its own. */
  #takeToken(): number {
    const { rate } = this.#options;
    if (rate === undefined) return 0;
    const now = Date.now();
    this.#tokens = Math.min(
      rate.burst,
      this.#tokens + ((now - this.#refilledAtMs) / 1000) * rate.perSecond,
    );
    this.#refilledAtMs = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / rate.perSecond) * 1000;
  }
}
