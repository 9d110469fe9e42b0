import type { ASTNode } from '@marcbachmann/cel-js';

/** What cel-js tells of an expression that does not compile. */
export interface CelProblem {
  readonly code?: string;
  readonly message: string;
  readonly node?: unknown;
  readonly range?: { readonly start: number; readonly end: number };
}

/** The problem in the words and with the position of cel-go, which clients see in messages and conditions. */
export function compileErrorText(
  problem: CelProblem,
  source: string,
  functions: ReadonlySet<string>,
): string {
  const summary = problem.message.split('\n')[0] ?? '';
  const node = problem.node as ASTNode | undefined;
  const at = problem.range?.start ?? 0;
  switch (problem.code) {
    case 'unknown_variable': {
      const name = /: (.*)$/.exec(summary)?.[1] ?? '';
      return located(`undeclared reference to '${name}' (in container '')`, source, at);
    }
    case 'no_such_key': {
      const name = /: (.*)$/.exec(summary)?.[1] ?? '';
      const dot = source.lastIndexOf('.', Math.max(at, source.indexOf(name, at)));
      return located(`undefined field '${name}'`, source, dot < 0 ? at : dot);
    }
    case 'no_such_overload':
      return located(operatorText(summary), source, operatorAt(node, source, at));
    case 'no_matching_overload':
      return located(callText(summary, functions), source, openAt(node, source, at));
    case 'incompatible_ternary_branches': {
      const types = /got '(.*)' and '(.*)'$/.exec(summary);
      const text = `found no matching overload for '_?_:_' applied to '(bool, ${goType(types?.[1] ?? '')}, ${goType(types?.[2] ?? '')})'`;
      return located(text, source, Math.max(source.indexOf('?', at), 0));
    }
    default:
      return located(`Syntax error: ${summary}`, source, at);
  }
}

/** `ERROR: <input>:1:5: …` with the line and a mark below it. */
function located(text: string, source: string, at: number): string {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  const column = at - (before.lastIndexOf('\n') + 1);
  const shown = source.split('\n')[line - 1] ?? '';
  return `ERROR: <input>:${line}:${column + 1}: ${text}\n | ${shown}\n | ${'.'.repeat(column)}^`;
}

/** A type as cel-go writes it: `list(int)`, `map(string, dyn)`. */
export function goType(type: string): string {
  const names = type.replaceAll('<', '(').replaceAll('>', ')');
  return names
    .replace(/\b(list|map)\b(?!\()/g, (name) => (name === 'list' ? 'list(dyn)' : 'map(dyn, dyn)'))
    .replace(/\bnull\b/g, 'null_type');
}

function operatorText(summary: string): string {
  const binary = /: (.+?) (==|!=|<=|>=|<|>|\+|-|\*|\/|%|in|&&|\|\|) (.+)$/.exec(summary);
  if (binary !== null) {
    const [, left = '', operator = '', right = ''] = binary;
    const name = operator === 'in' ? '@in' : `_${operator}_`;
    return `found no matching overload for '${name}' applied to '(${goType(left)}, ${goType(right)})'`;
  }
  const unary = /: ([!-])(.+)$/.exec(summary);
  if (unary === null) return summary;
  return `found no matching overload for '${unary[1]}_' applied to '(${goType(unary[2] ?? '')})'`;
}

function callText(summary: string, functions: ReadonlySet<string>): string {
  const call = /for '(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary);
  if (call === null) return summary;
  const [, receiver, name = '', words = ''] = call;
  if (!functions.has(name)) return `undeclared reference to '${name}' (in container '')`;
  const given = `(${goType(words)})`;
  const on = receiver === undefined ? given : `${goType(receiver)}.${given}`;
  return `found no matching overload for '${name}' applied to '${on}'`;
}

/** Where the operator of a binary expression stands. */
function operatorAt(node: ASTNode | undefined, source: string, at: number): number {
  const args: unknown = node?.args;
  if (!Array.isArray(args)) return at;
  const left = args[0] as { readonly end?: number } | undefined;
  const op = node?.op ?? '';
  const found = source.indexOf(op, left?.end ?? at);
  return found < 0 ? at : found;
}

/** Where the arguments of a call begin. */
function openAt(node: ASTNode | undefined, source: string, at: number): number {
  const from =
    node?.op === 'rcall' ? (node.args[1] as { readonly end: number }).end : (node?.start ?? at);
  const found = source.indexOf('(', from);
  return found < 0 ? at : found;
}
