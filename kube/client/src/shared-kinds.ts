import type { ObjectKey } from '@capstan/kube-object';
import type { KindRef } from './kube-client.ts';
import type { LiveChange, LiveObject, LiveState } from './live-state-types.ts';
import { kindNameOf } from './paths.ts';

export interface SharedKinds {
  /** Holds these kinds whole already, for others. */
  readonly live: LiveState;
  /** `group/kind` of each. */
  readonly kinds: ReadonlySet<string>;
  /** Only objects of these namespaces are seen; absent: all. */
  readonly namespaces?: readonly string[];
}

/**
 * `own`, but for some kinds that another cache holds as well: they are read there, so that nothing is watched, read and
 * kept twice. What the other one is not allowed to watch is watched by `own` after all. Indexes are those of `own`.
 */
export function withSharedKinds(own: LiveState, shared: SharedKinds): LiveState {
  return new SharingState(own, shared);
}

class SharingState implements LiveState {
  readonly #own: LiveState;
  readonly #shared: SharedKinds;
  /** Kinds that cannot be read in the other one. */
  readonly #refused = new Set<string>();
  readonly #stops = new Set<() => void>();

  constructor(own: LiveState, shared: SharedKinds) {
    this.#own = own;
    this.#shared = shared;
  }

  async ensure(kinds: readonly KindRef[], options: { readonly signal?: AbortSignal } = {}) {
    const theirs = kinds.filter((kind) => this.#isShared(kindNameOf(kind)));
    const missed = await this.#shared.live.ensure(theirs, options);
    for (const { kind } of missed) this.#refused.add(nameOf(kindNameOf(kind)));
    return this.#own.ensure(
      kinds.filter((kind) => !this.#isShared(kindNameOf(kind))),
      options,
    );
  }

  ensureAll(options: { readonly signal?: AbortSignal } = {}) {
    return this.#own.ensureAll(options);
  }

  get(key: ObjectKey): LiveObject | undefined {
    if (!this.#isShared(key)) return this.#own.get(key);
    return this.#isSeen(key.namespace) ? this.#shared.live.get(key) : undefined;
  }

  list(kind: { readonly group: string; readonly kind: string }, namespace?: string): LiveObject[] {
    if (!this.#isShared(kind)) return this.#own.list(kind, namespace);
    const all = this.#shared.live.list(kind, namespace);
    return this.#shared.namespaces === undefined
      ? all
      : all.filter((object) => this.#isSeen(object.key.namespace));
  }

  byIndex(name: string, value: string): LiveObject[] {
    return this.#own.byIndex(name, value);
  }

  ownedBy(uid: string): LiveObject[] {
    return this.#own.ownedBy(uid);
  }

  byUid(uid: string): LiveObject | undefined {
    return this.#own.byUid(uid);
  }

  inNamespace(namespace: string): LiveObject[] {
    return this.#own.inNamespace(namespace);
  }

  subscribe(listener: (change: LiveChange) => void): () => void {
    const stopOwn = this.#own.subscribe(listener);
    const stopShared = this.#shared.live.subscribe((change) => {
      if (this.#isShared(change.key) && this.#isSeen(change.key.namespace)) listener(change);
    });
    const stop = () => {
      stopOwn();
      stopShared();
      this.#stops.delete(stop);
    };
    this.#stops.add(stop);
    return stop;
  }

  waitUntilFresh(
    kind: KindRef,
    resourceVersion: string,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const live = this.#isShared(kindNameOf(kind)) ? this.#shared.live : this.#own;
    return live.waitUntilFresh(kind, resourceVersion, options);
  }

  observeWrite(...[object, options]: Parameters<LiveState['observeWrite']>): void {
    const live = this.#isShared(kindNameOf(object)) ? this.#shared.live : this.#own;
    live.observeWrite(object, options);
  }

  watched() {
    return this.#own.watched();
  }

  size() {
    return this.#own.size();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of [...this.#stops]) stop();
    await this.#own[Symbol.asyncDispose]();
  }

  #isShared(kind: { readonly group: string; readonly kind: string }): boolean {
    const name = nameOf(kind);
    return this.#shared.kinds.has(name) && !this.#refused.has(name);
  }

  #isSeen(namespace: string): boolean {
    return this.#shared.namespaces?.includes(namespace) ?? true;
  }
}

function nameOf({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `${group}/${kind}`;
}
