/** Under which names a HelmRelease lives, as the original works them out. */
import { createHash } from 'node:crypto';
import type { HelmRelease } from '@capstan/flux-api';

const NAME_MAX = 53;
const HASH_LENGTH = 12;

/** The name in Helm's storage: long ones are cut and end in a part of their hash. */
export function releaseName(release: HelmRelease): string {
  return shortenName(wantedName(release));
}

/** The name before it is cut, as the original tells failures. */
export function wantedName({ metadata, spec }: HelmRelease): string {
  const { name = '' } = metadata;
  return spec.releaseName || (spec.targetNamespace ? `${spec.targetNamespace}-${name}` : name);
}

export function shortenName(name: string): string {
  if (name.length <= NAME_MAX) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  return `${name.slice(0, NAME_MAX - HASH_LENGTH - 1)}-${hash}`;
}

export function releaseNamespace({ metadata, spec }: HelmRelease): string {
  return spec.targetNamespace || (metadata.namespace ?? '');
}

export function storageNamespace({ metadata, spec }: HelmRelease): string {
  return spec.storageNamespace || (metadata.namespace ?? '');
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** The HelmChart that the template of a HelmRelease makes; undefined without one. */
export function chartName({ metadata, spec }: HelmRelease): NamespacedName | undefined {
  if (spec.chart === undefined) return undefined;
  const { namespace = '', name = '' } = metadata;
  return {
    namespace: spec.chart.spec.sourceRef.namespace || namespace,
    name: `${namespace}-${name}`,
  };
}

/** The object that holds the chart; undefined while `chart` and `chartRef` are both set, or none is. */
export function sourceOf(
  release: HelmRelease,
): (NamespacedName & { readonly kind: string }) | undefined {
  const { chartRef } = release.spec;
  const template = chartName(release);
  if ((chartRef === undefined) === (template === undefined)) return undefined;
  if (template !== undefined) return { kind: 'HelmChart', ...template };
  const { kind = '', name = '', namespace } = chartRef ?? {};
  return { kind, name, namespace: namespace || (release.metadata.namespace ?? '') };
}

/** What helm-controller says of a reference to another namespace where that is refused. */
export function deniedText({ kind, ...place }: NamespacedName & { readonly kind: string }): string {
  return `cross-namespace references are not allowed: cannot access ${kind} ${formatName(place)}`;
}

export function formatName({ namespace, name }: NamespacedName): string {
  return `${namespace}/${name}`;
}
