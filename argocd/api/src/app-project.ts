import type { JsonObject, KubeObject } from '@capstan/kube-object';

/** argoproj.io/v1alpha1 AppProject, as far as it is enforced. */
export interface AppProject extends KubeObject {
  readonly spec: AppProjectSpec;
}
export interface AppProjectSpec extends JsonObject {
  readonly description?: string;
  readonly sourceRepos?: readonly string[];
  readonly destinations?: readonly ProjectDestination[];
  readonly clusterResourceWhitelist?: readonly GroupKind[];
  readonly clusterResourceBlacklist?: readonly GroupKind[];
  readonly namespaceResourceWhitelist?: readonly GroupKind[];
  readonly namespaceResourceBlacklist?: readonly GroupKind[];
  readonly sourceNamespaces?: readonly string[];
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
