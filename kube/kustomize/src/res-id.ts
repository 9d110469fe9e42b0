import type { Scopes } from './openapi.ts';

/** Group, version and kind; each may be ''. */
export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What identifies a resource during a build. `clusterScoped` is set only where it is certain. */
export interface ResId extends Gvk {
  readonly name: string;
  readonly namespace: string;
  readonly clusterScoped: boolean;
}

export const NOT_A_NAMESPACE = '_non_namespaceable_';
const DEFAULT_NAMESPACE = 'default';

export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function apiVersionOf(gvk: Gvk): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
}

export function makeResId(scopes: Scopes, gvk: Gvk, name: string, namespace: string): ResId {
  return {
    group: gvk.group,
    version: gvk.version,
    kind: gvk.kind,
    name,
    namespace,
    clusterScoped: scopes.isCertainlyClusterScoped(apiVersionOf(gvk), gvk.kind),
  };
}

export function effectiveNamespace(id: ResId): string {
  if (id.clusterScoped) return NOT_A_NAMESPACE;
  return id.namespace === '' ? DEFAULT_NAMESPACE : id.namespace;
}

export function sameGvk(a: Gvk, b: Gvk): boolean {
  return a.kind === b.kind && a.version === b.version && a.group === b.group;
}

export function sameId(a: ResId, b: ResId): boolean {
  return a.name === b.name && sameGvk(a, b) && effectiveNamespace(a) === effectiveNamespace(b);
}

/** A key that is equal for ids that `sameId` holds for. */
export function idKey(id: ResId): string {
  return `${id.group}|${id.version}|${id.kind}|${effectiveNamespace(id)}|${id.name}`;
}

/** Whether the selector's non-empty parts are equal. */
export function isSelectedBy(gvk: Gvk, selector: Gvk): boolean {
  return (
    (selector.group === '' || gvk.group === selector.group) &&
    (selector.version === '' || gvk.version === selector.version) &&
    (selector.kind === '' || gvk.kind === selector.kind)
  );
}

/** `Deployment.v1.apps`, with placeholders for what is empty. */
export function gvkText(gvk: Gvk): string {
  return `${gvk.kind || '[noKind]'}.${gvk.version || '[noVer]'}.${gvk.group || '[noGrp]'}`;
}

/** `Deployment.v1.apps/web.default`, with placeholders for what is empty. */
export function idText(id: Gvk & { readonly name: string; readonly namespace: string }): string {
  return `${gvkText(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}

/** The id as Go prints a struct with `%#v`, which some messages of the original do. */
export function idStructText(id: ResId): string {
  const q = (text: string) => JSON.stringify(text);
  return (
    `resid.ResId{Gvk:resid.Gvk{Group:${q(id.group)}, Version:${q(id.version)}, Kind:${q(id.kind)}, ` +
    `isClusterScoped:${id.clusterScoped}}, Name:${q(id.name)}, Namespace:${q(id.namespace)}}`
  );
}

/** Whether this id is one that an id given as a selector means: its empty parts mean any. */
export function isIdSelectedBy(id: ResId, selector: ResId): boolean {
  return (
    (selector.name === '' || selector.name === id.name) &&
    (selector.namespace === '' || effectiveNamespace(selector) === effectiveNamespace(id)) &&
    isSelectedBy(id, selector)
  );
}

const ORDER_FIRST = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
] as const;
const ORDER_LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const;

/** Kinds that come first and last when nothing else is asked for. */
export const LEGACY_ORDER: {
  readonly first: readonly string[];
  readonly last: readonly string[];
} = { first: ORDER_FIRST, last: ORDER_LAST };

/** The rank of each kind: negative for those in front, positive for those behind, absent (0) between. */
export function kindRanks(first: readonly string[], last: readonly string[]): Map<string, number> {
  const ranks = new Map<string, number>();
  first.forEach((kind, i) => {
    ranks.set(kind, i - first.length);
  });
  last.forEach((kind, i) => {
    ranks.set(kind, i + 1);
  });
  return ranks;
}

const DEFAULT_RANKS: ReadonlyMap<string, number> = kindRanks(ORDER_FIRST, ORDER_LAST);

/** The text that orders kinds of equal rank. */
export function gvkSortText(gvk: Gvk): string {
  return `${gvk.group || '~G'}_${gvk.version || '~V'}_${gvk.kind || '~K'}`;
}

/** The order in which field specs are applied. */
export function compareGvk(a: Gvk, b: Gvk): number {
  const rank = (DEFAULT_RANKS.get(a.kind) ?? 0) - (DEFAULT_RANKS.get(b.kind) ?? 0);
  return rank !== 0 ? rank : compareText(gvkSortText(a), gvkSortText(b));
}

/** Order of texts as Go has it: by bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all others, but sort below U+E000 as units.
    const high = (unit: number) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);
    return high(x) - high(y);
  }
  return a.length - b.length;
}
