import type { ResourceEntry } from '@capstan/flux-api';
import { formatEntry } from '@capstan/flux-controllers';
import {
  type Chart,
  chartCrds,
  type Release,
  type ReleaseCluster,
  releaseObjects,
} from '@capstan/kube-helm';
import { type Json, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { nodeToValue, parseDocuments } from '@capstan/lib-yaml';

/** What a revision holds, and the CRDs of its chart, as Flux lists it. */
export async function inventoryOf(
  record: Release,
  chart: Chart,
  cluster: ReleaseCluster,
): Promise<readonly ResourceEntry[]> {
  const objects = await releaseObjects(record, cluster);
  return [...objects, ...crdsOf(chart)].map(({ apiVersion, kind, metadata }) => {
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
