import { type CelIssue, type Expr, formatIssues } from './ast.ts';
import { type Checked, checkCel, type Declarations } from './check.ts';
import { constantOf } from './constants.ts';
import type { Range } from './cost-types.ts';
import { estimateCost } from './estimate.ts';
import { type Evaluated, type EvaluateOptions, evaluateCel } from './evaluate.ts';
import { formatProblem } from './format-check.ts';
import { type CelLibrary, Functions } from './functions.ts';
import { parseCel } from './parse.ts';
import { pattern, STANDARD, timestamp } from './standard.ts';
import { parseDuration, parseTimestamp } from './times.ts';
import type { CelType } from './types.ts';
import { CelError, type CelValue } from './values.ts';

export interface CelProgram {
  readonly type: CelType;
  readonly usedVariables: ReadonlySet<string>;
  /** From at least to at most. `sizeAt`: how long the value at a path of variables and fields may be. */
  estimate(sizeAt: (path: readonly string[]) => Range | undefined): Range;
  evaluate(
    options: Pick<EvaluateOptions, 'variable' | 'makeMessage'> & { readonly costMax?: number },
  ): Evaluated;
}

/** What does not compile, and all of it as cel-go prints it; no issues: it compiles, but can never run. */
export interface CelFailure {
  readonly issues: readonly CelIssue[];
  readonly text: string;
}

export interface CelEnvironment {
  compile(
    source: string,
    declarations: Pick<Declarations, 'variables' | 'messageType'>,
  ): CelProgram | CelFailure;
}

/** The language with some libraries. Environments are costly to make and may be shared. */
export function createCelEnvironment(extensions: readonly CelLibrary[]): CelEnvironment {
  const libraries = [STANDARD, ...extensions];
  const functions = new Functions(libraries);
  return {
    compile(source, declarations) {
      const fail = (issues: readonly CelIssue[]): CelFailure => ({
        issues,
        text: formatIssues(issues, source),
      });
      const parsed = parseCel(source);
      if ('issues' in parsed) return fail(parsed.issues);
      const checked = checkCel(parsed.expr, { ...declarations, functions });
      if ('issues' in checked) return fail(checked.issues);
      const literals = literalIssues(checked);
      if (literals.length > 0) return fail(literals);
      const reason = whyNotRun(parsed.expr, extensions) ?? whyNotFold(parsed.expr, functions);
      if (reason !== undefined) return { issues: [], text: reason };
      return program(checked, libraries, functions);
    },
  };
}

function program(
  checked: Checked,
  libraries: readonly CelLibrary[],
  functions: Functions,
): CelProgram {
  return {
    type: checked.type,
    usedVariables: checked.usedVariables,
    estimate: (sizeAt) => estimateCost(checked, { libraries, sizeAt }),
    evaluate: (options) =>
      evaluateCel(checked, { functions, libraries, costMax: Number.POSITIVE_INFINITY, ...options }),
  };
}

function whyNotRun(expr: Expr, libraries: readonly CelLibrary[]): string | undefined {
  for (const part of partsOf(expr)) {
    if (part.kind !== 'call') continue;
    for (const { validate } of libraries) {
      const reason = validate?.(part);
      if (reason !== undefined) return reason;
    }
  }
  return undefined;
}

/** Constants are made before any run. */
function whyNotFold(expr: Expr, functions: Functions): string | undefined {
  const convert = (name: string, value: CelValue): CelValue => {
    const [call] = functions.calls(name);
    if (call === undefined) throw new CelError('no such overload');
    return call([value], '');
  };
  try {
    for (const part of partsOf(expr)) if (part.kind === 'call') constantOf(part, convert);
    return undefined;
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

/** Patterns, formats, times and durations that are literals are looked at before any run. */
function literalIssues({ expr, types }: Checked): CelIssue[] {
  const issues: CelIssue[] = [];
  for (const part of partsOf(expr)) {
    if (part.kind !== 'call') continue;
    const wrong = formatProblem(part, types);
    if (wrong !== undefined) issues.push(wrong);
    const argument = part.name === 'matches' ? part.args.at(-1) : part.args[0];
    const check = LITERALS[part.name];
    if (check === undefined || argument?.kind !== 'literal') continue;
    if (part.target !== undefined && part.name !== 'matches') continue;
    if (typeof argument.value !== 'string' && typeof argument.value !== 'bigint') continue;
    try {
      check.read(argument.value);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      issues.push({ at: argument.at, message: `invalid ${check.what} argument` });
    }
  }
  return issues;
}

const LITERALS: Readonly<
  Record<string, { readonly what: string; read(value: string | bigint): unknown } | undefined>
> = {
  matches: { what: 'matches', read: (text) => pattern(String(text)) },
  duration: {
    what: 'duration',
    read: (value) => (typeof value === 'string' ? parseDuration(value) : undefined),
  },
  timestamp: {
    what: 'timestamp',
    read: (value) =>
      typeof value === 'string' ? parseTimestamp(value) : timestamp(value * 1_000_000_000n),
  },
};

function* partsOf(expr: Expr): Iterable<Expr> {
  yield expr;
  for (const child of childrenOf(expr)) yield* partsOf(child);
}

function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'comprehension':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}
