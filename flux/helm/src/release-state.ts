/**
 * How a release stands to its HelmRelease: Helm's records against the history that was seen, the chart and the values that
 * are wanted, and the tests. Pure; the state of the cluster itself (drift) is asked for afterwards.
 */
import type { HelmRelease, ReleaseSnapshot } from '@capstan/flux-api';
import { isPending, type Release, type Values } from '@capstan/kube-helm';
import type { JsonObject } from '@capstan/kube-object';
import {
  commonMetadataDigest,
  isDigestOf,
  postRenderersDigest,
  releaseDigest,
  valuesDigest,
} from './digests.ts';
import { activeRemediation } from './policies.ts';
import { hasBeenTested, hasTestInPhase, latest } from './snapshots.ts';

export type ReleaseState =
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'unmanaged'; readonly reason: string }
  | { readonly kind: 'out-of-sync'; readonly reason: string }
  | { readonly kind: 'locked'; readonly reason: string }
  | { readonly kind: 'untested' }
  | { readonly kind: 'in-sync' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** `problem` says why it cannot be told. */
  | { readonly kind: 'unknown'; readonly problem: string };

export interface Wanted {
  readonly chart: { readonly name: string; readonly version: string };
  readonly values: Values;
}

const SNAPSHOT_VERSION = 'v2';
const NOT_OBSERVED = 'release not observed to be made for object';

export function judgeRelease(
  release: HelmRelease,
  last: Release | undefined,
  wanted: Wanted,
): ReleaseState {
  if (last === undefined) return { kind: 'absent', reason: 'no release in storage for object' };
  if (isPending(last)) return { kind: 'locked', reason: `release with status '${last.status}'` };
  const seen = latest(release.status.history);
  if (seen === undefined) {
    return last.status === 'uninstalled'
      ? { kind: 'absent', reason: 'found uninstalled release in storage' }
      : { kind: 'unmanaged', reason: 'found existing release in storage' };
  }
  const problem = verifySnapshot(seen, last);
  if (problem !== undefined) return { kind: 'unmanaged', reason: problem };
  switch (last.status) {
    case 'failed':
      return { kind: 'failed', reason: '' };
    case 'uninstalled':
      return { kind: 'absent', reason: 'found uninstalled release in storage' };
    case 'deployed':
      return judgeDeployed(release, { last, seen }, wanted);
    default:
      return {
        kind: 'unknown',
        problem: `unable to determine state for release with status '${last.status}'`,
      };
  }
}

/** Why a record is not what was seen; undefined when it is. Snapshots of older Flux are not compared by digest. */
export function verifySnapshot(seen: ReleaseSnapshot, record: Release): string | undefined {
  if (seen.apiVersion !== SNAPSHOT_VERSION) return undefined;
  if (!/^sha256:[0-9a-f]{64}$/.test(seen.digest)) return 'release digest verification error';
  return releaseDigest(record, seen.ociDigest ?? '') === seen.digest ? undefined : NOT_OBSERVED;
}

function judgeDeployed(
  release: HelmRelease,
  { last, seen }: { readonly last: Release; readonly seen: ReleaseSnapshot },
  { chart, values }: Wanted,
): ReleaseState {
  const metadata = fieldsOf(last.chart['metadata']);
  if (metadata['name'] !== chart.name || metadata['version'] !== chart.version) {
    return { kind: 'out-of-sync', reason: 'release chart changed' };
  }
  if (!isDigestOf(seen.configDigest, values)) {
    return { kind: 'out-of-sync', reason: 'release config values changed' };
  }
  const changed = changedRendering(release);
  if (changed !== undefined) return { kind: 'out-of-sync', reason: changed };
  if (release.spec.test?.enable !== true) return { kind: 'in-sync' };
  if (!hasBeenTested(seen)) return { kind: 'untested' };
  const remediation = activeRemediation(release);
  const counts = remediation !== undefined && !remediation.ignoresTestFailures;
  return counts && hasTestInPhase(seen, 'Failed')
    ? { kind: 'failed', reason: 'release has test in failed phase' }
    : { kind: 'in-sync' };
}

/** Post-renderers and common metadata are part of no record: a new generation is held against what was seen of them. */
function changedRendering({ spec, status, metadata }: HelmRelease): string | undefined {
  if (status.observedGeneration === metadata.generation) return undefined;
  const digests = renderingDigests({ spec });
  if (digests.postRenderers !== (status.observedPostRenderersDigest ?? '')) {
    return 'postrenderers digest has changed';
  }
  return digests.commonMetadata === (status.observedCommonMetadataDigest ?? '')
    ? undefined
    : 'common metadata digest has changed';
}

/** '' for what the spec does not have. */
export function renderingDigests({ spec }: Pick<HelmRelease, 'spec'>): {
  readonly postRenderers: string;
  readonly commonMetadata: string;
} {
  const { postRenderers, commonMetadata } = spec;
  return {
    postRenderers: postRenderers === undefined ? '' : postRenderersDigest(postRenderers),
    commonMetadata: commonMetadata === undefined ? '' : commonMetadataDigest(commonMetadata),
  };
}

/** Whether failures are forgotten because something has changed since the last attempt, or a person asks for it. */
export function mustResetFailures(
  { status, metadata }: HelmRelease,
  { chart, values }: Wanted,
  isResetAsked: boolean,
): boolean {
  if (status.lastAttemptedGeneration !== metadata.generation) return true;
  if ((status.lastAttemptedRevision ?? '') !== chart.version) return true;
  const { lastAttemptedConfigDigest = '', lastAttemptedValuesChecksum = '' } = status;
  if (lastAttemptedConfigDigest !== '' || lastAttemptedValuesChecksum !== '') {
    const digest = lastAttemptedConfigDigest || `sha1:${lastAttemptedValuesChecksum}`;
    const isSame = digest.startsWith('sha256:')
      ? valuesDigest(values) === digest
      : isDigestOf(digest, values);
    if (!isSame) return true;
  }
  return isResetAsked;
}

/**
 * What of the target has changed so that the release has to go from where it was: `storage namespace`, `release namespace`,
 * `release name` or `chart name`.
 */
export function changedTarget(
  { status }: HelmRelease,
  target: {
    readonly storageNamespace: string;
    readonly namespace: string;
    readonly name: string;
    readonly chartName: string;
  },
): string | undefined {
  const seen = latest(status.history);
  if (!status.storageNamespace || seen === undefined) return undefined;
  if (target.storageNamespace !== status.storageNamespace) return 'storage namespace';
  if (target.namespace !== seen.namespace) return 'release namespace';
  if (target.name !== seen.name) return 'release name';
  return target.chartName === seen.chartName ? undefined : 'chart name';
}

function fieldsOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}
