import { childPath, indexPath, type Json } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { isObject } from './json.ts';

/** An object with apiVersion, kind and metadata of its own within a custom resource. */
export interface Embedded {
  readonly value: { readonly [key: string]: Json | undefined };
  readonly path: string;
}

/** The resources in a value that its schema says are such, each before those within it. */
export function* embeddedIn(
  value: Json | undefined,
  schema: Schema | undefined,
  path = '',
): Generator<Embedded> {
  if (schema === undefined || !hasEmbedded(schema)) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      yield* embeddedIn(item as Json, schema.items, indexPath(path, i));
    }
    return;
  }
  if (!isObject(value)) return;
  if (schema.embeddedResource === true) yield { value, path };
  for (const [key, item] of Object.entries(value)) {
    const property = schema.properties?.get(key);
    const additional = schema.additionalProperties;
    const inner = property ?? (typeof additional === 'object' ? additional : undefined);
    const at = property === undefined ? indexPath(path, key) : childPath(path, key);
    yield* embeddedIn(item, inner, at);
  }
}

const known = new WeakMap<Schema, boolean>();

function hasEmbedded(schema: Schema): boolean {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const { items, additionalProperties, properties } = schema;
  const found =
    schema.embeddedResource === true ||
    (items !== undefined && hasEmbedded(items)) ||
    (typeof additionalProperties === 'object' && hasEmbedded(additionalProperties)) ||
    [...(properties?.values() ?? [])].some(hasEmbedded);
  known.set(schema, found);
  return found;
}
