import { type Json, type JsonObject, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import type { Diagnostic } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { removePlaces, setPlace } from './edit.ts';
import { isList, isRecord, sameJson } from './field-path.ts';
import { type FieldWriter, writersOf } from './managed-fields.ts';
import { matchesPattern, matchesSelector } from './patterns.ts';
import {
  type ConcretePath,
  findPlaces,
  findPointer,
  parsePlainPath,
  parsePointer,
  readPlace,
} from './plain-path.ts';
import type { IgnoreRule, ObjectPattern, PathEvaluator } from './types.ts';

export interface Ignored {
  readonly desired: KubeObject;
  readonly live: KubeObject;
  readonly diagnostics: readonly Diagnostic[];
}

/** Both objects without what the rules leave out. Objects that no rule speaks of are returned as they are. */
export function applyIgnoreRules(
  desired: KubeObject,
  live: KubeObject,
  options: {
    readonly rules: readonly IgnoreRule[];
    readonly evaluator?: PathEvaluator | undefined;
  },
): Ignored {
  const rules = options.rules.filter((rule) => matchesObject(rule.target, desired, live));
  if (rules.length === 0) return { desired, live, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const find = (object: KubeObject) =>
    ignoredPlaces(object, live, { ...options, rules, diagnostics });
  const strip = (object: KubeObject) => {
    const kept = asObject(removePlaces(object, find(object)), object);
    return asObject(rewriteAll(kept, rules, options.evaluator), object);
  };
  const result = { desired: strip(desired), live: strip(live) };
  return { ...result, diagnostics: unique(diagnostics) };
}

/**
 * What an object says of itself in an annotation (Argo CD documentation: "Diffing Customization", the annotation on a
 * resource). Text that says nothing of the kind is no rule.
 */
export function ownIgnoreRules(
  object: KubeObject,
  annotation: string | undefined,
): readonly IgnoreRule[] {
  const text = annotation === undefined ? undefined : object.metadata.annotations?.[annotation];
  if (text === undefined || text === '') return [];
  const jsonPointers = readPointers(text);
  if (jsonPointers.length === 0) return [];
  return [{ target: { syntax: 'glob' }, jsonPointers, pathExpressions: [], managers: [] }];
}

function readPointers(text: string): readonly string[] {
  try {
    const said = parseYaml(text) as Json;
    const listed = isRecord(said) ? said['jsonPointers'] : undefined;
    return isList(listed) && listed.every((one) => typeof one === 'string') ? listed : [];
  } catch {
    return [];
  }
}

/**
 * The desired object with what the rules leave out set to the live value, or left out where live has none: what
 * "respect ignored differences" sends to the server. With `isRival`, what such a manager writes is not
 * sent where it differs, so that it is ours no longer (Flux: spec.ignore).
 */
export function respectIgnored(
  desired: KubeObject,
  live: KubeObject,
  options: {
    readonly rules: readonly IgnoreRule[];
    readonly evaluator?: PathEvaluator | undefined;
    readonly isRival?: (writer: FieldWriter) => boolean;
  },
): KubeObject {
  const { isRival } = options;
  const rules = options.rules.filter((rule) => matchesObject(rule.target, desired, live));
  if (rules.length === 0) return desired;
  const diagnostics: Diagnostic[] = [];
  let result: Json = desired;
  const missing: ConcretePath[] = [];
  for (const place of ignoredPlaces(desired, live, { ...options, rules, diagnostics })) {
    const value = readPlace(live, place);
    const isReleased =
      isRival !== undefined &&
      !sameJson(readPlace(desired, place), value) &&
      writersOf(live, place).some(isRival);
    if (value === undefined || isReleased) missing.push(place);
    else result = setPlace(result, place, value);
  }
  return asObject(removePlaces(result, missing), desired);
}

/** Applies the expressions that are whole changes rather than paths, one after the other. */
function rewriteAll(
  object: KubeObject,
  rules: readonly IgnoreRule[],
  evaluator: PathEvaluator | undefined,
): KubeObject {
  return rules
    .flatMap(({ pathExpressions }) => pathExpressions)
    .filter((text) => parsePlainPath(text) === undefined)
    .reduce((current, text) => evaluator?.rewrite?.(text, current) ?? current, object);
}

export function matchesObject(
  target: ObjectPattern,
  desired: KubeObject,
  live: KubeObject,
): boolean {
  const { group, version } = parseApiVersion(desired.apiVersion);
  const { syntax } = target;
  const fits = (pattern: string | undefined, text: string, emptyMatches: boolean) =>
    pattern === undefined ||
    (pattern === '' && emptyMatches) ||
    matchesPattern(pattern, text, syntax);
  return (
    // An empty group means the core group where the family says so: it is absent when it means all.
    fits(target.group, group, false) &&
    fits(target.version, version, true) &&
    fits(target.kind, desired.kind, true) &&
    fits(target.name, desired.metadata.name ?? '', true) &&
    fits(target.namespace, desired.metadata.namespace ?? '', true) &&
    matchesSelector(target.labelSelector, live.metadata.labels ?? {}) &&
    matchesSelector(target.annotationSelector, live.metadata.annotations ?? {})
  );
}

interface Search {
  readonly rules: readonly IgnoreRule[];
  readonly evaluator?: PathEvaluator | undefined;
  readonly diagnostics: Diagnostic[];
}

function ignoredPlaces(
  object: KubeObject,
  live: KubeObject,
  search: Search,
): readonly ConcretePath[] {
  const places: ConcretePath[] = [];
  for (const rule of search.rules) {
    for (const text of rule.jsonPointers) {
      const pointer = parsePointer(text);
      if (pointer === undefined) {
        search.diagnostics.push(invalid(text, 'is not a JSON pointer', 'start it with a slash'));
        continue;
      }
      const place = findPointer(object, pointer);
      if (place !== undefined) places.push(place);
    }
    for (const text of rule.pathExpressions)
      places.push(...placesOfExpression(text, object, search));
    for (const manager of rule.managers) places.push(...placesOfManager(manager, object, live));
  }
  return places;
}

function placesOfExpression(
  text: string,
  object: KubeObject,
  { evaluator, diagnostics }: Search,
): readonly ConcretePath[] {
  const plain = parsePlainPath(text);
  if (plain !== undefined) return findPlaces(object, plain);
  if (evaluator === undefined) {
    diagnostics.push(invalid(text, 'is not a plain path', 'use a path such as .spec.replicas'));
    return [];
  }
  const answer = evaluator.paths(text, object);
  if ('paths' in answer) return answer.paths;
  if (evaluator.rewrite?.(text, object) !== undefined) return [];
  diagnostics.push(invalid(text, `cannot be evaluated: ${answer.error}`, 'correct the expression'));
  return [];
}

/** What a manager owns in the live object, as places of `object` (desired or live itself). */
function placesOfManager(manager: string, object: KubeObject, live: KubeObject): ConcretePath[] {
  const places: ConcretePath[] = [];
  for (const entry of live.metadata.managedFields ?? []) {
    if (entry.manager !== manager || entry.fieldsV1 === undefined) continue;
    collectOwned(entry.fieldsV1, object, [], places);
  }
  return places;
}

function collectOwned(
  fields: JsonObject,
  value: Json | undefined,
  at: ConcretePath,
  places: ConcretePath[],
): void {
  for (const [name, children] of Object.entries(fields)) {
    if (name === '.') continue;
    const part = locate(name, value);
    if (part === undefined) continue;
    const inner = readPlace(value, [part]);
    if (inner === undefined || !isRecord(children)) continue;
    const isLeaf = Object.keys(children).every((child) => child === '.');
    if (isLeaf) places.push([...at, part]);
    else collectOwned(children, inner, [...at, part], places);
  }
}

function locate(name: string, value: Json | undefined): string | number | undefined {
  const rest = name.slice(2);
  if (name.startsWith('f:')) return rest;
  if (!isList(value)) return undefined;
  if (name.startsWith('i:')) return Number(rest);
  let wanted: Json;
  try {
    wanted = JSON.parse(rest);
  } catch {
    return undefined;
  }
  const index = name.startsWith('v:')
    ? value.findIndex((item) => sameJson(item, wanted))
    : value.findIndex((item) => holdsKeys(item, wanted));
  return index < 0 ? undefined : index;
}

function holdsKeys(item: Json, keys: Json): boolean {
  if (!isRecord(item) || !isRecord(keys)) return false;
  return Object.entries(keys).every(
    ([key, value]) => sameJson(item[key], value) || (item[key] === undefined && key !== 'name'),
  );
}

function invalid(text: string, what: string, hint: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'IGNORE_RULE_INVALID',
    message: `the ignore rule ${JSON.stringify(text.slice(0, 200))} ${what}; it is left out`,
    hint,
  };
}

function unique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((diagnostic) => [diagnostic.message, diagnostic])).values()];
}

function asObject(value: Json, original: KubeObject): KubeObject {
  if (!isRecord(value)) return original;
  const { apiVersion, kind, metadata } = original;
  const kept = isRecord(value['metadata']) ? value['metadata'] : {};
  return { ...value, apiVersion, kind, metadata: { ...kept, ...identity(metadata) } };
}

/** A rule can never take an object's identity away. */
function identity(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  return {
    ...(metadata.name === undefined ? {} : { name: metadata.name }),
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  };
}
