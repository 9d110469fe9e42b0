/** The chart that a HelmRelease refers to: whether its source is ready, and what its artifact holds. */
import {
  type Artifact,
  type HelmRelease,
  SOURCE_GROUP,
  type SourceStatus,
} from '@capstan/flux-api';
import {
  checkReference,
  checkSourceKind,
  type FluxSettings,
  type Tenancy,
} from '@capstan/flux-controllers';
import type { Chart } from '@capstan/kube-helm';
import type { KubeObject } from '@capstan/kube-object';
import { compareVersions, parseVersion, type Version } from '@capstan/lib-semver';
import { CapstanError } from '@capstan/lib-std';
import type { HelmControlState } from './control-state.ts';
import { deniedText, formatName, sourceOf } from './names.ts';

export interface ChartSource extends KubeObject {
  readonly status: SourceStatus;
}

/** Throws ACCESS_DENIED, or SOURCE_MISSING with what client-go says. */
export function findSource(
  release: HelmRelease,
  {
    control,
    tenancy,
    settings = {},
  }: {
    readonly control: HelmControlState;
    readonly tenancy: Tenancy;
    readonly settings?: FluxSettings;
  },
): ChartSource {
  const place = placeOf(release);
  checkReference(place, release.metadata.namespace ?? '', tenancy, deniedText);
  checkSourceKind(place, settings);
  const found = control.find(place.kind, place);
  if (found !== undefined) return withStatusOf(found);
  const message = `${place.kind}.${SOURCE_GROUP} "${place.name}" not found`;
  throw new CapstanError('SOURCE_MISSING', message, { kind: 'retry' });
}

/** A template's chart is where the status says that it was put. */
function placeOf(release: HelmRelease) {
  const place = sourceOf(release) ?? { kind: 'HelmChart', namespace: '', name: '' };
  if (release.spec.chartRef !== undefined) return place;
  const [namespace = '', name = ''] = (release.status.helmChart ?? '').split('/');
  return { kind: 'HelmChart', namespace, name };
}

function withStatusOf(object: KubeObject): ChartSource {
  const status = object['status'];
  const fields = typeof status === 'object' && status !== null && !Array.isArray(status);
  return { ...object, status: fields ? (status as SourceStatus) : {} };
}

/** Why a source cannot be used yet; undefined when it can. */
export function unreadyReason(source: ChartSource): string | undefined {
  const { kind, metadata, status } = source;
  const { namespace = '', name = '' } = metadata;
  const say = (why: string): string =>
    `${kind} '${formatName({ namespace, name })}' is not ready: ${why}`;
  const condition = (type: string) => status.conditions?.find((one) => one.type === type);
  const nothing = say('does not have an artifact');
  if (kind === 'ExternalArtifact') return status.artifact === undefined ? nothing : undefined;
  if ((status.observedGeneration ?? 0) !== (metadata.generation ?? 0)) {
    const ready = condition('Ready');
    return say(
      ready?.status === 'False'
        ? ready.message
        : 'latest generation of object has not been reconciled',
    );
  }
  const stalled = condition('Stalled');
  if (stalled?.status === 'True' && condition('Reconciling')?.status !== 'True') {
    return say(stalled.message);
  }
  return status.artifact === undefined ? nothing : undefined;
}

export interface DatedChart {
  readonly chart: Chart;
  /** Digest of the OCI artifact; '' for charts that have a version alone. */
  readonly ociDigest: string;
}

/**
 * The chart with a part of the source's digest in its version, where the source is known by digest: so that a tag which
 * moves is noticed; the digest alone where versions are kept. Throws CHART_REVISION when tag and chart do not agree.
 */
export function dateChart(
  given: Chart,
  source: ChartSource,
  { keepsChartVersions = false }: FluxSettings = {},
): DatedChart {
  const { chart, ociDigest } = withDigest(given, source);
  return { chart: keepsChartVersions ? given : chart, ociDigest };
}

function withDigest(chart: Chart, source: ChartSource): DatedChart {
  const revision = source.status.artifact?.revision ?? '';
  const isDigested =
    source.kind === 'OCIRepository' ||
    (source.kind === 'ExternalArtifact' && revision.includes(':'));
  if (!isDigested) return { chart, ociDigest: '' };
  const version = tryVersion(chart.metadata.version);
  if (version === undefined) throw revisionError(`invalid chart version ${chart.metadata.version}`);
  const [first = '', digest] = revision.split('@');
  const tag = tryVersion(digest === undefined ? revision : first.replaceAll('_', '+'));
  if (tag === undefined) return { chart: withBuild(chart, version, revision), ociDigest: revision };
  if (digest === undefined || compareVersions(tag, version) !== 0) {
    throw revisionError(
      `artifact revision ${first} does not match chart version ${chart.metadata.version}`,
    );
  }
  return { chart: withBuild(chart, version, digest), ociDigest: digest };
}

function tryVersion(text: string): Version | undefined {
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}

function withBuild(
  chart: Chart,
  { major, minor, patch, prerelease }: Version,
  revision: string,
): Chart {
  const [, hash = '', more] = revision.split(':');
  if (more !== undefined || hash.length < 12) {
    throw revisionError(`invalid artifact revision ${revision}`);
  }
  const before = prerelease === '' ? '' : `-${prerelease}`;
  const version = `${major}.${minor}.${patch}${before}+${hash.slice(0, 12)}`;
  return { ...chart, metadata: { ...chart.metadata, version } };
}

function revisionError(message: string): CapstanError {
  return new CapstanError('CHART_REVISION', message, { kind: 'retry' });
}

/** The digest in a revision: `1.2.3@sha256:…` or the digest itself. */
export function digestOf(revision: string): string {
  const [first = '', digest, more] = revision.split('@');
  if (digest === undefined) return first;
  return more === undefined ? digest : '';
}

/** Whether a release has already been tried with what its source now offers. */
export function isKnown(release: HelmRelease, kind: string, artifact: Artifact): boolean {
  const { lastAttemptedRevision = '', lastAttemptedRevisionDigest = '' } = release.status;
  const { revision } = artifact;
  if (kind === 'HelmChart') return revision === lastAttemptedRevision;
  if (kind === 'ExternalArtifact' && !revision.includes(':'))
    return revision === lastAttemptedRevision;
  return digestOf(revision) === lastAttemptedRevisionDigest;
}
