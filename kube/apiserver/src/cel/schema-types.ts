import type { Json } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import {
  type CelType,
  type CostRange,
  DYN_TYPE,
  listType,
  mapType,
  namedType,
} from '@capstan/lib-expressions';

/** A schema as the types and sizes of CEL (k8s.io/apiserver/pkg/cel/common SchemaDeclType). */
export interface DeclaredType {
  readonly schema: Schema;
  readonly cel: CelType;
  /** Characters, elements or entries at most; 0 of what has none. */
  readonly sizeMax: number;
  /** Of the JSON of the smallest value. */
  readonly sizeMin: number;
  readonly element?: DeclaredType;
  readonly key?: DeclaredType;
  /** By the names that expressions use. */
  readonly fields?: ReadonlyMap<string, DeclaredField>;
}

export interface DeclaredField {
  /** In the object. */
  readonly name: string;
  readonly type: DeclaredType;
}

/** The largest object that a request may carry, in bytes: what nothing else bounds is taken to be as long. */
export const REQUEST_BYTES_MAX = 3 * 1024 * 1024;

const STRING_SCHEMA: Schema = { type: 'string' };
const METADATA_SCHEMA: Schema = {
  type: 'object',
  properties: new Map([
    ['name', STRING_SCHEMA],
    ['generateName', STRING_SCHEMA],
  ]),
};

/** Undefined for what has no type: expressions cannot see it. Of what holds itself no fields are known on the second round. */
export function declaredType(
  schema: Schema,
  isResourceRoot: boolean,
  path = 'selfType',
  around: readonly string[] = [],
): DeclaredType | undefined {
  const { definition } = schema;
  if (definition === undefined) return typeWithin(schema, { isResourceRoot, path, around });
  if (around.includes(definition)) {
    return typeWithin({ type: 'object' }, { isResourceRoot, path, around });
  }
  return typeWithin(schema, { isResourceRoot, path, around: [...around, definition] });
}

interface Within {
  readonly isResourceRoot: boolean;
  readonly path: string;
  /** The definitions that hold this one. */
  readonly around: readonly string[];
}

function typeWithin(
  schema: Schema,
  { isResourceRoot, path, around }: Within,
): DeclaredType | undefined {
  if (schema.intOrString === true) {
    const sizeMax = schema.maxLength === undefined ? REQUEST_BYTES_MAX - 2 : schema.maxLength * 4;
    return { schema, cel: DYN_TYPE, sizeMax, sizeMin: 1 };
  }
  switch (schema.type) {
    case 'array':
      return arrayType(schema, path, around);
    case 'object':
      return objectType(isResourceRoot ? withMetadata(schema) : schema, path, around);
    case 'string':
      return stringType(schema);
    case 'boolean':
      return { schema, cel: namedType('bool'), sizeMax: 0, sizeMin: 4 };
    case 'number':
      return { schema, cel: namedType('double'), sizeMax: 0, sizeMin: 1 };
    case 'integer':
      return { schema, cel: namedType('int'), sizeMax: 0, sizeMin: 1 };
    default:
      return undefined;
  }
}

/** Resources have their names, whatever the schema says. */
function withMetadata(schema: Schema): Schema {
  const given = schema.properties?.get('metadata')?.properties;
  if (given?.has('name') === true && given.has('generateName')) return schema;
  const properties = new Map(schema.properties);
  properties.set('kind', STRING_SCHEMA);
  properties.set('apiVersion', STRING_SCHEMA);
  properties.set('metadata', METADATA_SCHEMA);
  return { ...schema, properties };
}

function arrayType(
  schema: Schema,
  path: string,
  around: readonly string[],
): DeclaredType | undefined {
  const { items, maxItems } = schema;
  if (items === undefined) return undefined;
  const element = declaredType(items, items.embeddedResource === true, `${path}.@idx`, around);
  if (element === undefined) return undefined;
  const sizeMax =
    maxItems === undefined
      ? Math.floor((REQUEST_BYTES_MAX - 2) / (element.sizeMin + 1))
      : Math.max(0, maxItems);
  return { schema, cel: listType(element.cel), sizeMax, sizeMin: 2, element };
}

function objectType(
  schema: Schema,
  path: string,
  around: readonly string[],
): DeclaredType | undefined {
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object') {
    const isResource = additionalProperties.embeddedResource === true;
    const element = declaredType(additionalProperties, isResource, `${path}.@elem`, around);
    if (element === undefined) return undefined;
    const sizeMax =
      schema.maxProperties === undefined
        ? Math.floor((REQUEST_BYTES_MAX - 2) / (element.sizeMin + 6))
        : Math.max(0, schema.maxProperties);
    const key: DeclaredType = {
      schema: STRING_SCHEMA,
      cel: namedType('string'),
      sizeMax: 0,
      sizeMin: 2,
    };
    return { schema, cel: mapType(key.cel, element.cel), sizeMax, sizeMin: 2, element, key };
  }
  const fields = new Map<string, DeclaredField>();
  let sizeMin = 2;
  for (const [name, property] of schema.properties ?? []) {
    const type = declaredType(
      property,
      property.embeddedResource === true,
      `${path}.${name}`,
      around,
    );
    if (type === undefined) continue;
    const escaped = escapeName(name);
    if (escaped !== undefined) fields.set(escaped, { name, type });
    if (schema.required?.includes(name) === true && property.default === undefined) {
      sizeMin += name.length + type.sizeMin + 4;
    }
  }
  const cel: CelType = {
    kind: 'object',
    name: path,
    field: (name) => fieldOf(fields, name)?.type.cel,
  };
  return { schema, cel, sizeMax: 0, sizeMin, fields };
}

/** A field by the name in an expression; words of the language need not be escaped. */
export function fieldOf(
  fields: ReadonlyMap<string, DeclaredField> | undefined,
  name: string,
): DeclaredField | undefined {
  return fields?.get(name) ?? (RESERVED.has(name) ? fields?.get(`__${name}__`) : undefined);
}

const TIMES: Readonly<Record<string, readonly [type: string, max: number, min: number]>> = {
  duration: ['google.protobuf.Duration', 32, 3],
  date: ['google.protobuf.Timestamp', 12, 12],
  'date-time': ['google.protobuf.Timestamp', 37, 21],
};

function stringType(schema: Schema): DeclaredType {
  const { format = '', maxLength } = schema;
  const time = TIMES[format];
  if (time !== undefined) {
    const [type, sizeMax, sizeMin] = time;
    return { schema, cel: namedType(type), sizeMax, sizeMin };
  }
  const unbounded = REQUEST_BYTES_MAX - 2;
  if (format === 'byte') {
    const sizeMax = maxLength === undefined ? unbounded : Math.max(0, maxLength);
    return { schema, cel: namedType('bytes'), sizeMax, sizeMin: 2 };
  }
  const sizeMax =
    maxLength !== undefined
      ? Math.max(0, maxLength) * 4
      : schema.enum !== undefined && schema.enum.length > 0
        ? Math.max(...schema.enum.map(lengthOf))
        : unbounded;
  return { schema, cel: namedType('string'), sizeMax, sizeMin: 2 };
}

function lengthOf(value: Json): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** The name of a field as an expression spells it; undefined when none can. */
function escapeName(name: string): string | undefined {
  if (name === '') return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/** How long the value at a path below `self` may be. */
export function sizeAt(root: DeclaredType, path: readonly string[]): CostRange | undefined {
  let found: DeclaredType | undefined = root;
  for (const step of path.slice(1)) {
    if (step === '@items' || step === '@values') found = found?.element;
    else if (step === '@keys') found = found?.key;
    else found = fieldOf(found?.fields, step)?.type;
    if (found === undefined) return undefined;
  }
  return { min: 0, max: found.sizeMax };
}

/** How many values of a type fit into one request. */
export function maxOccurrences(type: DeclaredType): number {
  return Math.floor(REQUEST_BYTES_MAX / (type.sizeMin + 1));
}
