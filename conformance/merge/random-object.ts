import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import type { Random } from './random.ts';

/**
 * Random values of a schema, from small pools so that values meet: the same keys, the same names, equal and unequal values.
 * `focus` names the fields to use, by path without indexes (`spec.template.spec.containers`); what is below a named field
 * that has no named field below it is used whole.
 */
export interface Focus {
  readonly [field: string]: Focus | true;
}

const words = ['a', 'b', 'c', 'd'];
const keys = ['app', 'tier', 'x/y', 'z', '<&>', 'é'];

export function randomObject(
  random: Random,
  schema: Schema,
  focus: Focus | true,
  depth = 0,
): JsonObject {
  const out: Record<string, Json> = {};
  for (const [name, property] of schema.properties ?? []) {
    const inner = focus === true ? true : focus[name];
    if (inner === undefined) continue;
    const isKey = property.default === undefined && (schema.required ?? []).includes(name);
    if (!random.chance(isKey ? 0.95 : depth > 4 ? 0.3 : 0.6)) continue;
    out[name] = randomValue(random, property, inner, depth + 1);
  }
  return out;
}

function randomValue(random: Random, schema: Schema, focus: Focus | true, depth: number): Json {
  if (schema.definition?.endsWith('.Quantity') === true)
    return random.pick<Json>(['1', '2', '500m', '1Gi', '0', '0.5', '1000m', 1]);
  if (schema.definition?.endsWith('.Time') === true) return random.pick(times);
  if (schema.intOrString === true) return random.pick<Json>([1, 2, '25%', 'http']);
  if (schema.properties !== undefined) {
    const object = randomObject(random, schema, focus, depth);
    return schema.preserveUnknownFields === true && random.chance(0.5)
      ? { ...object, [random.pick(['free', 'wild'])]: randomJson(random, 2) }
      : object;
  }
  switch (schema.type) {
    case 'array':
      return randomList(random, schema, focus, depth);
    case 'object':
      return randomMap(random, schema, focus, depth);
    case 'string':
      return randomString(random, schema);
    case 'integer':
      return random.below(3);
    case 'number':
      return random.pick([0.5, 1, 2]);
    case 'boolean':
      return random.chance(0.5);
    case '':
      return randomJson(random, 2);
    default:
      return schema.type satisfies never;
  }
}

const times = ['2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z'];

function randomString(random: Random, schema: Schema): string {
  if (schema.enum !== undefined) return String(random.pick(schema.enum));
  if (schema.format === 'byte') return random.pick(['YQ==', 'Yg==']);
  return schema.default === 'TCP' ? random.pick(['TCP', 'UDP']) : random.pick(words);
}

function randomMap(random: Random, schema: Schema, focus: Focus | true, depth: number): Json {
  const element = schema.additionalProperties;
  const out: Record<string, Json> = {};
  if (typeof element !== 'object') return randomJson(random, 2, true);
  for (let i = random.below(4); i > 0; i--)
    out[random.pick(keys)] = randomValue(random, element, focus, depth + 1);
  return out;
}

function randomList(random: Random, schema: Schema, focus: Focus | true, depth: number): Json {
  const items = schema.items ?? { type: '' };
  const list: Json[] = [];
  for (let i = random.below(4); i > 0; i--) list.push(randomValue(random, items, focus, depth + 1));
  // Once in a while an item comes twice: the applied object may not, a live one may.
  return random.chance(0.03)
    ? list
    : distinctBy(list, (item, index) => identity(schema, item) ?? `item ${index}`);
}

function identity(schema: Schema, item: Json): string | undefined {
  if (schema.listType === 'set') return JSON.stringify(item);
  if (schema.listType !== 'map' || typeof item !== 'object' || item === null) return undefined;
  const map = item as JsonObject;
  return (schema.listMapKeys ?? [])
    .map((key) => JSON.stringify(map[key] ?? schema.items?.properties?.get(key)?.default ?? null))
    .join();
}

function distinctBy<T>(items: readonly T[], key: (item: T, index: number) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item, index) => {
    const id = key(item, index);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

export function randomJson(random: Random, depth: number, map = false): Json {
  const kind = map ? 6 : random.below(depth > 0 ? 8 : 5);
  switch (kind) {
    case 0:
      return random.pick(words);
    case 1:
      return random.below(3);
    case 2:
      return random.chance(0.5);
    case 3:
      return 1.5;
    case 4:
      return random.chance(0.3) ? null : random.pick(words);
    case 5:
      return Array.from({ length: random.below(3) }, () => randomJson(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(3) }, () => [
          random.pick(words),
          randomJson(random, depth - 1),
        ]),
      );
  }
}

/** A copy with some fields changed, removed and added: what a client may do to an object it read. */
export function mutate(
  random: Random,
  schema: Schema,
  object: JsonObject,
  focus: Focus | true,
): JsonObject {
  const fresh = randomObject(random, schema, focus);
  return mix(random, object, fresh, 0) as JsonObject;
}

function mix(random: Random, old: Json, fresh: Json, depth: number): Json {
  if (Array.isArray(old) && Array.isArray(fresh)) {
    if (random.chance(0.2)) return fresh;
    const kept = (old as readonly Json[]).filter(() => random.chance(0.85));
    return random.chance(0.3) ? [...kept].reverse() : kept;
  }
  if (!isObject(old) || !isObject(fresh)) return random.chance(0.3) ? fresh : old;
  const out: Record<string, Json> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const [a, b] = [old[key], fresh[key]];
    if (a === undefined) {
      if (b !== undefined && random.chance(0.3)) out[key] = b;
    } else if (b === undefined) {
      if (depth === 0 || random.chance(0.9)) out[key] = a;
    } else out[key] = mix(random, a, b, depth + 1);
  }
  return out;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
