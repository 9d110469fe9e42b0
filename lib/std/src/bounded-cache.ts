import { invariant } from './invariant.ts';

/** A least-recently-used cache with a bound on the sum of its entries' sizes (entries, unless `sizeOf` says bytes). */
export class BoundedCache<K, V> {
  readonly #entries = new Map<K, { readonly value: V; readonly size: number }>();
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
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Stores the value unless it alone is over the bound; drops the least recently used ones to make room. */
  set(key: K, value: V): void {
    this.delete(key);
    const size = this.#sizeOf(value);
    if (size > this.#sizeMax) return;
    this.#entries.set(key, { value, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#sizeMax) break;
      this.delete(oldest);
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
