import { ApiError, isAlreadyExists, isNotFound, type KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { BoundedCache, CapstanError, type Clock, invariant, passedMs } from '@capstan/lib-std';
import { hash } from './rendezvous.ts';
import { systemClock } from './system-clock.ts';
import { waitMs } from './wait.ts';

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
  /** As `flush`, without waiting for a server that is out of reach. */
  [Symbol.asyncDispose](): Promise<void>;
}

const queueMax = 10_000;
/** So late an event may be told while its client has other work to do; its times are those of what it tells. */
const patienceMs = 30_000;
/** Written at once; the events of one object one after the other. */
const lanesMax = 4;
/** client-go's defaults (tools/record): similar events within this time are combined from the 10th different one on. */
const similarMax = 10;
const similarMs = 600_000;
/** client-go's spam filter: 25 events of a type per source and object at once, then one in 5 minutes. */
const burst = 25;
const refillMs = 300_000;

/** client-go's tries of an event when the server is out of reach, and the time between two. */
const triesMax = 12;
const retryMs = 10_000;

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

/** When an event was recorded: by the clock on the wall, for people, and by the one that nobody sets. */
interface Moment {
  readonly wallMs: number;
  readonly passedMs: number;
}

class Lane {
  readonly queue: { readonly event: EventInput; readonly at: Moment }[] = [];
  writing: Promise<void> | undefined;
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #lanes: readonly Lane[] = Array.from({ length: lanesMax }, () => new Lane());
  readonly #known = new BoundedCache<string, Known>(4_096);
  readonly #similar = new BoundedCache<string, { messages: string[]; lastMs: number }>(4_096);
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
    const at = { wallMs: this.#clock.now(), passedMs: passedMs(this.#clock) };
    lane.queue.push({ event: { ...event, object: identityOf(event.object) }, at });
    lane.writing ??= this.#write(lane).finally(() => {
      lane.writing = undefined;
    });
  }

  async flush(): Promise<void> {
    while (this.#waiting > 0) await Promise.all(this.#lanes.map(({ writing }) => writing));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
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
        const { event, at } = next;
        if (this.#options.aggregates !== false) await this.#correlate(event, at);
        else await this.#tell(event, { ...this.#begin(event, at), count: 1 }, at);
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
  async #correlate(event: EventInput, at: Moment): Promise<void> {
    const { key, told } = this.#combine(event, at);
    const known = this.#known.get(key) ?? this.#begin(event, at);
    known.count++;
    this.#known.set(key, known);
    if (this.#passesFilter(event, at)) await this.#tell(told, { ...known }, at);
  }

  /** While the server is out of reach everything waits; what it refuses is lost. */
  async #tell(event: EventInput, known: Known, at: Moment): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (known.count > 1 && (await this.#repeat(known, event, at))) return;
        await this.#create(event, known, at);
        return;
      } catch (error) {
        const { signal } = this.#closing;
        if (error instanceof ApiError || tries === triesMax || signal.aborted) throw error;
        const { random = Math.random } = this.#options;
        const pauseMs = tries === 1 ? retryMs * random() : retryMs;
        await waitMs(pauseMs, { signal, clock: this.#clock }).catch(() => {
          throw error;
        });
      }
    }
  }

  #begin({ object: { metadata } }: EventInput, { wallMs }: Moment): Known {
    return {
      name: this.#nameFor(metadata.name ?? '', wallMs),
      namespace: metadata.namespace || 'default',
      firstTimestamp: seconds(wallMs),
      count: 0,
    };
  }

  #passesFilter(event: EventInput, { passedMs: atMs }: Moment): boolean {
    const key = inOnePiece(sourceKey(event), event.type);
    const bucket = this.#tokens.get(key) ?? { tokens: burst, atMs };
    bucket.tokens = Math.min(burst, bucket.tokens + (atMs - bucket.atMs) / refillMs);
    bucket.atMs = atMs;
    this.#tokens.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** From the tenth different message of the same type and reason on, they go into one event. */
  #combine(event: EventInput, { passedMs: atMs }: Moment): { key: string; told: EventInput } {
    const { message, annotations: _annotations, labels: _labels, ...rest } = event;
    const similarKey = inOnePiece(sourceKey(event), event.type, event.reason);
    let similar = this.#similar.get(similarKey);
    if (similar === undefined || atMs - similar.lastMs > similarMs) {
      similar = { messages: [], lastMs: atMs };
      this.#similar.set(similarKey, similar);
    }
    similar.lastMs = atMs;
    if (!similar.messages.includes(message)) similar.messages.push(message);
    if (similar.messages.length < similarMax) {
      return { key: inOnePiece(similarKey, message), told: event };
    }
    // client-go drops any one of them: those that are left stay events of their own.
    similar.messages.shift();
    // What the one event was annotated with does not hold for all of them.
    const told = { ...rest, message: `(combined from similar events): ${message}` };
    return { key: similarKey, told };
  }

  /** False when the event is gone (they expire after an hour) and must be made anew, with its count. */
  async #repeat(known: Known, event: EventInput, at: Moment): Promise<boolean> {
    const patch = {
      count: known.count,
      lastTimestamp: seconds(at.wallMs),
      message: event.message,
    };
    try {
      const ref = { apiVersion: 'v1', kind: 'Event', namespace: known.namespace, name: known.name };
      const yieldsForMs = this.#patience(at);
      await this.#options.client.patch(ref, patch, { type: 'merge', yieldsForMs });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #create(event: EventInput, known: Known, at: Moment): Promise<void> {
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
      message: event.message,
      type: event.type,
      source: { component, ...(instance === undefined ? {} : { host: instance }) },
      reportingComponent: component,
      reportingInstance: instance ?? '',
      firstTimestamp,
      lastTimestamp: seconds(at.wallMs),
      count,
    };
    await this.#createOrExplain(object, this.#patience(at));
  }

  /** Nobody is kept waiting for the news that something was done; when too much of it waits, it goes out. */
  #patience(at: Moment): number {
    return this.#waiting > queueMax / 2
      ? 0
      : Math.max(0, at.passedMs + patienceMs - passedMs(this.#clock));
  }

  async #createOrExplain(event: KubeObject, yieldsForMs: number): Promise<void> {
    try {
      await this.#options.client.create(event, { yieldsForMs });
    } catch (error) {
      // Its answer was lost, or the namespace is on its way out: nothing is lost that somebody could read.
      if (isAlreadyExists(error)) return;
      if (error instanceof ApiError && error.code === 'NAMESPACE_TERMINATING') return;
      throw error;
    }
  }

  /** `<object>.<hex of nanoseconds>` as client-go names them; the counter stands in for the nanoseconds. */
  #nameFor(object: string, wallMs: number): string {
    this.#nameCounter = (this.#nameCounter + 1) % 1_000_000;
    const suffix = (BigInt(Math.trunc(wallMs)) * 1_000_000n + BigInt(this.#nameCounter)).toString(
      16,
    );
    const name = `${object}.${suffix}`;
    // Objects of RBAC may have names that no event can have, and others too long ones.
    return name.length <= 253 && subdomain.test(name) ? name : crypto.randomUUID();
  }
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What an event tells of its object: nothing more is kept while it waits. */
function identityOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

function sourceKey({ object }: EventInput): string {
  const { apiVersion, kind, metadata } = object;
  const { namespace = '', name = '', uid = '' } = metadata;
  return inOnePiece(apiVersion, kind, namespace, name, uid);
}

/** Keys are kept: one put together by a template would stay a chain of its parts, of several times the size. */
function inOnePiece(...parts: readonly string[]): string {
  return parts.join('\n');
}

/** metav1.Time has whole seconds. */
function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
