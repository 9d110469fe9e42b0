import { createHash } from 'node:crypto';
import type { KubeObject } from '@capstan/kube-object';
import type {
  CustomResourceVersion,
  GroupInfo,
  KindSchema,
  ResourceInfo,
} from '@capstan/kube-schema';
import { flagAt, listAt, objectAt, textAt } from './json.ts';
import type { ServedResource, Strategy } from './served-resource.ts';
import type { Store } from './store.ts';

export const CRD_BUCKET = 'apiextensions.k8s.io/customresourcedefinitions';

export interface ServedGroup {
  readonly name: string;
  /** In order of preference. */
  readonly versions: readonly {
    readonly version: string;
    readonly resources: readonly ServedResource[];
  }[];
}

export interface BuiltIns {
  readonly groups: readonly GroupInfo[];
  readonly resources: readonly ResourceInfo[];
  schemaFor(group: string, version: string, kind: string): KindSchema | undefined;
  strategyFor(bucket: string): Strategy;
  readCustom(definition: KubeObject): readonly CustomResourceVersion[];
  customStrategy(version: CustomResourceVersion): Strategy;
}

/** Where versions of a built-in resource meet: the one in which they are stored. Others store their only version. */
const STORAGE_VERSIONS: Readonly<Record<string, string>> = {
  'autoscaling/horizontalpodautoscalers': 'v2',
};
/** Served from another group's storage. */
const SHARED_BUCKETS: Readonly<Record<string, string>> = { 'events.k8s.io/events': '/events' };

/** Knows which resources are served: the built-in ones, and those of the custom resource definitions in the store. */
export class Registry {
  readonly #builtIns: BuiltIns;
  readonly #store: Store;
  readonly #served: ReadonlyMap<string, ServedResource>;
  readonly #groups: readonly ServedGroup[];
  #custom:
    | { readonly seen: readonly KubeObject[]; readonly all: readonly ServedGroup[] }
    | undefined;
  #customByPath: ReadonlyMap<string, ServedResource> = new Map();
  readonly #compiled = new WeakMap<KubeObject, readonly ServedResource[]>();

  constructor(store: Store, builtIns: BuiltIns) {
    this.#store = store;
    this.#builtIns = builtIns;
    const served = new Map<string, ServedResource>();
    const groups: ServedGroup[] = [];
    for (const group of builtIns.groups) {
      const versions = group.versions
        .filter((version) => version.servedByDefault)
        .map(({ version }) => ({
          version,
          resources: builtIns.resources
            .filter((r) => r.group === group.name && r.version === version)
            .map((info) => this.#builtIn(info)),
        }))
        .filter(({ resources }) => resources.length > 0);
      if (versions.length > 0) groups.push({ name: group.name, versions });
      for (const version of versions) {
        for (const resource of version.resources) served.set(pathOf(resource), resource);
      }
    }
    this.#served = served;
    this.#groups = groups;
  }

  find(group: string, version: string, name: string): ServedResource | undefined {
    const path = `${group}/${version}/${name}`;
    const builtIn = this.#served.get(path);
    if (builtIn !== undefined) return builtIn;
    this.#refresh();
    return this.#customByPath.get(path);
  }

  /** All groups, the core one ('') first. */
  groups(): readonly ServedGroup[] {
    this.#refresh();
    return this.#custom?.all ?? this.#groups;
  }

  /** The resource of a kind: in the given version, or else in the preferred one. */
  findKind(group: string, version: string | undefined, kind: string): ServedResource | undefined {
    for (const served of this.groups()) {
      if (served.name !== group) continue;
      for (const entry of served.versions) {
        if (version !== undefined && entry.version !== version) continue;
        const found = entry.resources.find((resource) => resource.kind === kind);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** The other versions (and groups) in which the same objects are served. */
  equivalents(resource: ServedResource): readonly ServedResource[] {
    return this.groups()
      .flatMap(({ versions }) => versions.flatMap(({ resources }) => resources))
      .filter((other) => other.bucket === resource.bucket && other !== resource);
  }

  /** One resource per bucket, in the version in which it is stored: for whoever walks all objects. */
  stored(): ServedResource[] {
    const byBucket = new Map<string, ServedResource>();
    for (const group of this.groups()) {
      for (const { resources } of group.versions) {
        for (const resource of resources) {
          if (!resource.verbs.includes('list')) continue;
          const known = byBucket.get(resource.bucket);
          if (known === undefined || resource.version === resource.storageVersion) {
            if (known === undefined || known.group === resource.group) {
              byBucket.set(resource.bucket, resource);
            }
          }
        }
      }
    }
    return [...byBucket.values()];
  }

  #builtIn(info: ResourceInfo): ServedResource {
    const own = `${info.group}/${info.name}`;
    const bucket = SHARED_BUCKETS[own] ?? own;
    return {
      ...info,
      listKind: `${info.kind}List`,
      bucket,
      storageVersion: STORAGE_VERSIONS[bucket] ?? info.version,
      schema: this.#builtIns.schemaFor(info.group, info.version, info.kind),
      strategy: this.#builtIns.strategyFor(bucket),
    };
  }

  #refresh(): void {
    const definitions = [...this.#store.view(CRD_BUCKET).entries()].map(([, object]) => object);
    const seen = this.#custom?.seen;
    if (seen !== undefined && seen.length === definitions.length) {
      if (definitions.every((definition, i) => definition === seen[i])) return;
    }
    const groups = new Map<string, Map<string, ServedResource[]>>();
    const byPath = new Map<string, ServedResource>();
    for (const definition of definitions) {
      if (!isEstablished(definition)) continue;
      for (const resource of this.#compile(definition)) {
        const versions = groups.get(resource.group) ?? new Map<string, ServedResource[]>();
        groups.set(resource.group, versions);
        const list = versions.get(resource.version) ?? [];
        versions.set(resource.version, [...list, resource]);
        byPath.set(pathOf(resource), resource);
      }
    }
    this.#customByPath = byPath;
    const custom = [...groups].map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, resources]) => ({ version, resources })),
    }));
    this.#custom = { seen: definitions, all: mergeGroups([...this.#groups, ...custom]) };
  }

  #compile(definition: KubeObject): readonly ServedResource[] {
    const known = this.#compiled.get(definition);
    if (known !== undefined) return known;
    const versions = this.#builtIns.readCustom(definition);
    const schemas = new Map(
      versions.map(({ kind, schema }) => [`${kind.kind.group}/${kind.kind.version}`, schema]),
    );
    const made = versions
      .filter((version) => version.served)
      .map((version) => ({
        ...this.#customResource(definition, version),
        customSchemas: schemas,
      }));
    this.#compiled.set(definition, made);
    return made;
  }

  #customResource(definition: KubeObject, version: CustomResourceVersion): ServedResource {
    const spec = objectAt(definition, 'spec');
    const names = objectAt(definition, 'status', 'acceptedNames');
    const own = version.kind.kind;
    const name = textAt(spec, 'names', 'plural');
    const storage = listAt(spec, 'versions').find((entry) => flagAt(entry, 'storage'));
    return {
      ...own,
      name,
      singularName: textAt(names, 'singular') || own.kind.toLowerCase(),
      namespaced: textAt(spec, 'scope') === 'Namespaced',
      verbs: CUSTOM_VERBS,
      storageVersionHash: storageVersionHash(own.group, textAt(storage, 'name'), own.kind),
      shortNames: listAt(names, 'shortNames').map(String),
      categories: listAt(names, 'categories').map(String),
      subresources: [
        ...(version.hasStatus ? [{ name: 'status', kind: own, verbs: READ_WRITE }] : []),
        ...(version.scale === undefined
          ? []
          : [{ name: 'scale', kind: SCALE_KIND, verbs: READ_WRITE }]),
      ],
      listKind: textAt(names, 'listKind') || `${own.kind}List`,
      bucket: `${own.group}/${name}`,
      storageVersion: textAt(storage, 'name'),
      schema: version.kind,
      strategy: this.#builtIns.customStrategy(version),
      custom: version,
    };
  }
}

/** As clients compute it too: the first eight bytes of a hash over where the kind is stored. */
function storageVersionHash(group: string, version: string, kind: string): string {
  const digest = createHash('sha256').update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, 8).toString('base64');
}

const CUSTOM_VERBS = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
];
const READ_WRITE = ['get', 'patch', 'update'];
const SCALE_KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

function pathOf(resource: ResourceInfo): string {
  return `${resource.group}/${resource.version}/${resource.name}`;
}

export function isEstablished(definition: KubeObject): boolean {
  return listAt(definition, 'status', 'conditions').some(
    (condition) =>
      textAt(condition, 'type') === 'Established' && textAt(condition, 'status') === 'True',
  );
}

function mergeGroups(groups: readonly ServedGroup[]): readonly ServedGroup[] {
  const merged = new Map<string, ServedGroup>();
  for (const group of groups) {
    const known = merged.get(group.name);
    merged.set(
      group.name,
      known === undefined
        ? group
        : { name: group.name, versions: [...known.versions, ...group.versions] },
    );
  }
  return [...merged.values()];
}

/** Kubernetes' order of versions: stable before beta before alpha, higher first, anything else last by name. */
export function compareVersions(a: string, b: string): number {
  const left = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(a);
  const right = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(b);
  if (left === null || right === null) {
    if (left !== null) return -1;
    if (right !== null) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const stages: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };
  const stage = (match: RegExpExecArray): number => stages[match[2] ?? ''] ?? 2;
  return (
    stage(right) - stage(left) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}
