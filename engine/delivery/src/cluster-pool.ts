import type { Identity, KubeClient } from '@capstan/kube-client';
import type { Cluster } from './cluster.ts';

/** How a cluster is reached, e.g. what a kubeconfig or a cluster Secret says. */
export interface ClusterAccess {
  /** Equal for equal access: a change of it closes the cluster and opens it anew. Never shown. */
  readonly fingerprint: string;
  /** A client; must not wait for the server. */
  readonly connect: () => KubeClient;
}

export interface ClusterPoolOptions {
  readonly create: (name: string, client: KubeClient) => Cluster;
  /** Told of each cluster that is opened, so that its changes can be followed; what it returns runs when it is closed. */
  readonly onOpen?: (cluster: Cluster) => () => void;
  readonly onError?: (error: unknown) => void;
}

/**
 * The clusters that deliveries go to, beside the own one. Each has its own connections, watches and limits, so that one which
 * is dead or hangs costs the others nothing. A cluster is opened when it is first needed, and then asks for nothing but
 * the watches of the kinds that deliveries bring there.
 */
export class ClusterPool implements AsyncDisposable {
  readonly #options: ClusterPoolOptions;
  readonly #listeners = new Set<(cluster: Cluster) => () => void>();
  readonly #open = new Map<string, Opened>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ClusterPoolOptions) {
    this.#options = options;
    if (options.onOpen !== undefined) this.#listeners.add(options.onOpen);
  }

  /** The cluster behind this access, opened if need be. `name` tells it from the others; it is what messages call it. */
  use(name: string, access: ClusterAccess): Cluster {
    const known = this.#open.get(name);
    if (known?.fingerprint === access.fingerprint) return known.cluster;
    this.close(name);
    const client = access.connect();
    const cluster = this.#options.create(name, client);
    const stops = new Map<unknown, () => void>();
    for (const listener of this.#listeners) stops.set(listener, listener(cluster));
    this.#open.set(name, { cluster, client, fingerprint: access.fingerprint, stops });
    return cluster;
  }

  /** As opened before; undefined when nobody has used it yet. */
  find(name: string): Cluster | undefined {
    return this.#open.get(name)?.cluster;
  }

  list(): readonly Cluster[] {
    return [...this.#open.values()].map(({ cluster }) => cluster);
  }

  /** Calls `listener` for every cluster that is open or will be; what it returns runs when the cluster is closed. */
  onOpen(listener: (cluster: Cluster) => () => void): () => void {
    this.#listeners.add(listener);
    for (const { cluster, stops } of this.#open.values()) stops.set(listener, listener(cluster));
    return () => {
      this.#listeners.delete(listener);
      for (const { stops } of this.#open.values()) {
        stops.get(listener)?.();
        stops.delete(listener);
      }
    };
  }

  /** Ends the watches of a cluster that nobody needs any more; the next `use` opens it anew. */
  close(name: string): void {
    const opened = this.#open.get(name);
    if (opened === undefined) return;
    this.#open.delete(name);
    const closing = shut(opened)
      .catch((error: unknown) => this.#options.onError?.(error))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Closes all whose name is not among these. */
  keepOnly(names: Iterable<string>): void {
    const kept = new Set(names);
    for (const name of [...this.#open.keys()]) if (!kept.has(name)) this.close(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keepOnly([]);
    await Promise.all(this.#closing);
  }
}

/** The same cluster, every request made as somebody else; what is watched is shared. Throws for an empty identity. */
export function actAs(cluster: Cluster, identity: Identity): Cluster {
  return { ...cluster, client: cluster.client.as(identity) };
}

/** A service account as the API server knows it, with the groups that it has there. */
export function serviceAccount(namespace: string, name: string): Identity {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
  };
}

interface Opened {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly fingerprint: string;
  readonly stops: Map<unknown, () => void>;
}

async function shut({ cluster, client, stops }: Opened): Promise<void> {
  for (const stop of stops.values()) stop();
  await cluster[Symbol.asyncDispose]();
  await client.close();
}
