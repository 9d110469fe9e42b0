import type { Json } from '@capstan/kube-object';

/** '' is "any type": a node without `type`, as OpenAPI has it. */
export type SchemaType = '' | 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

/**
 * What Go does with a field of a built-in kind when it decodes an object and encodes it again. Custom resources have none
 * of this: they are kept as JSON.
 * - `always`: encoded even when zero (no omitempty, or a struct held by value);
 * - `nonzero`: left out when zero (`omitempty` on a value type, slice or map);
 * - `present`: a pointer: kept when given, even if zero.
 */
export type GoEncoding = 'always' | 'nonzero' | 'present';

export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/**
 * One node of a schema, of a built-in kind or of a CRD alike. Immutable; recursive kinds are tied by getters, so compare
 * nodes by identity and never serialise one.
 */
export interface Schema {
  readonly type: SchemaType;
  readonly format?: string;
  /** The name of the OpenAPI definition this node is, e.g. `io.k8s.api.core.v1.Container`. */
  readonly definition?: string;
  readonly description?: string;
  readonly properties?: ReadonlyMap<string, Schema>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly nullable?: boolean;

  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  /** `x-kubernetes-patch-strategy`: `merge`, `retainKeys`, `replace` or several joined by a comma. */
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;

  readonly intOrString?: boolean;
  readonly preserveUnknownFields?: boolean;
  readonly embeddedResource?: boolean;
  readonly validations?: readonly ValidationRule[];

  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;

  /** Only on the properties of built-in kinds, as are the next two. */
  readonly goEncoding?: GoEncoding;
  /** The Go name of a type that OpenAPI calls a string (`v1.Protocol`); of a list or map, of its elements. */
  readonly goType?: string;
  /** The embedded Go structs that the property comes from: `ProbeHandler`. */
  readonly goEmbedded?: string;
}
