/** For audits: every field of a kind's spec as its definition lists them, with two samples that differ in that field alone. */
import type { Json, JsonObject } from '@capstan/kube-object';
import { fluxCrds } from '../crds.ts';

export interface SpecField {
  /** e.g. `healthChecks[].kind`. */
  readonly path: string;
  /** Two specs with what is required, and this field with one value and with another. */
  readonly samples: readonly [JsonObject, JsonObject];
}

/** `enough` fills what must be there with values that make sense; its members stand in for samples of the same path. */
export function specFields(
  kind: string,
  version: string,
  enough: JsonObject,
): readonly SpecField[] {
  const schema = specSchema(kind, version);
  return leavesOf(schema, []).map(({ path, leaf }) => ({
    path: path.join('.').replaceAll('.[]', '[]'),
    samples: [
      sample(schema, { path, leaf, at: 0 }, enough),
      sample(schema, { path, leaf, at: 1 }, enough),
    ],
  }));
}

interface Leaf {
  readonly path: readonly string[];
  readonly leaf: JsonObject;
}

function specSchema(kind: string, version: string): JsonObject {
  for (const { spec } of fluxCrds as unknown as readonly { readonly spec: JsonObject }[]) {
    if (record(spec['names'])['kind'] !== kind) continue;
    const found = list(spec['versions']).find((one) => record(one)['name'] === version);
    const schema = record(record(record(found)['schema'])['openAPIV3Schema']);
    return record(record(schema['properties'])['spec']);
  }
  throw new Error(`no definition of ${kind} ${version}`);
}

function leavesOf(schema: JsonObject, path: readonly string[]): readonly Leaf[] {
  const properties = Object.entries(record(schema['properties']));
  if (properties.length > 0)
    return properties.flatMap(([name, inner]) => leavesOf(record(inner), [...path, name]));
  const items = record(schema['items']);
  if (items['properties'] !== undefined) return leavesOf(items, [...path, '[]']);
  return [{ path, leaf: schema }];
}

function sample(
  schema: JsonObject,
  { path, leaf, at }: Leaf & { readonly at: 0 | 1 },
  enough: JsonObject,
): JsonObject {
  return { ...enough, ...record(fill(schema, { path, leaf, at }, enough)) };
}

/** What is required of this part, and on the way to the leaf what lies on that way. */
function fill(
  schema: JsonObject,
  { path, leaf, at }: Leaf & { readonly at: 0 | 1 },
  known: Json | undefined,
): Json {
  const [next, ...rest] = path;
  if (next === undefined) return leafValue(leaf, at);
  if (next === '[]')
    return [fill(record(schema['items']), { path: rest, leaf, at }, list(known)[0])];
  const made: { [name: string]: Json | undefined } = { ...record(known) };
  for (const name of list(schema['required']).map(String)) {
    made[name] ??= least(record(record(schema['properties'])[name]));
  }
  const inner = record(record(schema['properties'])[next]);
  made[next] = fill(inner, { path: rest, leaf, at }, record(known)[next]);
  return made as JsonObject;
}

function least(schema: JsonObject): Json {
  const made: { [name: string]: Json } = {};
  for (const name of list(schema['required']).map(String)) {
    made[name] = least(record(record(schema['properties'])[name]));
  }
  if (schema['type'] === 'array') return [];
  return schema['type'] === 'object' ? made : leafValue(schema, 0);
}

function leafValue(schema: JsonObject, at: 0 | 1): Json {
  const options = list(schema['enum']);
  if (options.length > 0) return options[Math.min(at, options.length - 1)] ?? '';
  switch (schema['type']) {
    case 'boolean':
      return at === 1;
    case 'integer':
      return at + 1;
    case 'array':
      return [leafValue(record(schema['items']), at)];
    case 'object':
      return { sample: String(at) };
    case 'string':
      return String(schema['pattern'] ?? '').includes('ms|s|m|h') ? `${at + 1}h` : `sample${at}`;
    default:
      return { sample: at };
  }
}

function record(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
