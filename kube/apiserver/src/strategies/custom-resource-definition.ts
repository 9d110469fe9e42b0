import type { FieldError, KubeObject } from '@capstan/kube-object';
import {
  childDraft,
  cloneJson,
  type DraftObject,
  draftList,
  draftObjects,
  flagAt,
  listAt,
  objectAt,
  setDefault,
  textAt,
} from '../json.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';

/**
 * CustomResourceDefinitions. The real server's controllers accept the names and establish the resource a moment after the
 * creation; here it is done within the write, so that the kind is served as soon as the answer is there.
 */
export const definitionStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    const names = childDraft(spec, 'names');
    const kind = textAt(names, 'kind');
    if (textAt(names, 'singular') === '' && kind !== '') names['singular'] = kind.toLowerCase();
    if (textAt(names, 'listKind') === '' && kind !== '') names['listKind'] = `${kind}List`;
    setDefault(spec, 'conversion', { strategy: 'None' });
    for (const version of draftObjects(spec, 'versions')) {
      for (const column of draftObjects(version, 'additionalPrinterColumns')) {
        if (column['priority'] === 0) delete column['priority'];
      }
    }
  },
  prepareCreate: (object, context) => establish(object, context),
  prepareUpdate: (object, _old, context) => establish(object, context),
  validate: definitionErrors,
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    for (const path of [['group'], ['names', 'plural'], ['scope'], ['names', 'kind']]) {
      const after = textAt(objectAt(object, 'spec'), ...path);
      if (after === textAt(objectAt(old, 'spec'), ...path)) continue;
      errors.push({
        reason: 'FieldValueInvalid',
        field: `spec.${path.join('.')}`,
        value: after,
        detail: 'field is immutable',
      });
    }
    return errors;
  },
};

function establish(object: DraftObject, context: StrategyContext): void {
  const spec = objectAt(object, 'spec');
  const status = childDraft(object, 'status');
  const storage = listAt(spec, 'versions').find((version) => flagAt(version, 'storage'));
  const stored = draftList(status, 'storedVersions');
  const name = textAt(storage, 'name');
  if (!stored.includes(name)) stored.push(name);
  const clash = clashingKind(object, context);
  status['acceptedNames'] =
    clash === undefined ? cloneJson(objectAt(spec, 'names')) : { plural: '', kind: '' };
  const known = draftObjects(status, 'conditions');
  const condition = (type: string, state: string, reason: string, message: string): DraftObject => {
    const before = known.find((item) => item['type'] === type);
    if (before !== undefined && before['status'] === state && before['reason'] === reason) {
      return before;
    }
    return { type, status: state, lastTransitionTime: context.now(), reason, message };
  };
  const kept = known.filter(
    (item) => item['type'] !== 'NamesAccepted' && item['type'] !== 'Established',
  );
  status['conditions'] = [
    clash === undefined
      ? condition('NamesAccepted', 'True', 'NoConflicts', 'no conflicts found')
      : condition('NamesAccepted', 'False', 'KindConflict', `"${clash}" is already in use`),
    clash === undefined
      ? condition(
          'Established',
          'True',
          'InitialNamesAccepted',
          'the initial names have been accepted',
        )
      : condition('Established', 'False', 'NotAccepted', 'not all names are accepted'),
    ...kept,
  ];
  status['storedVersions'] = stored;
}

function clashingKind(object: DraftObject, context: StrategyContext): string | undefined {
  const own = objectAt(object, 'spec', 'names');
  const group = textAt(object, 'spec', 'group');
  for (const other of context.list('apiextensions.k8s.io/customresourcedefinitions')) {
    if (other.metadata.name === textAt(object, 'metadata', 'name')) continue;
    if (textAt(other, 'spec', 'group') !== group) continue;
    const kind = textAt(other, 'status', 'acceptedNames', 'kind');
    if (kind !== '' && kind === textAt(own, 'kind')) return kind;
  }
  return undefined;
}

function definitionErrors(object: KubeObject): FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors: FieldError[] = [];
  const plural = textAt(spec, 'names', 'plural');
  const group = textAt(spec, 'group');
  const name = object.metadata.name ?? '';
  if (name !== `${plural}.${group}`) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.name',
      value: name,
      detail: `must be spec.names.plural+"."+spec.group`,
    });
  }
  for (const path of [['group'], ['scope'], ['names', 'plural'], ['names', 'kind']]) {
    if (textAt(spec, ...path) === '') {
      errors.push({ reason: 'FieldValueRequired', field: `spec.${path.join('.')}`, detail: '' });
    }
  }
  const versions = listAt(spec, 'versions');
  const stored = versions.filter((version) => flagAt(version, 'storage')).length;
  if (stored !== 1) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'spec.versions',
      value: versions,
      detail: 'must have exactly one version marked as storage version',
    });
  }
  for (const [i, version] of versions.entries()) {
    if (objectAt(version, 'schema')['openAPIV3Schema'] === undefined) {
      errors.push({
        reason: 'FieldValueRequired',
        field: `spec.versions[${i}].schema.openAPIV3Schema`,
        detail: 'schemas are required',
      });
    }
  }
  return errors;
}
