import type { JsonObject, KubeObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import type { ServedResource } from '../served-resource.ts';
import type { UserInfo } from '../user.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** One request on its way through admission, as k8s.io/apiserver's admission.Attributes. */
export interface AdmissionAttributes {
  readonly operation: Operation;
  readonly resource: ServedResource;
  readonly subresource: string;
  /** Of the object in the request: a Scale, not a Deployment, for `deployments/scale`. */
  readonly kind: GroupVersionKind;
  /** For a namespace: its own name. */
  readonly namespace: string;
  /** Empty while a name has still to be generated. */
  readonly name: string;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions or DeleteOptions as the client sent them. */
  readonly options: JsonObject;
}

export function kindOf(resource: ServedResource): GroupVersionKind {
  return { group: resource.group, version: resource.version, kind: resource.kind };
}

/** `metadata.namespace` of the request; a namespace counts as in itself. */
export function namespaceOf(resource: ServedResource, namespace: string, name: string): string {
  return resource.bucket === '/namespaces' ? name : namespace;
}

/** The name that an answer speaks of: of a new object without one, what it is generated from. */
export function nameForErrors({ name, object }: AdmissionAttributes): string {
  if (name !== '') return name;
  return object?.metadata.name || object?.metadata.generateName || 'Unknown';
}

/** The namespace that the request is in; none for a request about a namespace itself. */
export function requestNamespace(
  core: Core,
  { namespace, resource }: AdmissionAttributes,
): KubeObject | undefined {
  if (namespace === '' || resource.bucket === '/namespaces') return undefined;
  return core.store.get('/namespaces', namespace);
}
