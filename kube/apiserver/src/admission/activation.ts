import type { Json, JsonObject } from '@capstan/kube-object';
import { CelError, CelMap, type CelRuntimeValue as Value } from '@capstan/lib-expressions';
import type { Authorizer } from '../cel/authorization.ts';
import { makePatchMessage } from '../cel/patch-types.ts';
import { toCelValue } from '../cel/schema-values.ts';
import type { PolicyExpression } from './policy-expression.ts';

/** What expressions are evaluated over. */
export interface Given {
  readonly object: Json;
  readonly oldObject: Json;
  readonly request: JsonObject;
  readonly params: Json;
  readonly namespaceObject: Json;
  /** Undefined where expressions may not ask. */
  readonly authorizer: Authorizer | undefined;
  readonly requestResource: Value | undefined;
}

export type Evaluation =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'error'; readonly message: string };

/** Of one expression, and of one variable (k8s.io/apiserver/pkg/apis/cel). */
const CALL_COST_MAX = 1_000_000;
/** Of all expressions of a policy that look at one request. */
export const POLICY_COST_MAX = 10_000_000;
export const CONDITIONS_COST_MAX = 2_500_000;

/** What is left of the budget does not suffice: nothing more is evaluated, and what was evaluated does not count. */
export class OutOfBudget extends Error {
  constructor() {
    super(
      'validation failed due to running out of cost budget, no further validation rules will be run',
    );
  }
}

/** Evaluates expressions over one request, with one budget; a variable is evaluated when one of them first uses it. */
export class Activation {
  readonly #given: Given;
  readonly #variables: Variables;
  #budget: number;
  /** By variables, since the last expression. */
  #spent = 0;

  constructor(given: Given, variables: ReadonlyMap<string, PolicyExpression>, budget: number) {
    this.#given = given;
    this.#budget = budget;
    this.#variables = new Variables(variables, (name, expression) =>
      this.#variable(name, expression),
    );
  }

  get budget(): number {
    return this.#budget;
  }

  /** Throws OutOfBudget. */
  evaluate(expression: PolicyExpression): Evaluation {
    const { source, problem, program } = expression;
    if (program === undefined) {
      return { kind: 'error', message: `compilation error: ${problem}` };
    }
    this.#spent = 0;
    const { outcome, cost } = this.#run(program);
    this.#spend(this.#spent);
    this.#spend(cost);
    if ('value' in outcome) return { kind: 'value', value: outcome.value };
    return {
      kind: 'error',
      message: `expression '${source}' resulted in error: ${outcome.error}`,
    };
  }

  #spend(cost: number): void {
    if (cost > this.#budget) throw new OutOfBudget();
    this.#budget -= cost;
  }

  #run(program: NonNullable<PolicyExpression['program']>) {
    return program.evaluate({
      costMax: CALL_COST_MAX,
      variable: (name) => this.#value(name),
      makeMessage: makePatchMessage,
    });
  }

  #value(name: string): Value | undefined {
    switch (name) {
      case 'object':
      case 'oldObject':
      case 'params':
      case 'request':
      case 'namespaceObject':
        return toCelValue(this.#given[name], undefined);
      case 'authorizer':
        return this.#given.authorizer;
      case 'authorizer.requestResource':
        return this.#given.requestResource;
      case 'variables':
        return this.#variables;
      default:
        return undefined;
    }
  }

  #variable(name: string, { problem, program }: PolicyExpression): Value {
    const which = `composited variable ${JSON.stringify(name)}`;
    if (program === undefined) throw new CelError(`${which} fails to compile: ${problem}`);
    const { outcome, cost } = this.#run(program);
    this.#spent += cost;
    if ('error' in outcome) throw new CelError(`${which} fails to evaluate: ${outcome.error}`);
    return outcome.value;
  }
}

/** A policy's variables, each evaluated at most once. */
class Variables extends CelMap {
  readonly #expressions: ReadonlyMap<string, PolicyExpression>;
  readonly #evaluate: (name: string, expression: PolicyExpression) => Value;
  readonly #known = new Map<string, Value | CelError>();

  constructor(
    expressions: ReadonlyMap<string, PolicyExpression>,
    evaluate: (name: string, expression: PolicyExpression) => Value,
  ) {
    super('kubernetes.variables');
    this.#expressions = expressions;
    this.#evaluate = evaluate;
  }

  get size(): number {
    return this.#expressions.size;
  }

  get(key: Value): Value | undefined {
    const expression = typeof key === 'string' ? this.#expressions.get(key) : undefined;
    if (typeof key !== 'string' || expression === undefined) return undefined;
    let found = this.#known.get(key);
    if (found === undefined) {
      found = this.#attempt(key, expression);
      this.#known.set(key, found);
    }
    if (found instanceof CelError) throw found;
    return found;
  }

  #attempt(name: string, expression: PolicyExpression): Value | CelError {
    try {
      return this.#evaluate(name, expression);
    } catch (error) {
      if (error instanceof CelError) return error;
      throw error;
    }
  }

  keys(): Iterable<Value> {
    return this.#expressions.keys();
  }
}
