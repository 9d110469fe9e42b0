import type { JsonObject, KubeObject } from '@capstan/kube-object';

/** What somebody else does to an object after we applied it. */
export type Touch =
  | { readonly by: string; readonly merge: JsonObject; readonly subresource?: string }
  | { readonly by: string; readonly apply: JsonObject };

export interface Drift {
  readonly merge: JsonObject;
  /** As people are shown it. */
  readonly path: string;
  readonly desired?: unknown;
  readonly live?: unknown;
}

export interface DiffCase {
  readonly name: string;
  readonly object: KubeObject;
  /** In fields that we do not set: still Synced. */
  readonly touches?: readonly Touch[];
  /** In a field that we set: OutOfSync. Beside a label, which drifts in every case. */
  readonly drift?: Drift;
}

export function of(
  apiVersion: string,
  kind: string,
  rest: { readonly [name: string]: unknown },
): KubeObject {
  return { apiVersion, kind, metadata: { name: 'sample' }, ...rest } as KubeObject;
}
