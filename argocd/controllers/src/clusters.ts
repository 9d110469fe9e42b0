import { type Cluster, ClusterPool } from '@capstan/engine-delivery';
import { type ClusterConnection, connect, type KubeClient } from '@capstan/kube-client';
import type { ClusterRegistration } from './cluster-secret.ts';
import type { KnownCluster } from './project-guard.ts';

/** A cluster that applications may name. */
export interface ListedCluster extends KnownCluster {
  readonly isPaused?: boolean;
}

/** The clusters that applications may name. */
export interface ClusterDirectory extends AsyncDisposable {
  list(): readonly ListedCluster[];
  /** By server address; opened when it is first asked for. Throws for a registration that cannot be used. */
  get(server: string): Cluster | undefined;
  /** What is registered by now, beside the own cluster; closes those that are gone or have changed. */
  register(
    clusters: readonly ClusterRegistration[],
    options: { readonly ownEnabled: boolean },
  ): void;
  /** Calls `listener` for every cluster that is open or will be; what it returns runs when the cluster is closed. */
  onOpen(listener: (cluster: Cluster) => () => void): () => void;
}

export const IN_CLUSTER = { name: 'in-cluster', server: 'https://kubernetes.default.svc' } as const;

export interface ClusterDirectoryOptions {
  /** The control plane's own. */
  readonly own: Cluster;
  /** Makes the cluster behind a client; absent: only the own one is served. */
  readonly create?: (
    registration: Pick<ClusterRegistration, 'name' | 'namespaces' | 'clusterResources'>,
    client: KubeClient,
  ) => Cluster;
  /** How a client is made; over the network by default. */
  readonly connect?: (connection: ClusterConnection) => KubeClient;
  readonly onError?: (error: unknown) => void;
}

/** The own cluster under the name and address that Argo CD gives it, and those that Secrets register. */
export function createClusterDirectory(options: ClusterDirectoryOptions): ClusterDirectory {
  const { own, create, onError } = options;
  let registered: ReadonlyMap<string, ClusterRegistration> = new Map();
  let isOwnEnabled = true;
  const pool = new ClusterPool({
    create: (server, client) => {
      const registration = registered.get(server);
      if (create === undefined || registration === undefined)
        throw new Error(`cluster ${server} is not registered`);
      return create(registration, client);
    },
    ...(onError === undefined ? {} : { onError }),
  });
  return {
    list: () => {
      const all = [...registered.values()];
      const hasOwn = all.some(({ server }) => server === IN_CLUSTER.server);
      const own = isOwnEnabled && !hasOwn ? [IN_CLUSTER] : [];
      return [...own, ...all.filter(({ server }) => isOwnEnabled || server !== IN_CLUSTER.server)];
    },
    get: (address) => {
      const server = address.replace(/\/+$/, '');
      if (server === IN_CLUSTER.server) return isOwnEnabled ? own : undefined;
      const found = registered.get(server);
      if (found === undefined || create === undefined) return undefined;
      return pool.use(server, {
        fingerprint: found.fingerprint,
        connect: () => (options.connect ?? connect)(found.connection()),
      });
    },
    register: (clusters, { ownEnabled }) => {
      isOwnEnabled = ownEnabled;
      registered = new Map(clusters.map((one) => [one.server, one]));
      pool.keepOnly(registered.keys());
    },
    onOpen: (listener) => {
      const stop = listener(own);
      const stopPool = pool.onOpen(listener);
      return () => {
        stop();
        stopPool();
      };
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** The control plane's own cluster alone. */
export function singleCluster(cluster: Cluster): ClusterDirectory {
  return createClusterDirectory({ own: cluster });
}
