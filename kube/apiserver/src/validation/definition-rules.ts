import type { FieldError, Json, JsonObject } from '@capstan/kube-object';
import { parseSchema } from '@capstan/kube-schema';
import type { CelEnvironment } from '@capstan/lib-expressions';
import { compileExpression, kubernetesCel } from '../cel/rule-compiler.ts';
import { type DeclaredType, declaredType, maxOccurrences, sizeAt } from '../cel/schema-types.ts';
import { isObject, listAt, textAt, valueAt } from '../json.ts';
import { forbiddenAt, invalidAt, notSupportedAt, requiredAt } from './checks.ts';

const REASONS = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
];

/** What is wrong with the CEL rules of a definition's schema: of the text of each first, and if that is well, of its expression. */
export function ruleErrors(schema: JsonObject, at: string): readonly FieldError[] {
  const texts: FieldError[] = [];
  const checks: RuleCheck[] = [];
  const root = rootPlace(schema, at);
  walk(schema, root, (node, place) => {
    for (const [i, rule] of listAt(node, 'x-kubernetes-validations').entries()) {
      const where = `${place.at}.x-kubernetes-validations[${i}]`;
      texts.push(...textErrors(rule, node, where));
      checks.push({ rule, place, at: where });
    }
  });
  if (texts.length > 0) return texts;
  const environment = checks.length === 0 ? undefined : kubernetesCel();
  if (environment === undefined) return [];
  const costs: Cost[] = [];
  const errors = checks.flatMap((check) => expressionErrors(environment, check, costs));
  return [...errors, ...totalErrors(costs, at)];
}

interface RuleCheck {
  readonly rule: Json;
  readonly place: Place;
  readonly at: string;
}

interface Cost {
  readonly at: string;
  readonly cost: number;
}

const RULE_COST_MAX = 10_000_000;
const SCHEMA_COST_MAX = 100_000_000;
const CONTRIBUTORS_MAX = 4;
const ADVICE =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

/** By how much something is too expensive (apiextensions/validation getCostErrorMessage). */
function tooExpensive(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown =
    factor > 100
      ? 'more than 100x'
      : factor < 1.5
        ? `${factor.toFixed(6)}x`
        : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} ${ADVICE}`;
}

function totalErrors(costs: readonly Cost[], at: string): FieldError[] {
  const total = costs.reduce((sum, { cost }) => sum + cost, 0);
  if (total <= SCHEMA_COST_MAX) return [];
  const detail =
    'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  const contributors = costs
    .filter(({ cost }) => cost >= SCHEMA_COST_MAX / 100)
    .sort((a, b) => b.cost - a.cost)
    .slice(0, CONTRIBUTORS_MAX);
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  return [
    ...contributors.map((one) => forbiddenAt(one.at, detail)),
    forbiddenAt(at, tooExpensive(what, total, SCHEMA_COST_MAX)),
  ];
}

interface Place {
  readonly at: string;
  /** The list or map below which there is no old value of an item. */
  readonly uncorrelated: string | undefined;
  /** How many values there may be at most; undefined when a list or map around them has no bound. */
  readonly count: number | undefined;
  /** Of the node; undefined when expressions cannot see it. */
  readonly type: DeclaredType | undefined;
}

/** Types are made once for the part of a schema that rules look at: from the first node with a rule down. */
function rootPlace(schema: JsonObject, at: string): Place {
  const type = hasOwnRules(schema) ? declaredType(parseSchema(schema), true) : undefined;
  return { at, uncorrelated: undefined, count: 1, type };
}

function hasOwnRules(node: JsonObject): boolean {
  return listAt(node, 'x-kubernetes-validations').length > 0;
}

function typeOf(node: JsonObject, fromParent: DeclaredType | undefined): DeclaredType | undefined {
  if (fromParent !== undefined || !hasOwnRules(node)) return fromParent;
  return declaredType(parseSchema(node), node['x-kubernetes-embedded-resource'] === true);
}

function walk(
  node: JsonObject,
  place: Place,
  visit: (node: JsonObject, place: Place) => void,
): void {
  const { at, uncorrelated, count, type } = place;
  for (const [name, property] of Object.entries(nodeAt(node, 'properties'))) {
    if (!isObject(property)) continue;
    const field = [...(type?.fields?.values() ?? [])].find((one) => one.name === name);
    const inner = typeOf(property, field?.type);
    walk(property, { ...place, at: `${at}.properties[${name}]`, type: inner }, visit);
  }
  const additional = node['additionalProperties'];
  if (isObject(additional)) {
    const here = textAt(node, 'x-kubernetes-map-type') === 'atomic' ? at : undefined;
    const inner = {
      at: `${at}.additionalProperties`,
      uncorrelated: uncorrelated ?? here,
      type: typeOf(additional, type?.element),
    };
    walk(additional, { ...inner, count: times(count, node['maxProperties']) }, visit);
  }
  const items = node['items'];
  if (isObject(items)) {
    const here = textAt(node, 'x-kubernetes-list-type') === 'map' ? undefined : at;
    const inner = {
      at: `${at}.items`,
      uncorrelated: uncorrelated ?? here,
      type: typeOf(items, type?.element),
    };
    walk(items, { ...inner, count: times(count, node['maxItems']) }, visit);
  }
  visit(node, place);
}

function times(count: number | undefined, bound: Json | undefined): number | undefined {
  return count === undefined || typeof bound !== 'number' ? undefined : count * Math.max(0, bound);
}

function nodeAt(node: JsonObject, key: string): JsonObject {
  const found = node[key];
  return isObject(found) ? found : {};
}

const LINE_BREAK = /[\n\r]/;

function textErrors(rule: Json, node: JsonObject, at: string): FieldError[] {
  const text = textAt(rule, 'rule').trim();
  const message = textAt(rule, 'message');
  const reason = textAt(rule, 'reason');
  const path = textAt(rule, 'fieldPath');
  const expression = textAt(rule, 'messageExpression');
  const errors: FieldError[] = [];
  if (text === '') errors.push(requiredAt(`${at}.rule`, 'rule is not specified'));
  else if (message !== '' && message.trim() === '') {
    errors.push(invalidAt(`${at}.message`, message, 'must be non-empty if specified'));
  } else if (LINE_BREAK.test(message.trim())) {
    errors.push(invalidAt(`${at}.message`, message, 'must not contain line breaks'));
  } else if (LINE_BREAK.test(text) && message.trim() === '') {
    const detail = 'message must be specified if rule contains line breaks';
    errors.push(requiredAt(`${at}.message`, detail));
  }
  if (expression !== '' && expression.trim() === '') {
    const detail = 'messageExpression must be non-empty if specified';
    errors.push(requiredAt(`${at}.messageExpression`, detail));
  }
  if (reason !== '' && !REASONS.includes(reason)) {
    const supported = `supported values: ${REASONS.map((one) => `"${one}"`).join(', ')}`;
    errors.push(notSupportedAt(`${at}.reason`, reason, supported));
  }
  if (path !== '' && !leadsToField(node, path)) {
    errors.push(invalidAt(`${at}.fieldPath`, path, 'must be a valid path'));
  }
  return errors;
}

/** `.spec.a`, `['a-b']`; steps into lists are none. */
function leadsToField(node: JsonObject, path: string): boolean {
  let at: Json | undefined = node;
  let rest = path;
  while (rest !== '') {
    const step = /^(?:\.([^.[\]]+)|\['([^']+)'\])/.exec(rest);
    if (step === null) return false;
    rest = rest.slice(step[0].length);
    const name = step[1] ?? step[2] ?? '';
    at = valueAt(at, 'properties', name) ?? valueAt(at, 'additionalProperties');
    if (!isObject(at)) return false;
  }
  return true;
}

function expressionErrors(
  environment: CelEnvironment,
  { rule, place, at }: RuleCheck,
  costs: Cost[],
): FieldError[] {
  const { type } = place;
  if (type === undefined) {
    const detail =
      'internal error: failed to retrieve type information for x-kubernetes-validations';
    return [{ reason: 'InternalError', field: at.replace(/\[\d+\]$/, ''), detail }];
  }
  const message = textAt(rule, 'messageExpression');
  const shown = showRule(rule);
  const optionalOldSelf = valueAt(rule, 'optionalOldSelf') === true;
  const errors: FieldError[] = [];
  const context = { type, optionalOldSelf };
  const compiled = compileExpression(environment, textAt(rule, 'rule'), {
    ...context,
    returns: 'bool',
  });
  const size = (path: readonly string[]) => sizeAt(type, path);
  const usesOld = 'program' in compiled && compiled.program.usedVariables.has('oldSelf');
  if ('problem' in compiled) {
    errors.push({ ...invalidAt(`${at}.rule`, null, compiled.problem), shown });
  } else {
    const count = place.count ?? maxOccurrences(type);
    const cost = compiled.program.estimate(size).max * count;
    costs.push({ at: `${at}.rule`, cost });
    if (cost > RULE_COST_MAX) {
      const detail = tooExpensive('estimated rule cost', cost, RULE_COST_MAX);
      errors.push(forbiddenAt(`${at}.rule`, detail));
    }
  }
  if (message !== '' && !('problem' in compiled)) {
    const said = compileExpression(environment, message, { ...context, returns: 'string' });
    errors.push(...messageErrors(said, { at, shown, size, costs }));
  }
  return [...errors, ...oldSelfErrors(rule, { usesOld, at, uncorrelated: place.uncorrelated })];
}

function showRule(rule: Json): string {
  return JSON.stringify({
    Rule: textAt(rule, 'rule'),
    Message: textAt(rule, 'message'),
    MessageExpression: textAt(rule, 'messageExpression'),
    Reason: valueAt(rule, 'reason') ?? null,
    FieldPath: textAt(rule, 'fieldPath'),
    OptionalOldSelf: valueAt(rule, 'optionalOldSelf') ?? null,
  }).replace(/[<>&]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function messageErrors(
  compiled: ReturnType<typeof compileExpression>,
  {
    at,
    shown,
    size,
    costs,
  }: {
    readonly at: string;
    readonly shown: string;
    readonly size: (path: readonly string[]) => ReturnType<typeof sizeAt>;
    readonly costs: Cost[];
  },
): FieldError[] {
  const where = `${at}.messageExpression`;
  if ('problem' in compiled) {
    const problem = compiled.problem.replace(
      /^compilation failed/,
      'messageExpression compilation failed',
    );
    return [{ ...invalidAt(where, null, problem), shown }];
  }
  const cost = compiled.program.estimate(size).max;
  costs.push({ at: where, cost });
  if (cost <= RULE_COST_MAX) return [];
  return [
    forbiddenAt(where, tooExpensive('estimated messageExpression cost', cost, RULE_COST_MAX)),
  ];
}

function oldSelfErrors(
  rule: Json,
  {
    usesOld,
    at,
    uncorrelated,
  }: { readonly usesOld: boolean; readonly at: string; readonly uncorrelated: string | undefined },
): FieldError[] {
  if (usesOld && uncorrelated !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    return [invalidAt(`${at}.rule`, textAt(rule, 'rule'), detail)];
  }
  const optional = valueAt(rule, 'optionalOldSelf');
  if (usesOld || optional === undefined) return [];
  const detail = 'may not be set if oldSelf is not used in rule';
  return [invalidAt(`${at}.optionalOldSelf`, optional, detail)];
}
