import type { Json } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { isObject } from './json.ts';

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
