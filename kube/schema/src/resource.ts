import type { GroupVersionKind } from '@capstan/kube-object';

/** One resource as discovery tells it. */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  /** The plural, as in a URL: `deployments`. */
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly storageVersionHash?: string;
  readonly subresources: readonly SubresourceInfo[];
}

export interface SubresourceInfo {
  /** Without the resource: `status`, `scale`, `log`. */
  readonly name: string;
  /** The kind that the subresource speaks: `autoscaling/v1 Scale` for `deployments/scale`. */
  readonly kind: GroupVersionKind;
  readonly verbs: readonly string[];
}

/** A group with its versions in the server's order of preference. `servedByDefault`: a server without flags serves it. */
export interface GroupInfo {
  readonly name: string;
  readonly versions: readonly { readonly version: string; readonly servedByDefault: boolean }[];
}
