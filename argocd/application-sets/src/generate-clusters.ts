import type { ClusterGenerator } from '@capstan/argocd-api';
import { appendValues } from './append-values.ts';
import { compileSelector } from './label-selector.ts';
import { sanitizeName } from './names.ts';
import { IN_CLUSTER, type RegisteredCluster } from './observation.ts';
import { type Parameters, stringMap } from './parameters.ts';
import type { TextRenderer } from './text-renderer.ts';
import { within } from './wrap-error.ts';

/**
 * One set of parameters for each registered cluster that the selector matches, by name; then the control plane's own
 * cluster, if it has no Secret and there is no selector. With `flatList` all of them are one parameter `clusters`.
 */
export function generateClusters(
  generator: ClusterGenerator,
  options: { readonly clusters: readonly RegisteredCluster[]; readonly renderer: TextRenderer },
): readonly Parameters[] {
  const { renderer } = options;
  const { selector = {}, values } = generator;
  const matches = within('error getting cluster secrets: error converting label selector', () =>
    compileSelector(selector, { anyValue: false }),
  );
  const byName = new Map(
    options.clusters
      .filter(({ labels }) => matches(new Map(Object.entries(labels))))
      .map((cluster) => [cluster.name, cluster]),
  );
  const chosen = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const sets = chosen.map((cluster) => describe(cluster, renderer));
  const hasOwn = chosen.some(({ server }) => server === IN_CLUSTER.server);
  if (!isSelective(selector) && !hasOwn) {
    const { name, server } = IN_CLUSTER;
    sets.push({ name, nameNormalized: name, server, project: '' });
  }
  const complete = sets.map((params) =>
    within('error appending templated values for cluster', () =>
      appendValues(params, values, renderer),
    ),
  );
  return generator.flatList === true ? [{ clusters: complete }] : complete;
}

function isSelective(selector: ClusterGenerator['selector'] & object): boolean {
  const { matchLabels, matchExpressions } = selector;
  const hasLabels = typeof matchLabels === 'object' && Object.keys(matchLabels ?? {}).length > 0;
  return hasLabels || (Array.isArray(matchExpressions) && matchExpressions.length > 0);
}

/** What Argo CD and kubectl write to a cluster's Secret for themselves: in an Application it would loop, or tell what is secret. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'argocd.argoproj.io/refresh',
  'argocd.argoproj.io/refresh-timestamp',
  'argocd.argoproj.io/hydrate',
  'argocd.argoproj.io/hydrate-timestamp',
  'argocd.argoproj.io/tracking-id',
  'argocd.argoproj.io/installation-id',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

function describe(cluster: RegisteredCluster, { isGoTemplate }: TextRenderer): Parameters {
  const { name, server, project, labels } = cluster;
  const annotations = Object.fromEntries(
    Object.entries(cluster.annotations).filter(([key]) => !OWN_ANNOTATIONS.has(key)),
  );
  const params: Parameters = { name, nameNormalized: sanitizeName(name), server, project };
  if (isGoTemplate) {
    const metadata: Parameters = {};
    const isAnnotated = Object.keys(cluster.annotations).length > 0;
    if (isAnnotated) metadata['annotations'] = stringMap(annotations);
    if (Object.keys(labels).length > 0) metadata['labels'] = stringMap(labels);
    return { ...params, metadata };
  }
  for (const [key, value] of Object.entries(annotations))
    params[`metadata.annotations.${key}`] = value;
  for (const [key, value] of Object.entries(labels)) params[`metadata.labels.${key}`] = value;
  return params;
}
