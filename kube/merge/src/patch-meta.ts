import type { Schema } from '@capstan/kube-schema';
import { goQuote } from './go-text.ts';
import { PatchError } from './patch-error.ts';

/** How a field takes part in a strategic merge patch. */
export interface PatchMeta {
  /** Of the field's map value, or of the items of its list. */
  readonly schema: Schema;
  readonly strategy: '' | 'merge' | 'replace';
  readonly retainKeys: boolean;
  readonly mergeKey: string;
}

/** Looks a field up in the type that holds it; a field that is not there is an error, as in the API server. */
export function patchMetaOf(schema: Schema, key: string, value: 'map' | 'list'): PatchMeta {
  const { properties } = schema;
  if (properties === undefined)
    throw new PatchError(
      'unprocessable',
      `merging an object in json but data type is not struct, instead is: ${goKind(schema)}`,
    );
  const field = properties.get(key) ?? findFolded(properties, key);
  if (field === undefined) {
    const name = schema.definition?.split('.').at(-1) ?? '';
    throw new PatchError(
      'unprocessable',
      `unable to find api field in struct ${name} for the json field ${goQuote(key)}`,
    );
  }
  if (value === 'list' && field.items === undefined)
    throw new PatchError('unprocessable', 'expected slice or array type, but got: struct');
  const strategies = (field.patchStrategy ?? '').split(',');
  const strategy = strategies.find((item) => item !== 'retainKeys') ?? '';
  return {
    schema: value === 'list' ? field.items! : field,
    strategy: strategy === 'merge' || strategy === 'replace' ? strategy : '',
    retainKeys: strategies.includes('retainKeys'),
    mergeKey: field.patchMergeKey ?? '',
  };
}

function findFolded(properties: ReadonlyMap<string, Schema>, key: string): Schema | undefined {
  const folded = key.toLowerCase();
  for (const [name, schema] of properties) if (name.toLowerCase() === folded) return schema;
  return undefined;
}

function goKind(schema: Schema): string {
  switch (schema.type) {
    case 'object':
      return 'map';
    case 'array':
      return 'slice';
    case 'boolean':
      return 'bool';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'string':
      return 'string';
    case '':
      return 'struct';
    default:
      return schema.type satisfies never;
  }
}
