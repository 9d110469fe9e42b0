import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import { BoundedCache } from '@capstan/lib-std';
import { formatJson, parseJson } from './json.ts';
import type { ResourceKind } from './kube-client.ts';
import type { LiveObject } from './live-state-types.ts';
import type { ObjectsByName } from './objects-by-name.ts';
import { type PackedText, TextPacker } from './packed-text.ts';
import { isJsonObject } from './requester.ts';
import { asKubeObject } from './watch-stream.ts';

/** What all objects of one kind share, so that none of them has to hold it. */
export interface StoredKind {
  readonly resource: ResourceKind;
  readonly objects: ObjectsByName<StoredObject>;
}

/** A value under which the index of that name finds an object. */
export interface IndexedValue {
  readonly index: string;
  readonly value: string;
}

export interface StoredContent {
  readonly object: KubeObject;
  /** JSON of the object, if it is at hand. */
  readonly text?: string;
  readonly whole: boolean;
  readonly indexed: readonly IndexedValue[];
}

type ParsedCache = BoundedCache<
  StoredObject,
  { readonly tree: WeakRef<KubeObject>; readonly size: number }
>;

/** What an object has in common with others of its store: one copy for all. */
interface Shared {
  readonly parsed: ParsedCache;
  readonly packer: TextPacker;
  readonly namespace: string;
  readonly owners: readonly string[];
}

/**
 * One object of the cache. Its content is held as JSON text, an eighth of what the same object takes as a tree, and is
 * parsed when somebody reads it. The trees read last are at hand for the next reader until memory is wanted for something
 * else: a cluster at rest is held as text alone.
 */
export class StoredObject implements LiveObject {
  readonly #kind: StoredKind;
  readonly #content: PackedText;
  readonly #packer: TextPacker;
  /** Where its tree is at hand: with those of others, or, once it has left the store, by itself. */
  #parsed: ParsedCache | WeakRef<KubeObject> | undefined;
  readonly storedChars: number;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly whole: boolean;
  readonly owners: readonly string[];
  readonly indexed: readonly IndexedValue[];

  constructor(kind: StoredKind, content: StoredContent, shared: Shared) {
    const { metadata } = content.object;
    const text = content.text ?? formatJson(content.object);
    this.#kind = kind;
    this.#content = shared.packer.pack(text);
    this.#packer = shared.packer;
    this.#parsed = shared.parsed;
    this.storedChars = text.length;
    this.namespace = shared.namespace;
    this.name = metadata.name ?? '';
    this.uid = metadata.uid ?? '';
    this.resourceVersion = metadata.resourceVersion ?? '';
    this.whole = content.whole;
    this.owners = shared.owners;
    this.indexed = content.indexed.length === 0 ? none : content.indexed;
    // What changed is about to be looked at.
    if (content.whole) this.#keep(content.object);
  }

  get key(): ObjectKey {
    const { group, kind } = this.#kind.resource;
    return { group, kind, namespace: this.namespace, name: this.name };
  }

  get apiVersion(): string {
    const { group, version } = this.#kind.resource;
    return group === '' ? version : `${group}/${version}`;
  }

  indexedBy(name: string): readonly string[] {
    if (this.indexed.length === 0) return none;
    return this.indexed.flatMap(({ index, value }) => (index === name ? [value] : []));
  }

  read(): KubeObject {
    const known = this.#tree()?.deref();
    if (known !== undefined) return known;
    const value = parseJson(this.#packer.unpack(this.#content));
    const object = asKubeObject(isJsonObject(value) ? value : {}, this.#kind.resource);
    this.#keep(object);
    return object;
  }

  /** It is in the store no more. It can be read all the same. */
  leave(): void {
    this.#packer.release(this.#content);
    const tree = this.#tree();
    if (this.#parsed instanceof BoundedCache) this.#parsed.delete(this);
    this.#parsed = tree;
  }

  #tree(): WeakRef<KubeObject> | undefined {
    return this.#parsed instanceof BoundedCache ? this.#parsed.get(this)?.tree : this.#parsed;
  }

  #keep(object: KubeObject): void {
    const tree = new WeakRef(object);
    // What has left takes no room from what is held.
    if (this.#parsed instanceof BoundedCache)
      this.#parsed.set(this, { tree, size: this.storedChars });
    else this.#parsed = tree;
  }
}

const none: readonly never[] = [];
/** Of the texts whose trees are at hand. */
const parsedCharsMax = 2 * 1024 * 1024;

/** The objects of a cluster with their indexes; knows nothing of watches. */
export class LiveStore {
  readonly #parsed: ParsedCache = new BoundedCache(parsedCharsMax, ({ size }) => size);
  readonly #packer = new TextPacker();
  readonly #kinds = new Set<StoredKind>();
  readonly #byUid = new Map<string, StoredObject>();
  readonly #byOwner = new Index();
  readonly #named = new Map<string, Index>();
  #objects = 0;
  #whole = 0;
  #chars = 0;

  put(kind: StoredKind, content: StoredContent): { before?: StoredObject; after: StoredObject } {
    const after = new StoredObject(kind, content, this.#sharedBy(kind, content.object));
    const before = this.remove(kind, after.namespace, after.name);
    this.#kinds.add(kind);
    kind.objects.set(after);
    this.#byUid.set(after.uid, after);
    for (const owner of after.owners) this.#byOwner.add(owner, after);
    for (const { index, value } of after.indexed) this.#index(index).add(value, after);
    this.#objects++;
    this.#whole += after.whole ? 1 : 0;
    this.#chars += after.storedChars;
    return before === undefined ? { after } : { before, after };
  }

  remove(kind: StoredKind, namespace: string, name: string): StoredObject | undefined {
    const object = kind.objects.get(namespace, name);
    if (object === undefined) return undefined;
    kind.objects.delete(namespace, name);
    if (kind.objects.size === 0) this.#kinds.delete(kind);
    if (this.#byUid.get(object.uid) === object) this.#byUid.delete(object.uid);
    for (const owner of object.owners) this.#byOwner.remove(owner, object);
    for (const { index, value } of object.indexed) this.#index(index).remove(value, object);
    object.leave();
    this.#objects--;
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
    return [...this.#kinds].flatMap(({ objects }) => objects.inNamespace(namespace));
  }

  indexed(name: string, value: string): StoredObject[] {
    return this.#named.get(name)?.get(value) ?? [];
  }

  size(): { objects: number; whole: number; storedChars: number } {
    return { objects: this.#objects, whole: this.#whole, storedChars: this.#chars };
  }

  #index(name: string): Index {
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    const index = new Index();
    this.#named.set(name, index);
    return index;
  }

  #sharedBy(kind: StoredKind, { metadata }: KubeObject): Shared {
    const owners = metadata.ownerReferences ?? [];
    return {
      parsed: this.#parsed,
      packer: this.#packer,
      namespace: kind.objects.namespaceLike(metadata.namespace ?? ''),
      owners:
        owners.length === 0 ? none : owners.map(({ uid }) => this.#byUid.get(uid)?.uid ?? uid),
    };
  }
}

/** Value → objects. Most values have one object, for which a Set would cost more than the object's own entry. */
class Index {
  readonly #entries = new Map<string, StoredObject | Set<StoredObject>>();

  add(value: string, object: StoredObject): void {
    const entry = this.#entries.get(value);
    if (entry === undefined) this.#entries.set(value, object);
    else if (entry instanceof Set) entry.add(object);
    else this.#entries.set(value, new Set([entry, object]));
  }

  remove(value: string, object: StoredObject): void {
    const entry = this.#entries.get(value);
    if (entry === object) {
      this.#entries.delete(value);
    } else if (entry instanceof Set && entry.delete(object) && entry.size === 0) {
      this.#entries.delete(value);
    }
  }

  get(value: string): StoredObject[] {
    const entry = this.#entries.get(value);
    if (entry === undefined) return [];
    return entry instanceof Set ? [...entry] : [entry];
  }
}
