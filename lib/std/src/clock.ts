/** Time as a seam: milliseconds since the epoch, and timers that a test can move. */
export interface Clock {
  now(): number;
  /** Milliseconds from some moment on, which pass evenly whatever is done to the wall clock; absent: `now` does so. */
  passed?(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** For durations: unlike `clock.now()` it neither jumps ahead nor goes back when somebody sets the wall clock. */
export function passedMs(clock: Clock): number {
  return clock.passed?.() ?? clock.now();
}

/** A clock that stands still until `advance` is called. Timers run in the order of their time. */
export class ManualClock implements Clock {
  #now: number;
  /** How far the wall clock was set from what has passed. */
  #set = 0;
  #next = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#set;
  }

  passed(): number {
    return this.#now;
  }

  /** Sets the wall clock ahead, or back: no timer runs. */
  jump(byMs: number): void {
    this.#set += byMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + Math.max(0, delayMs), run });
    return () => this.#timers.delete(id);
  }

  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      let due: [number, { readonly at: number; readonly run: () => void }] | undefined;
      for (const entry of this.#timers) {
        if (entry[1].at <= end && (due === undefined || entry[1].at < due[1].at)) due = entry;
      }
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
    }
    this.#now = end;
  }
}
