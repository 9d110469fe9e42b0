import {
  dns1035LabelProblems,
  dnsLabelProblems,
  type FieldError,
  type Json,
  type JsonObject,
  type KubeObject,
  labelKeyProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { flagAt, listAt, objectAt, textAt } from './json.ts';
import type { ServedResource } from './served-resource.ts';
import { forbiddenAt, invalidAt, requiredAt } from './validation/checks.ts';
import { annotations, ipAddress, labels } from './validation/common.ts';

type NameRule = (name: string) => readonly string[];

const NAME_RULES: Readonly<Record<string, NameRule>> = {
  subdomain: subdomainProblems,
  label: dnsLabelProblems,
  label1035: dns1035LabelProblems,
  segment: pathSegmentProblems,
  address: (name) => ipAddress(name, '').map(({ detail = '' }) => detail),
  any: () => [],
};

/** metav1's checks of ObjectMeta (k8s.io/apimachinery/pkg/api/validation ValidateObjectMeta), as a new object passes them. */
export function metadataErrors(object: KubeObject, resource: ServedResource): FieldError[] {
  // Of events only the new API asks for a name of the usual form.
  const isNewEvent = resource.group === 'events.k8s.io';
  const known = isNewEvent ? 'subdomain' : (resource.strategy.nameRule ?? 'subdomain');
  const rule = NAME_RULES[known] ?? subdomainProblems;
  return [...wholeErrors(object, rule), ...kubeFinalizerErrors(object, resource)];
}

/**
 * What an update is asked of its metadata. All kinds pass both checks, then each kind has its own call of the one, the other
 * or both, so that the same problem is told up to four times.
 */
export function metadataUpdateErrors(
  object: KubeObject,
  old: KubeObject,
  resource: ServedResource,
): FieldError[] {
  const own = resource.strategy.metadataOnUpdate ?? ['update'];
  return [
    ...wholeErrors(object, pathSegmentProblems),
    ...changeErrors(object, old),
    ...own.flatMap((check) =>
      check === 'whole'
        ? metadataErrors(object, resource)
        : [...changeErrors(object, old), ...kubeFinalizerErrors(object, resource)],
    ),
  ];
}

/** Of the metadata of a resource within a custom resource, which need not have a name. */
export function embeddedMetadataErrors(metadata: JsonObject, path: string): FieldError[] {
  const named = { ...metadata, name: metadata['name'] || 'fakename' };
  const object = { metadata: named } as unknown as KubeObject;
  return wholeErrors(object, pathSegmentProblems).map((error) => ({
    ...error,
    field: `${path}.${error.field}`,
  }));
}

function wholeErrors(object: KubeObject, nameProblems: NameRule): FieldError[] {
  return [...nameErrors(object, nameProblems), ...sharedErrors(object), ...finalizerErrors(object)];
}

function nameErrors({ metadata }: KubeObject, nameProblems: NameRule): FieldError[] {
  const errors: FieldError[] = [];
  const { generateName = '', name = '' } = metadata;
  if (generateName !== '') {
    for (const detail of nameProblems(generateName.replace(/-$/, 'a'))) {
      errors.push(invalidAt('metadata.generateName', generateName, detail));
    }
  }
  if (name === '') {
    errors.push(requiredAt('metadata.name', 'name or generateName is required'));
  }
  for (const detail of name === '' ? [] : nameProblems(name)) {
    errors.push(invalidAt('metadata.name', name, detail));
  }
  return errors;
}

function sharedErrors(object: KubeObject): FieldError[] {
  const { metadata } = object;
  return [
    ...labels(metadata.labels as Json, 'metadata.labels'),
    ...annotations(metadata.annotations as Json, 'metadata.annotations'),
    ...ownerErrors(object),
  ];
}

/** Of ValidateObjectMetaUpdate: what cannot change any more, and labels, annotations and owners. */
function changeErrors(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  if (old.metadata.deletionTimestamp !== undefined) {
    const before = new Set((old.metadata.finalizers ?? []).map(String));
    const added = listAt(object, 'metadata', 'finalizers')
      .map(String)
      .filter((finalizer) => !before.has(finalizer));
    if (added.length > 0) {
      const listed = [...new Set(added)].sort().map((name) => JSON.stringify(name));
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${listed.join(', ')}}`;
      errors.push(forbiddenAt('metadata.finalizers', detail));
    }
  }
  return [...errors, ...sharedErrors(object)];
}

const OWNERS = 'metadata.ownerReferences';

function ownerErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const owners = listAt(object, 'metadata', 'ownerReferences');
  let controller: string | undefined;
  for (const owner of owners) {
    const apiVersion = textAt(owner, 'apiVersion');
    if (apiVersion.slice(apiVersion.indexOf('/') + 1) === '') {
      errors.push(invalidAt(`${OWNERS}.apiVersion`, apiVersion, 'version must not be empty'));
    }
    for (const key of ['kind', 'name', 'uid']) {
      if (textAt(owner, key) === '') {
        errors.push(invalidAt(`${OWNERS}.${key}`, '', 'must not be empty'));
      }
    }
    if (apiVersion === 'v1' && textAt(owner, 'kind') === 'Event') {
      const detail = '/v1, Kind=Event is disallowed from being an owner';
      errors.push({ ...invalidAt(OWNERS, owner, detail), shown: showOwner(owner) });
    }
    if (!flagAt(owner, 'controller')) continue;
    const current = `${textAt(owner, 'kind')}/${textAt(owner, 'name')}`;
    if (controller === undefined) controller = current;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      const shown = `[${owners.map(showOwner).join(',')}]`;
      errors.push({ ...invalidAt(OWNERS, [...owners], detail), shown });
    }
  }
  return errors;
}

/** An owner reference with its fields in the order of metav1's struct. */
function showOwner(owner: Json): string {
  const { controller, blockOwnerDeletion } = objectAt(owner);
  return JSON.stringify({
    apiVersion: textAt(owner, 'apiVersion'),
    kind: textAt(owner, 'kind'),
    name: textAt(owner, 'name'),
    uid: textAt(owner, 'uid'),
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  });
}

function finalizerErrors(object: KubeObject): FieldError[] {
  const at = 'metadata.finalizers';
  const finalizers = (object.metadata.finalizers ?? []).map(String);
  const errors = finalizers.flatMap((finalizer) =>
    labelKeyProblems(finalizer).map((detail) => invalidAt(at, finalizer, detail)),
  );
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(invalidAt(at, finalizers, detail));
  }
  return errors;
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set([
  'foregroundDeletion',
  'kubernetes',
  'orphan',
]);

/** Most built-in kinds want a finalizer to be a known one or to have a domain. */
function kubeFinalizerErrors(object: KubeObject, resource: ServedResource): FieldError[] {
  if (resource.custom !== undefined || resource.strategy.anyFinalizer === true) return [];
  const detail = 'name is neither a standard finalizer name nor is it fully qualified';
  return (object.metadata.finalizers ?? []).map(String).flatMap((finalizer, i) => {
    if (finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return [];
    return [invalidAt(`metadata.finalizers[${i}]`, finalizer, detail)];
  });
}
