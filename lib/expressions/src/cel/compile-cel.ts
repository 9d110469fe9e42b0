import { ENCODERS, OPTIONALS, SETS } from './collections.ts';
import { jsonToCel, type PlainValue, toPlain } from './json-values.ts';
import { type CelEnvironment, createCelEnvironment } from './program.ts';
import { STRINGS, STRINGS_REVERSE } from './strings.ts';
import { type CelType, DYN } from './types.ts';

/** JSON as expressions see it: whole numbers are int, others double. */
export type CelValue = PlainValue;

export type CelOutcome =
  | { readonly kind: 'value'; readonly value: CelValue }
  | { readonly kind: 'error'; readonly message: string };

export interface CelExpression {
  /** Variables by name; those that the expression uses and that are not given are errors. */
  evaluate(variables: { readonly [name: string]: CelValue | undefined }): CelOutcome;
}

export type CelCompiler = (expression: string) => CelExpression | { readonly error: string };

const SOURCE_MAX = 20_000;
/** In cel-go's units: about a second's worth. */
const COST_MAX = 5_000_000;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/g;

/** For all compilers, from the first expression on: to make it costs as much as to compile hundreds. */
let shared: CelEnvironment | undefined;

/**
 * Reads expressions of the Common Expression Language as Flux does (RFC 0009): variables of any type, optional types, and
 * the extensions for strings, sets and encodings. Patterns run in linear time; what an expression costs is counted.
 */
export function createCelCompiler(): CelCompiler {
  return (expression) => {
    if (expression.length > SOURCE_MAX) return { error: 'the expression is too long' };
    shared ??= createCelEnvironment([OPTIONALS, STRINGS, STRINGS_REVERSE, SETS, ENCODERS]);
    // Any name may be a variable: what an expression does not name as such costs nothing.
    const variables = new Map<string, CelType>();
    for (const [name] of expression.matchAll(NAME)) {
      if (!TYPE_NAMES.has(name)) variables.set(name, DYN);
    }
    const compiled = shared.compile(expression, { variables });
    if ('issues' in compiled) return { error: compiled.text };
    return {
      evaluate(given): CelOutcome {
        const { outcome, isCostExceeded } = compiled.evaluate({
          costMax: COST_MAX,
          variable: (name) => {
            const value = Object.hasOwn(given, name) ? given[name] : undefined;
            return value === undefined ? undefined : jsonToCel(value);
          },
        });
        if ('value' in outcome) return { kind: 'value', value: toPlain(outcome.value) };
        const message = isCostExceeded === true ? 'the expression costs too much' : outcome.error;
        return { kind: 'error', message };
      },
    };
  };
}

const TYPE_NAMES: ReadonlySet<string> = new Set(
  'bool bytes double int string uint list map type null_type optional_type sets optional strings base64'.split(
    ' ',
  ),
);
