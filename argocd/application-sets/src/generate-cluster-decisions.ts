import type { ClusterDecisionGenerator } from '@capstan/argocd-api';
import {
  formatLabelSelector,
  type Json,
  type JsonObject,
  type KubeObject,
  labelSelectorOf,
} from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { isRecord } from './json.ts';
import { IN_CLUSTER, type RegisteredCluster, type Surroundings } from './observation.ts';
import { type Parameters, plainText, stringMap, toGoValue } from './parameters.ts';
import { outsideOf } from './scm/scm-access.ts';
import type { TextRenderer } from './text-renderer.ts';
import { withinAsync } from './wrap-error.ts';

/**
 * A set of parameters for each registered cluster that a resource of another controller decides for, such as a
 * PlacementDecision (documentation: "Cluster Decision Resource Generator"). Its values are taken as they stand.
 */
export async function generateClusterDecisions(
  generator: ClusterDecisionGenerator,
  options: { readonly surroundings: Surroundings; readonly renderer: TextRenderer },
): Promise<readonly Parameters[]> {
  const { surroundings, renderer } = options;
  const outside = outsideOf(surroundings);
  const settings = await withinAsync('error reading configMapRef', () =>
    outside.controlConfigMap(generator.configMapRef),
  );
  const { apiVersion = '', kind = '', matchKey = '' } = settings;
  if (kind === '' || apiVersion.indexOf('/') < 1)
    throw invalid('there is a problem with the apiVersion, kind or resourceName provided');
  const found = await withinAsync('failed to get dynamic resources', () =>
    outside.listResources({ apiVersion, resource: kind }, selectionOf(generator)),
  );
  if (found.length === 0) throw invalid('no clusterDecisionResources found');
  if (matchKey === '') return [];
  const decisions = found.flatMap((object) =>
    decisionsOf(object, settings['statusListKey'] || 'clusters'),
  );
  return decisions.flatMap((decision) => {
    const cluster = findCluster(surroundings.clusters, decision[matchKey]);
    return cluster === undefined ? [] : [toParameters(cluster, decision, { generator, renderer })];
  });
}

/** By name or by labels, never both. */
function selectionOf({ name = '', labelSelector = {} }: ClusterDecisionGenerator) {
  const hasLabels =
    labelSelector['matchLabels'] !== undefined || labelSelector['matchExpressions'] !== undefined;
  if ((name === '') !== hasLabels)
    throw invalid(
      'there is a problem with the definition of the ClusterDecisionResource generator',
    );
  return name === ''
    ? { labelSelector: formatLabelSelector(labelSelectorOf(labelSelector) ?? []) }
    : { name };
}

function decisionsOf({ status }: KubeObject, key: string): readonly JsonObject[] {
  const list = isRecord(status) ? status[key] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function findCluster(
  clusters: readonly RegisteredCluster[],
  wanted: Json | undefined,
): { readonly name: string; readonly server: string } | undefined {
  const name = wanted === undefined || wanted === null ? '' : plainText(toGoValue(wanted));
  if (name === '') return undefined;
  const hasOwn = clusters.some(({ server }) => server === IN_CLUSTER.server);
  return [...clusters, ...(hasOwn ? [] : [IN_CLUSTER])].find((one) => one.name === name);
}

function toParameters(
  { name, server }: { readonly name: string; readonly server: string },
  decision: JsonObject,
  {
    generator,
    renderer,
  }: { readonly generator: ClusterDecisionGenerator; readonly renderer: TextRenderer },
): Parameters {
  const own = Object.entries(decision).map(([key, value]) => [key, plainText(toGoValue(value))]);
  const params: Parameters = { name, server, ...Object.fromEntries(own) };
  const values = generator.values ?? {};
  if (Object.keys(values).length === 0) return params;
  if (renderer.isGoTemplate) return { ...params, values: stringMap(values) };
  const named = Object.entries(values).map(([key, value]) => [`values.${key}`, value]);
  return { ...params, ...Object.fromEntries(named) };
}

function invalid(message: string): CapstanError {
  return new CapstanError('SPEC_INVALID', message, {
    hint: 'correct the ConfigMap of the clusterDecisionResource generator, and its name or labelSelector',
  });
}
