import { invariant } from './invariant.ts';

interface Entry<V> {
  readonly value: V;
  readonly size: number;
  /** Asked for since the last search for room: it gets a second chance. */
  used: boolean;
}

/**
 * A cache with a bound on the sum of its entries' sizes (entries, unless `sizeOf` says bytes). To make room it drops what was
 * not asked for lately (second chance, which approximates least recently used: a hit moves nothing).
 */
export class BoundedCache<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #sizeMax: number;
  readonly #sizeOf: (value: V) => number;
  #size = 0;

  constructor(sizeMax: number, sizeOf: (value: V) => number = () => 1) {
    invariant(sizeMax > 0, 'a cache must hold something');
    this.#sizeMax = sizeMax;
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** Stores the value unless it alone is over the bound; drops others to make room. */
  set(key: K, value: V): void {
    this.delete(key);
    const size = this.#sizeOf(value);
    if (size > this.#sizeMax) return;
    this.#entries.set(key, { value, size, used: false });
    this.#size += size;
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= this.#sizeMax) break;
      if (entry.used || oldest === key) {
        entry.used = false;
        this.#entries.delete(oldest);
        this.#entries.set(oldest, entry);
      } else {
        this.delete(oldest);
      }
    }
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#size -= entry.size;
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }
}
