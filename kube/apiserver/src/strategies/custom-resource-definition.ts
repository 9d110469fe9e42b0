import type { FieldError } from '@capstan/kube-object';
import {
  childDraft,
  cloneJson,
  type DraftObject,
  draftList,
  draftObjects,
  flagAt,
  isDraftObject,
  listAt,
  objectAt,
  setDefault,
  textAt,
} from '../json.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';
import { formatWarnings } from '../validation/definition-warnings.ts';
import { definitionErrors } from '../validation/definitions.ts';

/**
 * CustomResourceDefinitions. The real server's controllers accept the names and establish the resource a moment after the
 * creation; here it is done within the write, so that the kind is served as soon as the answer is there.
 */
export const definitionStrategy: Strategy = {
  anyFinalizer: true,
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const spec = childDraft(object, 'spec');
    const names = childDraft(spec, 'names');
    const kind = textAt(names, 'kind');
    if (textAt(names, 'singular') === '' && kind !== '') names['singular'] = kind.toLowerCase();
    if (textAt(names, 'listKind') === '' && kind !== '') names['listKind'] = `${kind}List`;
    setDefault(spec, 'conversion', { strategy: 'None' });
    const config = objectAt(spec, 'conversion', 'webhook', 'clientConfig') as DraftObject;
    const service = config['service'];
    if (isDraftObject(service) && !service['port']) service['port'] = 443;
    for (const version of draftObjects(spec, 'versions')) {
      for (const column of draftObjects(version, 'additionalPrinterColumns')) {
        if (column['priority'] === 0) delete column['priority'];
      }
    }
  },
  prepareCreate(object, context) {
    for (const warning of formatWarnings(objectAt(object, 'spec'))) context.warn(warning);
    establish(object, context);
  },
  prepareUpdate(object, old, context) {
    const known = new Set(formatWarnings(objectAt(old, 'spec')));
    for (const warning of formatWarnings(objectAt(object, 'spec'))) {
      if (!known.has(warning)) context.warn(warning);
    }
    establish(object, context);
  },
  validate: (object, _context, old) => definitionErrors(object, old),
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
