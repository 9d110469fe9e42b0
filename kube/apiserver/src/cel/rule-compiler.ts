import type { CompiledRule, RuleCompiler, RuleOutcome, Schema } from '@capstan/kube-schema';
import {
  type CelEnvironment,
  CelOptional,
  type CelProgram,
  type CelType,
  createCelEnvironment,
  formatCelType,
  LISTS,
  OPTIONALS,
  optionalType,
  SETS,
  STRINGS,
} from '@capstan/lib-expressions';
import { KUBERNETES } from './library.ts';
import { type DeclaredType, declaredType } from './schema-types.ts';
import { fromCelValue, toCelValue } from './schema-values.ts';

/** CEL as the API server of 1.36 offers it in rules, policies and conditions. */
export function kubernetesCel(): CelEnvironment {
  shared ??= createCelEnvironment([...KUBERNETES, OPTIONALS, STRINGS, SETS, LISTS]);
  return shared;
}

let shared: CelEnvironment | undefined;

/** `x-kubernetes-validations`: type-checked against the schema they stand in, with the costs of the API server. */
export function createRuleCompiler(): RuleCompiler {
  const environment = kubernetesCel();
  const types = new WeakMap<Schema, DeclaredType | null>();
  const typeOf = (schema: Schema, isRoot: boolean): DeclaredType | null => {
    const known = types.get(schema);
    if (known !== undefined) return known;
    const made = declaredType(schema, isRoot) ?? null;
    types.set(schema, made);
    return made;
  };
  return {
    compile(expression, schema, { isResourceRoot, optionalOldSelf, costMax, returns = 'bool' }) {
      const type = typeOf(schema, isResourceRoot);
      if (type === null) return failed('failed to convert to declType for CEL validation rules');
      const compiled = compileExpression(environment, expression, {
        type,
        optionalOldSelf,
        returns,
      });
      if ('problem' in compiled) return failed(compiled.problem);
      return rule(compiled.program, { type, optionalOldSelf, costMax });
    },
  };
}

export interface ExpressionContext {
  readonly type: DeclaredType;
  readonly optionalOldSelf: boolean;
  readonly returns: 'bool' | 'string';
}

/** The program of an expression over `self`, or why it is none, in the server's words. */
export function compileExpression(
  environment: CelEnvironment,
  expression: string,
  { type, optionalOldSelf, returns }: ExpressionContext,
): { readonly program: CelProgram } | { readonly problem: string } {
  const old = optionalOldSelf ? optionalType(type.cel) : type.cel;
  const variables = new Map<string, CelType>([
    ['self', type.cel],
    ['oldSelf', old],
  ]);
  const compiled = environment.compile(expression, { variables });
  if ('issues' in compiled) {
    const what = compiled.issues.length > 0 ? 'compilation' : 'program instantiation';
    return { problem: `${what} failed: ${compiled.text}` };
  }
  if (formatCelType(compiled.type) === returns) return { program: compiled };
  return {
    problem:
      returns === 'bool'
        ? 'cel expression must evaluate to a bool'
        : 'messageExpression must evaluate to a string',
  };
}

function failed(problem: string): CompiledRule {
  return {
    problem,
    usesOldSelf: false,
    evaluate: () => ({ kind: 'error', message: problem, cost: 0 }),
  };
}

function rule(
  program: CelProgram,
  {
    type,
    optionalOldSelf,
    costMax,
  }: { readonly type: DeclaredType; readonly optionalOldSelf: boolean; readonly costMax: number },
): CompiledRule {
  return {
    usesOldSelf: program.usedVariables.has('oldSelf'),
    evaluate({ self, oldSelf }): RuleOutcome {
      const { outcome, cost, isCostExceeded } = program.evaluate({
        costMax,
        variable: (name) => {
          if (name === 'self') return toCelValue(self, type);
          if (name !== 'oldSelf') return undefined;
          const old = oldSelf === undefined ? undefined : toCelValue(oldSelf, type);
          return optionalOldSelf ? new CelOptional(old) : old;
        },
      });
      if ('value' in outcome) return { kind: 'value', value: fromCelValue(outcome.value), cost };
      return {
        kind: 'error',
        message: outcome.error,
        cost,
        ...(isCostExceeded === true ? { isCostExceeded } : {}),
      };
    },
  };
}
