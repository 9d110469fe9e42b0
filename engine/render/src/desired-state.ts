import type { RemoteRequest } from '@capstan/kube-kustomize';
import type { KubeObject } from '@capstan/kube-object';
import type { RenderTrace } from '@capstan/lib-files';
import type { Diagnostic, Location } from '@capstan/lib-std';
import type { FieldSource } from './field-sources.ts';

/** An object as the source wants it, with the place that says so. Origin stands beside the object, never inside it. */
export interface DesiredObject {
  readonly object: KubeObject;
  /** File relative to the root of the snapshot, and the line where the object starts; absent when nothing says. */
  readonly origin?: Location;
}

/** What a render gives. With an error among `diagnostics`, `objects` must not be applied. */
export interface RenderResult {
  readonly kind: 'directory' | 'kustomize' | 'helm';
  readonly objects: readonly DesiredObject[];
  /** Content digest of `objects`: equal digests, equal desired state. */
  readonly digest: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly trace: RenderTrace;
  /** What has to be mounted (see remoteMount) for a render that comes further; absent: nothing. */
  readonly pending?: readonly RemoteRequest[];
  /** The answer to a question about a field; absent when none was asked, or the source does not speak of it. */
  readonly sources?: readonly FieldSource[];
}
