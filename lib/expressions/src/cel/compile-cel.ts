import { Environment, ParseError } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

/** JSON as expressions see it: whole numbers are int, others double. */
export type CelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly CelValue[]
  | { readonly [key: string]: CelValue | undefined };

export type CelOutcome =
  | { readonly kind: 'value'; readonly value: CelValue }
  | { readonly kind: 'error'; readonly message: string };

export interface CelExpression {
  /** Variables by name; those that the expression uses and that are not given are errors. */
  evaluate(variables: { readonly [name: string]: CelValue | undefined }): CelOutcome;
}

export type CelCompiler = (expression: string) => CelExpression | { readonly error: string };

const SOURCE_MAX = 20_000;
/** Evaluated parts, estimated before an expression runs: about a second's worth. */
const COST_MAX = 2_000_000;
const NESTING_MAX = 4;

/**
 * Reads expressions of the Common Expression Language as Flux does (RFC 0009): variables of any type, optional types, and
 * the extensions for strings, sets and encodings. Patterns run in linear time; the library counts no cost, which is
 * therefore estimated from the size of the expression and, for each level of nested macros, of the values it may visit.
 */
export function createCelCompiler(): CelCompiler {
  const environment = createEnvironment();
  return (expression) => {
    if (expression.length > SOURCE_MAX) return { error: 'the expression is too long' };
    let run: (variables: Record<string, unknown>) => unknown;
    try {
      run = environment.parse(withSafePatterns(expression));
    } catch (error) {
      return { error: tellPlace(error, expression) };
    }
    const macros = expression.match(/\.(?:all|exists|exists_one|map|filter|sortBy)\s*\(/g) ?? [];
    const tokens = expression.match(/\w+|[^\s\w]/g)?.length ?? 1;
    return {
      evaluate(variables): CelOutcome {
        const cost = tokens * countValues(variables) ** Math.min(macros.length, NESTING_MAX);
        if (cost > COST_MAX) return { kind: 'error', message: 'the expression costs too much' };
        try {
          const given = Object.entries(variables).map(([name, value]) => [name, toCel(value)]);
          return { kind: 'value', value: fromCel(run(Object.fromEntries(given))) };
        } catch (error) {
          return { kind: 'error', message: withPath(firstLine(error), expression) };
        }
      },
    };
  };
}

function createEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: 10_000, maxDepth: 100 },
  });
  registerStrings(environment);
  registerSets(environment);
  registerEnds(environment);
  return environment;
}

/** `list.first()` and `list.last()` of the optional types, and `base64`. */
function registerEnds(environment: Environment): void {
  class Base64 {}
  const bytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const none = environment.parse('optional.none()')({});
  const optional = (list: readonly unknown[], at: number) =>
    list.length === 0 ? none : environment.parse('optional.of(x)')({ x: list.at(at) });
  environment
    .registerFunction('list.first(): optional', (list: unknown[]) => optional(list, 0))
    .registerFunction('list.last(): optional', (list: unknown[]) => optional(list, -1))
    .registerType('Base64', Base64)
    .registerConstant('base64', 'Base64', new Base64())
    .registerFunction('Base64.encode(bytes): string', (_: Base64, data: Uint8Array) =>
      btoa(String.fromCharCode(...data)),
    )
    .registerFunction('Base64.decode(string): bytes', (_: Base64, text: string) => bytes(text));
}

function registerStrings(environment: Environment): void {
  environment
    .registerFunction('string.matchesPattern(string): bool', (text: string, pattern: string) =>
      RE2JS.compile(pattern).matcher(text).find(),
    )
    .registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
      const chars = [...text];
      if (index < 0n || index > BigInt(chars.length)) throw new Error('index out of range');
      return chars[Number(index)] ?? '';
    })
    .registerFunction('string.replace(string, string): string', (t: string, a: string, b: string) =>
      t.replaceAll(a, () => b),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, from: string, to: string, limit: bigint) =>
        replaceSome(text, { from, to, limit: Number(limit) }),
    )
    .registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''));
}

function replaceSome(
  text: string,
  { from, to, limit }: { from: string; to: string; limit: number },
): string {
  let left = limit < 0 ? Infinity : limit;
  return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
}

function registerSets(environment: Environment): void {
  const has = (list: readonly unknown[], wanted: unknown) =>
    list.some((item) => JSON.stringify(item, numbers) === JSON.stringify(wanted, numbers));
  const contains = (a: readonly unknown[], b: readonly unknown[]) => b.every((one) => has(a, one));
  class Sets {}
  environment
    .registerType('Sets', Sets)
    .registerConstant('sets', 'Sets', new Sets())
    .registerFunction('Sets.contains(list, list): bool', (_: Sets, a: unknown[], b: unknown[]) =>
      contains(a, b),
    )
    .registerFunction(
      'Sets.equivalent(list, list): bool',
      (_: Sets, a: unknown[], b: unknown[]) => contains(a, b) && contains(b, a),
    )
    .registerFunction('Sets.intersects(list, list): bool', (_: Sets, a: unknown[], b: unknown[]) =>
      b.some((one) => has(a, one)),
    );
}

function numbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

/** The library's own `matches` backtracks; outside of string literals it is called by another name. */
function withSafePatterns(expression: string): string {
  return expression.replace(
    /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\.matches\s*\(/g,
    (whole, literal: string | undefined) => (literal === undefined ? '.matchesPattern(' : whole),
  );
}

/** Values that a macro may visit: elements of lists and maps, at all depths. */
function countValues(value: CelValue | undefined): number {
  if (isList(value)) return value.reduce((sum: number, item) => sum + countValues(item), 1);
  if (typeof value !== 'object' || value === null) return 1;
  let sum = 1;
  for (const item of Object.values(value)) sum += countValues(item);
  return sum;
}

function toCel(value: CelValue | undefined): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (isList(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return value;
  const made: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined && key !== '__proto__') made[key] = toCel(item);
  }
  return made;
}

function fromCel(value: unknown): CelValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object') return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromCel(item)]));
}

function isList(value: CelValue | undefined): value is readonly CelValue[] {
  return Array.isArray(value);
}

/** A name that is not there is told with the fields that were asked of it, as cel-go does. */
function withPath(message: string, expression: string): string {
  const [, name] = /^no such attribute\(s\): (\w+)$/.exec(message) ?? [];
  if (name === undefined) return message;
  const [path = name] =
    new RegExp(`(?<![\\w.])${name}(?:\\.\\w+)*(?!\\w|\\()`).exec(expression) ?? [];
  return `no such attribute(s): ${path}`;
}

const OPERAND =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Where an expression cannot be read, laid out as cel-go does, and for one that ends too soon in its words. */
function tellPlace(error: unknown, expression: string): string {
  const range = error instanceof ParseError ? error.range : undefined;
  if (range?.start === undefined) return firstLine(error);
  const start = Math.min(range.start, expression.length);
  const before = expression.slice(0, start).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = expression.split('\n')[before.length - 1] ?? '';
  const isCut = expression.slice(start).trim() === '';
  const why = !isCut
    ? firstLine(error)
    : /\.\s*$/.test(expression)
      ? "no viable alternative at input '.'"
      : `mismatched input '<EOF>' expecting ${OPERAND}`;
  return `ERROR: <input>:${before.length}:${column + 1}: Syntax error: ${why}\n | ${line}\n | ${'.'.repeat(column)}^`;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '')
    .replace(/^No such key/, 'no such key')
    .replace(/^Unknown variable: (\S+)/, 'no such attribute(s): $1');
}
