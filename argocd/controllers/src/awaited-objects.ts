/**
 * Objects that applications want and that are not theirs: missing ones, and those that bear somebody else's mark. Whoever
 * makes or changes them, the applications that want them have to look.
 */
export class AwaitedObjects {
  readonly #wanted = new Map<string, readonly string[]>();
  readonly #owners = new Map<string, Set<string>>();

  /** What `owner` waits for by now, instead of what it waited for before. */
  set(owner: string, keys: readonly string[]): void {
    this.forget(owner);
    if (keys.length === 0) return;
    this.#wanted.set(owner, keys);
    for (const key of keys) {
      const owners = this.#owners.get(key) ?? new Set();
      this.#owners.set(key, owners.add(owner));
    }
  }

  forget(owner: string): void {
    for (const key of this.#wanted.get(owner) ?? []) {
      const owners = this.#owners.get(key);
      owners?.delete(owner);
      if (owners?.size === 0) this.#owners.delete(key);
    }
    this.#wanted.delete(owner);
  }

  /** Who waits for it. */
  ownersOf(key: string): Iterable<string> {
    return this.#owners.get(key) ?? [];
  }
}
