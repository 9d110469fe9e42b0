import type { KubeObject } from '@capstan/kube-object';
import type { FieldError } from './api-error.ts';
import { isObject, listAt, objectAt, textAt } from './json.ts';
import type { ServedResource } from './served-resource.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_MESSAGE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_MESSAGE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** What is wrong with a DNS subdomain; none when it is one. */
export function subdomainErrors(name: string): string[] {
  const errors: string[] = [];
  if (name.length > 253) errors.push('must be no more than 253 bytes');
  if (!SUBDOMAIN.test(name)) errors.push(SUBDOMAIN_MESSAGE);
  return errors;
}

export function labelErrors(name: string): string[] {
  const errors: string[] = [];
  if (name.length > 63) errors.push('must be no more than 63 bytes');
  if (!LABEL.test(name)) errors.push(LABEL_MESSAGE);
  return errors;
}

export function label1035Errors(name: string): string[] {
  const errors: string[] = [];
  if (name.length > 63) errors.push('must be no more than 63 bytes');
  if (!LABEL_1035.test(name)) errors.push(LABEL_1035_MESSAGE);
  return errors;
}

export function pathSegmentErrors(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`);
}

const NAME_RULES: Readonly<Record<string, (name: string) => string[]>> = {
  subdomain: subdomainErrors,
  label: labelErrors,
  label1035: label1035Errors,
  segment: pathSegmentErrors,
  any: () => [],
};

export function qualifiedNameErrors(name: string): string[] {
  const parts = name.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const errors: string[] = [];
  if (parts.length === 2) {
    if (parts[0] === '') errors.push('prefix part must be non-empty');
    else errors.push(...subdomainErrors(parts[0]!).map((text) => `prefix part ${text}`));
  }
  const local = parts[parts.length - 1]!;
  if (local === '') errors.push('name part must be non-empty');
  else if (local.length > 63) errors.push('name part must be no more than 63 bytes');
  if (!QUALIFIED.test(local)) errors.push(QUALIFIED_MESSAGE);
  return errors;
}

export function labelValueErrors(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 63) errors.push('must be no more than 63 bytes');
  if (!LABEL_VALUE.test(value)) errors.push(LABEL_VALUE_MESSAGE);
  return errors;
}

export function labelsErrors(labels: unknown, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(objectAt(labels))) {
    for (const detail of qualifiedNameErrors(key)) {
      errors.push({ kind: 'invalid', field, value: key, detail });
    }
    for (const detail of labelValueErrors(String(value))) {
      errors.push({ kind: 'invalid', field, value: String(value), detail });
    }
  }
  return errors;
}

const ANNOTATIONS_BYTES_MAX = 256 * 1024;

/** metav1's checks of ObjectMeta (k8s.io/apimachinery/pkg/api/validation ValidateObjectMeta). */
export function metadataErrors(object: KubeObject, resource: ServedResource): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata } = object;
  const nameErrors = NAME_RULES[resource.strategy.nameRule ?? 'subdomain'] ?? subdomainErrors;
  if (metadata.generateName !== undefined && metadata.generateName !== '') {
    const shown = metadata.generateName.replace(/-$/, 'a');
    for (const detail of nameErrors(shown)) {
      errors.push({
        kind: 'invalid',
        field: 'metadata.generateName',
        value: metadata.generateName,
        detail,
      });
    }
  }
  if (metadata.name === undefined || metadata.name === '') {
    errors.push({
      kind: 'required',
      field: 'metadata.name',
      detail: 'name or generateName is required',
    });
  } else {
    for (const detail of nameErrors(metadata.name)) {
      errors.push({ kind: 'invalid', field: 'metadata.name', value: metadata.name, detail });
    }
  }
  errors.push(...labelsErrors(metadata.labels, 'metadata.labels'));
  errors.push(...annotationErrors(metadata.annotations));
  errors.push(...ownerErrors(object), ...finalizerErrors(object, resource));
  return errors;
}

function annotationErrors(annotations: unknown): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(objectAt(annotations))) {
    size += key.length + String(value).length;
    for (const detail of qualifiedNameErrors(key.toLowerCase())) {
      errors.push({ kind: 'invalid', field: 'metadata.annotations', value: key, detail });
    }
  }
  if (size > ANNOTATIONS_BYTES_MAX) {
    errors.push({
      kind: 'tooLong',
      field: 'metadata.annotations',
      detail: `may not be more than ${ANNOTATIONS_BYTES_MAX} bytes`,
    });
  }
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
        kind: 'invalid',
        field: `${field}.apiVersion`,
        value: apiVersion,
        detail: 'version must not be empty',
      });
    }
    for (const key of ['kind', 'name', 'uid']) {
      if (textAt(owner, key) === '') {
        errors.push({
          kind: 'invalid',
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
      kind: 'invalid',
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
    const details = qualifiedNameErrors(finalizer);
    if (details.length === 0 && !standard) {
      details.push('name is neither a standard finalizer name nor is it fully qualified');
    }
    for (const detail of details) {
      errors.push({
        kind: 'invalid',
        field: `metadata.finalizers[${i}]`,
        value: finalizer,
        detail,
      });
    }
  }
  return errors;
}
