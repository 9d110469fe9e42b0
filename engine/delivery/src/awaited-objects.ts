import { keyString, type ObjectKey } from '@capstan/kube-object';
import type { Cluster } from './cluster.ts';

type Place = Pick<Cluster, 'name'>;

/**
 * Objects that deliveries wait for and that are not theirs: missing ones, those that bear somebody else's mark, those that
 * they check the health of. Whoever makes or changes them, the deliveries that wait have to look.
 */
export class AwaitedObjects {
  readonly #wanted = new Map<string, readonly string[]>();
  readonly #owners = new Map<string, Set<string>>();

  /** What `owner` waits for by now, instead of what it waited for before. */
  set(owner: string, cluster: Place, keys: readonly ObjectKey[]): void {
    this.forget(owner);
    if (keys.length === 0) return;
    const wanted = keys.map((key) => textOf(cluster, key));
    this.#wanted.set(owner, wanted);
    for (const key of wanted) {
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

  /** Calls `wake` with every owner that waits for an object which changed; returns the way to stop. */
  watch(cluster: Place & Pick<Cluster, 'live'>, wake: (owner: string) => void): () => void {
    return cluster.live.subscribe(({ key }) => {
      if (this.#owners.size === 0) return;
      for (const owner of this.#owners.get(textOf(cluster, key)) ?? []) wake(owner);
    });
  }
}

function textOf({ name }: Place, key: ObjectKey): string {
  return `${name} ${keyString(key)}`;
}
