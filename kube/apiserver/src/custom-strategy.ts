import type { FieldError, JsonObject, KubeObject } from '@capstan/kube-object';
import {
  applyDefaults,
  type CustomResourceVersion,
  dropNulls,
  hasRules,
  pruneCustomResource,
  type RuleCompiler,
  validateCustomResource,
  validateListTypes,
  validateRules,
  validateValue,
} from '@capstan/kube-schema';
import { cloneJson, type DraftObject } from './json.ts';
import type { Strategy } from './served-resource.ts';
import { embeddedErrors } from './validation/embedded-resources.ts';
import { scaleSpecErrors, scaleStatusErrors } from './validation/scale-paths.ts';

/** The strategy of one version of a custom resource, made from its schema. */
export function customStrategy(
  version: CustomResourceVersion,
  compiler: RuleCompiler | undefined,
): Strategy {
  const { schema, scale } = version;
  const check = (
    object: KubeObject,
    old: KubeObject | undefined,
    shape: readonly FieldError[],
  ): FieldError[] => {
    const errors = [
      ...shape,
      ...embeddedErrors(object as JsonObject, schema),
      ...listErrors(schema, object, old),
    ];
    if (compiler === undefined || !hasRules(schema)) return errors;
    // Rules may rely on the shape; so they run only on what has the right one.
    if (errors.some(({ reason }) => BLOCKING.has(reason))) errors.push(NOT_CHECKED);
    else {
      errors.push(
        ...validateRules(schema, object, { compiler, ...(old === undefined ? {} : { old }) }),
      );
    }
    return errors;
  };
  const whole = (object: KubeObject, old?: KubeObject): FieldError[] =>
    check(object, old, [
      ...validateCustomResource(schema, object, old),
      ...scaleSpecErrors(object as JsonObject, scale),
      ...scaleStatusErrors(object as JsonObject, scale),
    ]);
  return {
    hasGeneration: true,
    hasStatus: version.hasStatus,
    prune(object, keepsNulls) {
      const pruned = pruneCustomResource(schema, object as JsonObject);
      replaceContent(object, keepsNulls ? pruned.object : dropNulls(schema, pruned.object));
      return pruned.unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`);
    },
    applyDefaults: (object) => replaceContent(object, applyDefaults(schema, object as JsonObject)),
    validate: (object, _context, old) => (old === undefined ? whole(object) : []),
    validateUpdate: whole,
    validateStatus: (object, old) =>
      check(object, old, [
        ...statusErrors(schema, object, old),
        ...scaleStatusErrors(object as JsonObject, scale),
      ]),
  };
}

/** Of a write to the status only that is looked at, as a value of its own. */
function statusErrors(
  schema: CustomResourceVersion['schema'],
  object: KubeObject,
  old: KubeObject,
): readonly FieldError[] {
  const status = schema.properties?.get('status');
  const given = object['status'];
  if (status === undefined || given === undefined) return [];
  return validateValue(status, given, old['status']).map((error) => ({
    ...error,
    field: error.field === '<nil>' ? 'status' : `status.${error.field}`,
  }));
}

/** What is in a list twice is told unless there was such a list before, in this place or another. */
function listErrors(
  schema: CustomResourceVersion['schema'],
  object: KubeObject,
  old: KubeObject | undefined,
): readonly FieldError[] {
  const errors = validateListTypes(schema, object);
  if (errors.length === 0 || old === undefined) return errors;
  return validateListTypes(schema, old).length === 0 ? errors : [];
}

const BLOCKING: ReadonlySet<FieldError['reason']> = new Set([
  'FieldValueRequired',
  'FieldValueNotSupported',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const NOT_CHECKED: FieldError = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  value: null,
  detail:
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

function replaceContent(target: DraftObject, source: JsonObject): void {
  if (source === target) return;
  const copy = cloneJson(source);
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, copy);
}
