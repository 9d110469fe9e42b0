import {
  type BackoffPolicy,
  CapstanError,
  type Clock,
  messageOf,
  passedMs,
} from '@capstan/lib-std';
import { type ControllerMetrics, createControllerMetrics } from './controller-metrics.ts';
import type { Controller, EnqueueOptions, Reconcile, ReconcileResult } from './controller-types.ts';
import { Moved, Shutdown, Superseded } from './interruption.ts';
import type { KeyGate } from './key-gate.ts';
import type { Registry } from './metrics.ts';
import { exponentialLimiter, type RateLimiter } from './rate-limiter.ts';
import { ReadyLanes } from './ready-lanes.ts';
import { withReconcileId } from './reconcile-id.ts';
import { systemClock } from './system-clock.ts';

export interface ControllerOptions<Key> {
  /** For metrics and messages, e.g. `application`. */
  readonly name: string;
  readonly reconcile: Reconcile<Key>;
  /** One text per key; two keys with the same text are the same. */
  readonly keyString: (key: Key) => string;
  /** Reconciles at once in each lane; 4 by default. */
  readonly concurrency?: number;
  /** How many may run in a lane for a key of this priority to start as well; absent: `concurrency` for all. */
  readonly concurrencyOf?: (priority: number) => number;
  /**
   * What keys must not wait for each other: the cluster that a key goes to, so that one which hangs holds up its own keys
   * alone. Absent: all are in one lane.
   */
  readonly laneOf?: (key: Key) => string;
  /** Told of a key that another replica reconciles now: what is known of it will be out of date. */
  readonly onMoved?: (key: Key) => void;
  /** Of one key's failures in a row; by default 1 s, doubled, to 5 min. */
  readonly backoff?: BackoffPolicy;
  /** In the place of `backoff`: when keys that failed are tried again. */
  readonly rateLimiter?: RateLimiter;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly runtime?: ControllerRuntime;
  /** Told of each end: the one place from which results reach logs. */
  readonly onResult?: (key: Key, result: ReconcileResult, durationMs: number) => void;
}

/** What all controllers of a process share. */
export interface ControllerRuntime {
  readonly registry?: Registry;
  /** Which keys are this process's; absent: all. Asked with `<controller>/<key>`. */
  readonly gate?: KeyGate;
}

/** A queue of keys and the workers that reconcile them; see Controller and Reconcile for what is promised. */
export function createController<Key>(options: ControllerOptions<Key>): Controller<Key> {
  return new QueueController(options);
}

/** Before the initial list, after everything that somebody waits for. */
const MOVED_PRIORITY = -50;

const defaultBackoff: BackoffPolicy = { baseMs: 1_000, factor: 2, maxMs: 300_000, jitter: 0.1 };

/** All that is known of one key. It is forgotten as soon as nothing of it differs from a key never seen. */
interface Entry<Key> {
  readonly key: Key;
  state: 'idle' | 'ready' | 'running';
  priority: number;
  lane: string;
  /** Enqueued while it was running. */
  isDirty: boolean;
  readySinceMs: number;
  delayed:
    | { readonly atMs: number; readonly priority: number; readonly cancel: () => void }
    | undefined;
  abort: AbortController | undefined;
  work: Promise<void> | undefined;
}

class QueueController<Key> implements Controller<Key> {
  readonly name: string;
  readonly #options: ControllerOptions<Key>;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<Key>>();
  readonly #ready: ReadyLanes<Entry<Key>>;
  readonly #limiter: RateLimiter;
  readonly #metrics: ControllerMetrics | undefined;
  /** With a gate: keys that were reconciled here, and keys that others reconcile. */
  readonly #held = new Map<string, Key>();
  readonly #parked = new Map<string, Key>();
  readonly #running = new Set<Promise<void>>();
  readonly #idleWaiters = new Set<() => void>();
  #delayed = 0;
  #state: 'created' | 'running' | 'stopped' = 'created';

  constructor(options: ControllerOptions<Key>) {
    this.name = options.name;
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#ready = new ReadyLanes(options.concurrencyOf ?? (() => this.#concurrency));
    this.#limiter =
      options.rateLimiter ?? exponentialLimiter(options.backoff ?? defaultBackoff, options.random);
    const registry = options.runtime?.registry;
    this.#metrics = registry && createControllerMetrics(registry, options.name, this.#clock);
  }

  enqueue(key: Key, options: EnqueueOptions = {}): void {
    if (this.#state === 'stopped') return;
    const entry = this.#entry(key);
    const { afterMs = 0, priority = 0 } = options;
    // Before it is made ready: that may start it at once, and the new run is not what is void.
    const running = entry.abort;
    if (afterMs > 0) this.#delay(entry, afterMs, priority);
    else this.#makeReady(entry, priority);
    if (options.supersede === true) running?.abort(new Superseded(options.reason));
  }

  forget(key: Key): void {
    const text = this.#options.keyString(key);
    this.#limiter.forget(text);
    const entry = this.#entries.get(text);
    if (entry === undefined) return;
    this.#cancelDelay(entry);
    this.#settle(entry);
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (this.#state !== 'created') {
      throw new CapstanError('INVARIANT', `controller ${this.name} was run twice`, { kind: 'bug' });
    }
    this.#state = 'running';
    this.#metrics?.started(this.#concurrency);
    const leave = this.#options.runtime?.gate?.join({
      release: () => this.#release(),
      resume: () => this.#resume(),
    });
    this.#dispatch();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    leave?.();
    this.#stop();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async idle(): Promise<void> {
    if (this.#ready.size === 0 && this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
  }

  stats() {
    return { queued: this.#ready.size, delayed: this.#delayed, running: this.#running.size };
  }

  get #concurrency(): number {
    return this.#options.concurrency ?? 4;
  }

  #entry(key: Key): Entry<Key> {
    const text = this.#options.keyString(key);
    const known = this.#entries.get(text);
    if (known !== undefined) return known;
    const entry: Entry<Key> = {
      key,
      state: 'idle',
      priority: 0,
      lane: '',
      isDirty: false,
      readySinceMs: 0,
      delayed: undefined,
      abort: undefined,
      work: undefined,
    };
    this.#entries.set(text, entry);
    return entry;
  }

  #makeReady(entry: Entry<Key>, wish: number): void {
    const priority = Math.max(wish, entry.delayed?.priority ?? wish);
    this.#cancelDelay(entry);
    if (entry.state === 'ready' || entry.isDirty) {
      this.#raise(entry, priority);
      return;
    }
    entry.priority = priority;
    entry.readySinceMs = passedMs(this.#clock);
    this.#metrics?.added(priority);
    if (entry.state === 'running') entry.isDirty = true;
    else this.#queue(entry);
  }

  /** A higher priority puts it behind those that have that one already. */
  #raise(entry: Entry<Key>, priority: number): void {
    if (priority <= entry.priority) return;
    this.#metrics?.raised(entry.priority, priority);
    if (entry.state === 'ready') this.#ready.remove(entry, entry.lane, entry.priority);
    entry.priority = priority;
    if (entry.state === 'ready') this.#queue(entry);
  }

  #queue(entry: Entry<Key>): void {
    entry.state = 'ready';
    entry.lane = this.#options.laneOf?.(entry.key) ?? '';
    this.#ready.add(entry, entry.lane, entry.priority);
    this.#dispatch();
  }

  /** The earliest time and the highest priority of all wishes count; what is ready already stays so. */
  #delay(entry: Entry<Key>, afterMs: number, priority: number): void {
    this.#metrics?.retried();
    if (entry.state === 'ready' || entry.isDirty) {
      this.#raise(entry, priority);
      return;
    }
    const wish = passedMs(this.#clock) + afterMs;
    const atMs = Math.min(wish, entry.delayed?.atMs ?? wish);
    const highest = Math.max(priority, entry.delayed?.priority ?? priority);
    this.#cancelDelay(entry);
    this.#delayed++;
    const cancel = this.#clock.after(atMs - passedMs(this.#clock), () => {
      entry.delayed = undefined;
      this.#delayed--;
      this.#makeReady(entry, highest);
    });
    entry.delayed = { atMs, priority: highest, cancel };
  }

  #cancelDelay(entry: Entry<Key>): void {
    if (entry.delayed === undefined) return;
    entry.delayed.cancel();
    entry.delayed = undefined;
    this.#delayed--;
  }

  #dispatch(): void {
    while (this.#state === 'running') {
      const entry = this.#ready.take();
      if (entry === undefined) break;
      const { lane } = entry;
      this.#metrics?.taken(entry.priority);
      if (!this.#isOwned(this.#options.keyString(entry.key))) {
        this.#ready.done(lane);
        entry.state = 'idle';
        this.#park(entry.key);
        continue;
      }
      const work = this.#work(entry).finally(() => {
        this.#running.delete(work);
        this.#ready.done(lane);
        this.#metrics?.active(this.#running.size);
        this.#dispatch();
        if (this.#running.size === 0 && this.#ready.size === 0) this.#becomeIdle();
      });
      entry.work = work;
      this.#running.add(work);
      this.#metrics?.active(this.#running.size);
    }
  }

  #isOwned(text: string): boolean {
    const gate = this.#options.runtime?.gate;
    return gate === undefined || gate.owns(`${this.name}/${text}`);
  }

  /** Another replica's: nothing of it runs or waits here, until it is ours. */
  #park(key: Key): void {
    const text = this.#options.keyString(key);
    const entry = this.#entries.get(text);
    if (entry !== undefined) {
      this.#cancelDelay(entry);
      if (entry.state === 'ready') {
        this.#ready.remove(entry, entry.lane, entry.priority);
        this.#metrics?.taken(entry.priority);
      }
      this.#entries.delete(text);
    }
    this.#limiter.forget(text);
    this.#held.delete(text);
    this.#parked.set(text, key);
    this.#options.onMoved?.(key);
  }

  async #release(): Promise<void> {
    const lost = [...this.#held].filter(([text]) => !this.#isOwned(text));
    const ends = lost.map(([text]) => {
      const entry = this.#entries.get(text);
      entry?.abort?.abort(new Moved());
      return entry?.state === 'running' ? entry.work : undefined;
    });
    await Promise.all(ends);
    for (const [text, key] of lost) {
      if (!this.#isOwned(text)) this.#park(key);
      // Given back while it came to its end: what was cut short here, nobody else goes on with.
      else this.enqueue(key, { priority: MOVED_PRIORITY, reason: 'stays here' });
    }
  }

  #resume(): void {
    for (const [text, key] of [...this.#parked]) {
      if (!this.#isOwned(text)) continue;
      this.#parked.delete(text);
      this.enqueue(key, { priority: MOVED_PRIORITY, reason: 'moved here' });
    }
  }

  async #work(entry: Entry<Key>): Promise<void> {
    const abort = new AbortController();
    const startedMs = passedMs(this.#clock);
    const { priority } = entry;
    entry.state = 'running';
    if (this.#options.runtime?.gate !== undefined) {
      this.#held.set(this.#options.keyString(entry.key), entry.key);
    }
    entry.isDirty = false;
    entry.abort = abort;
    const metrics = this.#metrics?.begin((startedMs - entry.readySinceMs) / 1000);
    // Never inside of the call that enqueued: a reconcile starts on a clean stack.
    await Promise.resolve();
    const result = await this.#reconcile(entry.key, abort.signal);
    const durationMs = passedMs(this.#clock) - startedMs;
    entry.abort = undefined;
    entry.work = undefined;
    entry.state = 'idle';
    if (abort.signal.aborted) {
      // Whatever it returned was cut short; what aborted it has said what comes next.
      metrics?.interrupted();
    } else {
      metrics?.finished(result);
      this.#options.onResult?.(entry.key, result, durationMs);
      this.#schedule(entry, result, priority);
    }
    if (entry.isDirty && this.#state !== 'stopped') {
      entry.isDirty = false;
      this.#queue(entry);
    }
    this.#settle(entry);
  }

  async #reconcile(key: Key, signal: AbortSignal): Promise<ReconcileResult> {
    try {
      return await withReconcileId(() => this.#options.reconcile(key, { signal }));
    } catch (error) {
      const known =
        error instanceof CapstanError
          ? error
          : new CapstanError('UNEXPECTED', messageOf(error), { kind: 'bug', cause: error });
      return { kind: known.kind === 'stalled' ? 'stalled' : 'retry', error: known };
    }
  }

  /** Whatever comes next for the key comes with the priority of the run that asked for it. */
  #schedule(entry: Entry<Key>, result: ReconcileResult, priority: number): void {
    const text = this.#options.keyString(entry.key);
    switch (result.kind) {
      case 'settled':
      case 'stalled':
        this.#limiter.forget(text);
        if (result.recheckAfterMs !== undefined) {
          this.#delay(entry, result.recheckAfterMs, priority);
        }
        return;
      case 'retry': {
        const delayMs = this.#limiter.delayMs(text);
        this.#delay(entry, Math.max(1, result.afterMs ?? delayMs), priority);
        return;
      }
      default:
        result satisfies never;
    }
  }

  #settle(entry: Entry<Key>): void {
    const isBlank = entry.state === 'idle' && entry.delayed === undefined;
    if (isBlank) this.#entries.delete(this.#options.keyString(entry.key));
  }

  #stop(): void {
    this.#state = 'stopped';
    for (const entry of this.#entries.values()) {
      this.#cancelDelay(entry);
      if (entry.state === 'ready') this.#ready.remove(entry, entry.lane, entry.priority);
      entry.abort?.abort(new Shutdown());
    }
    if (this.#running.size === 0) this.#becomeIdle();
  }

  #becomeIdle(): void {
    const waiters = [...this.#idleWaiters];
    this.#idleWaiters.clear();
    for (const resolve of waiters) resolve();
  }
}
