import type { Artifact } from '@capstan/flux-api';
import type { EventRecorder } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import type { ArtifactPort } from './artifact-port.ts';

/**
 * The artifact of a status with the URL that it has today; undefined when it is lost or damaged. A damaged one is told as
 * source-controller does, and made again by whoever asks.
 */
export async function soundArtifact(
  object: KubeObject & { readonly status: { readonly artifact?: Artifact } },
  {
    artifacts,
    events,
  }: {
    readonly artifacts: Pick<ArtifactPort, 'verify' | 'urlOf'>;
    readonly events: EventRecorder;
  },
): Promise<Artifact | undefined> {
  const { apiVersion, kind, metadata, status } = object;
  const { artifact } = status;
  if (artifact === undefined) return undefined;
  const found = await artifacts.verify(artifact);
  if (found === 'sound') return { ...artifact, url: artifacts.urlOf(artifact.path) };
  if (found === 'damaged') {
    const why = artifact.digest
      ? `computed digest doesn't match '${artifact.digest}'`
      : 'artifact has no digest';
    events.record({
      object: { apiVersion, kind, metadata },
      type: 'Warning',
      reason: 'ArtifactVerificationFailed',
      message: `failed to verify integrity of artifact: ${why}`,
    });
  }
  return undefined;
}
