interface Named {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Objects of one kind by namespace and name, in the order of their namespaces' first objects. No key is put together for an
 * object, and a namespace with a single object of the kind costs no map of its own: both would take more than the entry.
 */
export class ObjectsByName<T extends Named> {
  readonly #namespaces = new Map<string, T | Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string, name: string): T | undefined {
    const entry = this.#namespaces.get(namespace);
    if (entry instanceof Map) return entry.get(name);
    return entry?.name === name ? entry : undefined;
  }

  /** Stands in the place of one of the same name. */
  set(object: T): void {
    const { namespace, name } = object;
    const entry = this.#namespaces.get(namespace);
    if (entry instanceof Map) {
      this.#size -= entry.size;
      entry.set(name, object);
      this.#size += entry.size;
      return;
    }
    if (entry === undefined || entry.name === name) this.#namespaces.set(namespace, object);
    else {
      this.#namespaces.set(
        namespace,
        new Map([
          [entry.name, entry],
          [name, object],
        ]),
      );
    }
    if (entry?.name !== name) this.#size++;
  }

  delete(namespace: string, name: string): void {
    const entry = this.#namespaces.get(namespace);
    if (entry === undefined) return;
    if (entry instanceof Map) {
      if (!entry.delete(name)) return;
      if (entry.size === 0) this.#namespaces.delete(namespace);
    } else {
      if (entry.name !== name) return;
      this.#namespaces.delete(namespace);
    }
    this.#size--;
  }

  inNamespace(namespace: string): T[] {
    return listOf(this.#namespaces.get(namespace));
  }

  all(): T[] {
    return [...this.#namespaces.values()].flatMap(listOf);
  }

  /** The same text, of which a copy is held already if any object has this namespace. */
  namespaceLike(namespace: string): string {
    const entry = this.#namespaces.get(namespace);
    const [first] = entry instanceof Map ? entry.values() : [entry];
    return first?.namespace ?? namespace;
  }
}

function listOf<T extends Named>(entry: T | Map<string, T> | undefined): T[] {
  if (entry === undefined) return [];
  return entry instanceof Map ? [...entry.values()] : [entry];
}
