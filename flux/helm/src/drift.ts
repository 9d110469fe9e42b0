/** Finds where the cluster differs from what a release holds, and brings it back. */

import { matchesPattern, matchesSelector } from '@capstan/engine-diff';
import { HELM_GROUP, type HelmRelease } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import { type Release, releaseObjects, serverMessage } from '@capstan/kube-helm';
import { applyJsonPatch } from '@capstan/kube-merge';
import { type Json, type JsonObject, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { type DriftReport, hasDrift, type ObjectDrift, objectText } from './drift-report.ts';
import { jsonDifference } from './json-difference.ts';
import { FIELD_MANAGER } from './to-release-options.ts';

const EXCLUDED_KEY = `${HELM_GROUP}/driftDetection`;

type IgnoreRules = NonNullable<NonNullable<HelmRelease['spec']['driftDetection']>['ignore']>;

/**
 * Asks the server, by a dry run for each object of the revision, whether applying it would change anything but what the
 * ignore rules leave aside. Throws when nothing could be told; a partial answer with drift in it counts.
 */
export async function findDrift(
  record: Release,
  ignore: IgnoreRules,
  { client, signal }: { readonly client: KubeClient; readonly signal: AbortSignal },
): Promise<DriftReport> {
  const report: ObjectDrift[] = [];
  const problems: string[] = [];
  for (const object of await releaseObjects(record, client)) {
    try {
      report.push(await compare(object, ignoredPaths(object, ignore), { client, signal }));
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`${objectText(object)} dry-run failed: ${serverMessage(error)}`);
    }
  }
  if (problems.length > 0 && !hasDrift(report)) {
    const message = `unable to determine cluster state: ${problems.join(', ')}`;
    throw new CapstanError('DRIFT_UNKNOWN', message, { kind: 'retry' });
  }
  return report;
}

async function compare(
  object: KubeObject,
  ignored: readonly string[],
  { client, signal }: { readonly client: KubeClient; readonly signal: AbortSignal },
): Promise<ObjectDrift> {
  if (isExcluded(object) || ignored.includes('')) return { kind: 'excluded', object };
  const { apiVersion, kind, metadata } = object;
  const { name = '', namespace = '' } = metadata;
  const live = await client.find({ apiVersion, kind, name, namespace }, { signal });
  if (live === undefined) return { kind: 'missing', object };
  if (isExcluded(live)) return { kind: 'excluded', object };
  const predicted = await client.apply(object, {
    fieldManager: FIELD_MANAGER,
    force: true,
    dryRun: true,
    signal,
  });
  const patch = jsonDifference(content(live, ignored), content(predicted, ignored));
  return patch.length === 0 ? { kind: 'same', object } : { kind: 'changed', object, patch };
}

/** What counts of an object: labels, annotations, and all but the rest of metadata and the status. */
function content(object: KubeObject, ignored: readonly string[]): JsonObject {
  const { metadata, status: _status, ...rest } = object;
  const { labels, annotations } = metadata;
  const kept: JsonObject = {
    ...rest,
    metadata: {
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
  return ignored.reduce(without, kept);
}

function without(value: JsonObject, path: string): JsonObject {
  try {
    const patched: Json = applyJsonPatch(value, [{ op: 'remove', path }]);
    return patched as JsonObject;
  } catch {
    return value;
  }
}

function isExcluded({ metadata }: KubeObject): boolean {
  const isOff = (marks: Readonly<Record<string, string>> | undefined): boolean =>
    marks?.[EXCLUDED_KEY]?.toLowerCase() === 'disabled';
  return isOff(metadata.labels) || isOff(metadata.annotations);
}

export function ignoredPaths(object: KubeObject, rules: IgnoreRules): readonly string[] {
  return rules.flatMap(({ paths, target }) => (isTarget(object, target) ? paths : []));
}

function isTarget(
  object: KubeObject,
  target: Readonly<Record<string, string>> | undefined,
): boolean {
  if (target === undefined) return true;
  const { group, version } = parseApiVersion(object.apiVersion);
  const { name = '', namespace = '', labels = {}, annotations = {} } = object.metadata;
  const fields = { group, version, kind: object.kind, name, namespace };
  const fits = Object.entries(fields).every(
    ([field, value]) => !target[field] || matchesPattern(target[field], value, 'regex'),
  );
  return (
    fits &&
    matchesSelector(target['labelSelector'], labels) &&
    matchesSelector(target['annotationSelector'], annotations)
  );
}

export interface Correction {
  /** `Kind/namespace/name created` or `configured`. */
  readonly changes: readonly string[];
  readonly problems: readonly string[];
}

/** Creates what is missing and patches what has changed; what fails is told, the rest is done. */
export async function correctDrift(
  report: DriftReport,
  { client, signal }: { readonly client: KubeClient; readonly signal: AbortSignal },
): Promise<Correction> {
  const changes: string[] = [];
  const problems: string[] = [];
  const options = { fieldManager: FIELD_MANAGER, signal };
  for (const drift of report) {
    const { object } = drift;
    try {
      if (drift.kind === 'missing') {
        await client.create(object, options);
        changes.push(`${objectText(object)} created`);
      } else if (drift.kind === 'changed') {
        const { apiVersion, kind, metadata } = object;
        const { name = '', namespace = '' } = metadata;
        const ref = { apiVersion, kind, name, namespace };
        await client.patch(ref, drift.patch as unknown as Json, { ...options, type: 'json' });
        changes.push(`${objectText(object)} configured`);
      }
    } catch (error) {
      signal.throwIfAborted();
      const doing = drift.kind === 'missing' ? 'creation' : 'patch';
      problems.push(`${objectText(object)} ${doing} failure: ${problemText(object, error)}`);
    }
  }
  return { changes, problems };
}

/** What the server says of a Secret may hold its values: only the last part is told. */
function problemText(object: KubeObject, error: unknown): string {
  const text = serverMessage(error);
  return object.kind === 'Secret' ? text.slice(text.lastIndexOf(':') + 1).trim() : text;
}
