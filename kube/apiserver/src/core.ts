import type { KubeObject } from '@capstan/kube-object';
import type { Catalogue } from '@capstan/kube-schema';
import type { Clock } from '@capstan/lib-std';
import type { Admission } from './admission/admission.ts';
import type { TokenSigner } from './auth/tokens.ts';
import type { ParseYaml } from './body.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import type { EventLines, KeptEncodings, ObjectTexts } from './object-texts.ts';
import type { Describe } from './openapi.ts';
import type { Messages } from './protobuf/messages.ts';
import type { Registry } from './registry.ts';
import type { ServedResource } from './served-resource.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { type Bucket, type Store, storeKey } from './store.ts';

/** What one API server is made of; a fork is a new one around a forked store. */
export interface Core {
  readonly store: Store;
  readonly registry: Registry;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** In [0, 1): names, ports. */
  readonly random: () => number;
  readonly newUid: () => string;
  readonly parseYaml: ParseYaml;
  /** How built-in kinds are spoken in protobuf. */
  readonly messages: Messages;
  /** The texts of `explain`, loaded when the first OpenAPI document is asked for. */
  readonly describe: () => Promise<Describe>;
  readonly signer: TokenSigner;
  /** Policies of the cluster. */
  readonly admission: Admission;
  readonly runtime: ContainerRuntime;
  /** What the server counts of its own work. */
  readonly metrics: ServerMetrics;
  readonly objectTexts: ObjectTexts;
  readonly eventLines: EventLines;
  /** Objects as protobuf, without their envelope. */
  readonly objectBytes: KeptEncodings<Uint8Array>;
}

/** Go's metav1.Time: RFC 3339 in whole seconds. */
export function timestamp(clock: Clock, plusMs = 0): string {
  return `${new Date(clock.now() + plusMs).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime. */
export function microTimestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 23)}000Z`;
}

/** The objects of a bucket, or of one namespace in it; a copy, so that the caller may write while it walks. */
export function listBucket(store: Store, bucket: Bucket, namespace?: string): KubeObject[] {
  const map = store.view(bucket);
  const found: KubeObject[] = [];
  const entries =
    namespace === undefined || namespace === ''
      ? map.entries()
      : map.entries(`${namespace}/`, `${namespace}0`);
  for (const [, object] of entries) found.push(object);
  return found;
}

export function keyFor(resource: ServedResource, namespace: string, name: string): string {
  return storeKey(resource.namespaced ? namespace : '', name);
}
