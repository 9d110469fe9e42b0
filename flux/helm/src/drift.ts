/** Finds where the cluster differs from what a release holds, and brings it back. */
import { takeOverPatch } from '@capstan/engine-apply';
import { matchesPattern, matchesSelector } from '@capstan/engine-diff';
import type { FormerManager } from '@capstan/engine-sync';
import { HELM_GROUP, type HelmRelease } from '@capstan/flux-api';
import { compareKeys } from '@capstan/flux-controllers';
import type { KubeClient } from '@capstan/kube-client';
import { type Release, releaseObjects, serverMessage } from '@capstan/kube-helm';
import { applyJsonPatch } from '@capstan/kube-merge';
import { type Json, type JsonObject, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import {
  type DriftReport,
  hasDrift,
  type JsonPatchOperation,
  type ObjectDrift,
  objectText,
} from './drift-report.ts';
import { jsonDifference } from './json-difference.ts';
import { FIELD_MANAGER } from './to-release-options.ts';

const EXCLUDED_KEY = `${HELM_GROUP}/driftDetection`;

type IgnoreRules = NonNullable<NonNullable<HelmRelease['spec']['driftDetection']>['ignore']>;

export interface DriftPorts {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  /** Managers whose fields become the release's own beforehand (`--override-manager`). */
  readonly formerManagers?: readonly FormerManager[];
}

/**
 * Asks the server, by a dry run for each object of the revision, whether applying it would change anything but what the
 * ignore rules leave aside. Throws when nothing could be told; a partial answer with drift in it counts.
 */
export async function findDrift(
  record: Release,
  ignore: IgnoreRules,
  ports: DriftPorts,
): Promise<DriftReport> {
  const report: ObjectDrift[] = [];
  const problems: string[] = [];
  for (const object of await releaseObjects(record, ports.client)) {
    try {
      report.push(await compare(object, ignoredPaths(object, ignore), ports));
    } catch (error) {
      ports.signal.throwIfAborted();
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
  { client, signal, formerManagers = [] }: DriftPorts,
): Promise<ObjectDrift> {
  if (isExcluded(object) || ignored.includes('')) return { kind: 'excluded', object };
  const { apiVersion, kind, metadata } = object;
  const { name = '', namespace = '' } = metadata;
  const ref = { apiVersion, kind, name, namespace };
  let live = await client.find(ref, { signal });
  if (live !== undefined && isExcluded(live)) return { kind: 'excluded', object };
  const hand = { from: formerManagers, to: FIELD_MANAGER };
  const taken = live === undefined ? undefined : takeOverPatch(live, hand);
  if (taken !== undefined) live = await client.patch(ref, taken, { type: 'json', signal });
  const options = { fieldManager: FIELD_MANAGER, force: true, dryRun: true, signal };
  const predicted = await client.apply(object, options);
  if (live === undefined) return { kind: 'missing', object };
  const patch = [
    ...marksDifference(live, predicted, ignored),
    ...jsonDifference(content(live, ignored), content(predicted, ignored)),
  ];
  return patch.length === 0 ? { kind: 'same', object } : { kind: 'changed', object, patch };
}

/** Labels and annotations that others add are no drift, and metadata is never replaced as a whole: it holds more than these. */
function marksDifference(
  live: KubeObject,
  predicted: KubeObject,
  ignored: readonly string[],
): readonly JsonPatchOperation[] {
  const marks = (object: KubeObject, field: 'labels' | 'annotations'): JsonObject | undefined => {
    const own = object.metadata[field];
    const kept = own && ignored.reduce(without, { metadata: { [field]: own } });
    const metadata = kept?.['metadata'];
    return (metadata as Readonly<Record<string, JsonObject>> | undefined)?.[field];
  };
  return (['annotations', 'labels'] as const).flatMap((field) => {
    const [from, to] = [marks(live, field), marks(predicted, field)];
    const path = `/metadata/${field}`;
    if (to === undefined) return [];
    if (from === undefined) return [{ op: 'add' as const, path, value: to }];
    return jsonDifference(from, to, path).filter(({ op }) => op !== 'remove');
  });
}

/** What counts of an object beside its labels and annotations: all but metadata and status. */
function content(object: KubeObject, ignored: readonly string[]): JsonObject {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return ignored.reduce(without, rest);
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
  for (const drift of inOrder(report)) {
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
      const isPatch = drift.kind === 'changed';
      const text = isPatch ? patchProblem(object, error) : serverMessage(error);
      problems.push(`${objectText(object)} ${isPatch ? 'patch' : 'creation'} failure: ${text}`);
    }
  }
  return { changes, problems };
}

/** What is missing first, in the order in which kinds need each other, then what has changed. */
function inOrder(report: DriftReport): DriftReport {
  const keyOf = ({ object: { apiVersion, kind, metadata } }: ObjectDrift) => {
    const { name = '', namespace = '' } = metadata;
    return { group: parseApiVersion(apiVersion).group, kind, namespace, name };
  };
  const of = (kind: ObjectDrift['kind']): DriftReport =>
    report
      .filter((drift) => drift.kind === kind)
      .toSorted((a, b) => compareKeys(keyOf(a), keyOf(b)));
  return [...of('missing'), ...of('changed')];
}

/** What the server says of a patch of a Secret may hold its values: only the last part is told. */
function patchProblem(object: KubeObject, error: unknown): string {
  const text = serverMessage(error);
  return object.kind === 'Secret' ? text.slice(text.lastIndexOf(':') + 1).trim() : text;
}
