import {
  dns1035LabelProblems,
  type FieldError,
  type Json,
  type JsonObject,
  type KubeObject,
  subdomainProblems,
} from '@capstan/kube-object';
import { parseSchema, type Schema, structuralProblems } from '@capstan/kube-schema';
import { equalJson, flagAt, isObject, listAt, objectAt, textAt, valueAt } from '../json.ts';
import { forbiddenAt, invalidAt, notSupportedAt, oneOf, requiredAt } from './checks.ts';
import { ruleErrors } from './definition-rules.ts';
import { clientConfig } from './webhooks.ts';

/** What is wrong with a CustomResourceDefinition, in the words of apiextensions-apiserver 1.36. */
export function definitionErrors(object: KubeObject, old?: KubeObject): readonly FieldError[] {
  const spec = objectAt(object, 'spec');
  const name = object.metadata.name ?? '';
  const wanted = `${textAt(spec, 'names', 'plural')}.${textAt(spec, 'group')}`;
  const named = (at: string, given: string): FieldError[] =>
    given === wanted ? [] : [invalidAt(at, given, 'must be spec.names.plural+"."+spec.group')];
  const prefix = textAt(object, 'metadata', 'generateName');
  return [
    ...(prefix === '' ? [] : named('metadata.generateName', prefix)),
    ...named('metadata.name', name),
    ...specErrors(spec, 'spec'),
    ...storedVersionErrors(object),
    ...(old === undefined ? approvalErrors(object) : []),
    ...preservingErrors(spec, old),
  ];
}

function specErrors(spec: JsonObject, at: string): FieldError[] {
  const top = hoisted(listAt(spec, 'versions'));
  const versions = listAt(spec, 'versions');
  const hasStatus = versions.some((version) => statusOf(version) !== undefined);
  return [
    ...groupErrors(textAt(spec, 'group'), `${at}.group`),
    ...enumErrors(textAt(spec, 'scope'), `${at}.scope`, ['Cluster', 'Namespaced']),
    ...versions.flatMap((version, i) =>
      valueAt(version, 'schema', 'openAPIV3Schema') === undefined
        ? [requiredAt(`${at}.versions[${i}].schema.openAPIV3Schema`)]
        : [],
    ),
    ...versions.flatMap((version, i) => versionErrors(version, `${at}.versions[${i}]`, top)),
    ...versionsErrors(spec, at),
    ...nameErrors(objectAt(spec, 'names'), `${at}.names`),
    ...(top.schema ? schemaErrors(versions[0], `${at}.validation`, hasStatus) : []),
    ...(top.subresources ? scaleErrors(versions[0], `${at}.subresources`) : []),
    ...(top.additionalPrinterColumns ? columnErrors(versions[0], at) : []),
    ...(top.selectableFields ? selectableErrors(versions[0], at) : []),
    ...conversionErrors(objectAt(spec, 'conversion'), `${at}.conversion`),
  ];
}

const PER_VERSION = [
  'schema',
  'subresources',
  'additionalPrinterColumns',
  'selectableFields',
] as const;
type Hoisted = Readonly<Record<(typeof PER_VERSION)[number], boolean>>;

/** What all versions have alike is kept once by the server, and so told about once. */
function hoisted(versions: readonly Json[]): Hoisted {
  const isAlike = (key: string): boolean =>
    versions.every((version) =>
      equalJson(objectAt(version)[key] as Json, objectAt(versions[0])[key] as Json),
    );
  return Object.fromEntries(
    PER_VERSION.map((key) => [key, versions.length > 0 && isAlike(key)]),
  ) as Hoisted;
}

function statusOf(version: Json): Json | undefined {
  return valueAt(version, 'subresources', 'status');
}

function groupErrors(group: string, at: string): FieldError[] {
  if (group === '') return [requiredAt(at)];
  const problems = subdomainProblems(group);
  if (problems.length > 0) return [invalidAt(at, group, problems.join(','))];
  if (group.includes('.')) return [];
  return [invalidAt(at, group, 'should be a domain with at least one dot')];
}

function enumErrors(value: string, at: string, allowed: readonly string[]): readonly FieldError[] {
  return value === '' ? [requiredAt(at)] : oneOf(...allowed)(value, at);
}

function labelErrors(value: string, at: string, prefix = '', checked = value): FieldError[] {
  const problems = dns1035LabelProblems(checked);
  return problems.length === 0 ? [] : [invalidAt(at, value, prefix + problems.join(','))];
}

function versionErrors(version: Json, at: string, top: Hoisted): FieldError[] {
  const warning = valueAt(version, 'deprecationWarning');
  return [
    ...labelErrors(textAt(version, 'name'), `${at}.name`),
    ...(warning !== undefined && !flagAt(version, 'deprecated')
      ? [invalidAt(`${at}.deprecationWarning`, warning, 'can only be set for deprecated versions')]
      : []),
    ...(top.schema ? [] : schemaErrors(version, `${at}.schema`, statusOf(version) !== undefined)),
    ...(top.subresources ? [] : scaleErrors(version, `${at}.subresources`)),
    ...(top.additionalPrinterColumns ? [] : columnErrors(version, at)),
    ...(top.selectableFields ? [] : selectableErrors(version, at)),
  ];
}

function versionsErrors(spec: JsonObject, at: string): FieldError[] {
  const versions = listAt(spec, 'versions');
  const names = versions.map((version) => textAt(version, 'name'));
  const given = versions.length === 0 ? null : versions.map(shownVersion);
  const shown = JSON.stringify(given);
  const errors: FieldError[] = [];
  if (new Set(names).size !== names.length) {
    const detail = 'must contain unique version names';
    errors.push({ ...invalidAt(`${at}.versions`, null, detail), shown });
  }
  if (versions.filter((version) => flagAt(version, 'storage')).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.push({ ...invalidAt(`${at}.versions`, null, detail), shown });
  }
  // The first version was once the only one, under a name of its own.
  return names[0] === undefined ? errors : [...errors, ...labelErrors(names[0], `${at}.version`)];
}

/** As Go prints the type that has no JSON tags; what is kept once for all is not there. */
function shownVersion(version: Json): JsonObject {
  return {
    Name: textAt(version, 'name'),
    Served: flagAt(version, 'served'),
    Storage: flagAt(version, 'storage'),
    Deprecated: flagAt(version, 'deprecated'),
    DeprecationWarning: valueAt(version, 'deprecationWarning') ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  };
}

const MIXED_CASE = 'may have mixed case, but should otherwise match: ';

function nameErrors(names: JsonObject, at: string): FieldError[] {
  const of = (key: string): string => textAt(names, key);
  const missing = ['plural', 'singular', 'kind', 'listKind'].filter((key) => of(key) === '');
  const lists = ['shortNames', 'categories'].map((key) =>
    listAt(names, key).flatMap((name, i) => labelErrors(String(name), `${at}.${key}[${i}]`)),
  );
  const same = of('kind') !== '' && of('kind') === of('listKind');
  return [
    ...missing.map((key) => requiredAt(`${at}.${key}`)),
    ...['plural', 'singular'].flatMap((key) =>
      of(key) === '' ? [] : labelErrors(of(key), `${at}.${key}`),
    ),
    ...['kind', 'listKind'].flatMap((key) =>
      of(key) === '' ? [] : labelErrors(of(key), `${at}.${key}`, MIXED_CASE, of(key).toLowerCase()),
    ),
    ...(lists[0] ?? []),
    ...(same
      ? [invalidAt(`${at}.listKind`, of('listKind'), 'kind and listKind may not be the same')]
      : []),
    ...(lists[1] ?? []),
  ];
}

function schemaErrors(version: Json | undefined, at: string, hasStatus: boolean): FieldError[] {
  const schema = valueAt(version, 'schema', 'openAPIV3Schema');
  if (!isObject(schema)) return [];
  const where = `${at}.openAPIV3Schema`;
  const errors: FieldError[] = [];
  if (hasStatus && textAt(schema, 'type') !== 'object') {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    errors.push(invalidAt(`${where}.type`, textAt(schema, 'type'), detail));
  }
  if (flagAt(schema, 'nullable')) {
    errors.push(forbiddenAt(`${where}.nullable`, 'nullable cannot be true at the root'));
  }
  errors.push(...structuralProblems(schema, where));
  return errors.length > 0 ? errors : [...ruleErrors(schema, where)];
}

function pathErrors(path: string, at: string): FieldError[] {
  if (path.startsWith('.')) return [];
  return [invalidAt(at, path, 'must be a simple json path starting with .')];
}

function scaleErrors(version: Json | undefined, at: string): FieldError[] {
  const scale = valueAt(version, 'subresources', 'scale');
  if (scale === undefined) return [];
  const under = (key: string, prefix: string): FieldError[] => {
    const path = textAt(scale, key);
    const where = `${at}.scale.${key}`;
    if (path === '') return [requiredAt(where)];
    const wrong = pathErrors(path, where);
    if (wrong.length > 0 || path.startsWith(`${prefix}.`)) return wrong;
    return [invalidAt(where, path, `should be a json path under ${prefix}`)];
  };
  const selector = textAt(scale, 'labelSelectorPath');
  const where = `${at}.scale.labelSelectorPath`;
  const wrong = selector === '' ? [] : pathErrors(selector, where);
  const misplaced =
    selector === '' || wrong.length > 0 || /^\.(spec|status)\./.test(selector)
      ? []
      : [invalidAt(where, selector, 'should be a json path under either .spec or .status')];
  return [
    ...under('specReplicasPath', '.spec'),
    ...under('statusReplicasPath', '.status'),
    ...wrong,
    ...misplaced,
  ];
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = [
  'byte',
  'date',
  'date-time',
  'double',
  'float',
  'int32',
  'int64',
  'password',
];

function columnErrors(version: Json | undefined, at: string): FieldError[] {
  return listAt(version, 'additionalPrinterColumns').flatMap((column, i) => {
    const where = `${at}.additionalPrinterColumns[${i}]`;
    const type = textAt(column, 'type');
    const format = textAt(column, 'format');
    const path = textAt(column, 'jsonPath');
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    const errors: FieldError[] = [];
    if (textAt(column, 'name') === '') errors.push(requiredAt(`${where}.name`));
    if (type === '') errors.push(requiredAt(`${where}.type`, types));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalidAt(`${where}.type`, type, types));
    if (format !== '' && !COLUMN_FORMATS.includes(format)) {
      const detail = `must be one of ${COLUMN_FORMATS.join(',')}`;
      errors.push(invalidAt(`${where}.format`, format, detail));
    }
    if (path === '') errors.push(requiredAt(`${where}.JSONPath`));
    else errors.push(...pathErrors(path, `${where}.JSONPath`));
    return errors;
  });
}

const SELECTABLE_MAX = 8;
const SELECTABLE_TYPES = ['string', 'boolean', 'integer'];

function selectableErrors(version: Json | undefined, at: string): FieldError[] {
  const fields = listAt(version, 'selectableFields');
  const seen = new Set<string>();
  const errors = fields.flatMap((field, i): FieldError[] => {
    const path = textAt(field, 'jsonPath');
    const where = `${at}.selectableFields[${i}].jsonPath`;
    if (path === '') return [requiredAt(where)];
    if (!/^[.[]/.test(path)) {
      const detail = `is an invalid path: expected [ or . but got: ${path}`;
      return [invalidAt(where, path, detail)];
    }
    let node: Json | undefined = valueAt(version, 'schema', 'openAPIV3Schema');
    for (const step of path.split('.').slice(1)) node = valueAt(node, 'properties', step);
    if (!path.startsWith('.') || node === undefined) {
      return [invalidAt(where, path, 'is an invalid path: does not refer to a valid field')];
    }
    if (!SELECTABLE_TYPES.includes(textAt(node, 'type'))) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      return [invalidAt(where, path, detail)];
    }
    if (seen.has(path))
      return [{ reason: 'FieldValueDuplicate', field: where, value: path, detail: '' }];
    seen.add(path);
    return [];
  });
  if (seen.size <= SELECTABLE_MAX) return errors;
  const detail = `must have at most ${SELECTABLE_MAX} items`;
  return [
    ...errors,
    { reason: 'FieldValueTooMany', field: `${at}.selectableFields`, value: seen.size, detail },
  ];
}

function conversionErrors(conversion: JsonObject, at: string): FieldError[] {
  const strategy = textAt(conversion, 'strategy');
  const webhook = valueAt(conversion, 'webhook');
  const config = valueAt(webhook, 'clientConfig');
  const versions = listAt(webhook, 'conversionReviewVersions');
  const wrong =
    strategy === ''
      ? [requiredAt(`${at}.strategy`)]
      : ['None', 'Webhook'].includes(strategy)
        ? []
        : [notSupportedAt(`${at}.strategy`, strategy, 'supported values: "None", "Webhook"')];
  if (strategy === 'Webhook') {
    return [
      ...wrong,
      ...(config === undefined
        ? [requiredAt(`${at}.webhookClientConfig`, 'required when strategy is set to Webhook')]
        : clientConfig(config, `${at}.webhookClientConfig`)),
      ...reviewVersionErrors(versions, `${at}.conversionReviewVersions`),
    ];
  }
  const detail = 'should not be set when strategy is not set to Webhook';
  return [
    ...wrong,
    ...(config === undefined ? [] : [forbiddenAt(`${at}.webhookClientConfig`, detail)]),
    ...(versions.length === 0 ? [] : [forbiddenAt(`${at}.conversionReviewVersions`, detail)]),
  ];
}

function reviewVersionErrors(versions: readonly Json[], at: string): FieldError[] {
  if (versions.length === 0) return [requiredAt(at)];
  const errors = versions.flatMap((version, i) =>
    versions.indexOf(version) < i
      ? [invalidAt(`${at}[${i}]`, version, 'duplicate version')]
      : labelErrors(String(version), `${at}[${i}]`),
  );
  if (versions.includes('v1') || versions.includes('v1beta1')) return errors;
  return [...errors, invalidAt(at, versions, 'must include at least one of v1, v1beta1')];
}

function storedVersionErrors(object: KubeObject): FieldError[] {
  const at = 'status.storedVersions';
  const stored = listAt(object, 'status', 'storedVersions').filter((name) => name !== '');
  if (stored.length === 0) return [invalidAt(at, null, 'must have at least one stored version')];
  const versions = listAt(object, 'spec', 'versions');
  const names = versions.map((version) => textAt(version, 'name'));
  return [
    ...versions.flatMap((version) => {
      const name = textAt(version, 'name');
      if (!flagAt(version, 'storage') || stored.includes(name)) return [];
      return [invalidAt(at, stored, `must have the storage version ${name}`)];
    }),
    ...stored.flatMap((name, i) => {
      if (names.includes(String(name))) return [];
      const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
      return [invalidAt(`${at}[${i}]`, name, detail)];
    }),
  ];
}

const APPROVAL = 'api-approved.kubernetes.io';

/** Groups of the project itself need its consent. */
function approvalErrors(object: KubeObject): FieldError[] {
  const group = textAt(object, 'spec', 'group');
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return [];
  const at = `metadata.annotations[${APPROVAL}]`;
  const given = object.metadata.annotations?.[APPROVAL] ?? '';
  if (given === '') {
    const detail = `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`;
    return [requiredAt(at, detail)];
  }
  if (given.startsWith('unapproved') || URL.canParse(given)) return [];
  const detail = `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`;
  return [invalidAt(at, given, detail)];
}

function preservingErrors(spec: JsonObject, old: KubeObject | undefined): FieldError[] {
  if (!flagAt(spec, 'preserveUnknownFields')) return [];
  const at = 'spec.preserveUnknownFields';
  const errors: FieldError[] = [];
  if (!flagAt(objectAt(old), 'spec', 'preserveUnknownFields')) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalidAt(at, true, detail));
  }
  const schemas = listAt(spec, 'versions').map((version) =>
    valueAt(version, 'schema', 'openAPIV3Schema'),
  );
  if (
    schemas.some((schema) => schema !== undefined && hasDefaults(parseSchema(objectAt(schema))))
  ) {
    errors.push(invalidAt(at, true, 'must be false in order to use defaults in the schema'));
  }
  const strategy = textAt(spec, 'conversion', 'strategy');
  if (strategy !== '' && strategy !== 'None') {
    const detail = 'must be None if spec.preserveUnknownFields is true';
    errors.push(invalidAt('spec.conversion.strategy', strategy, detail));
  }
  return errors;
}

function hasDefaults(schema: Schema): boolean {
  const { items, additionalProperties, properties } = schema;
  return (
    schema.default !== undefined ||
    (items !== undefined && hasDefaults(items)) ||
    (typeof additionalProperties === 'object' && hasDefaults(additionalProperties)) ||
    [...(properties?.values() ?? [])].some(hasDefaults)
  );
}
