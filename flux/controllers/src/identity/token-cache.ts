import type { Registry } from '@capstan/kube-controller';
import { BoundedCache, type Clock } from '@capstan/lib-std';

interface Held {
  readonly value: unknown;
  readonly untilMs: number;
}

const TOKENS_MAX = 100;
const LIFE_MAX_MS = 3_600_000;
/** Such a part of its life a token is kept, as kubelet keeps those of Pods. */
const KEPT_PART = 0.8;

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
  ): Promise<T> {
    const held = this.#held.get(key);
    if (held !== undefined && this.#clock.now() < held.untilMs) {
      this.#metrics?.requests.add({ status: 'success' });
      return held.value as T;
    }
    try {
      const value = (await (this.#asking.get(key) ?? this.#ask(key, ask))) as T;
      this.#metrics?.requests.add({ status: 'success' });
      return value;
    } catch (error) {
      this.#metrics?.requests.add({ status: 'failure' });
      throw error;
    }
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

function tokenMetrics(registry: Registry) {
  return {
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
