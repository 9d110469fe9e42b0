import type { AppProjectSpec, OrphanedResources } from '@capstan/argocd-api';
import {
  type Cluster,
  findRefusal,
  fitsNegatable,
  OWNER_INDEX,
  type Problem,
} from '@capstan/engine-delivery';
import type { LiveObject } from '@capstan/kube-client';
import { toGuard } from './project-guard.ts';
import { isExcluded, type Settings } from './settings.ts';

/** What Kubernetes itself puts into every namespace. */
const FURNITURE: readonly (readonly [group: string, kind: string, name: RegExp])[] = [
  ['', 'ServiceAccount', /^default$/],
  ['', 'Service', /^kubernetes$/],
  ['', 'ConfigMap', /^kube-root-ca\.crt$/],
];

interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly server: string;
  readonly settings: Settings;
}

/**
 * A warning when the destination's namespace holds objects that no application manages, where the project asks for that
 * (documentation: "Orphaned Resources Monitoring").
 */
export async function findOrphans(
  spec: AppProjectSpec,
  place: Place,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Problem[]> {
  const { orphanedResources } = spec;
  if (orphanedResources === undefined || orphanedResources === null) return [];
  if (orphanedResources.warn !== true || place.namespace === '') return [];
  // What the project forbids is somebody else's.
  const { namespaces: _all, ...guard } = toGuard('', spec, { name: '', server: place.server });
  await place.cluster.live.ensureAll({ signal });
  const orphans = place.cluster.live
    .inNamespace(place.namespace)
    .filter((object) => isOrphan(object, orphanedResources, place))
    .filter(({ key }) => findRefusal(guard, key, { namespaced: true }) === undefined);
  if (orphans.length === 0) return [];
  return [
    {
      stage: 'health',
      severity: 'warning',
      code: 'ORPHANED_RESOURCES',
      message: `Application has ${orphans.length} orphaned resources`,
      kind: 'stalled',
    },
  ];
}

function isOrphan(
  object: LiveObject,
  { ignore = [] }: OrphanedResources,
  { server, settings, cluster }: Place,
): boolean {
  const { group, kind, name } = object.key;
  if (object.indexedBy(OWNER_INDEX).length > 0) return false;
  if (FURNITURE.some(([g, k, n]) => g === group && k === kind && n.test(name))) return false;
  if (isExcluded(settings, { group, kind, server })) return false;
  const isIgnored = ignore.some(
    (one) =>
      (one.group === undefined || one.group === ''
        ? group === ''
        : fitsNegatable(one.group, group)) &&
      (!one.kind || fitsNegatable(one.kind, kind)) &&
      (!one.name || fitsNegatable(one.name, name)),
  );
  return !isIgnored && !isPartOf(object, cluster);
}

/** What belongs to another object: by its owner, or as Kubernetes itself made it for that. */
function isPartOf(object: LiveObject, { live }: Cluster): boolean {
  const { kind, namespace, name } = object.key;
  const { ownerReferences = [], annotations } = object.read().metadata;
  if (ownerReferences.length > 0) return true;
  const isThere = (group: string, kind: string, name: string) =>
    live.get({ group, kind, namespace, name }) !== undefined;
  switch (kind) {
    case 'Endpoints':
      return isThere('', 'Service', name);
    case 'Secret':
      return isThere(
        '',
        'ServiceAccount',
        annotations?.['kubernetes.io/service-account.name'] ?? '',
      );
    case 'PersistentVolumeClaim':
      return live
        .list({ group: 'apps', kind: 'StatefulSet' }, namespace)
        .some((set) => isClaimOf(set.key.name, name));
    default:
      return false;
  }
}

/** `<template>-<set>-<number>`, as a StatefulSet names its claims. */
function isClaimOf(set: string, name: string): boolean {
  return name.replace(/-\d+$/, '').endsWith(`-${set}`) && /-\d+$/.test(name);
}
