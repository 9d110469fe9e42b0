import { sleep } from './abort.ts';

export interface LimiterOptions {
  /** Requests under way at once (streams do not count once they are open). */
  readonly inFlightMax: number;
  /** Requests per second on the long run, and how many may come at once; absent: no limit but the server's own. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
}

/** So long nobody else must have asked for anything before those go who stand back. */
const quietMs = 100;
/** At the level where the server refused before, this many answers are wanted for one more request at once. */
const answersPerProbe = 50;

/**
 * What one cluster is asked at most. The server's priority and fairness decides, not a figure guessed here: when it answers
 * 429, everything waits until the time it named, and then goes on with as many requests at once as it did not refuse, half
 * of what was allowed at most. From there the limit rises with each answer; quickly below the level that was refused,
 * slowly above it.
 */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;
  /** Under way or waiting, and none of those who stand back. */
  #urgent = 0;
  #lastUrgentMs = 0;
  #allowed: number;
  #pausedUntilMs = 0;
  /** What was under way when the server began to refuse, less what it refused since. */
  #accepted = 0;
  #refusedAt = Number.POSITIVE_INFINITY;
  #tokens: number;
  #refilledAtMs = performance.now();

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#allowed = options.inFlightMax;
    this.#tokens = options.rate?.burst ?? 0;
  }

  /** How many requests may be under way at present. */
  get allowed(): number {
    return Math.floor(this.#allowed);
  }

  /**
   * Waits for a place; the returned function gives it back. First come, first served; who can wait stands back until nobody
   * else has asked for a moment, for `yieldsForMs` at most.
   */
  async enter(signal: AbortSignal | undefined, yieldsForMs?: number): Promise<() => void> {
    signal?.throwIfAborted();
    if (yieldsForMs !== undefined) {
      await this.#untilQuiet(yieldsForMs, signal);
      return this.#enter(signal);
    }
    this.#urgent++;
    const leave = await this.#enter(signal).catch((error: unknown) => {
      this.#endUrgent();
      throw error;
    });
    return () => {
      this.#endUrgent();
      leave();
    };
  }

  #endUrgent(): void {
    this.#urgent--;
    this.#lastUrgentMs = performance.now();
  }

  async #untilQuiet(forMs: number, signal: AbortSignal | undefined): Promise<void> {
    const untilMs = performance.now() + forMs;
    for (let leftMs = forMs; leftMs > 0; leftMs = untilMs - performance.now()) {
      const sinceMs = this.#urgent > 0 ? 0 : performance.now() - this.#lastUrgentMs;
      if (sinceMs >= quietMs) return;
      await sleep(Math.min(leftMs, quietMs - sinceMs), signal);
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<() => void> {
    if (this.#waiting.length > 0 || this.#inFlight >= this.allowed) await this.#queue(signal);
    else this.#inFlight++;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#inFlight--;
      this.#admit();
    };
  }

  /** For those who have a place: waits until the server wants to be asked again, and for the rate. */
  async untilOpen(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const pausedMs = this.#pausedUntilMs - performance.now();
      if (pausedMs <= 0) break;
      await sleep(pausedMs, signal);
    }
    const waitMs = this.#takeToken();
    if (waitMs > 0) await sleep(waitMs, signal);
  }

  /** The server refused a request, which has left: nobody is sent for this long. */
  slowDown(forMs: number): void {
    const now = performance.now();
    if (now >= this.#pausedUntilMs) {
      this.#accepted = this.#inFlight + 1;
      this.#refusedAt = Math.min(this.allowed, this.#accepted);
      this.#allowed /= 2;
    }
    this.#accepted--;
    this.#allowed = Math.max(1, Math.floor(Math.min(this.#allowed, this.#accepted)));
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, now + forMs);
  }

  /** The server took a request: it can do with a little more. */
  speedUp(): void {
    if (this.#allowed >= this.#options.inFlightMax) return;
    const isProbe = this.#allowed + 1 >= this.#refusedAt;
    const step = 1 / this.#allowed / (isProbe ? answersPerProbe : 1);
    this.#allowed = Math.min(this.#options.inFlightMax, this.#allowed + step);
    if (this.#allowed > this.#refusedAt + 1) this.#refusedAt = Number.POSITIVE_INFINITY;
    this.#admit();
  }

  #admit(): void {
    while (this.#inFlight < this.allowed) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#inFlight++;
      next();
    }
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

  /** Tokens may go below zero: each debtor waits for its own. */
  #takeToken(): number {
    const { rate } = this.#options;
    if (rate === undefined) return 0;
    const now = performance.now();
    this.#tokens = Math.min(
      rate.burst,
      this.#tokens + ((now - this.#refilledAtMs) / 1000) * rate.perSecond,
    );
    this.#refilledAtMs = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / rate.perSecond) * 1000;
  }
}
