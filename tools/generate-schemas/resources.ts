import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  storageVersionHash?: string;
}

/**
 * Reads the published discovery documents. Groups and versions keep the server's order. Published are all versions; a
 * server without flags serves those that are generally available.
 */
export function readResources(directory: string): { groups: unknown[]; items: unknown[] } {
  const apis = read<{ groups: { name: string; versions: { version: string }[] }[] }>(
    join(directory, 'apis.json'),
  );
  const groups: unknown[] = [];
  const items: unknown[] = [];
  for (const group of [{ name: '', versions: [{ version: 'v1' }] }, ...apis.groups]) {
    groups.push([group.name, ...group.versions.map((v) => v.version)]);
    for (const { version } of group.versions) {
      const file = group.name === '' ? 'api__v1.json' : `apis__${group.name}__${version}.json`;
      const { resources } = read<{ resources: ApiResource[] }>(join(directory, file));
      items.push(...packResources(group.name, version, resources));
    }
  }
  return { groups, items };
}

function packResources(group: string, version: string, resources: ApiResource[]): unknown[] {
  return resources
    .filter((resource) => !resource.name.includes('/'))
    .map((resource) => ({
      g: group,
      v: version,
      n: resource.name,
      s: resource.singularName,
      k: resource.kind,
      ...(resource.namespaced ? { o: 1 } : {}),
      b: resource.verbs.join(','),
      ...(resource.shortNames ? { a: resource.shortNames } : {}),
      ...(resource.categories ? { c: resource.categories } : {}),
      ...(resource.storageVersionHash ? { h: resource.storageVersionHash } : {}),
      ...subresourcesOf(resource, resources),
    }));
}

function subresourcesOf(resource: ApiResource, all: ApiResource[]): { u?: unknown[] } {
  const found = all
    .filter((candidate) => candidate.name.startsWith(`${resource.name}/`))
    .map((sub) => [
      sub.name.slice(resource.name.length + 1),
      sub.group ?? null,
      sub.version ?? null,
      sub.kind,
      sub.verbs.join(','),
    ]);
  return found.length > 0 ? { u: found } : {};
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
