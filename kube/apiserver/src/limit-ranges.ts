import {
  compareQuantities,
  formatQuantity,
  type KubeObject,
  type Quantity,
  quantityToNumber,
} from '@capstan/kube-object';
import { forbidden } from './api-error.ts';
import { type Core, listBucket } from './core.ts';
import {
  childDraft,
  type DraftObject,
  draftObjects,
  listAt,
  objectAt,
  textAt,
  valueAt,
} from './json.ts';
import { type Amounts, amountsOf, podAmounts } from './pod-resources.ts';
import type { ServedResource } from './served-resource.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';
const NONE: Amounts = new Map();

/** The LimitRanger admission, first part: a new pod gets the defaults of the namespace's limit ranges. */
export function fillFromLimits(core: Core, resource: ServedResource, object: DraftObject): void {
  if (resource.bucket !== '/pods') return;
  for (const range of rangesFor(core, object)) fillPod(object, listAt(range, 'spec', 'limits'));
}

/** Its second part: all bounds of the namespace's limit ranges hold for a pod or a claim. */
export function admitLimits(core: Core, resource: ServedResource, object: KubeObject): void {
  const isPod = resource.bucket === '/pods';
  if (!isPod && resource.bucket !== '/persistentvolumeclaims') return;
  const check = isPod ? podProblems : claimProblems;
  for (const range of rangesFor(core, object)) {
    const problems = listAt(range, 'spec', 'limits').flatMap((limit) => check(limit, object));
    const [first] = problems;
    if (first === undefined) continue;
    throw forbidden(
      { group: '', resource: resource.name, name: object.metadata.name ?? '' },
      problems.length === 1 ? first : `[${[...new Set(problems)].join(', ')}]`,
    );
  }
}

function rangesFor(core: Core, object: object): Iterable<KubeObject> {
  return listBucket(core.store, '/limitranges', textAt(object, 'metadata', 'namespace'));
}

function fillPod(pod: DraftObject, limits: readonly unknown[]): void {
  const ofContainers = limits.filter((limit) => textAt(limit, 'type') === 'Container');
  const defaults = (name: string): object =>
    Object.assign({}, ...ofContainers.map((limit) => objectAt(limit, name)));
  const requests = defaults('defaultRequest');
  const bounds = defaults('default');
  const spec = childDraft(pod, 'spec');
  const notes = [
    ['containers', 'container'] as const,
    ['initContainers', 'init container'] as const,
  ].flatMap(([key, kind]) =>
    (valueAt(spec, key) === undefined ? [] : draftObjects(spec, key)).flatMap((container) => {
      const note = (section: string, word: string, values: object): string[] => {
        const set = fill(container, section, values);
        const name = textAt(container, 'name');
        return set.length === 0 ? [] : [`${set.join(', ')} ${word} for ${kind} ${name}`];
      };
      return [...note('requests', 'request', requests), ...note('limits', 'limit', bounds)];
    }),
  );
  if (notes.length === 0) return;
  const annotations = childDraft(childDraft(pod, 'metadata'), 'annotations');
  annotations[ANNOTATION] = `LimitRanger plugin set: ${notes.join('; ')}`;
}

/** The names that were not given and now are. */
function fill(container: DraftObject, section: string, defaults: object): string[] {
  const given = objectAt(container, 'resources', section);
  const missing = Object.keys(defaults).filter((name) => !(name in given));
  for (const name of missing) {
    const amounts = childDraft(childDraft(container, 'resources'), section);
    amounts[name] = textAt(defaults, name);
  }
  return missing.sort();
}

function podProblems(limit: unknown, pod: KubeObject): string[] {
  const type = textAt(limit, 'type');
  if (type === 'Pod') {
    return boundProblems(limit, podAmounts(pod, 'requests'), podAmounts(pod, 'limits'));
  }
  if (type !== 'Container') return [];
  return [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')].flatMap(
    (container) =>
      boundProblems(
        limit,
        amountsOf(objectAt(container, 'resources', 'requests')),
        amountsOf(objectAt(container, 'resources', 'limits')),
      ),
  );
}

function claimProblems(limit: unknown, claim: KubeObject): string[] {
  if (textAt(limit, 'type') !== 'PersistentVolumeClaim') return [];
  const requests = amountsOf(objectAt(claim, 'spec', 'resources', 'requests'));
  // What is asked for stands for the limit too: a claim has none.
  const most = [...amountsOf(objectAt(limit, 'max'))].flatMap(([name, bound]) => {
    const request = requests.get(name);
    const text = `maximum ${name} usage per PersistentVolumeClaim is ${formatQuantity(bound)}`;
    if (request === undefined) return [`${text}.  No request is specified`];
    return compareQuantities(request, bound) > 0
      ? [`${text}, but request is ${formatQuantity(request)}`]
      : [];
  });
  const least = [...amountsOf(objectAt(limit, 'min'))].flatMap(checkMin(limit, requests, NONE));
  return [...least, ...most];
}

function boundProblems(limit: unknown, requests: Amounts, limits: Amounts): string[] {
  const each = (key: string, check: (entry: [string, Quantity]) => string[]): string[] =>
    [...amountsOf(objectAt(limit, key))].flatMap(check);
  return [
    ...each('min', checkMin(limit, requests, limits)),
    ...each('max', checkMax(limit, requests, limits)),
    ...each('maxLimitRequestRatio', checkRatio(limit, requests, limits)),
  ];
}

type EntryCheck = (entry: [string, Quantity]) => string[];

function checkMin(limit: unknown, requests: Amounts, limits: Amounts): EntryCheck {
  return ([name, bound]) => {
    const text = `minimum ${name} usage per ${textAt(limit, 'type')} is ${formatQuantity(bound)}`;
    const request = requests.get(name);
    const most = limits.get(name);
    if (request === undefined) return [`${text}.  No request is specified`];
    if (compareQuantities(request, bound) < 0)
      return [`${text}, but request is ${formatQuantity(request)}`];
    if (most !== undefined && compareQuantities(most, bound) < 0)
      return [`${text}, but limit is ${formatQuantity(most)}`];
    return [];
  };
}

function checkMax(limit: unknown, requests: Amounts, limits: Amounts): EntryCheck {
  return ([name, bound]) => {
    const text = `maximum ${name} usage per ${textAt(limit, 'type')} is ${formatQuantity(bound)}`;
    const request = requests.get(name);
    const most = limits.get(name);
    if (most === undefined) return [`${text}.  No limit is specified`];
    if (compareQuantities(most, bound) > 0)
      return [`${text}, but limit is ${formatQuantity(most)}`];
    if (request !== undefined && compareQuantities(request, bound) > 0)
      return [`${text}, but request is ${formatQuantity(request)}`];
    return [];
  };
}

function checkRatio(limit: unknown, requests: Amounts, limits: Amounts): EntryCheck {
  return ([name, bound]) => {
    const text = `${name} max limit to request ratio per ${textAt(limit, 'type')} is ${formatQuantity(bound)}`;
    const request = quantityToNumber(requests.get(name) ?? { nanos: 0n, format: 'DecimalSI' });
    const most = quantityToNumber(limits.get(name) ?? { nanos: 0n, format: 'DecimalSI' });
    if (request === 0) return [`${text}, but no request is specified or request is 0`];
    if (most === 0) return [`${text}, but no limit is specified or limit is 0`];
    const ratio = most / request;
    return ratio > quantityToNumber(bound)
      ? [`${text}, but provided ratio is ${ratio.toFixed(6)}`]
      : [];
  };
}
