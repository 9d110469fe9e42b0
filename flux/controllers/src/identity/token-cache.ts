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

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get<T extends { readonly expiresAtMs?: number }>(
    key: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    const held = this.#held.get(key);
    if (held !== undefined && this.#clock.now() < held.untilMs) return held.value as T;
    const asking = this.#asking.get(key) ?? this.#ask(key, ask);
    return (await asking) as T;
  }

  #ask<T extends { readonly expiresAtMs?: number }>(
    key: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    const asking = ask()
      .then((value) => {
        const nowMs = this.#clock.now();
        const life = ((value.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs) * KEPT_PART;
        this.#held.set(key, { value, untilMs: nowMs + Math.min(life, LIFE_MAX_MS) });
        return value;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }
}
