import type { ClusterObjectRef, ReleaseCluster } from '@capstan/kube-helm';
import { type KubeObject, parseApiVersion } from '@capstan/kube-object';

/** A cluster of which is known what it answered. */
export interface KnownCluster extends ReleaseCluster {
  /**
   * The object as the server answered when it was last written: given once, since it goes on changing. Built-in kinds only: a
   * custom one without a status yet would pass for ready.
   */
  takeWritten(ref: ClusterObjectRef): KubeObject | undefined;
}

const RECORD_PREFIX = 'sh.helm.release.v1.';

/**
 * What one reconcile knows of the cluster by its own calls: Helm's records of a release are listed once and then kept as they
 * are written, and what was just applied need not be read to be judged. A write that fails says that another was there: the
 * records are listed anew. It is not for longer than one reconcile: the next one shall see what others did.
 */
export function knownCluster(cluster: ReleaseCluster): KnownCluster {
  const records = new Records();
  const written = new Map<string, KubeObject>();
  const keep = async (ref: Ref, write: () => Promise<KubeObject>): Promise<KubeObject> => {
    if (isRecord(ref)) return records.keep(ref, write);
    const object = await write();
    if (isBuiltIn(ref)) written.set(keyOf(ref), object);
    return object;
  };
  return {
    discovery: cluster.discovery,
    find: (ref, options) => cluster.find(ref, options),
    list: (ref, options = {}) => {
      const { namespace, labelSelector = '' } = options;
      const name = /^name=([^,]+),owner=helm$/.exec(labelSelector)?.[1];
      const list = (): ReturnType<ReleaseCluster['list']> => cluster.list(ref, options);
      if (ref.kind !== 'Secret' || name === undefined || namespace === undefined) return list();
      return records.list({ namespace, name }, list);
    },
    create: (object, options) => keep(refOf(object), () => cluster.create(object, options)),
    update: (object, options) => keep(refOf(object), () => cluster.update(object, options)),
    patch: (ref, patch, options) => keep(ref, () => cluster.patch(ref, patch, options)),
    apply: (object, options) => keep(refOf(object), () => cluster.apply(object, options)),
    async delete(ref, options) {
      written.delete(keyOf(ref));
      if (isRecord(ref)) return records.drop(ref, () => cluster.delete(ref, options));
      return cluster.delete(ref, options);
    },
    takeWritten(ref) {
      const object = written.get(keyOf(ref));
      written.delete(keyOf(ref));
      return object;
    },
  };
}

type Ref = Omit<ClusterObjectRef, 'name'> & { readonly name?: string };

interface ReleaseKey {
  readonly namespace: string;
  readonly name: string;
}

/** The Secrets of releases, each release's by the name of the Secret. */
class Records {
  readonly #releases = new Map<
    string,
    { resourceVersion: string; items: Map<string, KubeObject> }
  >();

  async list(
    { namespace, name }: ReleaseKey,
    list: () => ReturnType<ReleaseCluster['list']>,
  ): ReturnType<ReleaseCluster['list']> {
    const key = `${namespace}/${name}`;
    let known = this.#releases.get(key);
    if (known === undefined) {
      const { items, resourceVersion } = await list();
      const named = items.map((one) => [one.metadata.name ?? '', one] as const);
      known = { resourceVersion, items: new Map(named) };
      this.#releases.set(key, known);
    }
    return { resourceVersion: known.resourceVersion, items: [...known.items.values()] };
  }

  async keep(ref: Ref, write: () => Promise<KubeObject>): Promise<KubeObject> {
    const object = await this.#or(write);
    this.#of(ref)?.set(ref.name ?? '', object);
    return object;
  }

  async drop(
    ref: Ref,
    remove: () => Promise<KubeObject | undefined>,
  ): Promise<KubeObject | undefined> {
    const object = await this.#or(remove);
    this.#of(ref)?.delete(ref.name ?? '');
    return object;
  }

  #of({ namespace = '', name = '' }: Ref): Map<string, KubeObject> | undefined {
    const release = name.slice(RECORD_PREFIX.length).replace(/\.v\d+$/, '');
    return this.#releases.get(`${namespace}/${release}`)?.items;
  }

  async #or<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#releases.clear();
      throw error;
    }
  }
}

function isRecord({ kind, name = '' }: Ref): boolean {
  return kind === 'Secret' && name.startsWith(RECORD_PREFIX);
}

function isBuiltIn({ apiVersion }: Ref): boolean {
  const { group } = parseApiVersion(apiVersion);
  return !group.includes('.') || group.endsWith('.k8s.io');
}

function keyOf({ apiVersion, kind, namespace = '', name = '' }: Ref): string {
  return `${parseApiVersion(apiVersion).group}/${kind}/${namespace}/${name}`;
}

function refOf({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): Ref {
  return {
    ...{ apiVersion, kind },
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
