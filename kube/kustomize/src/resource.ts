import { Style } from '@capstan/lib-yaml';
import {
  ALLOW_KIND_CHANGE,
  ALLOW_NAME_CHANGE,
  BUILD_ANNOTATIONS,
  ENABLED,
  GENERATOR_BEHAVIOR,
  NEEDS_HASH,
  PREFIXES,
  PREVIOUS_KINDS,
  PREVIOUS_NAMES,
  PREVIOUS_NAMESPACES,
  SUFFIXES,
} from './annotations.ts';
import { failure } from './failure.ts';
import { lookup } from './field-path.ts';
import {
  clearField,
  copyTree,
  fieldOf,
  isMissingOrNull,
  isNilOrEmpty,
  type KNode,
  scalar,
  setField,
  stringScalar,
} from './node.ts';
import type { Scopes } from './openapi.ts';
import {
  apiVersionOf,
  compareText,
  effectiveNamespace,
  type Gvk,
  makeResId,
  type ResId,
  splitApiVersion,
} from './res-id.ts';

export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';

export function parseBehavior(text: string | undefined): Behavior {
  return text === 'replace' || text === 'merge' || text === 'create' ? text : 'unspecified';
}

interface LastId {
  /** As it is spelled, and without an empty group. */
  readonly apiVersion: string;
  readonly scopeVersion: string;
  readonly id: ResId;
}

/** A resource during a build: its tree, and the names of the vars that read from it. */
export class Resource {
  /** Undefined once a patch has deleted it. */
  node: KNode | undefined;
  refVarNames: readonly string[] = [];
  readonly scopes: Scopes;
  #lastId: LastId | undefined;

  constructor(node: KNode | undefined, scopes: Scopes) {
    this.node = node;
    this.scopes = scopes;
  }

  copy(): Resource {
    const copy = new Resource(this.node && copyTree(this.node), this.scopes);
    copy.refVarNames = this.refVarNames;
    return copy;
  }

  get isNilOrEmpty(): boolean {
    return isNilOrEmpty(this.node);
  }

  get kind(): string {
    return fieldOf(this.node, 'kind')?.value ?? '';
  }

  get apiVersion(): string {
    return fieldOf(this.node, 'apiVersion')?.value ?? '';
  }

  get gvk(): Gvk {
    return { ...splitApiVersion(this.apiVersion), kind: this.kind };
  }

  get name(): string {
    return this.#metaText('name');
  }

  get namespace(): string {
    return this.#metaText('namespace');
  }

  /** Asked for often and seldom changed, so the last answer is given again while it is true. */
  get curId(): ResId {
    const { apiVersion, kind, name, namespace } = this;
    const known = this.#lastId;
    if (
      known !== undefined &&
      known.apiVersion === apiVersion &&
      known.id.kind === kind &&
      known.id.name === name &&
      known.id.namespace === namespace &&
      known.id.clusterScoped === this.scopes.isCertainlyClusterScoped(known.scopeVersion, kind)
    ) {
      return known.id;
    }
    const gvk = { ...splitApiVersion(apiVersion), kind };
    const id = makeResId(this.scopes, gvk, name, namespace);
    this.#lastId = { apiVersion, scopeVersion: apiVersionOf(gvk), id };
    return id;
  }

  /** The ids the resource had before names, namespaces or kinds were changed; the first one first. */
  get prevIds(): ResId[] {
    const names = this.annotation(PREVIOUS_NAMES);
    if (names === undefined) return [];
    const namespaces = (this.annotation(PREVIOUS_NAMESPACES) ?? '').split(',');
    const kinds = (this.annotation(PREVIOUS_KINDS) ?? '').split(',');
    const list = names.split(',');
    if (list.length !== namespaces.length || list.length !== kinds.length) {
      throw failure(
        'number of previous names, number of previous namespaces, number of previous kinds not equal',
      );
    }
    const { group, version } = splitApiVersion(this.apiVersion);
    return list.map((name, i) => ({
      group,
      version,
      kind: kinds[i]!,
      name,
      namespace: namespaces[i]!,
      clusterScoped: false,
    }));
  }

  get orgId(): ResId {
    return this.prevIds[0] ?? this.curId;
  }

  #metaText(name: string): string {
    const field = fieldOf(this.#metadata(), name);
    return field === undefined || isNilOrEmpty(field) ? '' : field.value;
  }

  #metadata(): KNode | undefined {
    if (isMissingOrNull(this.node)) return undefined;
    const metadata = fieldOf(this.node, 'metadata');
    return isNilOrEmpty(metadata) ? undefined : metadata;
  }

  #metaMap(field: string): KNode | undefined {
    return fieldOf(this.#metadata(), field);
  }

  annotation(name: string): string | undefined {
    const content = this.#metaMap('annotations')?.content;
    if (content === undefined) return undefined;
    for (let i = 0; i < content.length; i += 2) {
      if (content[i]!.value === name) return content[i + 1]!.value;
    }
    return undefined;
  }

  get annotations(): Map<string, string> {
    return mapOf(this.#metaMap('annotations'));
  }

  set annotations(values: ReadonlyMap<string, string>) {
    this.#setMetaMap('annotations', values);
  }

  get labels(): Map<string, string> {
    return mapOf(this.#metaMap('labels'));
  }

  set labels(values: ReadonlyMap<string, string>) {
    this.#setMetaMap('labels', values);
  }

  #setMetaMap(
    field: string,
    values: ReadonlyMap<string, string>,
    taken: KNode | undefined = undefined,
  ): void {
    const metadata = lookup(this.node, ['metadata'], { kind: 'mapping', file: 0 });
    if (metadata === undefined) return;
    const before = fieldOf(metadata, field);
    clearField(metadata, field);
    if (values.size === 0) return;
    const map = lookup(metadata, [field], { kind: 'mapping', file: 0 })!;
    for (const key of [...values.keys()].sort(compareText)) {
      const value = stringScalar(values.get(key)!);
      const own = fieldOf(before, key);
      const old = own?.value === value.value ? own : fieldOf(taken, key);
      if (old !== undefined && old.value === value.value) {
        value.file = old.file;
        value.line = old.line;
      }
      setField(map, key, value);
    }
  }

  /** Sets one annotation and leaves the others as they are. */
  setAnnotation(name: string, value: string, file = 0): void {
    setMetaEntry(this.node!, 'annotations', name, value, file);
  }

  setAnnotations(change: (annotations: Map<string, string>) => void): void {
    const annotations = this.annotations;
    change(annotations);
    this.annotations = annotations;
  }

  setName(name: string, file = 0): void {
    this.#setText(['metadata', 'name'], name, file);
  }

  setKind(kind: string): void {
    this.#setText(['kind'], kind, 0);
  }

  setApiVersion(apiVersion: string): void {
    this.#setText(['apiVersion'], apiVersion, 0);
  }

  setNamespace(namespace: string): void {
    if (namespace !== '') {
      this.#setText(['metadata', 'namespace'], namespace, 0);
      return;
    }
    const metadata = fieldOf(this.node, 'metadata');
    if (metadata !== undefined && metadata.tag !== '!!null') clearField(metadata, 'namespace');
  }

  #setText(path: readonly string[], value: string, file: number): void {
    if (isMissingOrNull(this.node)) return;
    const parent = lookup(this.node, path.slice(0, -1), { kind: 'mapping', file });
    if (parent === undefined) return;
    const name = path.at(-1)!;
    const old = fieldOf(parent, name);
    const node = scalar(value, file);
    if (old !== undefined && file === 0) {
      node.file = old.file;
      node.line = old.line;
    }
    setField(parent, name, node);
  }

  storePreviousId(): void {
    const id = this.curId;
    this.#appendToList(PREVIOUS_NAMES, id.name);
    this.#appendToList(PREVIOUS_NAMESPACES, effectiveNamespace(id));
    this.#appendToList(PREVIOUS_KINDS, id.kind);
  }

  addPrefix(prefix: string): void {
    this.#appendToList(PREFIXES, prefix);
  }

  addSuffix(suffix: string): void {
    this.#appendToList(SUFFIXES, suffix);
  }

  get prefixes(): readonly string[] {
    return this.annotation(PREFIXES)?.split(',') ?? [];
  }

  get suffixes(): readonly string[] {
    return this.annotation(SUFFIXES)?.split(',') ?? [];
  }

  #appendToList(name: string, value: string): void {
    if (value === '') return;
    const known = this.annotation(name);
    this.setAnnotation(name, known === undefined ? value : `${known},${value}`);
  }

  get needsHash(): boolean {
    return this.annotation(NEEDS_HASH) === ENABLED;
  }

  enableHash(): void {
    this.setAnnotations((all) => all.set(NEEDS_HASH, ENABLED));
  }

  get behavior(): Behavior {
    return parseBehavior(this.annotation(GENERATOR_BEHAVIOR));
  }

  set behavior(behavior: Behavior) {
    this.setAnnotations((all) => all.set(GENERATOR_BEHAVIOR, behavior));
  }

  get nameChangeAllowed(): boolean {
    return this.annotation(ALLOW_NAME_CHANGE) === ENABLED;
  }

  get kindChangeAllowed(): boolean {
    return this.annotation(ALLOW_KIND_CHANGE) === ENABLED;
  }

  allow(annotation: string): void {
    this.setAnnotations((all) => all.set(annotation, ENABLED));
  }

  /** Takes labels, annotations, name and namespace from `other`; own labels and annotations win, its bookkeeping does. */
  takeMetadataFrom(other: Resource): void {
    const labels = new Map([...other.labels, ...this.labels]);
    this.#setMetaMap('labels', labels, other.#metaMap('labels'));
    const own = this.annotations;
    const theirs = other.annotations;
    const merged = new Map([...theirs, ...own]);
    for (const name of BUILD_ANNOTATIONS) {
      const value = theirs.get(name);
      if (value === undefined) merged.delete(name);
      else merged.set(name, value);
    }
    if (!own.has(NEEDS_HASH)) merged.delete(NEEDS_HASH);
    this.#setMetaMap('annotations', merged, other.#metaMap('annotations'));
    this.setName(other.name);
    this.setNamespace(other.namespace);
    this.refVarNames = other.refVarNames;
  }

  /** Removes annotations; with `always` the rest is written as text even when it is empty or null. */
  dropAnnotations(names: readonly string[], always: boolean): void {
    const annotations = this.annotations;
    if (annotations.size === 0 && !always) return;
    for (const name of names) annotations.delete(name);
    this.annotations = annotations;
  }
}

function mapOf(node: KNode | undefined): Map<string, string> {
  const result = new Map<string, string>();
  const content = node?.content ?? [];
  for (let i = 0; i + 1 < content.length; i += 2) {
    result.set(content[i]!.value, content[i + 1]!.value);
  }
  return result;
}

/** Sets a label or annotation, quoted as the original quotes those it sets itself. */
export function setMetaEntry(
  root: KNode,
  field: 'labels' | 'annotations',
  name: string,
  value: string,
  file: number,
): void {
  if (field === 'annotations') clearEmptyAnnotations(root);
  const map = lookup(root, ['metadata', field], { kind: 'mapping', file });
  if (map === undefined) return;
  const node = stringScalar(value, file);
  node.style = Style.single;
  setField(map, name, node);
}

function clearEmptyAnnotations(root: KNode): void {
  const metadata = fieldOf(root, 'metadata');
  if (metadata !== undefined && metadata.tag !== '!!null') clearIfEmpty(metadata, 'annotations');
  clearIfEmpty(root, 'metadata');
}

function clearIfEmpty(node: KNode, name: string): void {
  const index = node.content.findIndex((key, i) => i % 2 === 0 && key.value === name);
  if (index >= 0 && node.content[index + 1]!.content.length === 0) node.content.splice(index, 2);
}
