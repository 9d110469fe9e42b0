import type { Counter, Registry } from '@capstan/kube-controller';
import { BoundedCache, type Clock } from '@capstan/lib-std';

interface Held {
  readonly value: unknown;
  readonly untilMs: number;
}

const TOKENS_MAX = 100;
const LIFE_MAX_MS = 3_600_000;
const EVENTS = ['cache_hit', 'cache_miss'];
/** What Flux's controllers use tokens for, in their words. */
const OPERATIONS = [
  'reconcile',
  'fetch_kubeconfig',
  'decrypt_with_aws',
  'decrypt_with_azure',
  'decrypt_with_gcp',
  'decrypt_with_vault',
] as const;
/** Such a part of its life a token is kept, as kubelet keeps those of Pods. */
const KEPT_PART = 0.8;

/** For which object tokens are asked, and what it does with them (`reconcile`, `decrypt_with_aws` …). */
export interface InvolvedObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly operation: (typeof OPERATIONS)[number];
}

/** What came of asking for one or several tokens; undefined before any. */
export interface Lookup {
  event?: 'cache_hit' | 'cache_miss';
}

/** Tokens by who asks and what for. Who asks for one that is being asked for waits for that. Nothing is kept elsewhere. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #held = new BoundedCache<string, Held>(TOKENS_MAX);
  readonly #asking = new Map<string, Promise<unknown>>();

  readonly #metrics: ReturnType<typeof tokenMetrics> | undefined;

  /** With a registry, what it holds and answers is told as Flux's controllers tell it. */
  constructor(clock: Clock, registry?: Registry) {
    this.#clock = clock;
    this.#metrics = registry && tokenMetrics(registry);
  }

  async get<T extends { readonly expiresAtMs?: number }>(
    key: string,
    ask: () => Promise<T>,
    lookup: Lookup = {},
  ): Promise<T> {
    const held = this.#held.get(key);
    if (held !== undefined && this.#clock.now() < held.untilMs) {
      lookup.event ??= 'cache_hit';
      this.#metrics?.requests.add({ status: 'success' });
      return held.value as T;
    }
    lookup.event = 'cache_miss';
    try {
      const value = (await (this.#asking.get(key) ?? this.#ask(key, ask))) as T;
      this.#metrics?.requests.add({ status: 'success' });
      return value;
    } catch (error) {
      this.#metrics?.requests.add({ status: 'failure' });
      throw error;
    }
  }

  /** Counts a hit, or a miss, for an object. */
  tell({ kind, name, namespace, operation }: InvolvedObject, { event }: Lookup): void {
    if (event === undefined) return;
    this.#metrics?.events.add({ event_type: event, kind, name, namespace, operation });
  }

  #ask<T extends { readonly expiresAtMs?: number }>(
    key: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    const asking = ask()
      .then((value) => {
        const nowMs = this.#clock.now();
        const life = ((value.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs) * KEPT_PART;
        this.#keep(key, { value, untilMs: nowMs + Math.min(life, LIFE_MAX_MS) });
        return value;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  #keep(key: string, entry: Held): void {
    const isNew = this.#held.get(key) === undefined;
    const before = this.#held.size;
    this.#held.set(key, entry);
    const gained = this.#held.size - before;
    this.#metrics?.items.add({}, gained);
    this.#metrics?.evictions.add({}, Number(isNew) - gained);
  }
}

/** An object is gone, and takes its series with it. */
export function forgetTokenEvents(
  registry: Registry,
  { kind, name, namespace }: Omit<InvolvedObject, 'operation'>,
): void {
  const events = eventsCounter(registry);
  for (const event_type of EVENTS) {
    for (const operation of OPERATIONS) {
      events.remove({ event_type, kind, name, namespace, operation });
    }
  }
}

function eventsCounter(registry: Registry): Counter {
  return registry.counter(
    'gotk_token_cache_events_total',
    'Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.',
  );
}

function tokenMetrics(registry: Registry) {
  return {
    events: eventsCounter(registry),
    items: registry.gauge('gotk_token_cached_items', 'Total number of items in the cache.'),
    requests: registry.counter(
      'gotk_token_cache_requests_total',
      'Total number of cache requests partioned by success or failure.',
    ),
    evictions: registry.counter(
      'gotk_token_cache_evictions_total',
      'Total number of cache evictions.',
    ),
  };
}
