import {
  type ArtifactGenerator,
  type Bucket,
  EXTENSIONS_GROUP,
  type GitRepository,
  KUSTOMIZE_GROUP,
  type Kustomization,
  type OCIRepository,
  type Parsed,
  parseArtifactGenerator,
  parseBucket,
  parseGitRepository,
  parseKustomization,
  parseOCIRepository,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import {
  createLiveState,
  type KubeClient,
  type LiveChange,
  type LiveState,
  withSharedKinds,
} from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

/** The sources that are kept and that deliveries may stand on. */
export const SOURCE_KINDS = [
  'GitRepository',
  'OCIRepository',
  'Bucket',
  'ExternalArtifact',
] as const;

const KINDS = [
  ...SOURCE_KINDS.map((kind) => ({ group: SOURCE_GROUP, kind })),
  { group: SOURCE_GROUP, kind: 'HelmChart' },
  { group: KUSTOMIZE_GROUP, kind: 'Kustomization' },
  { group: EXTENSIONS_GROUP, kind: 'ArtifactGenerator' },
];

export interface NamedKey {
  readonly namespace: string;
  readonly name: string;
}

/** Flux's own resources, kept by watches. */
export class ControlState {
  readonly live: LiveState;

  /** `shared` holds these kinds whole already; absent: they are watched once more. */
  constructor(client: KubeClient, shared?: LiveState) {
    const own = createLiveState({ client, isManaged: () => true });
    const kinds = new Set(KINDS.map(({ group, kind }) => `${group}/${kind}`));
    this.live = shared === undefined ? own : withSharedKinds(own, { live: shared, kinds });
  }

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const [missed] = await this.live.ensure(KINDS, { signal });
    if (missed !== undefined) throw missed.error;
  }

  source(kind: string, key: NamedKey): KubeObject | undefined {
    return this.live.get({ group: SOURCE_GROUP, kind, ...key })?.read();
  }

  kustomization(key: NamedKey): KubeObject | undefined {
    return this.live.get({ group: KUSTOMIZE_GROUP, kind: 'Kustomization', ...key })?.read();
  }

  kustomizations(): readonly Kustomization[] {
    return this.live.list({ group: KUSTOMIZE_GROUP, kind: 'Kustomization' }).flatMap((object) => {
      const parsed = parseKustomization(object.read());
      return parsed.kind === 'ok' ? [parsed.value] : [];
    });
  }

  generator(key: NamedKey): KubeObject | undefined {
    return this.live.get({ group: EXTENSIONS_GROUP, kind: 'ArtifactGenerator', ...key })?.read();
  }

  generators(): readonly ArtifactGenerator[] {
    const kind = { group: EXTENSIONS_GROUP, kind: 'ArtifactGenerator' };
    return this.live.list(kind).flatMap((object) => {
      const parsed = parseArtifactGenerator(object.read());
      return parsed.kind === 'ok' ? [parsed.value] : [];
    });
  }

  keys(kind: string, group: string): readonly NamedKey[] {
    return this.live.list({ group, kind }).map(({ key }) => key);
  }
}

export function requireGitRepository(object: KubeObject): GitRepository {
  return requireParsed(parseGitRepository(object), object);
}

export function requireOCIRepository(object: KubeObject): OCIRepository {
  return requireParsed(parseOCIRepository(object), object);
}

export function requireBucket(object: KubeObject): Bucket {
  return requireParsed(parseBucket(object), object);
}

export function requireKustomization(object: KubeObject): Kustomization {
  return requireParsed(parseKustomization(object), object);
}

export function requireParsed<T>(parsed: Parsed<T>, object: KubeObject): T {
  if (parsed.kind === 'ok') return parsed.value;
  throw new CapstanError('SPEC_INVALID', `${parsed.field} ${parsed.message}`, {
    hint: `correct the ${object.kind} ${object.metadata.name}`,
  });
}

/** Whether a change asks for a reconcile of the object itself: not the writing of its status. */
export function isWanted({ before, after }: LiveChange): boolean {
  if (before === undefined || after === undefined) return true;
  const [was, is] = [before.read(), after.read()];
  const { finalizers: kept = [] } = is.metadata;
  // One that was added is our own; one that was taken away has to come back.
  const isReleased = was.metadata.finalizers?.some((name) => !kept.includes(name)) === true;
  return isReleased || outline(was) !== outline(is);
}

function outline(object: KubeObject): string {
  const { annotations, labels, deletionTimestamp, uid } = object.metadata;
  return JSON.stringify([uid, annotations, labels, deletionTimestamp, object['spec']]);
}
