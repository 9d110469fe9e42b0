import type { Json, JsonObject } from '@capstan/kube-object';
import type { ASTNode } from '@marcbachmann/cel-js';
import { Environment } from '@marcbachmann/cel-js';
import { isObject, textAt, valueAt } from '../json.ts';

/**
 * Why an expression over `self` does not compile, as far as that is certain: its syntax, fields that the schema lacks, and
 * results that are plainly of another type. What cannot be told here (functions, overloads) is left to the run.
 */
export function compilationProblem(
  expression: string,
  schema: JsonObject,
  wanted: 'bool' | 'string',
): string | undefined {
  const ast = parseExpression(expression);
  if (typeof ast === 'string') {
    return `compilation failed: ERROR: <input>: Syntax error: ${ast}`;
  }
  const unknown = unknownField(ast, schema);
  if (unknown !== undefined) {
    const { name, at } = unknown;
    const before = expression.slice(0, at);
    const line = before.split('\n').length;
    const column = at - (before.lastIndexOf('\n') + 1);
    const shown = expression.split('\n')[line - 1] ?? '';
    return `compilation failed: ERROR: <input>:${line}:${column + 1}: undefined field '${name}'\n | ${shown}\n | ${'.'.repeat(column)}^`;
  }
  const type = resultType(ast, schema);
  if (type === undefined || type === wanted) return undefined;
  return wanted === 'bool'
    ? 'cel expression must evaluate to a bool'
    : 'messageExpression must evaluate to a string';
}

/** The expression, or why it is none. */
export function parseExpression(expression: string): ASTNode | string {
  try {
    return PARSER.parse(expression).ast;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.split('\n')[0] ?? '';
  }
}

const PARSER = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 100_000, maxDepth: 250 },
});

/** The schema of `self`, of a field of it, and so on; undefined for all else. */
export function schemaOf(node: ASTNode, self: JsonObject): JsonObject | undefined {
  if (node.op === 'id') return node.args === 'self' || node.args === 'oldSelf' ? self : undefined;
  if (node.op !== '.') return undefined;
  const [target, name] = node.args;
  const within = schemaOf(target, self);
  const found = valueAt(within, 'properties', fieldName(name));
  if (isObject(found)) return found;
  const additional = valueAt(within, 'additionalProperties');
  return isObject(additional) ? additional : undefined;
}

/** Names that are no identifiers are spelled out in expressions. */
function fieldName(name: string): string {
  const escapes: Readonly<Record<string, string>> = {
    __underscores__: '__',
    __dot__: '.',
    __dash__: '-',
    __slash__: '/',
  };
  const whole =
    /^__(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return)__$/.exec(
      name,
    );
  if (whole !== null) return whole[1] ?? name;
  return name.replace(/__(?:underscores|dot|dash|slash)__/g, (found) => escapes[found] ?? found);
}

const METADATA = new Set(['apiVersion', 'kind', 'metadata']);

function unknownField(
  node: ASTNode,
  self: JsonObject,
): { readonly name: string; readonly at: number } | undefined {
  if (node.op === '.') {
    const [target, name] = node.args;
    const within = schemaOf(target, self);
    const isClosed =
      within !== undefined &&
      textAt(within, 'type') === 'object' &&
      isObject(within['properties']) &&
      within['additionalProperties'] === undefined;
    const known = isClosed && valueAt(within, 'properties', fieldName(name)) !== undefined;
    if (isClosed && !known && !METADATA.has(name)) return { name, at: target.end };
  }
  for (const child of childrenOf(node)) {
    const found = unknownField(child, self);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) collect(item);
    else if (isNode(value)) found.push(value);
  };
  collect(node.args);
  return found;
}

export function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

const BOOLEAN_OPERATORS = new Set(['==', '!=', '<', '<=', '>', '>=', 'in', '&&', '||', '!_']);
const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int',
  number: 'double',
  array: 'list',
  object: 'object',
};

function resultType(node: ASTNode, self: JsonObject): string | undefined {
  if (BOOLEAN_OPERATORS.has(node.op)) return 'bool';
  if (node.op === 'list' || node.op === 'map') return node.op;
  if (node.op === 'value') return literalType(node.args as Json);
  const schema = schemaOf(node, self);
  if (schema === undefined || textAt(schema, 'format') !== '') return undefined;
  if (schema['x-kubernetes-int-or-string'] === true) return undefined;
  return SCALARS[textAt(schema, 'type')];
}

function literalType(value: unknown): string | undefined {
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return undefined;
  }
}
