import type { Json } from '@capstan/kube-object';
import type { CompiledRule, RuleCompiler, RuleOutcome, Schema } from '@capstan/kube-schema';
import { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { isObject } from './json.ts';

const EXPRESSION_LENGTH_MAX = 20_000;

/**
 * Evaluates `x-kubernetes-validations` by cel-js, with Kubernetes' additions for strings and lists, and with patterns that
 * run in linear time. The library counts no cost: it is estimated before a rule runs, from the size of the expression
 * and, for each level of nested macros, from the number of values it may visit.
 */
export function createRuleCompiler(): RuleCompiler {
  const environment = createEnvironment();
  return {
    compile: (expression, schema, options) =>
      compileRule(environment, expression, schema, options.costMax),
  };
}

function createEnvironment(): Environment {
  return kubernetesEnvironment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
}

/** What every expression in Kubernetes may call; variables are for whoever evaluates. */
export function kubernetesEnvironment(): Environment {
  return new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 10_000, maxDepth: 100 },
  })
    .registerFunction('string.matchesPattern(string): bool', (text: string, pattern: string) =>
      RE2JS.compile(pattern).matcher(text).find(),
    )
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      const matcher = RE2JS.compile(pattern).matcher(text);
      return matcher.find() ? (matcher.group() ?? '') : '';
    })
    .registerFunction('string.replace(string, string): string', (t: string, a: string, b: string) =>
      t.replaceAll(a, b),
    )
    .registerFunction('list.isSorted(): bool', (list: readonly (bigint | string)[]) =>
      list.every((item, i) => i === 0 || list[i - 1]! <= item),
    )
    .registerFunction('list.sum(): dyn', (list: readonly bigint[]) =>
      list.reduce((a, b) => a + b, 0n),
    )
    .registerFunction('list.min(): dyn', (list: readonly bigint[]) => smallestFirst(list)[0])
    .registerFunction('list.max(): dyn', (list: readonly bigint[]) => smallestFirst(list).at(-1))
    .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
}

function smallestFirst(list: readonly bigint[]): bigint[] {
  return [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function compileRule(
  environment: Environment,
  expression: string,
  schema: Schema,
  costMax: number,
): CompiledRule {
  const usesOldSelf = /\boldSelf\b/.test(expression);
  const fail = (problem: string): CompiledRule => ({
    problem,
    usesOldSelf,
    evaluate: () => ({ kind: 'error', message: problem, cost: 0 }),
  });
  if (expression.length > EXPRESSION_LENGTH_MAX) return fail('the expression is too long');
  let run: (context: Record<string, unknown>) => unknown;
  try {
    run = environment.parse(withSafePatterns(expression));
  } catch (error) {
    return fail(`compilation failed: ${firstLine(error)}`);
  }
  const nesting = (expression.match(/\.(?:all|exists|exists_one|map|filter)\s*\(/g) ?? []).length;
  const tokens = (expression.match(/\w+|[^\s\w]/g) ?? []).length;
  return {
    usesOldSelf,
    evaluate({ self, oldSelf }): RuleOutcome {
      const cost = tokens * countValues(self) ** Math.min(nesting, 4);
      if (cost > costMax) {
        return { kind: 'error', message: 'the cost limit is exceeded', cost, isCostExceeded: true };
      }
      try {
        const result = run({
          self: toCel(self, schema),
          oldSelf: oldSelf === undefined ? undefined : toCel(oldSelf, schema),
        });
        return { kind: 'value', value: fromCel(result), cost };
      } catch (error) {
        return {
          kind: 'error',
          message: firstLine(error).replace(/^No such key/, 'no such key'),
          cost,
        };
      }
    },
  };
}

export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? '';
}

/** The library's own `matches` backtracks; outside of string literals it is called by another name. */
export function withSafePatterns(expression: string): string {
  return expression.replace(
    /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\.matches\s*\(/g,
    (whole, literal: string | undefined) => (literal === undefined ? '.matchesPattern(' : whole),
  );
}

/** Values that a macro may visit: elements of lists and maps, at all depths. */
export function countValues(value: Json): number {
  if (Array.isArray(value)) {
    return value.reduce((sum: number, item: Json) => sum + countValues(item), 1);
  }
  if (!isObject(value)) return 1;
  let sum = 1;
  for (const item of Object.values(value)) if (item !== undefined) sum += countValues(item);
  return sum;
}

/** JSON as CEL sees it through the schema: integers are int, other numbers double, times are timestamps. */
export function toCel(value: Json, schema: Schema | undefined): unknown {
  if (typeof value === 'number') {
    return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  }
  if (typeof value === 'string') {
    return schema?.format === 'date-time' ? new Date(value) : value;
  }
  if (Array.isArray(value)) return value.map((item: Json) => toCel(item, schema?.items));
  if (!isObject(value)) return value;
  const made: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const additional = schema?.additionalProperties;
    const inner =
      schema?.properties?.get(key) ?? (typeof additional === 'object' ? additional : undefined);
    if (key !== '__proto__') made[key] = toCel(item, inner);
  }
  return made;
}

function fromCel(value: unknown): Json {
  if (typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint')
    return value;
  return typeof value === 'number' ? value : String(value);
}
