import {
  type FieldError,
  type Json,
  pathSegmentProblems,
  subdomainProblems,
  supportedValues,
} from '@capstan/kube-object';
import { listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  invalidAt,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  text,
} from './checks.ts';
import { labelSelector } from './common.ts';

const GROUP = 'rbac.authorization.k8s.io';

const policyRule =
  (isNamespaced: boolean) =>
  (rule: Json, at: string): FieldError[] => {
    const { verbs, nonResourceURLs } = objectAt(rule);
    const errors: FieldError[] = [
      ...required(undefined, 'verbs must contain at least one value')(verbs, `${at}.verbs`),
    ];
    const urls = listAt(rule, 'nonResourceURLs');
    const where = `${at}.nonResourceURLs`;
    if (urls.length > 0) {
      if (isNamespaced) {
        const detail = 'namespaced rules cannot apply to non-resource URLs';
        errors.push(invalidAt(where, nonResourceURLs, detail));
      }
      const mixed = ['apiGroups', 'resources', 'resourceNames'].some(
        (key) => listAt(rule, key).length > 0,
      );
      if (mixed) {
        const detail = 'rules cannot apply to both regular resources and non-resource URLs';
        errors.push(invalidAt(where, nonResourceURLs, detail));
      }
      return errors;
    }
    if (listAt(rule, 'apiGroups').length === 0) {
      const detail = 'resource rules must supply at least one api group';
      errors.push(requiredAt(`${at}.apiGroups`, detail));
    }
    if (listAt(rule, 'resources').length === 0) {
      const detail = 'resource rules must supply at least one resource';
      errors.push(requiredAt(`${at}.resources`, detail));
    }
    return errors;
  };

/** rbac.Role and rbac.ClusterRole, from their root. */
export const role: Check = (value) => {
  const isNamespaced = textAt(value, 'kind') === 'Role';
  const rule = policyRule(isNamespaced);
  return [
    ...listAt(value, 'rules').flatMap((item, i) => rule(item, `rules[${i}]`)),
    ...aggregationErrors(objectAt(value)['aggregationRule']),
  ];
};

function aggregationErrors(aggregation: Json | undefined): FieldError[] {
  if (aggregation === undefined) return [];
  const at = 'aggregationRule.clusterRoleSelectors';
  const selectors = listAt(aggregation, 'clusterRoleSelectors');
  if (selectors.length === 0) {
    const detail = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
    return [requiredAt(at, detail)];
  }
  return selectors.flatMap((selector, i) => {
    const errors = labelSelector(selector, `${at}[${i}]`);
    if (errors.length === 0) return [];
    return [...errors, invalidAt(`${at}[${i}]`, null, 'invalid label selector.')];
  });
}

function subjectErrors(subject: Json, at: string, isNamespaced: boolean): FieldError[] {
  const kind = textAt(subject, 'kind');
  const name = textAt(subject, 'name');
  const group = textAt(subject, 'apiGroup');
  const errors: FieldError[] = name === '' ? [requiredAt(`${at}.name`)] : [];
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...text(subdomainProblems)(name, `${at}.name`));
    if (group !== '') {
      errors.push(notSupportedAt(`${at}.apiGroup`, group, supportedValues([''])));
    }
    if (!isNamespaced && textAt(subject, 'namespace') === '') {
      errors.push(requiredAt(`${at}.namespace`));
    }
  } else if (kind === 'User' || kind === 'Group') {
    errors.push(...oneOf(GROUP)(group, `${at}.apiGroup`));
  } else errors.push(...oneOf('ServiceAccount', 'User', 'Group')(kind, `${at}.kind`));
  return errors;
}

/** rbac.RoleBinding and rbac.ClusterRoleBinding, from their root. */
export const roleBinding: Check = (value) => {
  const isNamespaced = textAt(value, 'kind') === 'RoleBinding';
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const { apiGroup, kind, name } = objectAt(value, 'roleRef');
  return [
    ...oneOf(GROUP)(apiGroup, 'roleRef.apiGroup'),
    ...oneOf(...kinds)(kind, 'roleRef.kind'),
    ...required(text(pathSegmentProblems))(name, 'roleRef.name'),
    ...listAt(value, 'subjects').flatMap((subject, i) =>
      subjectErrors(subject, `subjects[${i}]`, isNamespaced),
    ),
  ];
};
