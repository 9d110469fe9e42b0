import type { FieldError, Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { emptiedOf, listAt, objectAt, textAt, valueAt } from '../json.ts';
import { between, forbiddenAt, invalidAt, requiredAt } from './checks.ts';
import { goDiff, goJson, isSameGo } from './go-struct.ts';
import { tolerations } from './scheduling.ts';

/** What an update of a pod may not change, as k8s.io/kubernetes/pkg/apis/core/validation ValidatePodUpdate tells it. */
export function podUpdateErrors(pod: KubeObject, old: KubeObject): FieldError[] {
  const after = objectAt(pod, 'spec');
  const before = objectAt(old, 'spec');
  const errors: FieldError[] = [];
  for (const key of ['containers', 'initContainers']) {
    if (listAt(after, key).length !== listAt(before, key).length) {
      const detail = 'pod updates may not add or remove containers';
      return [...errors, forbiddenAt(`spec.${key}`, detail)];
    }
    errors.push(...imageErrors(after, key));
  }
  const deadline = deadlineErrors(after['activeDeadlineSeconds'], before['activeDeadlineSeconds']);
  errors.push(...deadline.errors);
  if (deadline.ends) return errors;
  errors.push(...tolerationErrors(after, before), ...gateErrors(after, before));
  if (isSameGo(after, before, 'PodSpec')) return errors;
  const munged = withWhatMayChange(after, before);
  errors.push(...(munged.errors ?? []));
  if (isSameGo(munged.spec, before, 'PodSpec')) return errors;
  const difference = goDiff(before, munged.spec, 'PodSpec');
  return [...errors, forbiddenAt('spec', `${SPEC_IS_FIXED}\n${difference}`)];
}

const SPEC_IS_FIXED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function imageErrors(spec: JsonObject, key: string): FieldError[] {
  return listAt(spec, key).flatMap((container, i) => {
    const image = textAt(container, 'image');
    const at = `spec.${key}[${i}].image`;
    if (image === '') return [requiredAt(at)];
    if (image.trim() === image) return [];
    return [invalidAt(at, image, 'must not have leading or trailing whitespace')];
  });
}

const deadlineRange = between(0, 2147483647);

/** A deadline may be set, and then only be brought forward; some problems end the check. */
function deadlineErrors(
  after: Json | undefined,
  before: Json | undefined,
): { readonly errors: readonly FieldError[]; readonly ends: boolean } {
  const at = 'spec.activeDeadlineSeconds';
  if (after === undefined || after === null) {
    if (before === undefined) return { errors: [], ends: false };
    const detail = 'must not update from a positive integer to nil value';
    return { errors: [invalidAt(at, null, detail)], ends: false };
  }
  const outside = deadlineRange(after, at);
  if (outside.length > 0) return { errors: outside, ends: true };
  if (before === undefined || Number(before) >= Number(after)) return { errors: [], ends: false };
  const detail = 'must be less than or equal to previous value';
  return { errors: [invalidAt(at, after, detail)], ends: true };
}

/** Tolerations may be added, and the time of those that evict may change. */
function tolerationErrors(after: JsonObject, before: JsonObject): readonly FieldError[] {
  const timeless = (item: Json): Json => ({ ...objectAt(item), tolerationSeconds: null });
  const now = listAt(after, 'tolerations');
  const kept = listAt(before, 'tolerations').every((item) =>
    now.some((other) => isSameGo(timeless(item), timeless(other), 'Toleration')),
  );
  if (kept) return tolerations([...now], 'spec.tolerations');
  const detail = 'existing toleration can not be modified except its tolerationSeconds';
  return [forbiddenAt('spec.tolerations', detail)];
}

function gateErrors(after: JsonObject, before: JsonObject): FieldError[] {
  const known = new Set(listAt(before, 'schedulingGates').map((gate) => textAt(gate, 'name')));
  const added = new Map<string, number>();
  for (const [i, gate] of listAt(after, 'schedulingGates').entries()) {
    const name = textAt(gate, 'name');
    if (!known.has(name)) added.set(name, i);
  }
  return [...added].map(([name, i]) =>
    forbiddenAt(
      `spec.schedulingGates[${i}].name`,
      `only deletion is allowed, but found new scheduling gate '${name}'`,
    ),
  );
}

interface Munged {
  readonly spec: JsonObject;
  readonly errors?: readonly FieldError[];
}

/** The new spec with the old one's values wherever a change is allowed or has been told already. */
function withWhatMayChange(after: JsonObject, before: JsonObject): Munged {
  const spec: Record<string, Json | undefined> = { ...emptiedOf(after), ...after };
  for (const key of ['containers', 'initContainers']) {
    if (after[key] === undefined) continue;
    const old = listAt(before, key);
    spec[key] = listAt(after, key).map((container, i) => ({
      ...emptiedOf(container),
      ...objectAt(container),
      image: textAt(old[i], 'image'),
    }));
    if (listAt(after, key).length === 0) spec[key] = null;
  }
  for (const key of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) {
    spec[key] = before[key];
  }
  const grace = before['terminationGracePeriodSeconds'];
  if (Number(grace ?? 0) < 0 && spec['terminationGracePeriodSeconds'] === 1) {
    spec['terminationGracePeriodSeconds'] = grace;
  }
  return listAt(before, 'schedulingGates').length === 0 ? { spec } : ofGated(spec, before);
}

/** A pod that waits at a gate may be told more closely where to go. */
function ofGated(spec: JsonObject, before: JsonObject): Munged {
  const made: Record<string, Json | undefined> = { ...spec };
  const errors: FieldError[] = [];
  if (!isSameGo(spec['nodeSelector'], before['nodeSelector'], 'map:string')) {
    const now = objectAt(spec['nodeSelector']);
    const kept = Object.entries(objectAt(before, 'nodeSelector')).every(
      ([key, value]) => now[key] === value,
    );
    if (!kept) {
      const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(invalidAt('spec.nodeSelector', spec['nodeSelector'] ?? null, detail));
    }
    made['nodeSelector'] = before['nodeSelector'];
  }
  const after = valueAt(spec, 'affinity', 'nodeAffinity');
  const old = valueAt(before, 'affinity', 'nodeAffinity');
  if (isSameGo(after, old, '*NodeAffinity')) return { spec: made, errors };
  errors.push(...affinityErrors(after, old));
  made['affinity'] = affinityOf(spec['affinity'], before['affinity'], old);
  return { spec: made, errors };
}

function affinityOf(
  after: Json | undefined,
  before: Json | undefined,
  nodeAffinity: Json | undefined,
): Json | undefined {
  const isGone = after === undefined || after === null;
  if (isGone) return nodeAffinity === undefined ? after : { nodeAffinity };
  const { podAffinity, podAntiAffinity } = objectAt(after);
  if (before === undefined && podAffinity === undefined && podAntiAffinity === undefined) {
    return undefined;
  }
  return { ...objectAt(after), nodeAffinity };
}

const TERMS = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution';

function affinityErrors(after: Json | undefined, before: Json | undefined): FieldError[] {
  const path = ['requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms'];
  const old = listAt(before, ...path);
  const now = listAt(after, ...path);
  if (old.length === 0) return [];
  const at = `${TERMS}.nodeSelectorTerms`;
  if (old.length !== now.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    const shown = goJson(valueAt(after, ...path), '[]NodeSelectorTerm');
    return [{ ...invalidAt(at, [...now], detail), shown }];
  }
  return old.flatMap((term, i) => {
    const other = now[i] ?? null;
    if (hasOnlyAdditions(other, term)) return [];
    const detail = 'only additions are allowed (no mutations or deletions)';
    const shown = goJson(other, 'NodeSelectorTerm');
    return [{ ...invalidAt(`${at}[${i}]`, other, detail), shown }];
  });
}

function hasOnlyAdditions(after: Json, before: Json): boolean {
  const keys = ['matchExpressions', 'matchFields'];
  if (keys.every((key) => listAt(before, key).length === 0)) {
    return keys.every((key) => listAt(after, key).length === 0);
  }
  return keys.every((key) => {
    const old = listAt(before, key);
    return isSameGo(listAt(after, key).slice(0, old.length), [...old], '[]NodeSelectorRequirement');
  });
}
