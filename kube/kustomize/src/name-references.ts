import type { BuildContext } from './context.ts';
import { failure, withPrefix } from './failure.ts';
import { visitFields } from './field-spec-filter.ts';
import { fieldOf, getField, type KNode, scalar, setField, setScalar } from './node.ts';
import {
  effectiveNamespace,
  type Gvk,
  gvkText,
  idText,
  isSelectedBy,
  NOT_A_NAMESPACE,
  type ResId,
} from './res-id.ts';
import type { Resource } from './resource.ts';
import type { ResourceSet } from './resource-set.ts';
import { resourceYaml } from './resource-text.ts';
import type { FieldSpec, TransformerConfig } from './transformer-config.ts';

/** What there is to know of a resource that may be referred to, read once. */
interface Candidate {
  readonly resource: Resource;
  readonly current: ResId;
  readonly previous: readonly ResId[];
  readonly namespace: string;
  readonly originalNamespace: string;
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
}

/** A resource whose fields may refer to others. */
interface Referrer {
  readonly resource: Resource;
  readonly id: ResId;
  readonly namespace: string;
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
  /** Namespaces of the service accounts that a RoleBinding names. */
  readonly bindingNamespaces: ReadonlySet<string>;
}

/**
 * Gives every field that holds a name the name that its resource has by now. Candidates are found by the names they
 * had, so that the cost grows with the number of references and not with its product with the number of resources.
 */
export function fixNameReferences(
  resources: ResourceSet,
  config: TransformerConfig,
  context: BuildContext,
): void {
  if (config.nameReference.length === 0) return;
  const index = indexResources(resources);
  const plan = referrerPlan(config);
  for (const resource of resources.list) {
    if (resource.node === undefined) continue;
    const specs = plan(resource.orgId);
    if (specs.length === 0) continue;
    const referrer = describeReferrer(resource);
    for (const { spec, target } of specs) {
      updateField(referrer, spec, target, index);
    }
    context.checkTime();
  }
}

/** Of the resources that were in one namespace: where they are now. */
interface NamespaceUse {
  clusterScoped: boolean;
  /** Effective namespaces. */
  readonly now: Set<string>;
  /** Namespaces as they are spelled. */
  readonly spelled: Set<string>;
}

interface ReferenceIndex {
  readonly byName: ReadonlyMap<string, readonly Candidate[]>;
  readonly byOriginalNamespace: ReadonlyMap<string, NamespaceUse>;
}

function indexResources(resources: ResourceSet): ReferenceIndex {
  const byName = new Map<string, Candidate[]>();
  const byOriginalNamespace = new Map<string, NamespaceUse>();
  for (const resource of resources.list) {
    const previous = resource.prevIds;
    const current = resource.curId;
    noteNamespace(byOriginalNamespace, previous[0] ?? current, current);
    if (previous.length === 0) continue;
    const candidate: Candidate = {
      resource,
      current,
      previous,
      namespace: effectiveNamespace(current),
      originalNamespace: effectiveNamespace(previous[0]!),
      prefixes: resource.prefixes,
      suffixes: resource.suffixes,
    };
    for (const name of new Set(previous.map((id) => id.name))) {
      const list = byName.get(name);
      if (list === undefined) byName.set(name, [candidate]);
      else list.push(candidate);
    }
  }
  return { byName, byOriginalNamespace };
}

function noteNamespace(uses: Map<string, NamespaceUse>, original: ResId, current: ResId): void {
  const namespace = effectiveNamespace(original);
  let use = uses.get(namespace);
  if (use === undefined) {
    use = { clusterScoped: false, now: new Set(), spelled: new Set() };
    uses.set(namespace, use);
  }
  use.clusterScoped ||= current.clusterScoped;
  use.now.add(effectiveNamespace(current));
  use.spelled.add(current.namespace);
}

interface ReferringField {
  readonly spec: FieldSpec;
  readonly target: Gvk;
}

/** The fields to look at by kind of referrer; worked out once a kind. */
function referrerPlan(config: TransformerConfig): (id: Gvk) => readonly ReferringField[] {
  const plans = new Map<string, ReferringField[]>();
  return (id) => {
    const key = gvkText(id);
    let plan = plans.get(key);
    if (plan === undefined) {
      plan = config.nameReference.flatMap((reference) =>
        reference.referrers
          .filter((spec) => isSelectedBy(id, spec))
          .map((spec) => ({ spec, target: reference })),
      );
      plans.set(key, plan);
    }
    return plan;
  };
}

function describeReferrer(resource: Resource): Referrer {
  const id = resource.curId;
  return {
    resource,
    id,
    namespace: effectiveNamespace(id),
    prefixes: resource.prefixes,
    suffixes: resource.suffixes,
    bindingNamespaces: bindingNamespaces(resource),
  };
}

function bindingNamespaces(resource: Resource): ReadonlySet<string> {
  const result = new Set<string>();
  if (resource.kind !== 'RoleBinding') return result;
  for (const subject of fieldOf(resource.node, 'subjects')?.content ?? []) {
    const namespace = fieldOf(subject, 'namespace');
    if (namespace === undefined || fieldOf(subject, 'kind')?.value !== 'ServiceAccount') continue;
    if (namespace.kind !== 'scalar' || namespace.tag === '!!null') {
      throw failure(`Invalid Input: namespace is blank for resource "${idText(resource.curId)}"\n`);
    }
    result.add(namespace.value);
  }
  return result;
}

function updateField(
  referrer: Referrer,
  spec: FieldSpec,
  target: Gvk,
  index: ReferenceIndex,
): void {
  const search: Search = { referrer, spec, target, index };
  const set = (node: KNode) => setReference(node, search);
  try {
    visitFields(referrer.resource, referrer.resource.node!, spec, { set });
  } catch (error) {
    throw withPrefix(
      error,
      `updating name reference in '${spec.path}' field of '${idText(referrer.id)}'`,
    );
  }
}

interface Search {
  readonly referrer: Referrer;
  readonly spec: FieldSpec;
  readonly target: Gvk;
  readonly index: ReferenceIndex;
}

function setReference(node: KNode, search: Search): void {
  if (node.tag === '!!null') return;
  switch (node.kind) {
    case 'scalar':
      setName(node, search);
      return;
    case 'mapping':
      setNameAndNamespace(node, search);
      return;
    case 'sequence':
      for (const element of node.content) {
        if (element.tag === '!!null') continue;
        if (element.kind === 'scalar') setName(element, search);
        else if (element.kind === 'mapping') setNameAndNamespace(element, search);
        else throw failure('element is expected to be either a string or a map of string');
      }
      return;
    default:
      throw failure('node must be a scalar, sequence or map');
  }
}

function setName(node: KNode, search: Search): void {
  const candidates = (search.index.byName.get(node.value) ?? []).filter((candidate) =>
    isVisible(candidate, search.referrer),
  );
  const found = choose(candidates, search, (a, b) => a.name === b.name);
  if (found === undefined || found.resource.name === node.value) return;
  setScalar(node, renamed(node, found.resource.name));
}

function setNameAndNamespace(node: KNode, search: Search): void {
  const nameNode = getField(node, 'name');
  if (nameNode === undefined) throw failure("path config error; no 'name' field in node");
  const oldName = nameNode.value;
  const visible = (search.index.byName.get(oldName) ?? []).filter((candidate) =>
    isVisible(candidate, search.referrer),
  );
  const candidates = inNamespace(visible, getField(node, 'namespace'), search);
  const found = choose(
    candidates,
    search,
    (a, b) => a.name === b.name && a.namespace === b.namespace,
  );
  if (found === undefined) return;
  const { name, namespace } = found.resource;
  if (name === oldName && namespace === '') return;
  setField(node, 'name', renamed(nameNode, name));
  if (namespace !== '') {
    const old = fieldOf(node, 'namespace');
    setField(node, 'namespace', renamed(old ?? nameNode, namespace));
  }
}

/** A changed name keeps the place of the reference: it is still that line which refers. */
function renamed(node: KNode, value: string): KNode {
  const result = scalar(value, node.file);
  result.line = node.line;
  return result;
}

/**
 * With a namespace beside the name, only what was there, or when nothing at all was there, what is there now. Whether
 * something was there is asked of all resources that the referrer can see.
 */
function inNamespace(
  candidates: readonly Candidate[],
  node: KNode | undefined,
  search: Search,
): readonly Candidate[] {
  if (node === undefined) return candidates;
  const namespace = node.value;
  if (namespace === NOT_A_NAMESPACE) return [];
  return wasInUse(namespace, search)
    ? candidates.filter((candidate) => candidate.originalNamespace === namespace)
    : candidates.filter((candidate) => candidate.namespace === namespace);
}

/** Whether something that the referrer can see was in the namespace at first. */
function wasInUse(namespace: string, { referrer, index }: Search): boolean {
  const use = index.byOriginalNamespace.get(namespace);
  if (use === undefined) return false;
  if (referrer.id.clusterScoped || use.clusterScoped || use.now.has(referrer.namespace))
    return true;
  for (const named of referrer.bindingNamespaces) if (use.spelled.has(named)) return true;
  return false;
}

/** What a resource can refer to: all that has no namespace, all of its own, and accounts that a binding names. */
function isVisible(candidate: Candidate, referrer: Referrer): boolean {
  return (
    referrer.id.clusterScoped ||
    candidate.current.clusterScoped ||
    candidate.namespace === referrer.namespace ||
    referrer.bindingNamespaces.has(candidate.current.namespace)
  );
}

function choose(
  found: readonly Candidate[],
  search: Search,
  alike: (a: Resource, b: Resource) => boolean,
): Candidate | undefined {
  const { referrer, target } = search;
  const role = roleOf(search);
  let candidates = found.filter(
    (candidate) =>
      candidate.previous.some((id) => isSelectedBy(id, target)) &&
      (role === undefined || candidate.previous.some((id) => isSelectedBy(id, role))) &&
      isNear(candidate, referrer),
  );
  if (candidates.length === 1) return candidates[0];
  candidates = candidates.filter((candidate) => sameAffixes(candidate, referrer, true));
  if (candidates.length > 1) {
    candidates = candidates.filter((candidate) => sameAffixes(candidate, referrer, false));
  }
  if (candidates.length <= 1) return candidates[0];
  const first = candidates[0]!;
  if (candidates.every((candidate) => alike(first.resource, candidate.resource))) return first;
  throw ambiguous(candidates, referrer);
}

/** The kind of role that a binding names, where it is a binding's role that is looked for. */
function roleOf({ referrer, spec }: Search): Gvk | undefined {
  if (!spec.path.endsWith('roleRef/name')) return undefined;
  const roleRef = fieldOf(referrer.resource.node, 'roleRef');
  const group = fieldOf(roleRef, 'apiGroup');
  const kind = fieldOf(roleRef, 'kind');
  if (group === undefined || kind === undefined) return undefined;
  return { group: group.value, version: '', kind: kind.value };
}

function isNear(candidate: Candidate, referrer: Referrer): boolean {
  return (
    referrer.id.clusterScoped ||
    candidate.current.clusterScoped ||
    candidate.current.kind === 'ServiceAccount' ||
    candidate.namespace === referrer.namespace
  );
}

function sameAffixes(candidate: Candidate, referrer: Referrer, allowEmpty: boolean): boolean {
  return (
    endsAlike(candidate.prefixes, referrer.prefixes, allowEmpty) &&
    endsAlike(candidate.suffixes, referrer.suffixes, allowEmpty)
  );
}

function endsAlike(a: readonly string[], b: readonly string[], allowEmpty: boolean): boolean {
  if (a.length === 0 || b.length === 0) return allowEmpty || a.length === b.length;
  const length = Math.min(a.length, b.length);
  for (let i = 1; i <= length; i++) if (a.at(-i) !== b.at(-i)) return false;
  return true;
}

function ambiguous(candidates: readonly Candidate[], referrer: Referrer): unknown {
  const ids = candidates.map((candidate) => idText(candidate.current)).join(', ');
  const details = candidates.map(
    (candidate, i) => `--- possible referral ${i}:\n${resourceYaml(candidate.resource)}\n`,
  );
  return failure(
    `found multiple possible referrals: ${ids}\n\n**** Too many possible referral targets to referrer:\n` +
      `${resourceYaml(referrer.resource)}\n${details.join('')}`,
  );
}
