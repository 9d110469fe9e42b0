import {
  HELM_GROUP,
  type HelmRelease,
  type Parsed,
  parseHelmRelease,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import type { NamedKey } from '@capstan/flux-controllers';
import {
  createLiveState,
  type KubeClient,
  type LiveChange,
  type LiveState,
} from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

export const SOURCE_KINDS = [
  'HelmRepository',
  'HelmChart',
  'GitRepository',
  'Bucket',
  'OCIRepository',
  'ExternalArtifact',
] as const;

/** Flux's Helm resources and the sources that they refer to, kept by watches. */
export class HelmControlState {
  readonly live: LiveState;

  constructor(client: KubeClient) {
    this.live = createLiveState({ client, isManaged: () => true });
  }

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const kinds = [
      { group: HELM_GROUP, kind: 'HelmRelease' },
      ...SOURCE_KINDS.map((kind) => ({ group: SOURCE_GROUP, kind })),
    ];
    // Only the Helm kinds must be there: the others are sources that may be missing.
    const missed = await this.live.ensure(kinds, { signal });
    const lost = missed.find(({ kind }) => kind.kind.startsWith('Helm'));
    if (lost !== undefined) throw lost.error;
  }

  find(kind: string, { namespace, name }: NamedKey): KubeObject | undefined {
    const group = kind === 'HelmRelease' ? HELM_GROUP : SOURCE_GROUP;
    return this.live.get({ group, kind, namespace, name })?.read();
  }

  list(kind: string, namespace?: string): readonly KubeObject[] {
    const group = kind === 'HelmRelease' ? HELM_GROUP : SOURCE_GROUP;
    return this.live.list({ group, kind }, namespace).map((object) => object.read());
  }

  keys(kind: string): readonly NamedKey[] {
    const group = kind === 'HelmRelease' ? HELM_GROUP : SOURCE_GROUP;
    return this.live.list({ group, kind }).map(({ key }) => key);
  }

  releases(): readonly HelmRelease[] {
    return this.list('HelmRelease').flatMap((object) => {
      const parsed = parseHelmRelease(object);
      return parsed.kind === 'ok' ? [parsed.value] : [];
    });
  }
}

/** The parsed object, or an error that waits for its correction. */
export function requireParsed<T>(parsed: Parsed<T>, object: KubeObject): T {
  if (parsed.kind === 'ok') return parsed.value;
  throw new CapstanError('SPEC_INVALID', `${parsed.field} ${parsed.message}`, {
    kind: 'stalled',
    hint: `correct the ${object.kind} ${object.metadata.name}`,
  });
}

/** Whether a change asks for a reconcile of the object itself: not the writing of its status or its finalizer. */
export function isAsking({ before, after }: LiveChange): boolean {
  if (before === undefined || after === undefined) return true;
  return outline(before.read()) !== outline(after.read());
}

function outline({ metadata, ...object }: KubeObject): string {
  const { annotations, deletionTimestamp, uid } = metadata;
  return JSON.stringify([uid, annotations, deletionTimestamp, object['spec']]);
}

/** Whether what followers of a source look at has changed: its artifact, or whether it can be used. */
export function isNewSource({ before, after }: LiveChange): boolean {
  if (before === undefined || after === undefined) return true;
  return sourceOutline(before.read()) !== sourceOutline(after.read());
}

function sourceOutline(object: KubeObject): string {
  const { status = {}, metadata } = object as KubeObject & {
    status?: { artifact?: { revision?: string; digest?: string }; observedGeneration?: number };
  };
  const { artifact, observedGeneration } = status;
  const isObserved = observedGeneration === metadata.generation;
  return JSON.stringify([artifact?.revision, artifact?.digest, isObserved]);
}

export function keyText({ namespace, name }: NamedKey): string {
  return `${namespace}/${name}`;
}

export function keyOf({ metadata }: KubeObject): NamedKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}
