import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import { BoundedCache } from '@capstan/lib-std';
import { formatJson, parseJson } from './json.ts';
import type { ResourceKind } from './kube-client.ts';
import type { LiveObject } from './live-state-types.ts';
import { isJsonObject } from './requester.ts';
import { asKubeObject } from './watch-stream.ts';

/** What all objects of one kind share, so that none of them has to hold it. */
export interface StoredKind {
  readonly resource: ResourceKind;
  readonly objects: Map<string, StoredObject>;
}

export interface StoredContent {
  readonly object: KubeObject;
  /** JSON of the object, if it is at hand. */
  readonly text?: string;
  readonly whole: boolean;
  /** `name\nvalue` of each index. */
  readonly indexed: readonly string[];
}

type ParsedCache = BoundedCache<
  StoredObject,
  { readonly object: KubeObject; readonly size: number }
>;

/**
 * One object of the cache. Its content is held as JSON text, an eighth of what the same object takes as a tree, and is
 * parsed when somebody reads it; the trees read last are kept for the next reader.
 */
export class StoredObject implements LiveObject {
  readonly #kind: StoredKind;
  readonly #text: string;
  readonly #parsed: ParsedCache;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly whole: boolean;
  readonly owners: readonly string[];
  readonly indexed: readonly string[];

  constructor(kind: StoredKind, content: StoredContent, parsed: ParsedCache) {
    const { metadata } = content.object;
    this.#kind = kind;
    this.#text = content.text ?? formatJson(content.object);
    this.#parsed = parsed;
    this.namespace = metadata.namespace ?? '';
    this.name = metadata.name ?? '';
    this.uid = metadata.uid ?? '';
    this.resourceVersion = metadata.resourceVersion ?? '';
    this.whole = content.whole;
    const owners = metadata.ownerReferences ?? [];
    this.owners = owners.length === 0 ? none : owners.map((owner) => owner.uid);
    this.indexed = content.indexed.length === 0 ? none : content.indexed;
    // What changed is about to be looked at.
    if (content.whole) parsed.set(this, { object: content.object, size: this.#text.length });
  }

  get key(): ObjectKey {
    const { group, kind } = this.#kind.resource;
    return { group, kind, namespace: this.namespace, name: this.name };
  }

  get apiVersion(): string {
    const { group, version } = this.#kind.resource;
    return group === '' ? version : `${group}/${version}`;
  }

  get storedChars(): number {
    return this.#text.length;
  }

  indexedBy(name: string): readonly string[] {
    if (this.indexed.length === 0) return none;
    const prefix = indexKey(name, '');
    return this.indexed.flatMap((value) =>
      value.startsWith(prefix) ? [value.slice(prefix.length)] : [],
    );
  }

  read(): KubeObject {
    const known = this.#parsed.get(this);
    if (known !== undefined) return known.object;
    const value = parseJson(this.#text);
    const object = asKubeObject(isJsonObject(value) ? value : {}, this.#kind.resource);
    this.#parsed.set(this, { object, size: this.#text.length });
    return object;
  }
}

const none: readonly string[] = [];

/** The objects of a cluster with their indexes; knows nothing of watches. */
export class LiveStore {
  readonly #parsed: ParsedCache = new BoundedCache(4 * 1024 * 1024, ({ size }) => size);
  readonly #byUid = new Map<string, StoredObject>();
  readonly #byOwner = new Index();
  readonly #byNamespace = new Index();
  readonly #named = new Index();
  #whole = 0;
  #chars = 0;

  put(kind: StoredKind, content: StoredContent): { before?: StoredObject; after: StoredObject } {
    const after = new StoredObject(kind, content, this.#parsed);
    const before = this.remove(kind, after.namespace, after.name);
    kind.objects.set(localKey(after.namespace, after.name), after);
    this.#byUid.set(after.uid, after);
    for (const owner of after.owners) this.#byOwner.add(owner, after);
    for (const value of after.indexed) this.#named.add(value, after);
    this.#byNamespace.add(after.namespace, after);
    this.#whole += after.whole ? 1 : 0;
    this.#chars += after.storedChars;
    return before === undefined ? { after } : { before, after };
  }

  remove(kind: StoredKind, namespace: string, name: string): StoredObject | undefined {
    const key = localKey(namespace, name);
    const object = kind.objects.get(key);
    if (object === undefined) return undefined;
    kind.objects.delete(key);
    if (this.#byUid.get(object.uid) === object) this.#byUid.delete(object.uid);
    for (const owner of object.owners) this.#byOwner.remove(owner, object);
    for (const value of object.indexed) this.#named.remove(value, object);
    this.#byNamespace.remove(object.namespace, object);
    this.#parsed.delete(object);
    this.#whole -= object.whole ? 1 : 0;
    this.#chars -= object.storedChars;
    return object;
  }

  byUid(uid: string): StoredObject | undefined {
    return this.#byUid.get(uid);
  }

  ownedBy(uid: string): StoredObject[] {
    return this.#byOwner.get(uid);
  }

  inNamespace(namespace: string): StoredObject[] {
    return this.#byNamespace.get(namespace);
  }

  indexed(name: string, value: string): StoredObject[] {
    return this.#named.get(indexKey(name, value));
  }

  size(): { objects: number; whole: number; storedChars: number } {
    return { objects: this.#byNamespace.size, whole: this.#whole, storedChars: this.#chars };
  }
}

export function indexKey(name: string, value: string): string {
  return `${name}\n${value}`;
}

export function localKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Value → objects. Most values have one object, for which a Set would cost more than the object's own entry. */
class Index {
  readonly #entries = new Map<string, StoredObject | Set<StoredObject>>();
  size = 0;

  add(value: string, object: StoredObject): void {
    this.size++;
    const entry = this.#entries.get(value);
    if (entry === undefined) this.#entries.set(value, object);
    else if (entry instanceof Set) entry.add(object);
    else this.#entries.set(value, new Set([entry, object]));
  }

  remove(value: string, object: StoredObject): void {
    const entry = this.#entries.get(value);
    if (entry === object) {
      this.#entries.delete(value);
    } else if (entry instanceof Set && entry.delete(object)) {
      if (entry.size === 0) this.#entries.delete(value);
    } else {
      return;
    }
    this.size--;
  }

  get(value: string): StoredObject[] {
    const entry = this.#entries.get(value);
    if (entry === undefined) return [];
    return entry instanceof Set ? [...entry] : [entry];
  }
}
