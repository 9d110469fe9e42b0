import {
  HELM_GROUP,
  type HelmRelease,
  type Parsed,
  parseHelmChart,
  parseHelmRelease,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import type { NamedKey } from '@capstan/flux-controllers';
import {
  createLiveState,
  type KubeClient,
  type LiveChange,
  type LiveState,
  withSharedKinds,
} from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { sourceOf } from './names.ts';

export const SOURCE_KINDS = [
  'HelmRepository',
  'HelmChart',
  'GitRepository',
  'Bucket',
  'OCIRepository',
  'ExternalArtifact',
] as const;

/** Sources without an index here: what holds them already is read. */
const SHARED = new Set(
  SOURCE_KINDS.filter((kind) => kind !== 'HelmChart').map((kind) => `${SOURCE_GROUP}/${kind}`),
);

const SOURCE_INDEX = 'source';
const DEPENDENCY_INDEX = 'dependency';
const CONFIG_INDEX = 'configuration';
const INDEXES = {
  source: SOURCE_INDEX,
  dependency: DEPENDENCY_INDEX,
  configuration: CONFIG_INDEX,
} as const;

function objectId({ kind, namespace, name }: { readonly kind: string } & NamedKey): string {
  return `${kind}/${namespace}/${name}`;
}

/** Those of a HelmRelease that can be read; nothing for other kinds. */
function releaseOf(object: KubeObject): HelmRelease | undefined {
  if (object.kind !== 'HelmRelease') return undefined;
  const parsed = parseHelmRelease(object);
  return parsed.kind === 'ok' ? parsed.value : undefined;
}

function sourceIds(object: KubeObject): readonly string[] {
  if (object.kind === 'HelmChart') {
    const parsed = parseHelmChart(object);
    if (parsed.kind !== 'ok') return [];
    const { kind, name } = parsed.value.spec.sourceRef;
    return [objectId({ kind, name, namespace: object.metadata.namespace ?? '' })];
  }
  const release = releaseOf(object);
  const source = release && sourceOf(release);
  return source === undefined ? [] : [objectId(source)];
}

function dependencyIds(object: KubeObject): readonly string[] {
  const own = object.metadata.namespace ?? '';
  const { dependsOn = [] } = releaseOf(object)?.spec ?? {};
  return dependsOn.map(({ name, namespace }) =>
    objectId({ kind: 'HelmRelease', name, namespace: namespace || own }),
  );
}

function configIds(object: KubeObject): readonly string[] {
  const namespace = object.metadata.namespace ?? '';
  const { valuesFrom = [], kubeConfig } = releaseOf(object)?.spec ?? {};
  const values = valuesFrom.map(({ kind, name }) => objectId({ kind, namespace, name }));
  const access = kubeConfig?.secretRef?.name;
  return access === undefined
    ? values
    : [...values, objectId({ kind: 'Secret', namespace, name: access })];
}

/** Flux's Helm resources and the sources that they refer to, kept by watches. */
export class HelmControlState {
  readonly live: LiveState;

  /** `shared` holds the sources whole already; absent: they are watched once more. */
  constructor(client: KubeClient, shared?: LiveState) {
    const own = createLiveState({
      client,
      isManaged: () => true,
      indexes: {
        [SOURCE_INDEX]: sourceIds,
        [DEPENDENCY_INDEX]: dependencyIds,
        [CONFIG_INDEX]: configIds,
      },
    });
    this.live = shared === undefined ? own : withSharedKinds(own, { live: shared, kinds: SHARED });
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

  /** The HelmReleases whose chart is, or is made from, an object; those that wait for one; those that refer to one. */
  releasesBy(
    relation: 'source' | 'dependency' | 'configuration',
    of: { readonly kind: string } & NamedKey,
  ): readonly HelmRelease[] {
    return this.#related('HelmRelease', relation, of).flatMap((object) => {
      const parsed = parseHelmRelease(object);
      return parsed.kind === 'ok' ? [parsed.value] : [];
    });
  }

  /** The HelmCharts of a source. */
  chartsOf(of: { readonly kind: string } & NamedKey): readonly KubeObject[] {
    return this.#related('HelmChart', 'source', of);
  }

  #related(
    kind: string,
    relation: 'source' | 'dependency' | 'configuration',
    of: { readonly kind: string } & NamedKey,
  ): readonly KubeObject[] {
    return this.live
      .byIndex(INDEXES[relation], objectId(of))
      .filter(({ key }) => key.kind === kind)
      .map((object) => object.read());
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
