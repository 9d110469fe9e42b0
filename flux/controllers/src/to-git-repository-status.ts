import type { SnapshotRevision } from '@capstan/engine-source';
import type { Artifact, GitRepository, GitRepositoryStatus } from '@capstan/flux-api';
import type { CapstanError } from '@capstan/lib-std';
import { type NewCondition, setConditions } from './conditions.ts';
import { formatTime } from './durations.ts';
import { formatRevision } from './to-source.ts';

export interface FetchedState {
  /** The last state that could be read; absent when there is none at hand. */
  readonly snapshot?: { readonly revision: SnapshotRevision; readonly digest: string };
  /** Why the remote could not be read when it was last asked. */
  readonly error?: CapstanError;
}

export interface RaisingContext {
  readonly nowMs: number;
  readonly handledReconcileAt: string | undefined;
}

/** The status that Flux's source-controller would write. Pure. An artifact stays while its remote cannot be read. */
export function toGitRepositoryStatus(
  repository: GitRepository,
  { snapshot, error }: FetchedState,
  { nowMs, handledReconcileAt }: RaisingContext,
): GitRepositoryStatus {
  const { status, metadata, spec } = repository;
  const { generation = 0 } = metadata;
  const artifact =
    snapshot === undefined ? status.artifact : toArtifact(repository, snapshot, nowMs);
  const handled = handledReconcileAt ?? status.lastHandledReconcileAt;
  const conditions = error === undefined ? succeeded(artifact) : failed(error, artifact);
  return {
    ...(artifact === undefined ? {} : { artifact }),
    conditions: setConditions(status.conditions ?? [], conditions, { generation, nowMs }),
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    observedGeneration:
      error === undefined || error.kind === 'stalled'
        ? generation
        : (status.observedGeneration ?? -1),
  };
}

export function toArtifact(
  { metadata, status, spec }: GitRepository,
  snapshot: NonNullable<FetchedState['snapshot']>,
  nowMs: number,
): Artifact {
  // A reference by full name is told by that name.
  const name = spec.ref?.name ?? snapshot.revision.name;
  const revision = formatRevision({
    id: snapshot.revision.id,
    name: spec.ref?.commit && !spec.ref.branch ? '' : name,
  });
  const digest = toDigest(snapshot.digest);
  const known = status.artifact;
  if (known?.revision === revision && known.digest === digest) return known;
  const { namespace = '', name: own = '' } = metadata;
  const path = `gitrepository/${namespace}/${own}/${snapshot.revision.id}.tar.gz`;
  return {
    digest,
    lastUpdateTime: formatTime(nowMs),
    path,
    revision,
    url: `http://source-controller.${namespace}.svc.cluster.local./${path}`,
  };
}

function toDigest(digest: string): string {
  return digest.includes(':') ? digest : `sha256:${digest}`;
}

function succeeded(artifact: Artifact | undefined): readonly NewCondition[] {
  const message = `stored artifact for revision '${artifact?.revision ?? ''}'`;
  return [
    { type: 'Ready', status: 'True', reason: 'Succeeded', message },
    { type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message },
  ];
}

function failed(error: CapstanError, artifact: Artifact | undefined): readonly NewCondition[] {
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  const message = `${error.message}${hint}`;
  const reason = reasonOf(error);
  const isStalled = reason === 'URLInvalid' || reason === 'Unsupported';
  return [
    ...(isStalled
      ? [{ type: 'Stalled', status: 'True' as const, reason, message }]
      : [
          { type: 'Reconciling', status: 'True' as const, reason: 'ProgressingWithRetry', message },
        ]),
    { type: 'Ready', status: 'False', reason, message },
    { type: 'FetchFailed', status: 'True', reason, message },
    ...(artifact === undefined ? [] : succeeded(artifact).slice(1)),
  ];
}

function reasonOf({ code }: CapstanError): string {
  if (/AUTH|CREDENTIAL|SECRET|FORBIDDEN|HOST_KEY/.test(code)) return 'AuthenticationFailed';
  if (code === 'URL_INVALID') return 'URLInvalid';
  return code === 'SOURCE_UNSUPPORTED' ? 'Unsupported' : 'GitOperationFailed';
}
