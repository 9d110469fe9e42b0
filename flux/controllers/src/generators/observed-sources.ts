import { createHash } from 'node:crypto';
import { type Artifact, type ArtifactGenerator, ORIGIN_REVISION } from '@capstan/flux-api';
import { CapstanError } from '@capstan/lib-std';
import type { ControlState } from '../control-state.ts';

/** The artifact that a source has. */
export interface ObservedSource {
  readonly artifact: Artifact;
}

const KINDS: readonly string[] = [
  'OCIRepository',
  'GitRepository',
  'Bucket',
  'HelmChart',
  'ExternalArtifact',
];

/** By alias. Throws when one is missing or has no artifact yet. */
export function observeSources(
  { spec, metadata }: ArtifactGenerator,
  control: ControlState,
): ReadonlyMap<string, ObservedSource> {
  const observed = new Map<string, ObservedSource>();
  for (const { alias, kind, name, namespace: given } of spec.sources) {
    if (!KINDS.includes(kind)) throw missing(`source \`${name}\` kind '${kind}' not supported`);
    const namespace = given || (metadata.namespace ?? '');
    const source = control.source(kind, { namespace, name });
    if (source === undefined) {
      const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
      throw missing(`${plural.toLowerCase()}.source.toolkit.fluxcd.io "${name}" not found`);
    }
    const artifact = (source['status'] as { readonly artifact?: Artifact } | undefined)?.artifact;
    if (artifact === undefined) {
      throw missing(`source '${kind}/${namespace}/${name}' is not ready`);
    }
    observed.set(alias, { artifact });
  }
  return observed;
}

/** `status.observedSourcesDigest`, as source-watcher computes it, so that each takes over from the other without a build. */
export function hashSources(observed: ReadonlyMap<string, ObservedSource>): string {
  const parts = [...observed].map(([alias, { artifact }]) => {
    const { digest, revision, url } = artifact;
    return `${alias}=[digest=${digest},revision=${revision},url=${url}]`;
  });
  const text = parts.toSorted((a, b) => (a < b ? -1 : 1)).join('|');
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** The metadata that tells where an artifact came from in the first place. */
export function originRevision({ artifact }: ObservedSource): Readonly<Record<string, string>> {
  return { [ORIGIN_REVISION]: artifact.metadata?.[ORIGIN_REVISION] || artifact.revision };
}

function missing(message: string): CapstanError {
  return new CapstanError('SOURCE_MISSING', message, { kind: 'wait' });
}
