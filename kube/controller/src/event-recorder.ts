import { ApiError, isNotFound, type KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { BoundedCache, CapstanError, type Clock, invariant } from '@capstan/lib-std';
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
const patienceMs = 60_000;
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
    lane.queue.push({ event, atMs: this.#clock.now() });
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
        if (this.#options.aggregates === false) await this.#create(next.event, next.atMs, 1);
        else await this.#correlate(next.event, next.atMs);
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

  async #correlate(event: EventInput, atMs: number): Promise<void> {
    if (!this.#passesFilter(event, atMs)) return;
    const { similarKey, message } = this.#combine(event, atMs);
    const combined = { ...event, message };
    const key = similarKey ?? `${sourceKey(event)}\n${event.type}\n${event.reason}\n${message}`;
    const known = this.#known.get(key);
    if (known === undefined || !(await this.#repeat(known, combined, atMs))) {
      this.#known.set(key, await this.#create(combined, atMs, 1));
    }
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

  /** From the tenth different message of the same type and reason on, all go into one event. */
  #combine(event: EventInput, atMs: number): { similarKey?: string; message: string } {
    const message = event.message.slice(0, messageCharsMax);
    const key = `${sourceKey(event)}\n${event.type}\n${event.reason}`;
    let similar = this.#similar.get(key);
    if (similar === undefined || atMs - similar.lastMs > similarMs) {
      similar = { messages: new Set(), lastMs: atMs };
      this.#similar.set(key, similar);
    }
    similar.lastMs = atMs;
    if (similar.messages.size < similarMax) similar.messages.add(message);
    if (similar.messages.size < similarMax) return { message };
    const text = `(combined from similar events): ${message}`.slice(0, messageCharsMax);
    return { similarKey: key, message: text };
  }

  /** False when the event is gone (they expire after an hour) and must be made anew. */
  async #repeat(known: Known, event: EventInput, atMs: number): Promise<boolean> {
    const patch = {
      count: known.count + 1,
      lastTimestamp: seconds(atMs),
      message: event.message,
      ...(event.annotations === undefined ? {} : { metadata: { annotations: event.annotations } }),
    };
    try {
      const ref = { apiVersion: 'v1', kind: 'Event', namespace: known.namespace, name: known.name };
      const yieldsForMs = this.#patience(atMs);
      await this.#options.client.patch(ref, patch, { type: 'merge', yieldsForMs });
      known.count++;
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #create(event: EventInput, atMs: number, count: number): Promise<Known> {
    const { metadata, apiVersion, kind } = event.object;
    const namespace = metadata.namespace || 'default';
    const name = this.#nameFor(metadata.name ?? '', atMs);
    const { component, instance } = this.#options;
    const timestamp = seconds(atMs);
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
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count,
    };
    await this.#createOrExplain(object, this.#patience(atMs));
    return { name, namespace, firstTimestamp: timestamp, count };
  }

  /** Nobody is kept waiting for the news that something was done; when too much of it waits, it goes out. */
  #patience(atMs: number): number {
    return this.#waiting > queueMax / 2 ? 0 : Math.max(0, atMs + patienceMs - this.#clock.now());
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
