import type { ResourceEntry } from '@capstan/flux-api';
import { formatEntry } from '@capstan/flux-controllers';
import {
  type Chart,
  chartCrds,
  processDependencies,
  type Release,
  type ReleaseCluster,
  releaseObjects,
  type Values,
} from '@capstan/kube-helm';
import { type Json, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { nodeToValue, parseDocuments } from '@capstan/lib-yaml';

/** What a revision holds, and the CRDs of its chart and of the subcharts that the values enable, as Flux lists it. */
export async function inventoryOf(
  record: Release,
  { chart, values }: { readonly chart: Chart; readonly values: Values },
  cluster: ReleaseCluster,
): Promise<readonly ResourceEntry[]> {
  const objects = await releaseObjects(record, cluster);
  const crds = crdsOf(processDependencies(chart, values));
  return [...objects, ...crds].map(({ apiVersion, kind, metadata }) => {
    const { group, version } = parseApiVersion(apiVersion);
    const { name = '', namespace = '' } = metadata;
    return formatEntry({ key: { group, kind, namespace, name }, version });
  });
}

function crdsOf(chart: Chart): readonly KubeObject[] {
  return chartCrds(chart).flatMap(({ data }) =>
    parseDocuments(new TextDecoder().decode(data))
      .map((document) => nodeToValue(document) as Json)
      .filter(isObject),
  );
}

function isObject(value: Json): value is KubeObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'metadata' in value &&
    value['apiVersion'] !== undefined
  );
}
