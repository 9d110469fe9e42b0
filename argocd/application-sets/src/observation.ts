import type { AppProject, ConfigMapKeyRef, SecretKeyRef } from '@capstan/argocd-api';
import type { KubeObject } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import type { AwsSurroundings } from './scm/aws-request.ts';
import type { GithubAppCredentials } from './scm/github.ts';
import type { HttpPort } from './scm/http-port.ts';

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
    /** `oci`: an artifact in a registry. */
    readonly kind: 'git' | 'oci';
  }): Promise<FileTree>;
  /** Files of git generators are named by globs in which `*` stays within a name and `**` spans folders. */
  readonly spansFolders?: boolean;
  /** Folders whose name begins with a dot count, too. */
  readonly hiddenFolders?: boolean;
  /** What lies beside Git and the registered clusters; absent where it cannot be asked. */
  readonly outside?: Outside;
}

/** Services that generators ask, and the objects that say how. */
export interface Outside {
  /** To hosters of repositories. */
  readonly http: HttpPort;
  readonly pluginHttp: HttpPort;
  readonly scm: ScmSettings;
  readonly aws: AwsSurroundings;
  /** Instead of api.bitbucket.org. */
  readonly bitbucketCloudApi?: string;
  now(): number;
  /** A value of a Secret in the set's namespace. */
  secretValue(ref: SecretKeyRef): Promise<string>;
  /** A value of a ConfigMap in the set's namespace. */
  configMapValue(ref: ConfigMapKeyRef): Promise<string>;
  /** The data of a ConfigMap, and a value of a Secret, in the control plane's namespace. */
  controlConfigMap(name: string): Promise<{ readonly [key: string]: string }>;
  controlSecretValue(ref: SecretKeyRef): Promise<string>;
  githubApp(secretName: string): Promise<GithubAppCredentials>;
  /** Authorities that the administrator trusts beside the usual ones, in PEM; '' for none. */
  rootCertificates(): Promise<string>;
  /** Objects of a resource (by its plural) in the control plane's namespace. */
  listResources(
    resource: { readonly apiVersion: string; readonly resource: string },
    selection: { readonly name: string } | { readonly labelSelector: string },
  ): Promise<readonly KubeObject[]>;
}

/** What the administrator permits (argocd-cmd-params-cm: applicationsetcontroller.*). */
export interface ScmSettings {
  readonly enabled: boolean;
  /** Addresses of APIs that sets may name; empty: any. */
  readonly allowedProviders: readonly string[];
}

export const IN_CLUSTER = { name: 'in-cluster', server: 'https://kubernetes.default.svc' } as const;
