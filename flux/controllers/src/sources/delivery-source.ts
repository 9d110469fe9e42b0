import type { SourceSpec } from '@capstan/engine-source';
import { type Artifact, ORIGIN_REVISION, SOURCE_GROUP } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';
import {
  type ControlState,
  type NamedKey,
  requireGitRepository,
  SOURCE_KINDS,
} from '../control-state.ts';
import type { CloudIdentities } from '../identity/cloud-identities.ts';
import { commitOf } from '../to-source.ts';
import { artifactSource, gitSourceOf } from './git-repositories.ts';

/** What a delivery is made from: a source's present artifact; or why there is none. */
export type DeliverySource =
  | {
      readonly kind: 'found';
      readonly revision: string;
      readonly originRevision?: string;
      readonly spec: SourceSpec;
    }
  | { readonly kind: 'missing'; readonly message: string };

/**
 * The artifact of a source as the engine takes it. A commit is read from the repository's own objects, where a change costs
 * what it changes; whatever else is an artifact is read as the archive that it is.
 */
export async function deliverySource(
  { kind, namespace, name }: NamedKey & { readonly kind: string },
  {
    control,
    client,
    identities,
    signal,
  }: {
    readonly control: ControlState;
    readonly client: KubeClient;
    readonly identities: CloudIdentities;
    readonly signal: AbortSignal;
  },
): Promise<DeliverySource> {
  if (!(SOURCE_KINDS as readonly string[]).includes(kind)) {
    throw new CapstanError('SPEC_UNSUPPORTED', `spec.sourceRef.kind: ${kind} is not fetched`, {
      hint: `use one of ${SOURCE_KINDS.join(', ')}`,
    });
  }
  const object = control.source(kind, { namespace, name });
  const place = `${kind}/${namespace}/${name}`;
  if (object === undefined)
    return { kind: 'missing', message: `${kind}.${SOURCE_GROUP} "${name}" not found` };
  const artifact = artifactOf(object['status']);
  if (artifact === undefined) {
    return { kind: 'missing', message: `Source artifact not found: ${place} is not ready` };
  }
  const { revision } = artifact;
  const originRevision = artifact.metadata?.[ORIGIN_REVISION];
  const told = {
    kind: 'found' as const,
    revision,
    ...(originRevision === undefined ? {} : { originRevision }),
  };
  if (kind !== 'GitRepository') {
    return {
      ...told,
      spec: artifactSource(kind, `${namespace}/${name}`, artifact),
    };
  }
  const repository = requireGitRepository(object);
  const commit = commitOf(revision);
  if ((repository.spec.include?.length ?? 0) > 0 || !COMMIT.test(commit)) {
    return {
      ...told,
      spec: artifactSource(kind, `${namespace}/${name}`, artifact),
    };
  }
  const spec = await gitSourceOf(repository, { client, namespace, signal }, identities);
  const pinned = { kind: 'commit', commit } as const;
  return { ...told, spec: { ...spec, revision: pinned } };
}

/** Another controller may have named what it stored as it liked. */
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

function artifactOf(status: unknown): Artifact | undefined {
  const { artifact } = (status ?? {}) as { readonly artifact?: Artifact };
  return typeof artifact?.revision === 'string' && typeof artifact.url === 'string'
    ? artifact
    : undefined;
}
