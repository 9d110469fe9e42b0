import { HELM_GROUP } from '@capstan/flux-api';
import type { EventRecorder } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';

export interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function recordEvent(events: EventRecorder, about: KubeObject, told: Told): void {
  const { apiVersion, kind, metadata } = about;
  events.record({ object: { apiVersion, kind, metadata }, ...told });
}

/** What the original's notifications tell of a revision: chart version, digest of the values, app version, OCI digest. */
export function eventMetadata(of: {
  readonly chartVersion: string;
  readonly configDigest: string;
  readonly appVersion?: string | undefined;
  readonly ociDigest?: string | undefined;
}): { readonly annotations: Readonly<Record<string, string>> } {
  const entries = [
    ['revision', of.chartVersion],
    ['token', of.configDigest],
    ['app-version', of.appVersion],
    ['oci-digest', of.ociDigest],
  ].flatMap(([key, value]) => (value ? [[`${HELM_GROUP}/${key}`, value] as const] : []));
  return { annotations: Object.fromEntries(entries) };
}
