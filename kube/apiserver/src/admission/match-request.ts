import type { Json, JsonObject } from '@capstan/kube-object';
import { notFound } from '../api-error.ts';
import type { Core } from '../core.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import type { ServedResource } from '../served-resource.ts';
import type { AdmissionAttributes } from './attributes.ts';

/** Kinds that admission is configured by: no policy and no webhook of the cluster is asked about them. */
const CONFIGURATION: ReadonlySet<string> = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
]);
const REVIEWS: ReadonlySet<string> = new Set(['authentication.k8s.io', 'authorization.k8s.io']);
export const ADMISSION_GROUP = 'admissionregistration.k8s.io';

/** Whether policies and webhooks look at this resource at all. */
export function isExempt(resource: ServedResource, subresource: string): boolean {
  if (resource.group === ADMISSION_GROUP) return CONFIGURATION.has(resource.name);
  return subresource === '' && REVIEWS.has(resource.group);
}

/**
 * The resource as which a request matches `MatchResources` (k8s.io/apiserver's policy/matching): itself, or for the policy
 * Equivalent another version of it. Throws a 404 for a namespace that is not there and whose labels are asked for.
 */
export function matchResources(
  core: Core,
  constraints: JsonObject,
  attributes: AdmissionAttributes,
): ServedResource | undefined {
  if (!selects(core, constraints, attributes)) return undefined;
  const exact = textAt(constraints, 'matchPolicy') === 'Exact';
  const excluded = matchRules(core, listAt(constraints, 'excludeResourceRules'), attributes, exact);
  if (excluded !== undefined) return undefined;
  const rules = listAt(constraints, 'resourceRules');
  return rules.length === 0 ? attributes.resource : matchRules(core, rules, attributes, exact);
}

/** The namespace and object selectors of a policy or a webhook. */
export function selects(
  core: Core,
  constraints: JsonObject,
  attributes: AdmissionAttributes,
): boolean {
  return (
    selectsNamespace(core, constraints['namespaceSelector'], attributes) &&
    selectsObject(constraints['objectSelector'], attributes)
  );
}

function selectsNamespace(
  core: Core,
  given: Json | undefined,
  attributes: AdmissionAttributes,
): boolean {
  const { resource, namespace, subresource, operation, object } = attributes;
  if (namespace === '' && resource.name !== 'namespaces') return true;
  const selector = fromSelectorObject(given) ?? [];
  if (selector.length === 0) return true;
  const isOwn = resource.name === 'namespaces' && subresource === '';
  if (isOwn && (operation === 'CREATE' || operation === 'UPDATE')) {
    return matchesLabels(selector, object?.metadata.labels);
  }
  const found = core.store.get('/namespaces', namespace);
  if (found === undefined) throw notFound({ group: '', resource: 'namespaces', name: namespace });
  return matchesLabels(selector, found.metadata.labels);
}

function selectsObject(
  given: Json | undefined,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  const selector = fromSelectorObject(given) ?? [];
  if (selector.length === 0) return true;
  return [object, oldObject].some(
    (one) => one !== undefined && matchesLabels(selector, one.metadata?.labels),
  );
}

/** The first of the rules that holds for the request, then for an equivalent of it unless `exact`. */
export function matchRules(
  core: Core,
  rules: readonly Json[],
  attributes: AdmissionAttributes,
  exact: boolean,
): ServedResource | undefined {
  const { resource } = attributes;
  if (rules.some((rule) => ruleMatches(rule, resource, attributes))) return resource;
  if (exact) return undefined;
  const equivalents = core.registry.equivalents(resource);
  for (const rule of rules) {
    const found = equivalents.find((other) => ruleMatches(rule, other, attributes));
    if (found !== undefined) return found;
  }
  return undefined;
}

function ruleMatches(
  rule: Json,
  resource: ServedResource,
  { operation, subresource, namespace, name }: AdmissionAttributes,
): boolean {
  const has = (key: string, wanted: string): boolean =>
    listAt(rule, key).some((item) => item === '*' || item === wanted);
  const isClusterWide = resource.name === 'namespaces' || namespace === '';
  const scope = textAt(rule, 'scope') || '*';
  if (scope !== '*' && (scope === 'Cluster') !== isClusterWide) return false;
  if (!has('operations', operation) || !has('apiGroups', resource.group)) return false;
  if (!has('apiVersions', resource.version)) return false;
  const named = listAt(rule, 'resources').some((item) => {
    const [of = '', sub = ''] = String(item).split('/', 2);
    return (of === '*' || of === resource.name) && (sub === '*' || sub === subresource);
  });
  const names = listAt(rule, 'resourceNames');
  return named && (names.length === 0 || names.includes(name));
}

/** What a binding narrows a policy to; nothing given means everything. */
export function bindingMatches(
  core: Core,
  binding: JsonObject,
  attributes: AdmissionAttributes,
): boolean {
  const resources = objectAt(binding, 'spec')['matchResources'];
  if (resources === undefined || resources === null) return true;
  return matchResources(core, objectAt(resources), attributes) !== undefined;
}
