import { canonicalQuantity } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { type Draft, type DraftObject, isDraftObject, markEmptied } from './json.ts';

/** What a strict decoder complains of, in Go's words: `unknown field "spec.foo"`. */
export interface DecodeResult {
  readonly unknown: readonly string[];
  /** A value of a wrong type: the first one met, as encoding/json reports it. */
  readonly mismatch: string | undefined;
}

/**
 * Brings an object into the shape that decoding it into a Go struct and encoding it again would give: unknown fields and
 * nulls disappear, zero values appear or disappear by the field's JSON tag. Changes the draft.
 */
export function decodeTyped(object: DraftObject, schema: Schema): DecodeResult {
  const state: State = { unknown: [], mismatch: undefined };
  decodeStruct(object, schema, '', state);
  return state;
}

interface State {
  unknown: string[];
  mismatch: string | undefined;
}

const TIME = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
const MICRO_TIME = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
const FIELDS_V1 = 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1';
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const RAW = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

/** Pointers that Go encodes even when nothing is there: as null. */
const BARE_POINTERS: ReadonlySet<string> = new Set([
  'AzureFilePersistentVolumeSource/secretNamespace',
  'HTTPIngressPath/pathType',
  'IngressClassParametersReference/scope',
  'MutatingWebhook/sideEffects',
  'TypedLocalObjectReference/apiGroup',
  'TypedObjectReference/apiGroup',
  'ValidatingWebhook/sideEffects',
]);

function decodeStruct(object: DraftObject, schema: Schema, path: string, state: State): void {
  const properties = schema.properties;
  if (properties === undefined) return;
  for (const key of Object.keys(object)) {
    const field = properties.get(key);
    const at = path === '' ? key : `${path}.${key}`;
    if (field === undefined) {
      delete object[key];
      state.unknown.push(`unknown field ${JSON.stringify(at)}`);
      continue;
    }
    if (object[key] === null && isBarePointer(schema, key)) continue;
    const value = decodeValue(object[key] ?? null, field, at, state);
    if (value === undefined) delete object[key];
    else if (field.goEncoding === 'nonzero' && isZero(value)) {
      delete object[key];
      if (typeof value === 'object' && value !== null) markEmptied(object, key, value);
    } else object[key] = value;
  }
  for (const [key, field] of properties) {
    if (field.goEncoding === 'always' && object[key] === undefined) {
      const zero = isBarePointer(schema, key) ? null : zeroValue(field);
      if (zero !== undefined) object[key] = zero;
    }
  }
}

function isBarePointer(schema: Schema, key: string): boolean {
  return BARE_POINTERS.has(`${schema.definition?.split('.').at(-1)}/${key}`);
}

function decodeValue(value: Draft, schema: Schema, path: string, state: State): Draft | undefined {
  if (value === null) return schema.goEncoding === 'always' ? zeroValue(schema) : undefined;
  if (schema.definition === FIELDS_V1 || schema.definition === RAW) return value;
  if (schema.definition === QUANTITY) return decodeQuantity(value, path, state);
  switch (schema.type) {
    case 'object':
      return decodeObject(value, schema, path, state);
    case 'array':
      if (!Array.isArray(value)) return mismatch(value, `[]${goType(schema.items)}`, path, state);
      return value.map((item, i) =>
        schema.items === undefined
          ? item
          : (decodeValue(item, schema.items, `${path}[${i}]`, state) ??
            zeroValue(schema.items) ??
            null),
      );
    case 'string':
      return decodeString(value, schema, path, state);
    case 'integer':
      return decodeInteger(value, schema, path, state);
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint')
        return mismatch(value, 'float64', path, state);
      return value;
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(value, 'bool', path, state);
    default:
      return value;
  }
}

function decodeObject(value: Draft, schema: Schema, path: string, state: State): Draft | undefined {
  if (!isDraftObject(value)) {
    return mismatch(value, goType(schema), path, state);
  }
  if (schema.properties !== undefined && schema.properties.size > 0) {
    decodeStruct(value, schema, path, state);
    return value;
  }
  const element = schema.additionalProperties;
  if (typeof element === 'object') {
    for (const key of Object.keys(value)) {
      const decoded = decodeValue(value[key] ?? null, element, `${path}.${key}`, state);
      value[key] = decoded ?? zeroValue(element) ?? null;
    }
  }
  return value;
}

/** A quantity may be a number, and is written in its canonical form. */
function decodeQuantity(value: Draft, path: string, state: State): Draft | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return canonicalQuantity(String(value));
  }
  return mismatch(value, 'Quantity', path, state);
}

function decodeString(value: Draft, schema: Schema, path: string, state: State): Draft | undefined {
  if (schema.intOrString === true) {
    if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number') {
      return value;
    }
    return mismatch(value, goType(schema), path, state);
  }
  if (typeof value !== 'string') {
    return mismatch(value, goType(schema), path, state);
  }
  return value;
}

function decodeInteger(
  value: Draft,
  schema: Schema,
  path: string,
  state: State,
): Draft | undefined {
  const type = schema.format === 'int64' ? 'int64' : 'int32';
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'number') return mismatch(value, type, path, state);
  if (!Number.isInteger(value)) return mismatch(value, type, path, state, `number ${value}`);
  if (type === 'int32' && Math.abs(value) > 2147483648) {
    return mismatch(value, type, path, state, `number ${value}`);
  }
  return value;
}

function mismatch(
  value: Draft,
  type: string,
  path: string,
  state: State,
  shown = jsonKind(value),
): undefined {
  state.mismatch ??= `json: cannot unmarshal ${shown} into Go struct field ${path} of type ${type}`;
  return undefined;
}

function jsonKind(value: Draft): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}

/** The Go type's name, from the definition that was made from it: `io.k8s.api.core.v1.Container` is `v1.Container`. */
function goType(schema: Schema | undefined): string {
  if (schema === undefined) return 'interface {}';
  if (schema.definition !== undefined) {
    const parts = schema.definition.split('.');
    return parts.slice(-2).join('.');
  }
  if (schema.type === 'object') {
    const element = schema.additionalProperties;
    return `map[string]${typeof element === 'object' ? goType(element) : 'interface {}'}`;
  }
  if (schema.type === 'array') return `[]${goType(schema.items)}`;
  if (schema.type === 'integer') return schema.format === 'int64' ? 'int64' : 'int32';
  if (schema.type === 'boolean') return 'bool';
  return schema.type === '' ? 'interface {}' : schema.type;
}

function isZero(value: Draft): boolean {
  if (value === '' || value === 0 || value === false || value === null || value === 0n) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isDraftObject(value) && Object.keys(value).length === 0;
}

function zeroValue(schema: Schema): Draft | undefined {
  switch (schema.type) {
    case 'object': {
      if (schema.properties === undefined || schema.properties.size === 0) return null;
      // A pointer without omitempty has no default in OpenAPI.
      if (schema.default === undefined && schema.definition !== undefined) return null;
      const made: DraftObject = {};
      for (const [key, field] of schema.properties) {
        const zero = field.goEncoding === 'always' ? zeroValue(field) : undefined;
        if (zero !== undefined) made[key] = zero;
      }
      return made;
    }
    case 'array':
      return null;
    case 'string':
      if (schema.definition === TIME || schema.definition === MICRO_TIME) return null;
      if (schema.format === 'date-time' || schema.format === 'byte') return null;
      if (schema.intOrString === true) return 0;
      return schema.definition?.endsWith('.Quantity') === true ? '0' : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return undefined;
  }
}
