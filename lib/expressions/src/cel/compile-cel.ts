import { ENCODERS, OPTIONALS, SETS } from './collections.ts';
import { jsonToCel, type PlainValue, toPlain } from './json-values.ts';
import { type CelEnvironment, createCelEnvironment } from './program.ts';
import { STRINGS, STRINGS_REVERSE } from './strings.ts';
import { type CelType, DYN, formatType, mapOf, STRING } from './types.ts';

/** JSON as expressions see it: whole numbers are int, others double. */
export type CelValue = PlainValue;

export type CelOutcome =
  | { readonly kind: 'value'; readonly value: CelValue }
  | { readonly kind: 'error'; readonly message: string };

export interface CelExpression {
  /** What it gives, as cel-go names types: `bool`, `dyn`. */
  readonly type: string;
  /** Variables by name; those that the expression uses and that are not given are errors. */
  evaluate(variables: { readonly [name: string]: CelValue | undefined }): CelOutcome;
}

/**
 * `structs`: the only variables that there are, each an object with any fields (google.protobuf.Struct); types are checked.
 * Absent: any name may be a variable of any type.
 */
export type CelCompiler = (
  expression: string,
  declared?: { readonly structs: readonly string[] },
) => CelExpression | { readonly error: string };

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
  return (expression, declared) => {
    if (expression.length > SOURCE_MAX) return { error: 'the expression is too long' };
    shared ??= createCelEnvironment([OPTIONALS, STRINGS, STRINGS_REVERSE, SETS, ENCODERS]);
    const variables = declared === undefined ? anyName(expression) : structs(declared.structs);
    const compiled = shared.compile(expression, { variables });
    if ('issues' in compiled) return { error: compiled.text };
    return {
      type: formatType(compiled.type),
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

/** What an expression does not name as a variable costs nothing. */
function anyName(expression: string): ReadonlyMap<string, CelType> {
  const names = [...expression.matchAll(NAME)].map(([name]) => name);
  return new Map(names.filter((name) => !TYPE_NAMES.has(name)).map((name) => [name, DYN]));
}

function structs(names: readonly string[]): ReadonlyMap<string, CelType> {
  return new Map(names.map((name) => [name, mapOf(STRING, DYN)]));
}

const TYPE_NAMES: ReadonlySet<string> = new Set(
  'bool bytes double int string uint list map type null_type optional_type sets optional strings base64'.split(
    ' ',
  ),
);
