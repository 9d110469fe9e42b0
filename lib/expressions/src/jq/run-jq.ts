import { makeBuiltins, PRELUDE } from './builtins.ts';
import { type Context, evaluate, JqLimitError, pathsOf } from './evaluate.ts';
import { applyOperator, formatText } from './operators.ts';
import { JqSyntaxError, parseDefinitions, parseJq } from './parse-jq.ts';
import type { Definition, Node } from './syntax.ts';
import { JqError, type JqPath, type JqValue } from './values.ts';

export interface JqLimits {
  /** Nodes evaluated and elements visited: about half a second's worth by default. */
  readonly stepsMax: number;
  readonly resultsMax: number;
}
const LIMITS: JqLimits = { stepsMax: 1_000_000, resultsMax: 100_000 };
const SOURCE_MAX = 20_000;

/** A parsed query, in the dialect of gojq, without input, modules, environment and time. */
export interface JqQuery {
  /** All results. */
  run(input: JqValue): JqOutcome<JqValue>;
  /** The places that the query finds in the input, as `path(…)` tells them. */
  paths(input: JqValue): JqOutcome<JqPath>;
}

export type JqOutcome<T> =
  | { readonly kind: 'values'; readonly values: readonly T[] }
  /** `isLimit`: it was stopped; otherwise the query itself raised it. */
  | { readonly kind: 'error'; readonly message: string; readonly isLimit: boolean };

export type JqCompiler = (
  source: string,
  limits?: Partial<JqLimits>,
) => JqQuery | { readonly error: string };

/** Reads queries; what they share is made once. */
export function createJqCompiler(): JqCompiler {
  const builtins = makeBuiltins();
  const definitions = new Map<string, Definition>(
    parseDefinitions(PRELUDE).map((one) => [`${one.name}/${one.parameters.length}`, one]),
  );
  return (source, limits = {}) => {
    if (source.length > SOURCE_MAX) return { error: 'the query is too long' };
    try {
      const node = parseJq(source);
      const context = (): Context => ({
        budget: { steps: limits.stepsMax ?? LIMITS.stepsMax },
        builtins,
        definitions,
        operators: applyOperator,
        toText: formatText,
      });
      const max = limits.resultsMax ?? LIMITS.resultsMax;
      checkNames(node, { builtins, definitions });
      return {
        run: (input) =>
          collect(max, function* () {
            const item = { value: input, path: undefined };
            for (const { value } of evaluate(node, item, undefined, context())) yield value;
          }),
        paths: (input) => collect(max, () => pathsOf(node, input, undefined, context())),
      };
    } catch (error) {
      if (error instanceof JqSyntaxError) return { error: error.message };
      throw error;
    }
  };
}

function collect<T>(max: number, results: () => Iterable<T>): JqOutcome<T> {
  const values: T[] = [];
  try {
    for (const value of results()) {
      if (values.length >= max) {
        return { kind: 'error', message: 'the query has too many results', isLimit: true };
      }
      values.push(value);
    }
    return { kind: 'values', values };
  } catch (error) {
    if (error instanceof JqError) return { kind: 'error', message: error.message, isLimit: false };
    if (error instanceof JqLimitError) {
      return { kind: 'error', message: error.message, isLimit: true };
    }
    if (error instanceof RangeError) {
      return { kind: 'error', message: 'the query nests too deeply', isLimit: true };
    }
    // A `break` to a label that is over.
    if (error instanceof Error && error.message === 'break') {
      return { kind: 'error', message: 'break', isLimit: false };
    }
    throw error;
  }
}

interface Known {
  readonly builtins: ReadonlyMap<string, unknown>;
  readonly definitions: ReadonlyMap<string, Definition>;
}

/** Unknown functions and variables are mistakes of the query, found before it runs. */
function checkNames(node: Node, known: Known): void {
  const check = (part: unknown, names: ReadonlySet<string>): void => {
    if (Array.isArray(part)) {
      for (const inner of part) check(inner, names);
      return;
    }
    if (typeof part !== 'object' || part === null) return;
    const one = part as Node;
    if (one.kind === 'call') {
      const id = `${one.name}/${one.args.length}`;
      if (!names.has(id) && !known.builtins.has(id) && !known.definitions.has(id)) {
        throw new JqSyntaxError(`function not defined: ${id}`);
      }
    }
    let inside = names;
    if (one.kind === 'define') {
      const { name, parameters, body } = one.definition;
      inside = new Set([...names, `${name}/${parameters.length}`]);
      check(body, new Set([...inside, ...parameters.map((p) => `${p.replace(/^\$/, '')}/0`)]));
      check(one.body, inside);
      return;
    }
    for (const value of Object.values(one)) check(value, inside);
  };
  check(node, new Set());
}
