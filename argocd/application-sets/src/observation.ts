import type { AppProject } from '@capstan/argocd-api';
import type { FileTree } from '@capstan/lib-files';

/** A registered cluster, as its Secret describes it: what generators and destinations may refer to. */
export interface RegisteredCluster {
  readonly name: string;
  readonly server: string;
  readonly project: string;
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
}

/** What generators look at. */
export interface Surroundings {
  readonly clusters: readonly RegisteredCluster[];
  project(name: string): AppProject | undefined;
  /** The files of a repository at a revision, with the credentials of the project ('': of no project). */
  readRepository(repository: {
    readonly url: string;
    readonly revision: string;
    readonly project: string;
  }): Promise<FileTree>;
}

export const IN_CLUSTER = { name: 'in-cluster', server: 'https://kubernetes.default.svc' } as const;
