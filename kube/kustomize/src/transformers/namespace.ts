import { HELM_GENERATED } from '../annotations.ts';
import { BuildFailure, failure, within, withPrefix } from '../failure.ts';
import { applyFieldSpec, type FieldAction, getOrCreateScalar } from '../field-spec-filter.ts';
import {
  fieldOf,
  getField,
  isMissingOrNull,
  type KNode,
  makeNode,
  requireKind,
  setScalar,
} from '../node.ts';
import { idKey } from '../res-id.ts';
import type { Resource } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { resourceJson } from '../resource-text.ts';
import { type FieldSpec, fieldSpec } from '../transformer-config.ts';
import type { Transformer } from './transformer.ts';

export type SubjectMode = 'defaultOnly' | 'allServiceAccounts' | 'none';

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  readonly unsetOnly?: boolean;
  readonly subjects?: SubjectMode;
  readonly file: number;
}

const META_NAMESPACE = fieldSpec({ path: 'metadata/namespace', create: true });

/** Sets the namespace of all that is namespaced, and of what refers to it: subjects, services of webhooks. */
export function namespaceTransformer(options: NamespaceOptions): Transformer {
  return {
    transform: (resources) => {
      if (options.namespace === '') return;
      const ids = countIds(resources);
      for (const resource of resources.list) {
        if (resource.isNilOrEmpty || resource.annotation(HELM_GENERATED) === 'true') continue;
        count(ids, resource, -1);
        resource.storePreviousId();
        setNamespaces(resource, options);
        if (count(ids, resource, 1) !== 1) throw conflict(resources, resource);
      }
      resources.idsChanged();
    },
  };
}

function countIds(resources: ResourceSet): Map<string, number> {
  const ids = new Map<string, number>();
  for (const resource of resources.list) count(ids, resource, 1);
  return ids;
}

function count(ids: Map<string, number>, resource: Resource, change: number): number {
  const key = idKey(resource.curId);
  const result = (ids.get(key) ?? 0) + change;
  ids.set(key, result);
  return result;
}

function conflict(resources: ResourceSet, resource: Resource): BuildFailure {
  const key = idKey(resource.curId);
  const same = resources.list.filter((other) => idKey(other.curId) === key);
  return failure(
    `namespace transformation produces ID conflict: [${same.map(resourceJson).join(' ')}]`,
  );
}

/** Sets the namespace in one resource, without keeping its former id. */
export function setNamespaces(resource: Resource, options: NamespaceOptions): void {
  const action = setterOf(options);
  const { kind, curId } = resource;
  if (!curId.clusterScoped) {
    applyFieldSpec(resource, META_NAMESPACE, { ...action, create: { ...action.create!, tag: '' } });
  }
  const isBinding = kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
  if (isBinding) setSubjects(resource, options, action);
  const isCore = resource.apiVersion === 'v1';
  for (const spec of options.specs) {
    if (spec.path === 'metadata/namespace') continue;
    if (spec.path === 'metadata/name' && !isCore) continue;
    if (isBinding && isSubjectSpec(spec)) continue;
    applyChecked(resource, spec, action);
  }
}

function isSubjectSpec(spec: FieldSpec): boolean {
  const isBinding = spec.kind === 'RoleBinding' || spec.kind === 'ClusterRoleBinding';
  return isBinding && spec.path === 'subjects/namespace';
}

function applyChecked(resource: Resource, spec: FieldSpec, action: FieldAction): void {
  try {
    applyFieldSpec(resource, spec, action);
  } catch (error) {
    const wrong = error instanceof BuildFailure ? error.facts.wrongKind : undefined;
    throw withPrefix(
      error,
      wrong !== undefined && wrong !== 'scalar'
        ? 'namespace field specs must target scalar nodes'
        : 'namespace transformation failed',
    );
  }
}

/** One node for all fields of the resource, as in the original. */
function setterOf({ namespace, unsetOnly, file }: NamespaceOptions): FieldAction {
  return {
    create: { kind: 'scalar', tag: '!!str', file },
    set: (node) => {
      if (unsetOnly === true && hasValue(node)) return;
      setScalar(node, makeNode('scalar', '!!str', namespace, file));
    },
  };
}

function hasValue(node: KNode): boolean {
  return node.tag !== '!!null' && node.kind === 'scalar' && node.value !== '';
}

function setSubjects(resource: Resource, options: NamespaceOptions, action: FieldAction): void {
  const mode = options.subjects ?? 'defaultOnly';
  if (mode === 'none') return;
  const subjects = fieldOf(resource.node, 'subjects');
  if (isMissingOrNull(subjects)) return;
  const [field, wanted] =
    mode === 'allServiceAccounts'
      ? (['kind', 'ServiceAccount'] as const)
      : (['name', 'default'] as const);
  within(
    () => 'setting namespace on (cluster)role binding subjects',
    () => {
      requireKind(subjects, 'sequence');
      for (const subject of subjects.content) {
        const found = within(
          () => `looking up ${field} on (cluster)role binding subject`,
          () => getField(subject, field),
        );
        if (isMissingOrNull(found) || found.value !== wanted) continue;
        const namespace = getOrCreateScalar(subject, 'namespace', options.file);
        if (namespace !== undefined) action.set(namespace);
      }
    },
  );
}
