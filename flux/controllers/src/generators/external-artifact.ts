import {
  type Artifact,
  type ArtifactGenerator,
  type Condition,
  GENERATOR_LABEL,
  type GeneratedArtifact,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';
import { setConditions } from '../conditions.ts';
import type { ArtifactPort } from '../sources/artifact-port.ts';
import type { ArtifactRequest } from './path-pattern.ts';

export interface ExternalArtifactPorts {
  readonly client: KubeClient;
  readonly artifacts: ArtifactPort;
  readonly clock: Clock;
}

/** Who writes, and who is told as `app.kubernetes.io/managed-by`. */
export const GENERATOR_MANAGER = 'source-watcher';

/** Applies the ExternalArtifact of an artifact and its status; answers it as it stands then. */
export async function tellExternalArtifact(
  { apiVersion, metadata, spec }: ArtifactGenerator,
  made: { readonly request: ArtifactRequest; readonly artifact: Artifact },
  { client, clock }: ExternalArtifactPorts,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { labels, annotations } = spec.commonMetadata ?? {};
  const { name = '', namespace = '', uid = '' } = metadata;
  const options = { fieldManager: GENERATOR_MANAGER, signal };
  const base = { apiVersion: `${SOURCE_GROUP}/v1`, kind: 'ExternalArtifact' };
  const named = { name: made.request.output.name, namespace };
  const applied = await client.apply(
    {
      ...base,
      metadata: {
        ...named,
        labels: {
          ...labels,
          ...made.request.labels,
          'app.kubernetes.io/managed-by': GENERATOR_MANAGER,
          [GENERATOR_LABEL]: uid,
        },
        ...(annotations === undefined ? {} : { annotations }),
      },
      spec: { sourceRef: { apiVersion, kind: 'ArtifactGenerator', name, namespace } },
    },
    { ...options, force: true },
  );
  const known = applied['status'] as
    | { readonly artifact?: Artifact; readonly conditions?: readonly Condition[] }
    | undefined;
  const { generation = 0 } = applied.metadata;
  const conditions = setConditions(
    known?.conditions ?? [],
    [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: 'Artifact is ready' }],
    { generation, nowMs: clock.now() },
  );
  const artifact = isSame(known?.artifact, made.artifact) ? known?.artifact : made.artifact;
  const status = { artifact: artifact ?? made.artifact, conditions };
  return await client.apply(
    { ...base, metadata: named, status },
    { ...options, force: true, subresource: 'status' },
  );
}

/** But for the time. */
function isSame(known: Artifact | undefined, { lastUpdateTime, ...made }: Artifact): boolean {
  if (known === undefined) return false;
  const text = ({ digest, path, revision, url, size, metadata }: typeof made) =>
    JSON.stringify([digest, path, revision, url, size, metadata]);
  return text(known) === text(made);
}

/** Removes an ExternalArtifact and its files. */
export async function removeExternalArtifact(
  { namespace, name }: GeneratedArtifact,
  { client, artifacts }: ExternalArtifactPorts,
  signal: AbortSignal,
): Promise<void> {
  await artifacts.removeAll({ kind: 'ExternalArtifact', namespace, name });
  try {
    const ref = { apiVersion: `${SOURCE_GROUP}/v1`, kind: 'ExternalArtifact', namespace, name };
    await client.delete(ref, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
