import type { KustomizeCache } from './cache.ts';
import type { Selector } from './kustomization.ts';
import { parseLabelSelector } from './label-selector.ts';
import { compileAnchored, isLiteral, type Matcher } from './pattern.ts';
import { effectiveNamespace, type Gvk } from './res-id.ts';
import type { Resource } from './resource.ts';
import type { ResourceSet } from './resource-set.ts';

/** A selector whose patterns are compiled. Empty parts match all. */
export interface CompiledSelector {
  matchesGvk(gvk: Gvk): boolean;
  matchesName(name: string): boolean;
  matchesNamespace(namespace: string): boolean;
}

const always: Matcher = () => true;

export function compileSelector(cache: KustomizeCache, selector: Selector): CompiledSelector {
  const part = (pattern: string | undefined) =>
    pattern ? compileAnchored(cache, pattern) : always;
  const group = part(selector.group);
  const version = part(selector.version);
  const kind = part(selector.kind);
  return {
    matchesGvk: (gvk) => kind(gvk.kind) && group(gvk.group) && version(gvk.version),
    matchesName: part(selector.name),
    matchesNamespace: part(selector.namespace),
  };
}

/** The resources a patch's target means: by original or present name and namespace, by kind, labels, annotations. */
export function select(
  cache: KustomizeCache,
  resources: ResourceSet,
  selector: Selector,
): Resource[] {
  const compiled = compileSelector(cache, selector);
  const { name } = selector;
  const candidates = name && isLiteral(name) ? resources.withAnyName(name) : resources.list;
  const matching = candidates.filter((resource) => matchesId(resource, compiled));
  if (matching.length === 0) return matching;
  const labels = parseLabelSelector(selector.labelSelector ?? '');
  const annotations = parseLabelSelector(selector.annotationSelector ?? '');
  return matching.filter(
    (resource) => labels(resource.labels) && annotations(resource.annotations),
  );
}

function matchesId(resource: Resource, selector: CompiledSelector): boolean {
  const current = resource.curId;
  const original = resource.prevIds[0] ?? current;
  return (
    (selector.matchesNamespace(effectiveNamespace(original)) ||
      selector.matchesNamespace(effectiveNamespace(current))) &&
    (selector.matchesName(original.name) || selector.matchesName(current.name)) &&
    selector.matchesGvk(resource.gvk)
  );
}
