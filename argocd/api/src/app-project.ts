import type { JsonObject, KubeObject } from '@capstan/kube-object';

/** argoproj.io/v1alpha1 AppProject (Argo CD 3.6; upstream names throughout). */
export interface AppProject extends KubeObject {
  readonly spec: AppProjectSpec;
}
export interface AppProjectSpec extends JsonObject {
  readonly description?: string;
  readonly sourceRepos?: readonly string[];
  readonly destinations?: readonly ProjectDestination[];
  readonly clusterResourceWhitelist?: readonly GroupKind[];
  readonly clusterResourceBlacklist?: readonly GroupKind[];
  /** Absent: every kind; empty: none. */
  readonly namespaceResourceWhitelist?: readonly GroupKind[];
  readonly namespaceResourceBlacklist?: readonly GroupKind[];
  readonly sourceNamespaces?: readonly string[];
  readonly syncWindows?: readonly SyncWindow[];
  readonly orphanedResources?: OrphanedResources;
  readonly signatureKeys?: readonly { readonly keyID: string }[];
  readonly sourceIntegrity?: SourceIntegrity;
  readonly destinationServiceAccounts?: readonly DestinationServiceAccount[];
  readonly permitOnlyProjectScopedClusters?: boolean;
  readonly roles?: readonly ProjectRole[];
}
export interface ProjectDestination extends JsonObject {
  readonly server?: string;
  readonly name?: string;
  readonly namespace?: string;
}
export interface GroupKind extends JsonObject {
  readonly group: string;
  readonly kind: string;
  readonly name?: string;
}
export interface SyncWindow extends JsonObject {
  /** allow or deny. */
  readonly kind?: string;
  /** Five fields of cron. */
  readonly schedule?: string;
  readonly duration?: string;
  readonly applications?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly clusters?: readonly string[];
  readonly manualSync?: boolean;
  readonly timeZone?: string;
  readonly andOperator?: boolean;
  readonly description?: string;
  readonly syncOverrun?: boolean;
}
export interface OrphanedResources extends JsonObject {
  readonly warn?: boolean;
  readonly ignore?: readonly {
    readonly group?: string;
    readonly kind?: string;
    readonly name?: string;
  }[];
}
export interface SourceIntegrity extends JsonObject {
  readonly git?: {
    readonly policies?: readonly {
      readonly repos?: readonly { readonly url: string }[];
      readonly gpg?: { readonly mode?: string; readonly keys?: readonly string[] };
    }[];
  };
}
export interface DestinationServiceAccount extends JsonObject {
  readonly server: string;
  readonly namespace?: string;
  readonly defaultServiceAccount: string;
}
export interface ProjectRole extends JsonObject {
  readonly name: string;
  readonly description?: string;
  readonly policies?: readonly string[];
  readonly groups?: readonly string[];
  readonly jwtTokens?: readonly {
    readonly iat: number;
    readonly exp?: number;
    readonly id?: string;
  }[];
}
