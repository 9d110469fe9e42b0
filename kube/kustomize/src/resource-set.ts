import { ORIGIN } from './annotations.ts';
import { mergeDataMaps } from './data-map.ts';
import { failure } from './failure.ts';
import {
  effectiveNamespace,
  idKey,
  idStructText,
  idText,
  NOT_A_NAMESPACE,
  type ResId,
  sameId,
} from './res-id.ts';
import type { Behavior, Resource } from './resource.ts';
import { secretWithoutStringData } from './secret-data.ts';

/** The resources of a build in their order, with indexes by id that are made when first asked for. */
export class ResourceSet {
  #list: Resource[];
  #byId: Map<string, Resource[]> | undefined;
  #byAnyName: Map<string, Resource[]> | undefined;

  constructor(list: readonly Resource[] = []) {
    this.#list = [];
    for (const resource of list) this.append(resource);
  }

  /** A set of these, which are known to have different ids. */
  static ofDistinct(list: readonly Resource[]): ResourceSet {
    const set = new ResourceSet();
    set.#list = list.slice();
    return set;
  }

  get list(): readonly Resource[] {
    return this.#list;
  }

  get size(): number {
    return this.#list.length;
  }

  /** To be called after a resource of the set may have got another name, namespace or kind. */
  idsChanged(): void {
    this.#byId = undefined;
    this.#byAnyName = undefined;
  }

  append(resource: Resource): void {
    const id = resource.curId;
    const index = this.#ids();
    const key = idKey(id);
    if (index.has(key)) {
      throw failure(`may not add resource with an already registered id: ${idText(id)}`);
    }
    index.set(key, [resource]);
    this.#byAnyName = undefined;
    this.#list.push(resource);
  }

  appendAll(other: ResourceSet): void {
    for (const resource of other.#list) this.append(resource);
  }

  /** Puts `list` in place of all there is. */
  replaceAll(list: readonly Resource[]): void {
    this.#list = list.slice();
    this.idsChanged();
  }

  dropEmpties(): void {
    if (!this.#list.some((resource) => resource.isNilOrEmpty)) return;
    this.replaceAll(this.#list.filter((resource) => !resource.isNilOrEmpty));
  }

  #ids(): Map<string, Resource[]> {
    if (this.#byId === undefined) {
      this.#byId = new Map();
      for (const resource of this.#list) push(this.#byId, idKey(resource.curId), resource);
    }
    return this.#byId;
  }

  /** The resources whose present id is this one. */
  withCurrentId(id: ResId): readonly Resource[] {
    return this.#ids().get(idKey(id)) ?? [];
  }

  /** The resources of which one id, present or previous, has this name. */
  withAnyName(name: string): readonly Resource[] {
    if (this.#byAnyName === undefined) {
      this.#byAnyName = new Map();
      for (const resource of this.#list) {
        if (resource.isNilOrEmpty) continue;
        const names = new Set(resource.prevIds.map((id) => id.name)).add(resource.name);
        for (const known of names) push(this.#byAnyName, known, resource);
      }
    }
    return this.#byAnyName.get(name) ?? [];
  }

  /** The resources of which one id, present or previous, matches. All matching ids have the name given. */
  matchingAnyId(name: string, matches: (id: ResId) => boolean): Resource[] {
    return this.withAnyName(name).filter(
      (resource) => resource.prevIds.some(matches) || matches(resource.curId),
    );
  }

  /** The one resource that a patch with this id means. */
  patchTarget(id: ResId): Resource {
    const found = this.matchingAnyId(id.name, (known) => sameId(id, known));
    if (found.length === 1) return found[0]!;
    const what = found.length > 1 ? 'multiple matches' : 'no matches';
    throw failure(
      `${what} for Id ${idText(id)}; failed to find unique target for patch ${idText(id)}`,
    );
  }

  /** Adds generated resources: each is new, or replaces or merges with the one it names, as its behavior says. */
  absorbAll(other: ResourceSet): void {
    for (const resource of other.#list) this.#absorb(resource);
  }

  #absorb(resource: Resource): void {
    const id = resource.curId;
    const found = this.matchingAnyId(id.name, (known) => sameId(id, known));
    const { behavior } = resource;
    if (found.length > 1) {
      throw failure(
        `found multiple objects ${goList(found)} that could accept merge of ${idText(id)}`,
      );
    }
    const old = found[0];
    if (old === undefined) {
      if (behavior === 'merge' || behavior === 'replace') {
        throw failure(`id ${idStructText(id)} does not exist; cannot merge or replace`);
      }
      this.append(resource);
      return;
    }
    takeOver(resource, old, behavior, id);
    const present = this.withCurrentId(resource.curId);
    if (present.length > 1) throw failure(`in Replace: id matched ${present.length} resources`);
    if (present.length === 0) {
      throw failure(`cannot find resource with id ${idText(resource.curId)} to replace`);
    }
    const at = this.#list.indexOf(old);
    if (this.#list[at] !== present[0]) throw failure('unexpected target index in replacement');
    this.#list[at] = resource;
    this.idsChanged();
  }

  /** The resources by their present namespace, those without one left out. */
  groupedByNamespace(): Map<string, Resource[]> {
    const groups = new Map<string, Resource[]>();
    for (const resource of this.#list) {
      push(groups, effectiveNamespace(resource.curId), resource);
    }
    groups.delete(NOT_A_NAMESPACE);
    return groups;
  }
}

function push<K>(map: Map<K, Resource[]>, key: K, resource: Resource): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [resource]);
  else list.push(resource);
}

function goList(list: readonly Resource[]): string {
  return `[${list.map((resource) => idText(resource.curId)).join(' ')}]`;
}

function takeOver(resource: Resource, old: Resource, behavior: Behavior, id: ResId): void {
  switch (behavior) {
    case 'replace':
      resource.takeMetadataFrom(old);
      return;
    case 'merge': {
      const origin = old.annotation(ORIGIN);
      const isSecret = resource.apiVersion === 'v1' && resource.kind === 'Secret';
      const oldData = isSecret ? secretWithoutStringData(old, id) : old;
      resource.takeMetadataFrom(old);
      mergeDataMaps(resource, oldData, old);
      if (origin !== undefined) resource.setAnnotations((all) => all.set(ORIGIN, origin));
      return;
    }
    case 'create':
    case 'unspecified':
      throw failure(
        `id ${idStructText(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`,
      );
    default:
      behavior satisfies never;
  }
}
