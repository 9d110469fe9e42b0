import {
  groupVersionKindOf,
  type Json,
  type KubeObject,
  keyOf,
  keyString,
  type ObjectKey,
} from '@capstan/kube-object';
import { type Diagnostic, messageOf } from '@capstan/lib-std';
import { compareValues, type RawDifference } from './compare-values.ts';
import { formatPath } from './field-path.ts';
import { applyIgnoreRules, ownIgnoreRules } from './ignore-rules.ts';
import { asTyped } from './known-types.ts';
import { findAbandoned, isOurs, ownerOf } from './managed-fields.ts';
import { isSecret, isSensitive } from './mask-secrets.ts';
import { isAggregated, normalizeDesired, withLastApplied, withoutRules } from './normalize.ts';
import type {
  CompareOptions,
  DesiredObject,
  Diff,
  DiffEntry,
  FieldDifference,
  LiveView,
} from './types.ts';

/**
 * Compares all desired objects with the live ones, and names the live ones in `owned` that are no longer desired as
 * extra. Desired keys must be unique. The result is ordered by key and does not depend on the order of the input;
 * cost is linear in the size of the objects.
 */
export function diffState(
  desired: readonly DesiredObject[],
  live: LiveView & { readonly owned: readonly KubeObject[] },
  options: CompareOptions,
): { readonly diff: Diff; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const entries = new Map<string, DiffEntry>();
  for (const object of desired) {
    const key = keyOf(object.object);
    const compared = compareObject(object, live.get(key, object.object.apiVersion), options);
    diagnostics.push(...compared.diagnostics);
    entries.set(keyString(key), compared.entry);
  }
  for (const object of live.owned) {
    const key = keyOf(object);
    if (!entries.has(keyString(key))) entries.set(keyString(key), extra(key, object));
  }
  const ordered = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  return { diff: { entries: ordered }, diagnostics };
}

/** Compares one object. What cannot be compared is `unknown` with a reason; nothing is thrown. */
export function compareObject(
  desired: DesiredObject,
  live: KubeObject | undefined,
  options: CompareOptions,
): { readonly entry: DiffEntry; readonly diagnostics: readonly Diagnostic[] } {
  const key = keyOf(desired.object);
  if (live === undefined) {
    return { entry: { key, verdict: 'missing', desired, differences: [] }, diagnostics: [] };
  }
  const unknown = (reason: string): DiffEntry => ({
    key,
    verdict: 'unknown',
    desired,
    live,
    differences: [],
    reason,
  });
  if (live.apiVersion !== desired.object.apiVersion) {
    const reason = `live is known as ${live.apiVersion} only, desired is ${desired.object.apiVersion}`;
    return { entry: unknown(reason), diagnostics: [] };
  }
  try {
    const { differences, diagnostics } = findDifferences(desired.object, live, options);
    const verdict = differences.length === 0 ? 'same' : 'different';
    return { entry: { key, verdict, desired, live, differences }, diagnostics };
  } catch (error) {
    return { entry: unknown(messageOf(error)), diagnostics: [] };
  }
}

function findDifferences(desired: KubeObject, live: KubeObject, options: CompareOptions) {
  const kind = groupVersionKindOf(desired);
  const known = options.schemaOf(kind);
  const { ignoreAggregatedRoles: ignoreAggregated = false } = options;
  const wanted = normalizeDesired(desired, {
    ignoreAggregatedRoles: ignoreAggregated,
    keepsStatus: options.comparesStatus?.(kind) === true,
  });
  const types = (options.knownTypes ?? []).filter(
    (one) => one.group === kind.group && one.kind === kind.kind,
  );
  const ignored = applyIgnoreRules(asTyped(wanted, types), asTyped(live, types), {
    rules: [...options.ignore, ...ownIgnoreRules(desired, options.ignoreAnnotation)],
    evaluator: options.evaluator,
  });
  const held = ignoreAggregated && isAggregated(wanted) ? withoutRules(ignored.live) : ignored.live;
  const raw = [
    ...compareValues(ignored.desired, ignored.live, {
      schema: known?.schema,
      builtIn: known?.builtIn ?? false,
      path: [],
    }),
    ...findAbandoned(withLastApplied(ignored.desired, desired), withManagers(held, live), {
      fieldManager: options.fieldManager,
      schema: known?.schema,
    }),
  ];
  // The server takes a blank value for none and fills in its default, which stays ours until somebody else writes it.
  const isBlank = ({ desired: value, path }: RawDifference) =>
    (value === '' || value === 0) &&
    known?.builtIn === true &&
    isOurs(live, path, options.fieldManager);
  // The data of a Secret is bytes: none at all may be written as null.
  const isNoBytes = ({ desired: value, live: held }: RawDifference) =>
    value === '' && held === null && isSecret(live);
  const differences = raw
    .filter((difference) => !isBlank(difference) && !isNoBytes(difference))
    .map((difference) => tell(difference, live, options));
  return { differences, diagnostics: ignored.diagnostics };
}

/** An ignore rule may have cut managedFields away from what is compared; who owns what stays known. */
function withManagers(stripped: KubeObject, live: KubeObject): KubeObject {
  const { managedFields } = live.metadata;
  if (managedFields === undefined) return stripped;
  return { ...stripped, metadata: { ...stripped.metadata, managedFields } };
}

function tell(raw: RawDifference, live: KubeObject, options: CompareOptions): FieldDifference {
  const owner = ownerOf(live, raw.path);
  const hide = isSensitive(live, raw.path, options.sensitiveAnnotations);
  const show = (value: Json, mask: string): Json => (hide ? mask : value);
  return {
    path: formatPath(raw.path),
    ...(raw.desired === undefined ? {} : { desired: show(raw.desired, '++++++++') }),
    ...(raw.live === undefined ? {} : { live: show(raw.live, '+++++++++') }),
    ...owner,
  };
}

function extra(key: ObjectKey, live: KubeObject): DiffEntry {
  return { key, verdict: 'extra', live, differences: [] };
}
