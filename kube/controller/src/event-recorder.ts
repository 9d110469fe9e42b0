import { ApiError, isNotFound, type KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { BoundedCache, CapstanError, type Clock, invariant, passedMs } from '@capstan/lib-std';
import { hash } from './rendezvous.ts';
import { systemClock } from './system-clock.ts';

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** `source.component` and `reportingComponent`, e.g. `kustomize-controller` or `argocd-application-controller`. */
  readonly component: string;
  /** `reportingInstance` and `source.host`: this process. */
  readonly instance?: string;
  /**
   * True (the default, what client-go and hence Flux do): like events become one with a count, floods are thinned out.
   * False (what Argo CD does): one Event object for each.
   */
  readonly aggregates?: boolean;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** An event could not be written; it is lost. */
  readonly onError?: (error: unknown) => void;
}

export interface EventInput {
  /** What the event is about; needs apiVersion, kind and metadata. */
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** A word in CamelCase, e.g. `ReconciliationSucceeded`. */
  readonly reason: string;
  readonly message: string;
  readonly annotations?: { readonly [key: string]: string };
  readonly labels?: { readonly [key: string]: string };
}

export interface EventRecorder extends AsyncDisposable {
  /** Never waits and never throws: events are written in the background, and dropped when too many wait (10,000). */
  record(event: EventInput): void;
  /** Resolves when all recorded so far are written or lost. */
  flush(): Promise<void>;
}

const queueMax = 10_000;
/** So late an event may be told while its client has other work to do; its times are those of what it tells. */
const patienceMs = 10_000;
/** Written at once; the events of one object one after the other. */
const lanesMax = 4;
const messageCharsMax = 1_024;
/** client-go's defaults (tools/record): similar events within this time are combined from the 10th different one on. */
const similarMax = 10;
const similarMs = 600_000;
/** client-go's spam filter: 25 events per source and object at once, then one in 5 minutes. */
const burst = 25;
const refillMs = 300_000;

/** Writes core/v1 Events in the form of client-go's recorder. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  count: number;
}

class Lane {
  readonly queue: { readonly event: EventInput; readonly atMs: number }[] = [];
  writing: Promise<void> | undefined;
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #lanes: readonly Lane[] = Array.from({ length: lanesMax }, () => new Lane());
  readonly #known = new BoundedCache<string, Known>(4_096);
  readonly #similar = new BoundedCache<string, { messages: Set<string>; lastMs: number }>(4_096);
  readonly #tokens = new BoundedCache<string, { tokens: number; atMs: number }>(4_096);
  #waiting = 0;
  #dropped = 0;
  #nameCounter = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
  }

  record(event: EventInput): void {
    if (this.#waiting >= queueMax) {
      this.#dropped++;
      return;
    }
    this.#waiting++;
    const lane = this.#laneOf(event);
    lane.queue.push({ event, atMs: passedMs(this.#clock) });
    lane.writing ??= this.#write(lane).finally(() => {
      lane.writing = undefined;
    });
  }

  async flush(): Promise<void> {
    while (this.#waiting > 0) await Promise.all(this.#lanes.map(({ writing }) => writing));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  #laneOf(event: EventInput): Lane {
    const lane = this.#lanes[hash(sourceKey(event)) % lanesMax];
    invariant(lane, 'every event has a lane');
    return lane;
  }

  async #write(lane: Lane): Promise<void> {
    for (let next = lane.queue.shift(); next !== undefined; next = lane.queue.shift()) {
      try {
        const { event, atMs } = next;
        if (this.#options.aggregates !== false) await this.#correlate(event, atMs);
        else await this.#create(event, { ...this.#begin(event, atMs), count: 1 }, atMs);
      } catch (error) {
        this.#options.onError?.(error);
      } finally {
        this.#waiting--;
      }
    }
    this.#tellDropped();
  }

  /** Once for all that were dropped since. */
  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const message = `${this.#dropped} events were dropped: too many waited`;
    this.#dropped = 0;
    this.#options.onError?.(new CapstanError('EVENTS_DROPPED', message, { kind: 'retry' }));
  }

  /**
   * In the order of client-go's EventCorrelator: an event that the spam filter then holds back has counted all the same, and
   * may be one of the ten that a combined event begins with.
   */
  async #correlate(event: EventInput, atMs: number): Promise<void> {
    const { key, message } = this.#combine(event, atMs);
    const known = this.#observe(key, event, atMs);
    if (!this.#passesFilter(event, atMs)) return;
    const combined = { ...event, message };
    if (known.count > 1 && (await this.#repeat(known, combined, atMs))) return;
    await this.#create(combined, known, atMs);
  }

  #observe(key: string, event: EventInput, atMs: number): Known {
    const known = this.#known.get(key) ?? this.#begin(event, atMs);
    known.count++;
    this.#known.set(key, known);
    return known;
  }

  #begin({ object: { metadata } }: EventInput, atMs: number): Known {
    return {
      name: this.#nameFor(metadata.name ?? '', atMs),
      namespace: metadata.namespace || 'default',
      firstTimestamp: seconds(atMs),
      count: 0,
    };
  }

  #passesFilter(event: EventInput, atMs: number): boolean {
    const key = sourceKey(event);
    const bucket = this.#tokens.get(key) ?? { tokens: burst, atMs };
    bucket.tokens = Math.min(burst, bucket.tokens + (atMs - bucket.atMs) / refillMs);
    bucket.atMs = atMs;
    this.#tokens.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** From the tenth different message of the same type and reason on, they go into one event. */
  #combine(event: EventInput, atMs: number): { key: string; message: string } {
    const message = event.message.slice(0, messageCharsMax);
    const similarKey = `${sourceKey(event)}\n${event.type}\n${event.reason}`;
    let similar = this.#similar.get(similarKey);
    if (similar === undefined || atMs - similar.lastMs > similarMs) {
      similar = { messages: new Set(), lastMs: atMs };
      this.#similar.set(similarKey, similar);
    }
    similar.lastMs = atMs;
    similar.messages.add(message);
    if (similar.messages.size < similarMax) return { key: `${similarKey}\n${message}`, message };
    // client-go drops any one of them: those that are left stay events of their own.
    const [oldest] = similar.messages;
    if (oldest !== undefined) similar.messages.delete(oldest);
    const text = `(combined from similar events): ${message}`.slice(0, messageCharsMax);
    return { key: similarKey, message: text };
  }

  /** False when the event is gone (they expire after an hour) and must be made anew, with its count. */
  async #repeat(known: Known, event: EventInput, atMs: number): Promise<boolean> {
    const patch = {
      count: known.count,
      lastTimestamp: seconds(atMs),
      message: event.message,
      ...(event.annotations === undefined ? {} : { metadata: { annotations: event.annotations } }),
    };
    try {
      const ref = { apiVersion: 'v1', kind: 'Event', namespace: known.namespace, name: known.name };
      const yieldsForMs = this.#patience(atMs);
      await this.#options.client.patch(ref, patch, { type: 'merge', yieldsForMs });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #create(event: EventInput, known: Known, atMs: number): Promise<void> {
    const { metadata, apiVersion, kind } = event.object;
    const { name, namespace, firstTimestamp, count } = known;
    const { component, instance } = this.#options;
    const involvedObject: JsonObject = {
      apiVersion,
      kind,
      name: metadata.name ?? '',
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata.resourceVersion === undefined
        ? {}
        : { resourceVersion: metadata.resourceVersion }),
    };
    const { annotations, labels } = event;
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name,
        namespace,
        ...(annotations === undefined ? {} : { annotations }),
        ...(labels === undefined ? {} : { labels }),
      },
      involvedObject,
      reason: event.reason,
      message: event.message.slice(0, messageCharsMax),
      type: event.type,
      source: { component, ...(instance === undefined ? {} : { host: instance }) },
      reportingComponent: component,
      reportingInstance: instance ?? '',
      firstTimestamp,
      lastTimestamp: seconds(atMs),
      count,
    };
    await this.#createOrExplain(object, this.#patience(atMs));
  }

  /** Nobody is kept waiting for the news that something was done; when too much of it waits, it goes out. */
  #patience(atMs: number): number {
    return this.#waiting > queueMax / 2
      ? 0
      : Math.max(0, atMs + patienceMs - passedMs(this.#clock));
  }

  async #createOrExplain(event: KubeObject, yieldsForMs: number): Promise<void> {
    try {
      await this.#options.client.create(event, { yieldsForMs });
    } catch (error) {
      // The namespace is on its way out and takes no more events: nothing is lost that somebody could read.
      if (error instanceof ApiError && error.code === 'NAMESPACE_TERMINATING') return;
      throw error;
    }
  }

  /** `<object>.<hex of nanoseconds>` as client-go names them; the counter stands in for the nanoseconds. */
  #nameFor(object: string, atMs: number): string {
    this.#nameCounter = (this.#nameCounter + 1) % 1_000_000;
    const suffix = (BigInt(Math.trunc(atMs)) * 1_000_000n + BigInt(this.#nameCounter)).toString(16);
    return `${object.slice(0, 253 - suffix.length - 1)}.${suffix}`;
  }
}

function sourceKey({ object }: EventInput): string {
  const { apiVersion, kind, metadata } = object;
  return [apiVersion, kind, metadata.namespace, metadata.name, metadata.uid].join('\n');
}

/** metav1.Time has whole seconds. */
function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
