import type { Cluster } from '@capstan/engine-delivery';

/** The clusters that applications may name. */
export interface ClusterDirectory {
  list(): readonly { readonly name: string; readonly server: string }[];
  /** By server address. */
  get(server: string): Cluster | undefined;
}

export const IN_CLUSTER = { name: 'in-cluster', server: 'https://kubernetes.default.svc' } as const;

/** The control plane's own cluster alone, under the name and address that Argo CD gives it. */
export function singleCluster(cluster: Cluster): ClusterDirectory {
  return {
    list: () => [IN_CLUSTER],
    get: (server) => (server.replace(/\/+$/, '') === IN_CLUSTER.server ? cluster : undefined),
  };
}
