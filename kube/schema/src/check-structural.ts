import {
  childPath,
  type FieldError,
  type FieldErrorReason,
  formatFieldError,
  indexPath,
  type Json,
  type JsonObject,
  supportedValues,
} from '@capstan/kube-object';
import { RE2JS } from 're2js';
import { parseSchema } from './parse-schema.ts';
import { pruneCustomResource } from './prune.ts';
import { sameJson, validateValue } from './validate-value.ts';

/**
 * What keeps a CRD's `openAPIV3Schema` from being structural, in the words of the API server (1.36), sorted: types are
 * given outside of value validation, nothing unknown is used, list and map types fit, keys of list maps are always there,
 * defaults are valid and hold nothing that would be pruned. `path` is where the schema stands. CEL rules are not compiled here.
 */
export function structuralProblems(source: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const incomplete: FieldError[] = [];
  const check: Check = {
    add: (reason, field, detail, value) =>
      errors.push(
        value === undefined ? { reason, field, detail } : { reason, field, detail, value },
      ),
    addIncomplete: (field, detail) =>
      incomplete.push({ reason: 'FieldValueRequired', field, detail }),
  };
  checkNode(check, source, path, 'root');
  // What validation mentions and the structure lacks is only told when the structure is well-formed.
  return (errors.length > 0 ? errors : incomplete).sort((a, b) =>
    formatFieldError(a) < formatFieldError(b) ? -1 : 1,
  );
}

interface Check {
  readonly add: (reason: FieldErrorReason, field: string, detail: string, value?: Json) => void;
  readonly addIncomplete: (field: string, detail: string) => void;
}

type Level = 'root' | 'item' | 'field';

function checkNode(check: Check, node: JsonObject, path: string, level: Level): void {
  checkSupported(check, node, path);
  checkType(check, node, path, level);
  checkExtensions(check, node, path);
  checkMaps(check, node, path, level);
  checkLists(check, node, path);
  checkMetadata(check, node, path, level);
  checkDefault(check, node, path, level);
  // Completeness is asked for at the root alone.
  const here = level === 'root' ? check : { ...check, addIncomplete: () => undefined };
  checkValidation(here, node, { path, outer: node, outerPath: path });
  for (const [name, property] of entriesOf(node['properties']))
    checkNode(check, property, indexPath(childPath(path, 'properties'), name), 'field');
  if (isObject(node['items'])) checkNode(check, node['items'], childPath(path, 'items'), 'item');
  const additional = node['additionalProperties'];
  if (isObject(additional))
    checkNode(check, additional, childPath(path, 'additionalProperties'), 'field');
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entriesOf(value: Json | undefined): readonly (readonly [string, JsonObject])[] {
  if (!isObject(value)) return [];
  return Object.entries(value).map(([name, node]) => [name, isObject(node) ? node : {}]);
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
}

function stringsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly Json[]).filter((i) => typeof i === 'string')
    : [];
}

const unsupported = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
];
const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

function checkSupported(check: Check, node: JsonObject, path: string): void {
  for (const key of unsupported)
    if (node[key] !== undefined)
      check.add('FieldValueForbidden', childPath(path, key), `${key} is not supported`);
  const { type } = node;
  const place = childPath(path, 'type');
  if (type === 'null')
    check.add(
      'FieldValueForbidden',
      place,
      'type cannot be set to null, use nullable as an alternative',
    );
  else if (typeof type === 'string' && type !== '' && !types.includes(type))
    check.add('FieldValueNotSupported', place, supportedValues(types), type);
  if (Array.isArray(node['items']))
    check.add(
      'FieldValueForbidden',
      childPath(path, 'items'),
      'items must be a schema object and not an array',
    );
  if (node['uniqueItems'] === true)
    check.add(
      'FieldValueForbidden',
      childPath(path, 'uniqueItems'),
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    );
}

const emptyType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkType(check: Check, node: JsonObject, path: string, level: Level): void {
  const type = typeof node['type'] === 'string' ? node['type'] : '';
  const place = childPath(path, 'type');
  const isEmbedded = node['x-kubernetes-embedded-resource'] === true;
  const isFree =
    node['x-kubernetes-int-or-string'] === true ||
    node['x-kubernetes-preserve-unknown-fields'] === true;
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    if (type === '') check.add('FieldValueRequired', place, detail);
    else check.add('FieldValueInvalid', place, detail, type);
  } else if (type === '' && !isFree) check.add('FieldValueRequired', place, emptyType[level]);
  if (level === 'root' && type !== '' && type !== 'object')
    check.add('FieldValueInvalid', place, 'must be object at the root', type);
  if (type === 'array' && node['items'] === undefined)
    check.add('FieldValueRequired', childPath(path, 'items'), 'must be specified');
}

function checkExtensions(check: Check, node: JsonObject, path: string): void {
  const preserves = node['x-kubernetes-preserve-unknown-fields'];
  const place = childPath(path, 'x-kubernetes-preserve-unknown-fields');
  if (preserves === false)
    check.add('FieldValueInvalid', place, 'must be true or undefined', preserves);
  if (node['x-kubernetes-int-or-string'] !== true) return;
  const detail = 'must be false if x-kubernetes-int-or-string is true';
  if (preserves === true) check.add('FieldValueInvalid', place, detail, true);
  if (node['x-kubernetes-embedded-resource'] === true)
    check.add('FieldValueInvalid', childPath(path, 'x-kubernetes-embedded-resource'), detail, true);
}

function checkMaps(check: Check, node: JsonObject, path: string, level: Level): void {
  const additional = node['additionalProperties'];
  const place = childPath(path, 'additionalProperties');
  if (additional !== undefined) {
    if (level === 'root') check.add('FieldValueForbidden', place, 'must not be used at the root');
    if (node['x-kubernetes-embedded-resource'] === true)
      check.add(
        'FieldValueForbidden',
        place,
        'must not be used if x-kubernetes-embedded-resource is set',
      );
    if (entriesOf(node['properties']).length > 0 && additional !== true)
      check.add(
        'FieldValueForbidden',
        place,
        'additionalProperties and properties are mutual exclusive',
      );
  }
  const mapType = node['x-kubernetes-map-type'];
  if (mapType === undefined) return;
  const detail = 'must be object if x-kubernetes-map-type is specified';
  requireType(check, node, { path, type: 'object', detail });
  if (mapType !== 'atomic' && mapType !== 'granular')
    check.add(
      'FieldValueNotSupported',
      childPath(path, 'x-kubernetes-map-type'),
      supportedValues(['atomic', 'granular']),
      mapType,
    );
}

function requireType(
  check: Check,
  node: JsonObject,
  { path, type, detail }: { path: string; type: string; detail: string },
): void {
  if (node['type'] === type) return;
  const place = childPath(path, 'type');
  if (typeof node['type'] !== 'string' || node['type'] === '')
    check.add('FieldValueRequired', place, detail);
  else check.add('FieldValueInvalid', place, detail, node['type']);
}

function checkLists(check: Check, node: JsonObject, path: string): void {
  const listType = node['x-kubernetes-list-type'];
  const keys = stringsOf(node['x-kubernetes-list-map-keys']);
  const place = childPath(path, 'x-kubernetes-list-type');
  if (listType !== undefined) {
    const detail = 'must be array if x-kubernetes-list-type is specified';
    requireType(check, node, { path, type: 'array', detail });
    if (listType !== 'atomic' && listType !== 'set' && listType !== 'map')
      check.add(
        'FieldValueNotSupported',
        place,
        supportedValues(['atomic', 'set', 'map']),
        listType,
      );
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    if (listType === undefined) check.add('FieldValueRequired', place, detail);
    else check.add('FieldValueInvalid', place, detail, listType);
  }
  const items = isObject(node['items']) ? node['items'] : undefined;
  if (listType === 'set') checkSet(check, items, childPath(path, 'items'));
  if (listType === 'map') checkListMap(check, items, { path, keys });
  if ((listType === 'set' || listType === 'map') && items?.['nullable'] === true)
    check.add(
      'FieldValueForbidden',
      childPath(path, 'items.nullable'),
      `cannot be nullable when x-kubernetes-list-type is ${listType}`,
    );
}

function checkSet(check: Check, items: JsonObject | undefined, path: string): void {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items?.['x-kubernetes-list-type'];
  if (items?.['type'] === 'array' && listType !== undefined && listType !== 'atomic')
    check.add('FieldValueInvalid', childPath(path, 'x-kubernetes-list-type'), detail, listType);
  if (items?.['type'] === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
    check.add(
      'FieldValueInvalid',
      childPath(path, 'x-kubernetes-map-type'),
      detail,
      items['x-kubernetes-map-type'] ?? null,
    );
}

function checkListMap(
  check: Check,
  items: JsonObject | undefined,
  { path, keys }: { path: string; keys: readonly string[] },
): void {
  const place = childPath(path, 'x-kubernetes-list-map-keys');
  if (keys.length === 0)
    check.add('FieldValueRequired', place, 'must not be empty if x-kubernetes-list-type is map');
  if (items === undefined) {
    check.add(
      'FieldValueRequired',
      childPath(path, 'items'),
      'must have a schema if x-kubernetes-list-type is map',
    );
    return;
  }
  if (items['type'] !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    check.add('FieldValueInvalid', childPath(path, 'items.type'), detail, items['type'] ?? '');
    return;
  }
  const properties = new Map(entriesOf(items['properties']));
  const required = stringsOf(items['required']);
  for (const [index, key] of keys.entries()) {
    const property = properties.get(key);
    if (property === undefined)
      check.add('FieldValueInvalid', place, 'entries must all be names of item properties', [
        ...keys,
      ]);
    else
      checkKey(check, property, {
        path: indexPath(childPath(path, 'items.properties'), key),
        isRequired: required.includes(key),
      });
    if (keys.indexOf(key) < index)
      check.add('FieldValueInvalid', place, 'must not contain duplicate entries', [...keys]);
  }
}

function checkKey(
  check: Check,
  property: JsonObject,
  { path, isRequired }: { path: string; isRequired: boolean },
): void {
  if (property['type'] === 'array' || property['type'] === 'object')
    check.add(
      'FieldValueInvalid',
      childPath(path, 'type'),
      "must be a scalar type if parent array's x-kubernetes-list-type is map",
      'object',
    );
  const reason = 'this property is in x-kubernetes-list-map-keys, so it';
  if (!isRequired && property['default'] === undefined)
    check.add(
      'FieldValueRequired',
      childPath(path, 'default'),
      `${reason} must have a default or be a required property`,
    );
  if (property['nullable'] === true)
    check.add('FieldValueForbidden', childPath(path, 'nullable'), `${reason} cannot be nullable`);
}

function checkMetadata(check: Check, node: JsonObject, path: string, level: Level): void {
  const isEmbedded = node['x-kubernetes-embedded-resource'] === true;
  const properties = new Map(entriesOf(node['properties']));
  if (isEmbedded && properties.size === 0 && node['x-kubernetes-preserve-unknown-fields'] !== true)
    check.add(
      'FieldValueRequired',
      childPath(path, 'properties'),
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
    );
  if (level !== 'root' && !isEmbedded) return;
  const place = (name: string): string => indexPath(childPath(path, 'properties'), name);
  for (const name of ['kind', 'apiVersion']) {
    const type = properties.get(name)?.['type'];
    if (properties.has(name) && type !== 'string')
      check.add('FieldValueInvalid', childPath(place(name), 'type'), 'must be string', type ?? '');
  }
  const metadata = properties.get('metadata');
  if (metadata === undefined) return;
  if (metadata['type'] !== 'object')
    check.add(
      'FieldValueInvalid',
      childPath(place('metadata'), 'type'),
      'must be object',
      metadata['type'] ?? '',
    );
  if (level === 'root' && saysMore(metadata))
    check.add(
      'FieldValueForbidden',
      place('metadata'),
      'must not specify anything other than name and generateName, but metadata is implicitly specified',
    );
}

function saysMore(metadata: JsonObject): boolean {
  const known = new Set(['type', 'properties', 'default']);
  if (Object.keys(metadata).some((key) => !known.has(key))) return true;
  return entriesOf(metadata['properties']).some(
    ([name]) => name !== 'name' && name !== 'generateName',
  );
}

/** A default must pass its own schema and lose nothing by pruning. */
function checkDefault(check: Check, node: JsonObject, path: string, level: Level): void {
  const value = node['default'];
  if (value === undefined || value === null) return;
  const place = childPath(path, 'default');
  if (level === 'root') return;
  const schema = parseSchema(node);
  if (isObject(value)) {
    const wrapped = { type: 'object', properties: new Map([['value', schema]]) } as const;
    const { object } = pruneCustomResource(wrapped, { value });
    if (!sameJson(object['value'] ?? null, value)) {
      check.add('FieldValueInvalid', place, 'must not have unknown fields', value);
      return;
    }
  }
  for (const error of validateValue(schema, value)) {
    const field = error.field === '<nil>' ? place : childPath(place, error.field);
    check.add(error.reason, field, error.detail, error.value);
  }
}

/** Value validation may restrict only what the structure around it declares. */
interface Nested {
  readonly path: string;
  /** The structural node that the validation is about. */
  readonly outer: JsonObject | undefined;
  readonly outerPath: string;
}

const intOrString = JSON.stringify([{ type: 'integer' }, { type: 'string' }]);

function checkValidation(check: Check, node: JsonObject, nested: Nested): void {
  checkPattern(check, node, nested.path);
  const isFree = node['x-kubernetes-int-or-string'] === true;
  for (const junctor of ['allOf', 'anyOf', 'oneOf']) {
    if (isFree && junctor === 'anyOf' && JSON.stringify(node['anyOf']) === intOrString) continue;
    for (const [index, branch] of listOf(node[junctor]).entries()) {
      const isPattern =
        isFree &&
        junctor === 'allOf' &&
        index === 0 &&
        JSON.stringify(branch['anyOf']) === intOrString;
      const { anyOf: _, ...rest } = branch;
      const path = indexPath(childPath(nested.path, junctor), index);
      checkNested(check, isPattern ? rest : branch, { ...nested, path });
    }
  }
  if (isObject(node['not']))
    checkNested(check, node['not'], { ...nested, path: childPath(nested.path, 'not') });
}

function checkPattern(check: Check, node: JsonObject, path: string): void {
  const { pattern } = node;
  if (typeof pattern !== 'string' || pattern === '') return;
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    check.add(
      'FieldValueInvalid',
      childPath(path, 'pattern'),
      `must be a valid regular expression, but isn't: ${reason}`,
      pattern,
    );
  }
}

/** Keys that belong outside of value validation, and how the server says it. */
const structuralKeys: readonly string[] = [
  'type',
  'title',
  'description',
  'default',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
];

function checkNested(check: Check, node: JsonObject, nested: Nested): void {
  const { path, outer, outerPath } = nested;
  if (outer === undefined) check.addIncomplete(outerPath, `because it is defined in ${path}`);
  for (const key of structuralKeys) {
    const value = node[key];
    if (value === undefined || value === '' || value === false) continue;
    const isFlag = key.startsWith('x-') && value === true;
    const detail = isFlag ? 'must be false to be structural' : forbiddenDetail(key);
    check.add('FieldValueForbidden', childPath(path, key), detail);
  }
  if (node['additionalProperties'] !== undefined)
    check.add(
      'FieldValueForbidden',
      childPath(path, 'additionalProperties'),
      'must be undefined to be structural',
    );
  checkValidation(check, node, nested);
  const properties = new Map(entriesOf(outer?.['properties']));
  for (const [name, property] of entriesOf(node['properties']))
    checkNested(check, property, {
      path: indexPath(childPath(path, 'properties'), name),
      outer: properties.get(name),
      outerPath: indexPath(childPath(outerPath, 'properties'), name),
    });
  if (isObject(node['items']))
    checkNested(check, node['items'], {
      path: childPath(path, 'items'),
      outer: isObject(outer?.['items']) ? outer['items'] : undefined,
      outerPath: childPath(outerPath, 'items'),
    });
}

function forbiddenDetail(key: string): string {
  switch (key) {
    case 'default':
    case 'x-kubernetes-list-type':
    case 'x-kubernetes-map-type':
      return 'must be undefined to be structural';
    case 'nullable':
      return 'must be false to be structural';
    default:
      return 'must be empty to be structural';
  }
}
