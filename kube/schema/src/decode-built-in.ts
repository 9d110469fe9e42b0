import {
  childPath,
  indexPath,
  type Json,
  type JsonObject,
  quantityFormatError,
} from '@capstan/kube-object';
import type { Schema } from './schema.ts';

/** What the server's decoder says of an object of a built-in kind. */
export interface DecodeReport {
  /** The first value that does not fit its Go type, in the decoder's words; undefined if all fit. */
  readonly typeError: string | undefined;
  /** Paths of fields that the kind does not have, in the order they stand. */
  readonly unknownFields: readonly string[];
}

/**
 * Reads an object as kube-apiserver decodes JSON into a built-in kind. An answer 400 shows `typeError` behind
 * `Deployment in version "v1" cannot be handled as a Deployment: `; with `fieldValidation` Strict or Warn the unknown fields
 * are listed as `unknown field "spec.replica"`.
 */
export function decodeBuiltIn(schema: Schema, object: JsonObject): DecodeReport {
  const state: State = { typeError: undefined, unknownFields: [] };
  readStruct(state, schema, object, { path: '', fields: '' });
  return state;
}

interface State {
  typeError: string | undefined;
  readonly unknownFields: string[];
}

interface Place {
  /** With indexes: `spec.containers[0].image`. */
  readonly path: string;
  /** Without: `spec.containers.image`. */
  readonly fields: string;
}

function readStruct(state: State, schema: Schema, object: JsonObject, place: Place): void {
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value === undefined) continue;
    const path = childPath(place.path, name);
    const property = schema.properties?.get(name);
    if (property === undefined) {
      state.unknownFields.push(path);
      continue;
    }
    const shown = property.goEmbedded === undefined ? name : `${property.goEmbedded}.${name}`;
    read(state, property, value, { path, fields: childPath(place.fields, shown) }, schema);
  }
}

const rawTypes: ReadonlySet<string> = new Set([
  'io.k8s.apimachinery.pkg.runtime.RawExtension',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
]);
const times: ReadonlySet<string> = new Set([
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
]);
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

function read(state: State, schema: Schema, value: Json, place: Place, owner: Schema): void {
  if (value === null || rawTypes.has(schema.definition ?? '')) return;
  const refuse = (): void => {
    const type = schema.intOrString === true ? 'int32' : goType(schema);
    const struct = owner.definition?.split('.').at(-1) ?? '';
    state.typeError ??= `json: cannot unmarshal ${jsonName(schema, value)} into Go struct field ${struct}.${place.fields} of type ${type}`;
  };
  if (times.has(schema.definition ?? '')) {
    const isMicro = schema.definition?.endsWith('.MicroTime') === true;
    readTime(state, value, { refuse, isMicro });
  } else if (schema.definition === quantity) readQuantity(state, value);
  else if (schema.intOrString === true) readIntOrString(value, refuse);
  else if (schema.properties !== undefined) {
    if (isObject(value)) readStruct(state, schema, value, place);
    else refuse();
  } else readByType(state, schema, value, { place, owner, refuse });
}

function readByType(
  state: State,
  schema: Schema,
  value: Json,
  { place, owner, refuse }: { place: Place; owner: Schema; refuse: () => void },
): void {
  switch (schema.type) {
    case 'object': {
      const element = schema.additionalProperties;
      if (!isObject(value)) refuse();
      else if (typeof element === 'object')
        for (const [key, item] of Object.entries(value))
          read(
            state,
            element,
            item ?? null,
            { path: childPath(place.path, key), fields: place.fields },
            owner,
          );
      break;
    }
    case 'array':
      if (!Array.isArray(value)) refuse();
      else
        for (const [index, item] of (value as readonly Json[]).entries())
          read(
            state,
            inheritName(schema, schema.items ?? { type: '' }),
            item,
            { path: indexPath(place.path, index), fields: place.fields },
            owner,
          );
      break;
    case 'string':
      if (typeof value !== 'string') refuse();
      else if (schema.format === 'byte') readBytes(state, value);
      break;
    case 'boolean':
      if (typeof value !== 'boolean') refuse();
      break;
    case 'integer':
      if (!fitsInteger(schema, value)) refuse();
      break;
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint') refuse();
      break;
    case '':
      break;
    default:
      schema.type satisfies never;
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fitsInteger(schema: Schema, value: Json): boolean {
  if (typeof value === 'bigint')
    return schema.format !== 'int32' && value >= -(2n ** 63n) && value < 2n ** 63n;
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  return schema.format !== 'int32' || (value >= -2147483648 && value <= 2147483647);
}

/** A number that does not fit a number is shown; one where another type was wanted is not. */
function jsonName(schema: Schema, value: Json): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'number' && typeof value !== 'bigint') return 'object';
  const isWanted = schema.type === 'integer' || schema.intOrString === true;
  return isWanted ? `number ${value}` : 'number';
}

/** The elements of a list or map bear the name that stands at the field. */
function inheritName(container: Schema, element: Schema): Schema {
  const { goType: name } = container;
  return name === undefined || element.properties !== undefined
    ? element
    : { ...element, goType: name };
}

function goType(schema: Schema): string {
  if (schema.goType !== undefined && schema.type !== 'array' && schema.type !== 'object')
    return schema.goType;
  if (schema.properties !== undefined) return goStructName(schema);
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? '[]uint8' : 'string';
    case 'boolean':
      return 'bool';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'array':
      return `[]${goType(inheritName(schema, schema.items ?? { type: '' }))}`;
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map[string]${goType(inheritName(schema, schema.additionalProperties))}`
        : goStructName(schema);
    case '':
      return 'interface {}';
    default:
      return schema.type satisfies never;
  }
}

function goStructName({ definition }: Schema): string {
  const parts = definition?.split('.') ?? [];
  return parts.length < 2 ? 'map[string]interface {}' : parts.slice(-2).join('.');
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

function readTime(
  state: State,
  value: Json,
  { refuse, isMicro }: { readonly refuse: () => void; readonly isMicro: boolean },
): void {
  if (typeof value !== 'string') {
    refuse();
    return;
  }
  if (rfc3339.test(value)) return;
  const text = JSON.stringify(value);
  const layout = isMicro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00';
  state.typeError ??= `parsing time ${text} as "${layout}": ${whereNoTime(value)}`;
}

const timeParts: readonly (readonly [part: string, format: RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d{2}/],
  ['-', /^-/],
  ['02', /^\d{2}/],
  ['T', /^T/],
  ['15', /^\d{2}/],
  [':', /^:/],
  ['04', /^\d{2}/],
  [':', /^:/],
  ['05', /^\d{2}(?:[.,]\d+)?/],
  ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
];

/** Where Go's time.Parse gives up. */
function whereNoTime(text: string): string {
  let rest = text;
  for (const [part, format] of timeParts) {
    const found = format.exec(rest);
    if (found === null) return `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`;
    rest = rest.slice(found[0].length);
  }
  return `extra text: ${JSON.stringify(rest)}`;
}

const quantityFormat = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/** What Go takes apart, whatever the letters at the end. */
const quantityParts = /^[+-]?(?:\d+\.?\d*|\.\d*)?[eEinumkKMGTP]*(?:[-+]?\d*)$/;

function readQuantity(state: State, value: Json): void {
  if (typeof value === 'number' || typeof value === 'bigint') return;
  if (typeof value === 'string' && quantityFormat.test(value)) return;
  state.typeError ??=
    typeof value === 'string' && value !== '' && quantityParts.test(value)
      ? "unable to parse quantity's suffix"
      : quantityFormatError;
}

function readIntOrString(value: Json, refuse: () => void): void {
  if (typeof value === 'string' || fitsInteger({ type: 'integer', format: 'int32' }, value)) return;
  refuse();
}

function readBytes(state: State, value: string): void {
  const at = value.search(/[^A-Za-z0-9+/=\r\n]/);
  const clean = value.replace(/[\r\n]/g, '');
  if (at < 0 && clean.length % 4 === 0 && /^[^=]*={0,2}$/.test(clean)) return;
  const place = at < 0 ? Math.max(0, value.length - (value.length % 4 || 4)) : at;
  state.typeError ??= `illegal base64 data at input byte ${place}`;
}
