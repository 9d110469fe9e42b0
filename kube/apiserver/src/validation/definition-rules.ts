import type { FieldError, Json, JsonObject } from '@capstan/kube-object';
import { isObject, listAt, textAt, valueAt } from '../json.ts';
import { compilationProblem, parseExpression } from './cel-check.ts';
import { estimateCost, maxOccurrences } from './cel-cost.ts';
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
  const expressions: FieldError[] = [];
  const costs: Cost[] = [];
  walk(schema, { at, uncorrelated: undefined, count: 1 }, (node, place) => {
    for (const [i, rule] of listAt(node, 'x-kubernetes-validations').entries()) {
      const where = `${place.at}.x-kubernetes-validations[${i}]`;
      const cost = {
        at: `${where}.rule`,
        cost: ruleCost(rule, node) * (place.count ?? maxOccurrences(node)),
      };
      costs.push(cost);
      texts.push(...textErrors(rule, node, where));
      expressions.push(...costErrors(cost));
      expressions.push(...expressionErrors(rule, node, { ...place, at: where }));
    }
  });
  return texts.length > 0 ? texts : [...expressions, ...totalErrors(costs, at)];
}

interface Cost {
  readonly at: string;
  readonly cost: number;
}

const RULE_COST_MAX = 10_000_000;
const SCHEMA_COST_MAX = 100_000_000;
/** An estimate is told from the real server's only by orders of magnitude: what is nearer to the limit than this passes. */
const CERTAIN_FACTOR = 100;
const CONTRIBUTORS_MAX = 10;
const ADVICE =
  'exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

function ruleCost(rule: Json, node: JsonObject): number {
  const ast = parseExpression(textAt(rule, 'rule'));
  return typeof ast === 'string' ? 0 : estimateCost(ast, node);
}

function costErrors({ at, cost }: Cost): FieldError[] {
  if (cost <= RULE_COST_MAX * CERTAIN_FACTOR) return [];
  return [forbiddenAt(at, `estimated rule cost ${ADVICE}`)];
}

function totalErrors(costs: readonly Cost[], at: string): FieldError[] {
  const total = costs.reduce((sum, { cost }) => sum + cost, 0);
  if (total <= SCHEMA_COST_MAX * CERTAIN_FACTOR) return [];
  const detail =
    'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  const contributors = [...costs]
    .sort((a, b) => b.cost - a.cost)
    .slice(0, CONTRIBUTORS_MAX)
    .filter(({ cost }) => cost > RULE_COST_MAX);
  return [
    ...contributors.map((one) => forbiddenAt(one.at, detail)),
    forbiddenAt(
      at,
      `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema ${ADVICE}`,
    ),
  ];
}

interface Place {
  readonly at: string;
  /** The list or map below which there is no old value of an item. */
  readonly uncorrelated: string | undefined;
  /** How many values there may be at most; undefined when a list or map around them has no bound. */
  readonly count: number | undefined;
}

function walk(
  node: JsonObject,
  place: Place,
  visit: (node: JsonObject, place: Place) => void,
): void {
  const { at, uncorrelated, count } = place;
  for (const [name, property] of Object.entries(nodeAt(node, 'properties'))) {
    if (isObject(property)) walk(property, { ...place, at: `${at}.properties[${name}]` }, visit);
  }
  const additional = node['additionalProperties'];
  if (isObject(additional)) {
    const here = textAt(node, 'x-kubernetes-map-type') === 'atomic' ? at : undefined;
    const inner = { at: `${at}.additionalProperties`, uncorrelated: uncorrelated ?? here };
    walk(additional, { ...inner, count: times(count, node['maxProperties']) }, visit);
  }
  const items = node['items'];
  if (isObject(items)) {
    const here = textAt(node, 'x-kubernetes-list-type') === 'map' ? undefined : at;
    const inner = { at: `${at}.items`, uncorrelated: uncorrelated ?? here };
    walk(items, { ...inner, count: times(count, node['maxItems']) }, visit);
  }
  visit(node, place);
}

function times(count: number | undefined, bound: Json | undefined): number | undefined {
  return count === undefined || typeof bound !== 'number' ? undefined : count * bound;
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
  rule: Json,
  node: JsonObject,
  { at: place, uncorrelated }: Pick<Place, 'at' | 'uncorrelated'>,
): FieldError[] {
  const text = textAt(rule, 'rule');
  const message = textAt(rule, 'messageExpression');
  const shown = JSON.stringify({
    Rule: text,
    Message: textAt(rule, 'message'),
    MessageExpression: message,
    Reason: valueAt(rule, 'reason') ?? null,
    FieldPath: textAt(rule, 'fieldPath'),
    OptionalOldSelf: valueAt(rule, 'optionalOldSelf') ?? null,
  });
  const errors: FieldError[] = [];
  const problem = compilationProblem(text, node, 'bool');
  if (problem !== undefined) errors.push({ ...invalidAt(`${place}.rule`, null, problem), shown });
  const inMessage = message === '' ? undefined : compilationProblem(message, node, 'string');
  if (inMessage !== undefined) {
    errors.push({ ...invalidAt(`${place}.messageExpression`, null, inMessage), shown });
  }
  const usesOld = /\boldSelf\b/.test(text);
  if (usesOld && uncorrelated !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    errors.push(invalidAt(`${place}.rule`, text, detail));
  }
  const optional = valueAt(rule, 'optionalOldSelf');
  if (!usesOld && optional !== undefined) {
    const detail = 'may not be set if oldSelf is not used in rule';
    errors.push(invalidAt(`${place}.optionalOldSelf`, optional, detail));
  }
  return errors;
}
