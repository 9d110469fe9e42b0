import type { Kustomization } from '@capstan/flux-api';
import type { NamedKey } from './control-state.ts';

interface Entry {
  readonly key: NamedKey;
  readonly source: string;
  readonly dependencies: readonly string[];
}

/** Which Kustomizations follow a source and which wait for another one: a change costs those whom it concerns. */
export class KustomizationIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #followers = new Map<string, Set<Entry>>();
  readonly #waiters = new Map<string, Set<Entry>>();

  /** The Kustomization of this key as it is now; undefined: there is none. */
  put(key: NamedKey, kustomization: Kustomization | undefined): void {
    const id = idOf(key);
    const before = this.#entries.get(id);
    const after = kustomization && entryOf(key, kustomization);
    if (before !== undefined && after !== undefined && isAlike(before, after)) return;
    if (before !== undefined) {
      remove(this.#followers, before.source, before);
      for (const one of before.dependencies) remove(this.#waiters, one, before);
      this.#entries.delete(id);
    }
    if (after === undefined) return;
    this.#entries.set(id, after);
    add(this.#followers, after.source, after);
    for (const one of after.dependencies) add(this.#waiters, one, after);
  }

  followersOf(source: NamedKey & { readonly kind: string }): readonly NamedKey[] {
    return keysOf(this.#followers.get(`${source.kind}/${idOf(source)}`));
  }

  waitersOf(key: NamedKey): readonly NamedKey[] {
    return keysOf(this.#waiters.get(idOf(key)));
  }
}

function entryOf(key: NamedKey, { spec }: Kustomization): Entry {
  const { kind, name, namespace } = spec.sourceRef;
  const place = (told: string | undefined) => told || key.namespace;
  return {
    key: { namespace: key.namespace, name: key.name },
    source: `${kind}/${idOf({ namespace: place(namespace), name })}`,
    dependencies: (spec.dependsOn ?? []).map((ref) =>
      idOf({ namespace: place(ref.namespace), name: ref.name }),
    ),
  };
}

function isAlike(a: Entry, b: Entry): boolean {
  return a.source === b.source && a.dependencies.join() === b.dependencies.join();
}

function idOf({ namespace, name }: NamedKey): string {
  return `${namespace}/${name}`;
}

function keysOf(entries: ReadonlySet<Entry> | undefined): readonly NamedKey[] {
  return [...(entries ?? [])].map(({ key }) => key);
}

function add(index: Map<string, Set<Entry>>, name: string, entry: Entry): void {
  const held = index.get(name);
  if (held === undefined) index.set(name, new Set([entry]));
  else held.add(entry);
}

function remove(index: Map<string, Set<Entry>>, name: string, entry: Entry): void {
  const held = index.get(name);
  held?.delete(entry);
  if (held?.size === 0) index.delete(name);
}
