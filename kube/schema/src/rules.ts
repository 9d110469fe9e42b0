import {
  childPath,
  type FieldError,
  type FieldErrorReason,
  indexPath,
  type Json,
  type JsonObject,
} from '@capstan/kube-object';
import type { Schema, ValidationRule } from './schema.ts';
import { sameJson } from './validate-value.ts';

/** What evaluating a CEL expression gave, and what it cost in CEL's own units. */
export type RuleOutcome =
  | { readonly kind: 'value'; readonly value: Json; readonly cost: number }
  /** `no such key: x`, `division by zero` … `isCostExceeded`: stopped for its own cost limit. */
  | {
      readonly kind: 'error';
      readonly message: string;
      readonly cost: number;
      readonly isCostExceeded?: boolean;
    };

export interface CompiledRule {
  /** Why the expression does not compile; such a rule fails on every object. */
  readonly problem?: string;
  readonly usesOldSelf: boolean;
  evaluate(input: { readonly self: Json; readonly oldSelf: Json | undefined }): RuleOutcome;
}

/** The CEL evaluator, given from outside. A compiled rule may be kept and used again. */
export interface RuleCompiler {
  compile(
    expression: string,
    schema: Schema,
    options: {
      /** `self` is an object with apiVersion, kind and metadata. */
      readonly isResourceRoot: boolean;
      readonly optionalOldSelf: boolean;
      readonly costMax: number;
      /** What the expression must give; a bool by default. */
      readonly returns?: 'bool' | 'string';
    },
  ): CompiledRule;
}

/** Limits of the API server: for one expression, and for all of one request. */
export const ruleCostMax = 1_000_000;
export const objectCostMax = 10_000_000;

/**
 * Runs the `x-kubernetes-validations` of a schema over a custom resource, in the order and with the words of the API
 * server. Rules on `oldSelf` run only where there is an old value; on updates a failure that does not look at `oldSelf`
 * passes where the value has not changed. When the budget is spent, that is said and the rest is not run.
 */
export function validateRules(
  schema: Schema,
  object: JsonObject,
  options: {
    readonly compiler: RuleCompiler;
    readonly old?: JsonObject;
    readonly costMax?: number;
  },
): readonly FieldError[] {
  const run: Run = {
    compiler: options.compiler,
    errors: [],
    budget: options.costMax ?? objectCostMax,
    compiled: new Map(),
  };
  walk(run, schema, { value: object, old: options.old, path: '', isRoot: true });
  return run.errors;
}

interface Run {
  readonly compiler: RuleCompiler;
  readonly errors: FieldError[];
  /** Below zero: spent. */
  budget: number;
  readonly compiled: Map<ValidationRule, CompiledRule>;
}

interface Place {
  readonly value: Json;
  readonly old: Json | undefined;
  readonly path: string;
  readonly isRoot: boolean;
  /** Of what has no old value: whether the nearest value around it that has one is the same as before. */
  readonly isWithinSame?: boolean;
}

/** `rules` is where the rules stand: the schema itself, or a part of its `allOf`, which has no types of its own. */
function walk(run: Run, schema: Schema, place: Place, rules = schema): void {
  if (place.value === null || run.budget < 0) return;
  for (const rule of rules.validations ?? []) {
    if (run.budget < 0) return;
    check(run, schema, rule, place);
  }
  for (const nested of rules.allOf ?? []) {
    if (hasRules(nested)) walk(run, schema, place, nested);
  }
  const pair = { schema, rules };
  if (Array.isArray(place.value)) walkList(run, pair, place.value, place);
  else if (typeof place.value === 'object') walkMap(run, pair, place.value as JsonObject, place);
}

interface Ruled {
  readonly schema: Schema;
  readonly rules: Schema;
}

function walkList(run: Run, { schema, rules }: Ruled, list: readonly Json[], place: Place): void {
  const { items } = schema;
  if (items === undefined || rules.items === undefined || !hasRules(rules.items)) return;
  const keys = schema.listType === 'map' ? (schema.listMapKeys ?? []) : undefined;
  const before = Array.isArray(place.old) ? (place.old as readonly Json[]) : [];
  for (const [index, value] of list.entries()) {
    const old = keys === undefined ? undefined : before.find((item) => sameKeys(item, value, keys));
    const path = indexPath(place.path, index);
    const inner = { value, old, path, isRoot: false, isWithinSame: isSame(place) };
    walk(run, items, inner, rules.items);
  }
}

function isSame({ old, value, isWithinSame }: Place): boolean {
  return old === undefined ? isWithinSame === true : sameJson(old, value);
}

function sameKeys(left: Json, right: Json, keys: readonly string[]): boolean {
  if (typeof left !== 'object' || left === null) return false;
  if (typeof right !== 'object' || right === null) return false;
  const [a, b] = [left as JsonObject, right as JsonObject];
  return keys.every((key) => sameJson(a[key] ?? null, b[key] ?? null));
}

function walkMap(run: Run, { schema, rules }: Ruled, map: JsonObject, place: Place): void {
  const before =
    typeof place.old === 'object' && place.old !== null ? (place.old as JsonObject) : undefined;
  for (const key of Object.keys(map)) {
    const value = map[key];
    const inner = valueSchema(schema, key);
    const nested = valueSchema(rules, key);
    if (value === undefined || inner === undefined) continue;
    if (nested === undefined || !hasRules(nested)) continue;
    const isProperty = schema.properties?.has(key) === true;
    const path = isProperty ? childPath(place.path, key) : indexPath(place.path, key);
    const old = before?.[key];
    const within = before === undefined && isSame(place);
    walk(run, inner, { value, old, path, isRoot: false, isWithinSame: within }, nested);
  }
}

function valueSchema(
  { properties, additionalProperties }: Schema,
  key: string,
): Schema | undefined {
  const property = properties?.get(key);
  if (property !== undefined) return property;
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** Whether there is a rule at a node or below it. Structural schemas of CRDs are finite trees. */
export function hasRules(schema: Schema): boolean {
  if (schema.validations !== undefined) return true;
  if (schema.items !== undefined && hasRules(schema.items)) return true;
  if (typeof schema.additionalProperties === 'object' && hasRules(schema.additionalProperties))
    return true;
  for (const property of schema.properties?.values() ?? []) if (hasRules(property)) return true;
  return schema.allOf?.some(hasRules) === true;
}

const outOfBudget =
  'validation failed due to running out of cost budget, no further validation rules will be run';

function check(run: Run, schema: Schema, rule: ValidationRule, place: Place): void {
  const compiled = compile(run, schema, rule, place.isRoot);
  const fail = (detail: string): void => {
    const field = place.path === '' ? '<nil>' : place.path;
    run.errors.push({ reason: 'FieldValueInvalid', field, value: schema.type, detail });
  };
  if (run.budget <= 0) {
    run.budget = -1;
    fail(outOfBudget);
    return;
  }
  if (compiled.problem !== undefined) {
    fail(`rule compile error: ${compiled.problem}`);
    return;
  }
  if (rule.rule.trim() === '') return;
  if (compiled.usesOldSelf && place.old === undefined && rule.optionalOldSelf !== true) return;
  const outcome = compiled.evaluate({ self: place.value, oldSelf: place.old });
  if (!spend(run, outcome.cost)) {
    fail(outOfBudget);
    return;
  }
  if (outcome.kind === 'error') {
    if (outcome.isCostExceeded === true) {
      run.budget = -1;
      fail(
        `'${outcome.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${nameOf(rule)}`,
      );
    } else if (outcome.message.startsWith('no such overload'))
      fail(
        `'${outcome.message}': call arguments did not match a supported operator, function or macro signature for rule: ${nameOf(rule)}`,
      );
    else fail(`${outcome.message} evaluating rule: ${nameOf(rule)}`);
    return;
  }
  if (outcome.value === true) return;
  if (isSame(place) && !compiled.usesOldSelf) return;
  const message = messageOf(run, schema, rule, place);
  if ('problem' in message) {
    run.budget = -1;
    fail(message.problem);
    return;
  }
  run.errors.push(failure(schema, rule, place, message.text));
}

function spend(run: Run, cost: number): boolean {
  run.budget = cost > run.budget ? -1 : run.budget - cost;
  return run.budget >= 0;
}

function compile(run: Run, schema: Schema, rule: ValidationRule, isRoot: boolean): CompiledRule {
  let compiled = run.compiled.get(rule);
  if (compiled === undefined) {
    compiled = run.compiler.compile(rule.rule, schema, {
      isResourceRoot: isRoot || schema.embeddedResource === true,
      optionalOldSelf: rule.optionalOldSelf === true,
      costMax: ruleCostMax,
    });
    run.compiled.set(rule, compiled);
  }
  return compiled;
}

function nameOf(rule: ValidationRule): string {
  return rule.message !== undefined && rule.message !== '' ? rule.message.trim() : rule.rule.trim();
}

const reasons: ReadonlySet<string> = new Set([
  'FieldValueInvalid',
  'FieldValueForbidden',
  'FieldValueRequired',
  'FieldValueDuplicate',
]);

function failure(schema: Schema, rule: ValidationRule, place: Place, text: string): FieldError {
  const reason = reasons.has(rule.reason ?? '')
    ? (rule.reason as FieldErrorReason)
    : 'FieldValueInvalid';
  const own = place.path === '' ? '<nil>' : place.path;
  const field =
    rule.fieldPath === undefined ? own : `${place.path}${fieldPathOf(rule.fieldPath, schema)}`;
  // What is there twice needs no explanation.
  const detail = reason === 'FieldValueDuplicate' ? '' : text;
  const isScalar = schema.type !== 'object' && schema.type !== 'array';
  const trimmed = place.path === '' && field.startsWith('.') ? field.slice(1) : field;
  return isScalar
    ? { reason, field: trimmed, value: place.value, detail }
    : { reason, field: trimmed, detail };
}

const STEP = /\.([^.[]+)|\['((?:[^'\\]|\\.)*)'\]/g;

/** `.spec['a b'].c` as the server prints it: fields after dots, keys of maps in brackets. */
function fieldPathOf(path: string, schema: Schema): string {
  let at: Schema | undefined = schema;
  let shown = '';
  for (const [, name, key = ''] of path.matchAll(STEP)) {
    const step = name ?? key.replace(/\\(.)/g, '$1');
    shown += at?.properties?.has(step) === true ? `.${step}` : `[${step}]`;
    at = at === undefined ? undefined : valueSchema(at, step);
  }
  return shown;
}

const messageBytesMax = 5 * 1024;

/** What is said of a value that breaks a rule, or why nothing more can be said. */
function messageOf(
  run: Run,
  schema: Schema,
  rule: ValidationRule,
  place: Place,
): { readonly text: string } | { readonly problem: string } {
  const fallback =
    rule.message !== undefined && rule.message !== ''
      ? rule.message.trim()
      : `failed rule: ${rule.rule.trim()}`;
  if (rule.messageExpression === undefined) return { text: fallback };
  const compiled = run.compiler.compile(rule.messageExpression, schema, {
    returns: 'string',
    isResourceRoot: place.isRoot,
    optionalOldSelf: rule.optionalOldSelf === true,
    costMax: ruleCostMax,
  });
  if (compiled.problem !== undefined) return { text: fallback };
  const outcome = compiled.evaluate({ self: place.value, oldSelf: place.old });
  if (!spend(run, outcome.cost)) {
    return {
      problem:
        'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
    };
  }
  if (outcome.kind === 'error') {
    if (outcome.isCostExceeded !== true) return { text: fallback };
    const quoted = JSON.stringify(rule.messageExpression);
    const problem = `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quoted}`;
    return { problem };
  }
  // A message must be one short line of printable text; else the fixed one is better.
  const text = typeof outcome.value === 'string' ? outcome.value.trim() : '';
  const isLine = text !== '' && !text.includes('\n') && text.length <= messageBytesMax;
  return { text: isLine ? text : fallback };
}
