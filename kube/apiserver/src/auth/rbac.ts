import type { Json, KubeObject } from '@capstan/kube-object';
import { type Core, listBucket } from '../core.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import { MASTERS_GROUP, type UserInfo } from '../user.ts';

/** What somebody wants to do: with a resource, or with a path that is none. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Set for a request that is not for a resource. */
  readonly path?: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

const RBAC = 'rbac.authorization.k8s.io';

/** Whether the roles that are bound to a user allow it. `system:masters` may do everything. */
export function authorize(core: Core, user: UserInfo, attributes: Attributes): Decision {
  if (user.groups.includes(MASTERS_GROUP)) return { allowed: true, reason: '' };
  for (const { rules, binding } of rulesFor(core, user, attributes.namespace)) {
    for (const rule of rules) {
      if (!ruleAllows(rule, attributes)) continue;
      const role = objectAt(binding, 'roleRef');
      const subject = describeSubject(binding, user);
      const place =
        binding.kind === 'RoleBinding'
          ? `RoleBinding ${JSON.stringify(`${binding.metadata.name}/${binding.metadata.namespace}`)}`
          : `ClusterRoleBinding ${JSON.stringify(binding.metadata.name)}`;
      return {
        allowed: true,
        reason: `RBAC: allowed by ${place} of ${textAt(role, 'kind')} ${JSON.stringify(textAt(role, 'name'))} to ${subject}`,
      };
    }
  }
  return { allowed: false, reason: '' };
}

/** All rules that hold for a user: those of the cluster, and of one namespace. */
export function* rulesFor(
  core: Core,
  user: UserInfo,
  namespace: string,
): Generator<{ readonly rules: readonly Json[]; readonly binding: KubeObject }> {
  for (const binding of listBucket(core.store, `${RBAC}/clusterrolebindings`)) {
    if (appliesTo(binding, user)) yield { rules: rulesOf(core, binding, ''), binding };
  }
  if (namespace === '') return;
  for (const binding of listBucket(core.store, `${RBAC}/rolebindings`, namespace)) {
    if (appliesTo(binding, user)) yield { rules: rulesOf(core, binding, namespace), binding };
  }
}

function rulesOf(core: Core, binding: KubeObject, namespace: string): readonly Json[] {
  const kind = textAt(binding, 'roleRef', 'kind');
  const name = textAt(binding, 'roleRef', 'name');
  const role =
    kind === 'ClusterRole'
      ? core.store.get(`${RBAC}/clusterroles`, name)
      : core.store.get(`${RBAC}/roles`, `${namespace}/${name}`);
  return role === undefined ? [] : listAt(role, 'rules');
}

function appliesTo(binding: KubeObject, user: UserInfo): boolean {
  return listAt(binding, 'subjects').some((subject) => matchesSubject(subject, binding, user));
}

function matchesSubject(subject: Json, binding: KubeObject, user: UserInfo): boolean {
  const name = textAt(subject, 'name');
  switch (textAt(subject, 'kind')) {
    case 'User':
      return user.username === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount': {
      const namespace = textAt(subject, 'namespace') || (binding.metadata.namespace ?? '');
      return user.username === `system:serviceaccount:${namespace}:${name}`;
    }
    default:
      return false;
  }
}

function describeSubject(binding: KubeObject, user: UserInfo): string {
  const subject = listAt(binding, 'subjects').find((item) => matchesSubject(item, binding, user));
  const name = textAt(subject, 'name');
  if (textAt(subject, 'kind') !== 'ServiceAccount') {
    return `${textAt(subject, 'kind')} ${JSON.stringify(name)}`;
  }
  return `ServiceAccount ${JSON.stringify(`${name}/${textAt(subject, 'namespace')}`)}`;
}

export function ruleAllows(rule: Json, attributes: Attributes): boolean {
  const has = (key: string, ...wanted: readonly string[]): boolean =>
    listAt(rule, key).some((value) => value === '*' || wanted.includes(String(value)));
  if (!has('verbs', attributes.verb)) return false;
  if (attributes.path !== undefined) {
    const path = attributes.path;
    return listAt(rule, 'nonResourceURLs').some((pattern) => {
      const text = String(pattern);
      return text === path || (text.endsWith('*') && path.startsWith(text.slice(0, -1)));
    });
  }
  const { group, resource, subresource, name } = attributes;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  const wildcards = subresource === '' ? [] : [`*/${subresource}`];
  if (!has('apiGroups', group) || !has('resources', combined, ...wildcards)) return false;
  const names = listAt(rule, 'resourceNames');
  return names.length === 0 || names.includes(name);
}

/** The rules of a ClusterRole that aggregates others: theirs, in the order of their names. */
export function aggregatedRules(core: Core, role: KubeObject): readonly Json[] | undefined {
  const selectors = listAt(role, 'aggregationRule', 'clusterRoleSelectors').map(fromSelectorObject);
  if (selectors.length === 0) return undefined;
  const rules: Json[] = [];
  const seen = new Set<string>();
  for (const selector of selectors) {
    for (const other of listBucket(core.store, `${RBAC}/clusterroles`)) {
      if (other.metadata.name === role.metadata.name) continue;
      if (!matchesLabels(selector ?? [], other.metadata.labels)) continue;
      for (const rule of listAt(other, 'rules')) {
        const text = JSON.stringify(rule);
        if (!seen.has(text)) rules.push(rule);
        seen.add(text);
      }
    }
  }
  return rules;
}
