import {
  childDraft,
  type DraftObject,
  draftList,
  draftObjects,
  isDraftObject,
  listAt,
  objectAt,
  textAt,
} from '../json.ts';

/**
 * Brings the values that a new pod's labels have into the selectors of its affinities and spread constraints, where they
 * name the labels only (registry/core/pod's strategy).
 */
export function mergeLabelKeys(pod: DraftObject): void {
  const labels = objectAt(pod, 'metadata', 'labels');
  const spec = childDraft(pod, 'spec');
  const affinity = spec['affinity'];
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const given = isDraftObject(affinity) ? affinity[kind] : undefined;
    if (!isDraftObject(given)) continue;
    for (const preferred of draftObjects(
      given,
      'preferredDuringSchedulingIgnoredDuringExecution',
    )) {
      if (isDraftObject(preferred['podAffinityTerm'])) merge(preferred['podAffinityTerm'], labels);
    }
    for (const term of draftObjects(given, 'requiredDuringSchedulingIgnoredDuringExecution')) {
      merge(term, labels);
    }
  }
  for (const constraint of draftObjects(spec, 'topologySpreadConstraints'))
    merge(constraint, labels);
}

function merge(term: DraftObject, labels: ReturnType<typeof objectAt>): void {
  const selector = term['labelSelector'];
  if (!isDraftObject(selector)) return;
  for (const [keys, operator] of [
    ['matchLabelKeys', 'In'],
    ['mismatchLabelKeys', 'NotIn'],
  ] as const) {
    for (const key of listAt(term, keys).map(String)) {
      if (labels[key] === undefined) continue;
      const values = [textAt(labels, key)];
      draftList(selector, 'matchExpressions').push({ key, operator, values });
    }
  }
}
