import type { Json } from '@capstan/kube-object';
import type { Schema } from './schema.ts';

/**
 * How values of a type merge, following schemaconv of kube-openapi (as of Kubernetes 1.36). A type may allow a scalar, a
 * list and a map at once (`int-or-string`, untyped JSON): the value at hand decides.
 */
export interface MergeType {
  readonly scalar: ScalarKind | undefined;
  readonly list: MergeList | undefined;
  readonly map: MergeMap | undefined;
}

export type ScalarKind = 'numeric' | 'string' | 'boolean' | 'untyped';

export interface MergeList {
  readonly atomic: boolean;
  /** Keys of an associative list; none means a set of scalars (when not atomic). */
  readonly keys: readonly string[];
  readonly element: MergeType;
}

export interface MergeMap {
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, MergeField>;
  /** The type of what `fields` does not name; undefined means such a field is an error. */
  readonly element: MergeType | undefined;
  /** Schemaless: types are deduced from the values all the way down. */
  readonly deduced: boolean;
}

export interface MergeField {
  readonly type: MergeType;
  readonly default: Json | undefined;
}

/** JSON of any shape, owned as a whole. */
export const untypedAtomic: MergeType = createUntypedAtomic();
/** JSON of any shape whose maps are granular and whose lists are atomic: custom resources without a schema. */
export const untypedDeduced: MergeType = createUntypedDeduced();

const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

export interface MergeTypes {
  /** The merge type of a schema node; computed once per definition and lazily, so that recursive kinds are fine. */
  of(schema: Schema): MergeType;
}

export function createMergeTypes(): MergeTypes {
  const definitions = new Map<string, MergeType>();
  const build = (schema: Schema, preserve: boolean): MergeType => {
    if (schema.definition === undefined) return inlineType(schema, preserve, build);
    const key = `${schema.definition} ${schema.mapType ?? ''}`;
    let known = definitions.get(key);
    if (known === undefined) {
      known = definedType(schema, build);
      definitions.set(key, known);
    }
    return known;
  };
  const roots = new WeakMap<Schema, MergeType>();
  return {
    of(schema) {
      let known = roots.get(schema);
      if (known === undefined) {
        known = build(schema, false);
        roots.set(schema, known);
      }
      return known;
    },
  };
}

type Build = (schema: Schema, preserve: boolean) => MergeType;

function definedType(schema: Schema, build: Build): MergeType {
  if (schema.definition === quantity) return scalarType('untyped');
  if (schema.definition === rawExtension) return untypedAtomic;
  // Preserving unknown fields does not reach through a reference.
  return inlineType(schema, false, build);
}

function inlineType(schema: Schema, preserveAbove: boolean, build: Build): MergeType {
  const preserve = preserveAbove || schema.preserveUnknownFields === true;
  switch (schema.type) {
    case '':
      return {
        scalar: 'untyped',
        list: listType(schema, preserve, build),
        map: mapType(schema, preserve, build),
      };
    case 'object':
      return { scalar: undefined, list: undefined, map: mapType(schema, preserve, build) };
    case 'array':
      return { scalar: undefined, list: listType(schema, preserve, build), map: undefined };
    default:
      return scalarType(scalarKind(schema));
  }
}

function scalarKind(schema: Schema): ScalarKind {
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 'numeric';
    case 'boolean':
      return 'boolean';
    default:
      return schema.format === undefined || schema.format === '' || schema.format === 'byte'
        ? 'string'
        : 'untyped';
  }
}

function listType(schema: Schema, preserve: boolean, build: Build): MergeList {
  const { items } = schema;
  const relation = listRelation(schema);
  let element: MergeType | undefined;
  return {
    ...relation,
    get element() {
      element ??= items === undefined ? untypedAtomic : build(items, preserve);
      return element;
    },
  };
}

function listRelation(schema: Schema): { atomic: boolean; keys: readonly string[] } {
  switch (schema.listType) {
    case 'atomic':
      return { atomic: true, keys: [] };
    case 'set':
      return { atomic: false, keys: [] };
    case 'map':
      return { atomic: false, keys: schema.listMapKeys ?? [] };
    default:
      break;
  }
  if (schema.patchStrategy === 'merge' || schema.patchStrategy === 'merge,retainKeys')
    return {
      atomic: false,
      keys: schema.patchMergeKey === undefined ? [] : [schema.patchMergeKey],
    };
  return { atomic: true, keys: [] };
}

function mapType(schema: Schema, preserve: boolean, build: Build): MergeMap {
  const { properties, additionalProperties } = schema;
  let fields: ReadonlyMap<string, MergeField> | undefined;
  let element: MergeType | undefined;
  const open = additionalProperties === undefined && (preserve || !properties?.size);
  const deducedElement = open || additionalProperties === true;
  return {
    atomic: schema.mapType === 'atomic',
    deduced: deducedElement && !properties?.size,
    get fields() {
      fields ??= new Map(
        [...(properties ?? [])].map(([name, property]) => [
          name,
          lazyField(property, () => build(property, preserve)),
        ]),
      );
      return fields;
    },
    get element() {
      if (deducedElement) return untypedDeduced;
      if (typeof additionalProperties !== 'object') return undefined;
      element ??= build(additionalProperties, preserve);
      return element;
    },
  };
}

function lazyField(property: Schema, build: () => MergeType): MergeField {
  let type: MergeType | undefined;
  return {
    default: property.default,
    get type() {
      type ??= build();
      return type;
    },
  };
}

function scalarType(scalar: ScalarKind): MergeType {
  return { scalar, list: undefined, map: undefined };
}

function createUntypedAtomic(): MergeType {
  const type: MergeType = {
    scalar: 'untyped',
    list: {
      atomic: true,
      keys: [],
      get element() {
        return type;
      },
    },
    map: {
      atomic: true,
      fields: new Map(),
      deduced: false,
      get element() {
        return type;
      },
    },
  };
  return type;
}

function createUntypedDeduced(): MergeType {
  const type: MergeType = {
    scalar: 'untyped',
    list: { atomic: true, keys: [], element: untypedAtomic },
    map: {
      atomic: false,
      fields: new Map(),
      deduced: true,
      get element() {
        return type;
      },
    },
  };
  return type;
}
