import type { Json, JsonObject } from '@capstan/kube-object';
import type { ServedGroup } from './registry.ts';
import type { ServedResource } from './served-resource.ts';

/** `/api`: the versions of the core group. */
export function coreVersions(address: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

export function groupList(groups: readonly ServedGroup[]): JsonObject {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter((group) => group.name !== '').map(groupEntry),
  };
}

export function groupObject(group: ServedGroup): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
}

function groupEntry(group: ServedGroup): JsonObject {
  const versions = group.versions.map(({ version }) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0]! };
}

/** `/apis/GROUP/VERSION`, the form of discovery that every client knows. */
export function resourceList(
  groupVersion: string,
  resources: readonly ServedResource[],
): JsonObject {
  const entries: Json[] = [];
  for (const resource of [...resources].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    entries.push({
      name: resource.name,
      singularName: resource.singularName,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: [...resource.verbs],
      ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
      ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
      ...(resource.storageVersionHash === undefined
        ? {}
        : { storageVersionHash: resource.storageVersionHash }),
    });
    for (const sub of resource.subresources) {
      const foreign = sub.kind.group !== resource.group || sub.kind.version !== resource.version;
      entries.push({
        name: `${resource.name}/${sub.name}`,
        singularName: '',
        namespaced: resource.namespaced,
        ...(foreign ? { group: sub.kind.group, version: sub.kind.version } : {}),
        kind: sub.kind.kind,
        verbs: [...sub.verbs],
      });
    }
  }
  // The core group's list is older than the field.
  const apiVersion = groupVersion.includes('/') ? { apiVersion: 'v1' } : {};
  return { kind: 'APIResourceList', ...apiVersion, groupVersion, resources: entries };
}

/** The aggregated form (apidiscovery.k8s.io): everything in one answer, for `/api` and `/apis`. */
export function aggregatedDiscovery(
  groups: readonly ServedGroup[],
  version: 'v2' | 'v2beta1',
): JsonObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group.name === '' ? {} : { name: group.name }), creationTimestamp: null },
      versions: group.versions.map((entry) => ({
        version: entry.version,
        resources: [...entry.resources]
          .sort((a, b) => (a.name < b.name ? -1 : 1))
          .map((resource) => aggregatedResource(resource)),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedResource(resource: ServedResource): JsonObject {
  return {
    resource: resource.name,
    responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singularName,
    verbs: [...resource.verbs],
    ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
    ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
    ...(resource.subresources.length === 0
      ? {}
      : {
          subresources: resource.subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { ...sub.kind },
            verbs: [...sub.verbs],
          })),
        }),
  };
}
