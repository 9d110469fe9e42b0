import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { BoundedCache } from '@capstan/lib-std';
import { listKeys, memberSchema, type RawDifference } from './compare-values.ts';
import { type FieldPath, isList, isRecord, type PathStep, sameJson } from './field-path.ts';
import { filledIn } from './filled-in.ts';
import { readPlace } from './plain-path.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Who wrote a field last, by managedFields; undefined when nobody claims it or an ancestor as a whole. */
export function ownerOf(
  live: KubeObject,
  path: FieldPath,
): { readonly manager: string; readonly time?: string } | undefined {
  let best: ManagedFieldsEntry | undefined;
  for (const entry of live.metadata.managedFields ?? []) {
    if (entry.fieldsV1 === undefined || !owns(entry.fieldsV1, path)) continue;
    if (best === undefined || (entry.time ?? '') > (best.time ?? '')) best = entry;
  }
  if (best?.manager === undefined) return undefined;
  return best.time === undefined
    ? { manager: best.manager }
    : { manager: best.manager, time: best.time };
}

/** An entry of managedFields that claims a field. */
export interface FieldWriter {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  readonly time?: string;
}

/**
 * Who wrote the field at a path of names and numbers, the last one first: list elements are found by what the live ones
 * hold, so that no schema is needed.
 */
export function writersOf(
  live: KubeObject,
  path: readonly (string | number)[],
): readonly FieldWriter[] {
  return (live.metadata.managedFields ?? [])
    .filter(({ fieldsV1 }) => fieldsV1 !== undefined && claims(fieldsV1, live as Json, path))
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))
    .map(({ manager = '', operation = 'Update', subresource, time }) => ({
      manager,
      operation,
      ...(subresource === undefined ? {} : { subresource }),
      ...(time === undefined ? {} : { time }),
    }));
}

function claims(fields: JsonObject, live: Json, path: readonly (string | number)[]): boolean {
  let node = fields;
  let value: Json | undefined = live;
  for (const part of path) {
    const item = readPlace(value, [part]);
    const child =
      typeof part === 'string' ? asFields(node[`f:${part}`]) : elementFields(node, part, item);
    if (child === undefined) return node !== fields && Object.keys(node).length === 0;
    node = child;
    value = item;
  }
  return true;
}

/** The claims on an element of a list: by its keys, by its value or by its place. */
function elementFields(
  node: JsonObject,
  index: number,
  item: Json | undefined,
): JsonObject | undefined {
  for (const [name, child] of Object.entries(node)) {
    const said = name.startsWith('k:') || name.startsWith('v:') ? parseJson(name.slice(2)) : null;
    if (name.startsWith('v:') && sameJson(said ?? undefined, item)) return asFields(child);
    if (!name.startsWith('k:') || !isRecord(said ?? undefined) || !isRecord(item)) continue;
    if (Object.entries(said as JsonObject).every(([key, one]) => sameJson(item[key], one)))
      return asFields(child);
  }
  return asFields(node[`i:${index}`]);
}

/** Whether the live value is what the server made of our own last apply. */
export function isOurs(live: KubeObject, path: FieldPath, fieldManager: string): boolean {
  return (live.metadata.managedFields ?? []).some(
    ({ manager, operation, fieldsV1 }) =>
      manager === fieldManager &&
      operation === 'Apply' &&
      fieldsV1 !== undefined &&
      owns(fieldsV1, path),
  );
}

function owns(fields: JsonObject, path: FieldPath): boolean {
  let node: JsonObject = fields;
  for (const step of path) {
    const child = childFields(node, step);
    // A node without children is owned as a whole: atomic lists and maps.
    if (child === undefined) return node !== fields && Object.keys(node).length === 0;
    node = child;
  }
  return true;
}

function childFields(node: JsonObject, step: PathStep): JsonObject | undefined {
  if ('field' in step) return asFields(node[`f:${step.field}`]);
  if ('index' in step) return asFields(node[`i:${step.index}`]);
  for (const [name, child] of Object.entries(node)) {
    if ('keys' in step && name.startsWith('k:')) {
      const keys = parseJson(name.slice(2));
      if (keys !== undefined && sameJson(keys, step.keys)) return asFields(child);
    }
    if (
      'value' in step &&
      name.startsWith('v:') &&
      sameJson(parseJson(name.slice(2)), step.value)
    ) {
      return asFields(child);
    }
  }
  return undefined;
}

/**
 * Fields that we set before and desired no longer sets, while live still has them: by what our manager applied, or, for
 * an object that was only ever applied from the client's side, by its last-applied annotation.
 */
export function findAbandoned(
  desired: KubeObject,
  live: KubeObject,
  options: { readonly fieldManager: string; readonly schema: Schema | undefined },
): readonly RawDifference[] {
  const found: RawDifference[] = [];
  const entry = live.metadata.managedFields?.find(
    ({ manager, operation, subresource }) =>
      manager === options.fieldManager && operation === 'Apply' && (subresource ?? '') === '',
  );
  if (entry?.fieldsV1 !== undefined) {
    // Fields of another version may bear other names.
    if (entry.apiVersion === live.apiVersion) {
      walkFields({ fields: entry.fieldsV1, desired, live, path: [] }, found);
    }
    return found;
  }
  const text = live.metadata.annotations?.[LAST_APPLIED];
  const applied = text === undefined ? undefined : parseJson(text);
  if (isRecord(applied)) {
    walkApplied({ applied, desired, live, schema: options.schema, path: [] }, found);
  }
  return found.filter(({ path }) => !isBookkeeping(path));
}

interface FieldsWalk {
  readonly fields: JsonObject;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
  readonly path: FieldPath;
}

function walkFields({ fields, desired, live, path }: FieldsWalk, found: RawDifference[]): void {
  for (const [name, value] of Object.entries(fields)) {
    const step = parseStep(name);
    const children = asFields(value);
    if (step === undefined || children === undefined) continue;
    const inner = pick(live, step);
    if (inner === undefined || isNull(desired, step)) continue;
    const wanted = pick(desired, step);
    const here: FieldPath = [...path, step];
    const isLeaf = Object.keys(children).every((child) => child === '.');
    if (wanted === undefined && (isLeaf || 'keys' in step)) found.push({ path: here, live: inner });
    else walkFields({ fields: children, desired: wanted, live: inner, path: here }, found);
  }
}

/** A field set to null is set: what the server makes of that, its default, is ours. */
function isNull(desired: Json | undefined, step: PathStep): boolean {
  return 'field' in step && isRecord(desired) && desired[step.field] === null;
}

/** The same names come again and again: a port's key, a container's name. */
const STEPS = new BoundedCache<string, PathStep | null>(10_000);

function parseStep(name: string): PathStep | undefined {
  if (name.startsWith('f:')) return { field: name.slice(2) };
  let step = STEPS.get(name);
  if (step === undefined) {
    step = readStep(name) ?? null;
    STEPS.set(name, step);
  }
  return step ?? undefined;
}

function readStep(name: string): PathStep | undefined {
  const rest = name.slice(2);
  if (name.startsWith('i:')) return { index: Number(rest) };
  const value = parseJson(rest);
  if (value === undefined) return undefined;
  if (name.startsWith('v:')) return { value };
  if (!name.startsWith('k:') || !isRecord(value)) return undefined;
  return { keys: value as { readonly [key: string]: Json } };
}

function pick(value: Json | undefined, step: PathStep): Json | undefined {
  if ('field' in step) return isRecord(value) ? (value[step.field] ?? undefined) : undefined;
  if (!isList(value)) return undefined;
  if ('index' in step) return value[step.index];
  if ('value' in step) return value.find((item) => sameJson(item, step.value));
  const keys = Object.entries(step.keys);
  const exact = value.find(
    (item) =>
      isRecord(item) &&
      keys.every(([key, wanted]) => item[key] !== undefined && sameJson(item[key], wanted)),
  );
  return (
    exact ??
    value.find((item) => isRecord(item) && keys.every(([key, wanted]) => hasKey(item, key, wanted)))
  );
}

/** A key that desired leaves to its default (a port's protocol) still names the same element. */
function hasKey(item: JsonObject, key: string, wanted: Json): boolean {
  return item[key] === undefined ? key !== 'name' : sameJson(item[key], wanted);
}

interface AppliedWalk {
  readonly applied: Json;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
  readonly schema: Schema | undefined;
  /** Of what the field belongs to. */
  readonly parent?: Schema | undefined;
  readonly path: FieldPath;
}

function walkApplied(walk: AppliedWalk, found: RawDifference[]): void {
  const { applied, desired, live, schema, path } = walk;
  if (live === undefined || live === null || applied === null) return;
  if (desired === undefined || desired === null) {
    // kubectl writes `annotations: {}` where there were none; and what is a default stays, whoever wrote it.
    if (isEmpty(applied) || isDefault(walk)) return;
    found.push({ path, live });
    return;
  }
  if (isRecord(applied) && isRecord(desired) && isRecord(live)) {
    for (const [field, value] of Object.entries(applied)) {
      if (value === undefined) continue;
      walkApplied(
        {
          applied: value,
          desired: desired[field],
          live: live[field],
          schema: memberSchema(schema, field),
          parent: schema,
          path: [...path, { field }],
        },
        found,
      );
    }
  } else if (isList(applied) && isList(desired) && isList(live)) {
    walkAppliedList({ ...walk, applied }, found);
  }
}

function isEmpty(applied: Json): boolean {
  return (isRecord(applied) || isList(applied)) && Object.keys(applied).length === 0;
}

function isDefault({ live, schema, parent, path }: AppliedWalk): boolean {
  const last = path.at(-1);
  if (live === undefined || last === undefined || !('field' in last)) return false;
  if (schema?.default !== undefined && sameJson(live, schema.default)) return true;
  const filled = filledIn(parent?.definition, last.field, {});
  return filled !== undefined && sameJson(live, filled);
}

function walkAppliedList(
  { applied, desired, live, schema, path }: AppliedWalk & { applied: readonly Json[] },
  found: RawDifference[],
): void {
  const keys = listKeys(schema);
  // Atomic lists are compared as a whole elsewhere; sets need no keys.
  if (keys === undefined) return;
  for (const item of applied) {
    const step: PathStep | undefined =
      keys.length === 0
        ? { value: item }
        : isRecord(item)
          ? { keys: keysOf(item, keys) }
          : undefined;
    if (step === undefined) continue;
    walkApplied(
      {
        applied: item,
        desired: pick(desired, step),
        live: pick(live, step),
        schema: schema?.items,
        path: [...path, step],
      },
      found,
    );
  }
}

function keysOf(item: JsonObject, keys: readonly string[]): { readonly [key: string]: Json } {
  return Object.fromEntries(
    keys.flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]]])),
  );
}

/** Not part of what anyone desires: identity, and kubectl's own annotation. */
function isBookkeeping(path: FieldPath): boolean {
  const [first, second, third] = path.map((step) => ('field' in step ? step.field : ''));
  if (first === 'apiVersion' || first === 'kind' || first === 'status') return true;
  if (first !== 'metadata') return false;
  if (second === 'annotations') return third === LAST_APPLIED;
  return second !== 'labels';
}

function asFields(value: Json | undefined): JsonObject | undefined {
  return isRecord(value) ? value : undefined;
}

function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
