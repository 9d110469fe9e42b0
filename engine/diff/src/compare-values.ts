import type { Json, JsonObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { type FieldPath, isList, isRecord, sameJson } from './field-path.ts';
import { filledIn } from './filled-in.ts';
import { sameQuantity } from './quantity.ts';

/** A difference before it is told: where, and both values. */
export interface RawDifference {
  readonly path: FieldPath;
  readonly desired?: Json;
  readonly live?: Json;
}

interface Comparison {
  readonly builtIn: boolean;
  readonly found: RawDifference[];
}

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

/**
 * The fields of `desired` that `live` does not hold. Fields that only live has are no differences, except in atomic
 * lists, which are desired as a whole. Without a schema, objects are compared by member and lists as atomic ones.
 */
export function compareValues(
  desired: Json,
  live: Json | undefined,
  options: {
    readonly schema: Schema | undefined;
    readonly builtIn: boolean;
    readonly path: FieldPath;
  },
): readonly RawDifference[] {
  const comparison: Comparison = { builtIn: options.builtIn, found: [] };
  compare({ desired, live, schema: options.schema, path: options.path }, comparison);
  return comparison.found;
}

interface Pair {
  readonly desired: Json;
  readonly live: Json | undefined;
  readonly schema: Schema | undefined;
  readonly path: FieldPath;
}

function compare(pair: Pair, into: Comparison): void {
  const { desired, live, schema, path } = pair;
  if (desired === null) {
    if (live !== null && live !== undefined && schema?.nullable === true) differ(pair, into);
  } else if (live === undefined || live === null) {
    if (!meansAbsent(desired, schema, into.builtIn)) differ(pair, into);
  } else if (isRecord(desired)) {
    if (isRecord(live)) compareRecords(desired, live, schema, { path, into });
    else differ(pair, into);
  } else if (isList(desired)) {
    if (isList(live)) compareLists(desired, live, schema, { path, into });
    else differ(pair, into);
  } else if (!sameScalar(desired, live, schema, into.builtIn)) {
    differ(pair, into);
  }
}

interface Place {
  readonly path: FieldPath;
  readonly into: Comparison;
}

function compareRecords(
  desired: JsonObject,
  live: JsonObject,
  schema: Schema | undefined,
  { path, into }: Place,
): void {
  for (const [name, wanted] of Object.entries(desired)) {
    if (wanted === undefined) continue;
    const member = memberSchema(schema, name);
    compare(
      { desired: wanted, live: live[name], schema: member, path: [...path, { field: name }] },
      into,
    );
  }
  if (schema?.mapType === 'atomic') findUnwanted(desired, live, schema, { path, into });
}

function compareLists(
  desired: readonly Json[],
  live: readonly Json[],
  schema: Schema | undefined,
  place: Place,
): void {
  const keys = listKeys(schema);
  if (keys === undefined) compareAtomic(desired, live, schema, place);
  else if (keys.length === 0) compareSets(desired, live, place);
  else if (!desired.every(isRecord) || !live.every(isRecord)) {
    compareAtomic(desired, live, schema, place);
  } else compareByKeys(desired, live, { schema, keys, place });
}

/** undefined: atomic; none: a set; else the keys of its elements. As server-side apply takes it from the schema. */
export function listKeys(schema: Schema | undefined): readonly string[] | undefined {
  switch (schema?.listType) {
    case 'set':
      return [];
    case 'map':
      return schema.listMapKeys ?? [];
    case 'atomic':
      return undefined;
    default:
      if (schema?.patchStrategy?.startsWith('merge') !== true) return undefined;
      return schema.patchMergeKey === undefined ? [] : [schema.patchMergeKey];
  }
}

function compareAtomic(
  desired: readonly Json[],
  live: readonly Json[],
  schema: Schema | undefined,
  { path, into }: Place,
): void {
  if (desired.length !== live.length) {
    into.found.push({ path, desired, live });
    return;
  }
  desired.forEach((wanted, index) => {
    const element = live[index];
    const here: FieldPath = [...path, { index }];
    compare({ desired: wanted, live: element, schema: schema?.items, path: here }, into);
    // An element that is atomic itself was looked at as such.
    if (isRecord(wanted) && isRecord(element) && schema?.items?.mapType !== 'atomic') {
      findUnwanted(wanted, element, schema?.items, { path: here, into });
    }
  });
}

/** What is atomic is owned as a whole: what live holds beyond desired must be what the server fills in. */
function findUnwanted(
  desired: JsonObject,
  live: JsonObject,
  schema: Schema | undefined,
  { path, into }: Place,
): void {
  for (const [name, value] of Object.entries(live)) {
    const wanted = desired[name];
    const member = memberSchema(schema, name);
    const here: FieldPath = [...path, { field: name }];
    if (isRecord(wanted) && isRecord(value)) {
      if (member?.mapType !== 'atomic') {
        findUnwanted(wanted, value, member, { path: here, into });
      }
    } else if (wanted === undefined && !isFilledIn(name, value, desired, schema)) {
      into.found.push(removed(here, value));
    }
  }
}

function isFilledIn(
  name: string,
  value: Json | undefined,
  desired: JsonObject,
  schema: Schema | undefined,
): boolean {
  const known = filledIn(schema?.definition, name, desired);
  if (known !== undefined && value !== undefined && sameJson(value, known)) return true;
  return isDefault(value, memberSchema(schema, name));
}

function isDefault(value: Json | undefined, schema: Schema | undefined): boolean {
  if (value === undefined || value === null || isZero(value)) return true;
  if (schema === undefined) return false;
  if (schema.default !== undefined && sameJson(value, schema.default)) return true;
  // What is derived from other fields is in no table; a server's dry run settles it.
  if (!isRecord(value)) return false;
  return Object.entries(value).every(([name, inner]) => isFilledIn(name, inner, {}, schema));
}

function compareSets(desired: readonly Json[], live: readonly Json[], { path, into }: Place): void {
  for (const value of desired) {
    if (live.some((candidate) => sameJson(candidate, value))) continue;
    into.found.push({ path: [...path, { value }], desired: value });
  }
}

function compareByKeys(
  desired: readonly JsonObject[],
  live: readonly JsonObject[],
  { schema, keys, place }: { schema: Schema | undefined; keys: readonly string[]; place: Place },
): void {
  const defaults = keys.map((key) => memberSchema(schema?.items, key)?.default);
  const keyOf = (item: JsonObject) => keys.map((key, i) => item[key] ?? defaults[i] ?? null);
  const taken = new Set<JsonObject>();
  for (const wanted of desired) {
    const key = keyOf(wanted);
    const match = live.find((item) => !taken.has(item) && sameJson(keyOf(item), key));
    if (match !== undefined) taken.add(match);
    const path: FieldPath = [...place.path, { keys: namedKeys(keys, key) }];
    compare({ desired: wanted, live: match, schema: schema?.items, path }, place.into);
  }
}

function namedKeys(
  names: readonly string[],
  values: readonly Json[],
): { readonly [name: string]: Json } {
  return Object.fromEntries(
    names
      .map((name, i) => [name, values[i] ?? null] as const)
      .filter(([, value]) => value !== null),
  );
}

export function memberSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const known = schema?.properties?.get(name);
  if (known !== undefined) return known;
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** Whether the server, given this value, stores none: what Go's encoding leaves out of built-in kinds. */
function meansAbsent(desired: Json, schema: Schema | undefined, builtIn: boolean): boolean {
  if (!builtIn) return false;
  return isZero(desired) && schema?.goEncoding !== 'present' && schema?.goEncoding !== undefined;
}

function isZero(value: Json): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (isList(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

function sameScalar(
  desired: Json,
  live: Json,
  schema: Schema | undefined,
  builtIn: boolean,
): boolean {
  if (sameJson(desired, live)) return true;
  if (!builtIn || schema === undefined) return false;
  if (schema.definition === QUANTITY) return sameQuantity(desired, live) ?? false;
  if (typeof desired !== 'string' || typeof live !== 'string') return false;
  if (schema.format === 'byte') return desired.replace(/\s/g, '') === live;
  if (schema.format === 'date-time') return Date.parse(desired) === Date.parse(live);
  return false;
}

function differ({ desired, live, path }: Pair, into: Comparison): void {
  into.found.push(live === undefined ? { path, desired } : { path, desired, live });
}

function removed(path: FieldPath, live: Json | undefined): RawDifference {
  return live === undefined ? { path } : { path, live };
}
