import {
  dns1035LabelProblems,
  dnsLabelProblems,
  type FieldError,
  type Json,
  type KubeObject,
  labelKeyProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { isObject, listAt, textAt } from './json.ts';
import type { ServedResource } from './served-resource.ts';
import { annotations, labels } from './validation/common.ts';

const NAME_RULES: Readonly<Record<string, (name: string) => readonly string[]>> = {
  subdomain: subdomainProblems,
  label: dnsLabelProblems,
  label1035: dns1035LabelProblems,
  segment: pathSegmentProblems,
  any: () => [],
};

/** metav1's checks of ObjectMeta (k8s.io/apimachinery/pkg/api/validation ValidateObjectMeta). */
export function metadataErrors(object: KubeObject, resource: ServedResource): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata } = object;
  const nameErrors = NAME_RULES[resource.strategy.nameRule ?? 'subdomain'] ?? subdomainProblems;
  if (metadata.generateName !== undefined && metadata.generateName !== '') {
    const shown = metadata.generateName.replace(/-$/, 'a');
    for (const detail of nameErrors(shown)) {
      errors.push({
        reason: 'FieldValueInvalid',
        field: 'metadata.generateName',
        value: metadata.generateName,
        detail,
      });
    }
  }
  if (metadata.name === undefined || metadata.name === '') {
    errors.push({
      reason: 'FieldValueRequired',
      field: 'metadata.name',
      detail: 'name or generateName is required',
    });
  } else {
    for (const detail of nameErrors(metadata.name)) {
      errors.push({
        reason: 'FieldValueInvalid',
        field: 'metadata.name',
        value: metadata.name,
        detail,
      });
    }
  }
  errors.push(...labels(metadata.labels as Json, 'metadata.labels'));
  errors.push(...annotations(metadata.annotations as Json, 'metadata.annotations'));
  errors.push(...ownerErrors(object), ...finalizerErrors(object, resource));
  return errors;
}

function ownerErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  let controllers = 0;
  for (const owner of listAt(object, 'metadata', 'ownerReferences')) {
    const field = 'metadata.ownerReferences';
    const apiVersion = textAt(owner, 'apiVersion');
    if (apiVersion === '') {
      errors.push({
        reason: 'FieldValueInvalid',
        field: `${field}.apiVersion`,
        value: apiVersion,
        detail: 'version must not be empty',
      });
    }
    for (const key of ['kind', 'name', 'uid']) {
      if (textAt(owner, key) === '') {
        errors.push({
          reason: 'FieldValueInvalid',
          field: `${field}.${key}`,
          value: '',
          detail: key === 'kind' ? 'must not be empty' : 'must not be empty',
        });
      }
    }
    if (isObject(owner) && owner['controller'] === true) controllers++;
  }
  if (controllers > 1) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.ownerReferences',
      value: null,
      detail: 'Only one reference can have Controller set to true. Found "true" in references',
    });
  }
  return errors;
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set([
  'foregroundDeletion',
  'kubernetes',
  'orphan',
]);

/** Built-in kinds want a known or a domain-qualified name; of custom resources the server asks only a qualified name. */
function finalizerErrors(object: KubeObject, resource: ServedResource): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, finalizer] of (object.metadata.finalizers ?? []).entries()) {
    const standard =
      resource.custom !== undefined ||
      finalizer.includes('/') ||
      STANDARD_FINALIZERS.has(finalizer);
    const details = [...labelKeyProblems(finalizer)];
    if (details.length === 0 && !standard) {
      details.push('name is neither a standard finalizer name nor is it fully qualified');
    }
    for (const detail of details) {
      errors.push({
        reason: 'FieldValueInvalid',
        field: `metadata.finalizers[${i}]`,
        value: finalizer,
        detail,
      });
    }
  }
  return errors;
}
