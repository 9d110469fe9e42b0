import type { JsonObject } from '@capstan/kube-object';
import type { ASTNode } from '@marcbachmann/cel-js';
import { isObject, listAt, numberAt, textAt, valueAt } from '../json.ts';
import { childrenOf, isNode, schemaOf } from './cel-check.ts';

/** The largest object that a request may carry, in bytes: what nothing else bounds is taken to be as long. */
const REQUEST_BYTES_MAX = 3 * 1024 * 1024;
/** Going through a text costs a tenth of its length, as in cel-go. */
const TRAVERSAL = 0.1;
const PATTERN = 0.25;
const LITERAL_LENGTH = 16;

/**
 * What an expression may cost at most over values of a schema, in cel-go's units, estimated as its checker does: one for each
 * step, the length of texts where they are gone through, and the length of lists and maps for each macro over them.
 */
export function estimateCost(ast: ASTNode, self: JsonObject): number {
  return costOf(ast, { self, variables: new Map() });
}

/** How many values of a schema fit into one request. */
export function maxOccurrences(schema: JsonObject): number {
  return Math.floor(REQUEST_BYTES_MAX / (minSize(schema) + 1));
}

function maxItems(schema: JsonObject): number {
  const items = schema['items'];
  const given = numberAt(schema, 'maxItems') ?? numberAt(schema, 'maxProperties');
  if (given !== undefined) return given;
  if (isObject(items)) return Math.floor((REQUEST_BYTES_MAX - 2) / (minSize(items) + 1));
  const additional = schema['additionalProperties'];
  if (isObject(additional)) return Math.floor((REQUEST_BYTES_MAX - 2) / (minSize(additional) + 6));
  return 1;
}

interface Scope {
  readonly self: JsonObject;
  /** The schemas of what macros go over. */
  readonly variables: ReadonlyMap<string, JsonObject | undefined>;
}

const MACROS = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const SEARCHES = new Set(['contains', 'indexOf', 'lastIndexOf', 'split', 'replace', 'find']);

function costOf(node: ASTNode, scope: Scope): number {
  const below = (): number =>
    childrenOf(node).reduce((total, child) => total + costOf(child, scope), 0);
  switch (node.op) {
    case 'value':
      return 0;
    case 'rcall':
      return callCost(node.args, scope);
    case '==':
    case '!=': {
      const [left, right] = node.args;
      const compared = Math.min(lengthOf(left, scope), lengthOf(right, scope));
      return 1 + below() + compared * TRAVERSAL;
    }
    case 'in':
      return 1 + below() + lengthOf(node.args[1], scope);
    default:
      return 1 + below();
  }
}

function callCost(
  [name, target, words]: readonly [string, ASTNode, readonly ASTNode[]],
  scope: Scope,
): number {
  const own = costOf(target, scope);
  const [first] = words;
  if (MACROS.has(name) && first?.op === 'id') {
    const over = nodeSchema(target, scope);
    const element = valueAt(over, 'items') ?? valueAt(over, 'additionalProperties');
    const variables = new Map(scope.variables);
    // Over a map it is the keys that a macro visits: texts that nothing describes.
    const isMap = valueAt(over, 'additionalProperties') !== undefined;
    variables.set(String(first.args), !isMap && isObject(element) ? element : undefined);
    const inner = words
      .slice(1)
      .reduce((total, word) => total + costOf(word, { ...scope, variables }), 1);
    return own + lengthOf(target, scope) * inner;
  }
  const given = words.reduce((total, word) => total + costOf(word, scope), own);
  if (name === 'matches' || name === 'find' || name === 'findAll') {
    const pattern = first === undefined ? LITERAL_LENGTH : lengthOf(first, scope);
    return given + lengthOf(target, scope) * TRAVERSAL * Math.max(1, pattern * PATTERN);
  }
  if (SEARCHES.has(name)) {
    const searched = first === undefined ? 1 : lengthOf(first, scope) * TRAVERSAL;
    return given + lengthOf(target, scope) * TRAVERSAL * Math.max(1, searched);
  }
  return 1 + given;
}

function nodeSchema(node: ASTNode, { self, variables }: Scope): JsonObject | undefined {
  if (node.op === 'id' && variables.has(node.args)) return variables.get(node.args);
  if (node.op === '.') {
    const [target, field] = node.args;
    const within = nodeSchema(target, { self, variables });
    const found = valueAt(within, 'properties', field);
    return isObject(found) ? found : undefined;
  }
  return schemaOf(node, self);
}

/** The number of characters or elements that a value may have; 1 where nothing is known of it. */
function lengthOf(node: ASTNode, scope: Scope): number {
  if (node.op === 'value') return typeof node.args === 'string' ? node.args.length : 1;
  if (node.op === 'list') return node.args.filter(isNode).length;
  const schema = nodeSchema(node, scope);
  if (schema === undefined) return 1;
  if (textAt(schema, 'type') === 'string') return maxLength(schema);
  return textAt(schema, 'type') === 'array' || isObject(schema['additionalProperties'])
    ? maxItems(schema)
    : 1;
}

function maxLength(schema: JsonObject): number {
  const given = numberAt(schema, 'maxLength');
  if (given !== undefined) return given;
  const allowed = listAt(schema, 'enum').map((value) => String(value).length);
  if (allowed.length > 0) return Math.max(...allowed);
  if (/^(date|date-time|duration)$/.test(textAt(schema, 'format'))) return 32;
  return REQUEST_BYTES_MAX - 2;
}

/** Of the JSON of the smallest value. */
function minSize(schema: JsonObject): number {
  switch (textAt(schema, 'type')) {
    case 'string':
      return 2 + (numberAt(schema, 'minLength') ?? 0);
    case 'boolean':
      return 4;
    case 'array':
      return 2;
    case 'object': {
      const required = listAt(schema, 'required').map(String);
      return required.reduce((size, name) => {
        const property = valueAt(schema, 'properties', name);
        return size + name.length + 4 + (isObject(property) ? minSize(property) : 1);
      }, 2);
    }
    default:
      return 1;
  }
}
