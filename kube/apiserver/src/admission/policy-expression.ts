import type { Json, JsonObject } from '@capstan/kube-object';
import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import {
  countValues,
  firstLine,
  kubernetesEnvironment,
  toCel,
  withSafePatterns,
} from '../cel-rules.ts';
import { isObject } from '../json.ts';
import { childrenOf } from '../validation/cel-check.ts';
import { type Authorizer, registerAuthorizer } from './authorizer.ts';
import { type CelProblem, compileErrorText, goType } from './compile-error.ts';
import { literalFunction, type Spelled, spellLiterals } from './literals.ts';

/** Which variables an expression may use beside object, oldObject, request and namespaceObject. */
export interface ExpressionScope {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** `Object{…}` and `JSONPatch{…}`, in mutations. */
  readonly hasPatchTypes: boolean;
  /** The policy's own variables that stand before the expression: name → type. Undefined: there is no `variables`. */
  readonly variables: ReadonlyMap<string, string> | undefined;
}

/** What an expression is evaluated over. */
export interface Activation {
  readonly object: Json;
  readonly oldObject: Json;
  readonly request: JsonObject;
  readonly params: Json;
  readonly namespaceObject: Json;
  readonly authorizer: Authorizer;
  readonly variables: ReadonlyMap<string, PolicyExpression>;
}

export type Evaluation =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly message: string };

export interface PolicyExpression {
  readonly source: string;
  /** Why it does not compile. */
  readonly problem: string | undefined;
  /** Of the result, as the CEL library names it. */
  readonly type: string;
  evaluate(over: Prepared): Evaluation;
}

/** An activation in CEL's values, made once for all expressions of a policy. */
export interface Prepared {
  readonly values: Record<string, unknown>;
  readonly size: number;
}

const COST_MAX = 10_000_000;
const NESTING_MAX = 4;
const OUT_OF_BUDGET =
  'validation failed due to running out of cost budget, no further validation rules will be run';

/** An object that a mutation spells out, with the name of its type. */
export class ObjectLiteral {
  readonly typeName: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(typeName: string, fields: Readonly<Record<string, unknown>>) {
    this.typeName = typeName;
    this.fields = fields;
  }
}

/** One operation of a JSON patch that a mutation spells out. */
export class PatchLiteral {
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.fields = fields;
  }
}

class Variables {}

/**
 * Compiles an expression of a policy or a match condition as k8s.io/apiserver's plugin/cel: types are checked, the result
 * must be exactly one of `returns` (names as cel-go has them; none: anything).
 */
export function compileExpression(
  source: string,
  scope: ExpressionScope,
  returns: readonly string[],
): PolicyExpression {
  const spelled = spellLiterals(scope.hasPatchTypes ? source : '');
  const text = scope.hasPatchTypes ? spelled.text : source;
  let run: (values: Record<string, unknown>) => unknown;
  let type = 'dyn';
  const environment = environmentFor(scope, spelled.types);
  const fail = (error: unknown): PolicyExpression => {
    const problem = scope.hasPatchTypes
      ? placed(error as CelProblem, spelled)
      : (error as CelProblem);
    return broken(source, problem, environment);
  };
  try {
    const parsed = environment.parse(withSafePatterns(text));
    const checked = parsed.check();
    if (!checked.valid) return fail(checked.error);
    const call = impossibleCall(parsed.ast, environment);
    if (call !== undefined) return fail(call);
    type = checked.type ?? 'dyn';
    run = parsed;
  } catch (error) {
    return fail(error);
  }
  const result = goType(type);
  if (returns.length > 0 && !returns.includes(result)) {
    const wanted = returns.length === 1 ? returns[0] : `one of [${returns.join(' ')}]`;
    return failed(source, `must evaluate to ${wanted} but got ${result}`);
  }
  return { source, problem: undefined, type, evaluate: evaluator(source, run) };
}

/** A call with a literal that no function of its name takes: of a dyn receiver the CEL library lets it pass. */
function impossibleCall(node: ASTNode, environment: Environment): CelProblem | undefined {
  if (node.op === 'rcall') {
    const [name, receiver, words] = node.args;
    const types = words.map((word) =>
      word.op === 'value' ? LITERALS[typeof word.args] : undefined,
    );
    const known = environment.getDefinitions().functions.filter((one) => one.name === name);
    const fits = known.some(
      ({ params, receiverType }) =>
        receiverType !== null &&
        params.length === words.length &&
        params.every(
          ({ type }, i) => types[i] === undefined || type === types[i] || !SCALARS.has(type ?? ''),
        ),
    );
    if (known.length > 0 && !fits && types.some((type) => type !== undefined)) {
      const shown = types.map((type) => type ?? 'dyn').join(', ');
      const message = `found no matching overload for 'dyn.${name}(${shown})'`;
      return {
        code: 'no_matching_overload',
        message,
        node,
        range: { start: receiver.start, end: node.end },
      };
    }
  }
  for (const child of childrenOf(node)) {
    const found = impossibleCall(child, environment);
    if (found !== undefined) return found;
  }
  return undefined;
}

const LITERALS: Readonly<Record<string, string | undefined>> = {
  string: 'string',
  bigint: 'int',
  number: 'double',
  boolean: 'bool',
};
const SCALARS: ReadonlySet<string> = new Set(['string', 'int', 'double', 'bool', 'uint', 'bytes']);

/** A problem of the spelled expression at its place in the original. */
function placed(problem: CelProblem, spelled: Spelled): CelProblem {
  const { code, message, range } = problem;
  const from = range?.start ?? 0;
  const start = spelled.origin(from);
  const end = spelled.origin(Math.max(from, (range?.end ?? from) - 1)) + 1;
  return { message, range: { start, end }, ...(code === undefined ? {} : { code }) };
}

function broken(source: string, problem: CelProblem, environment: Environment): PolicyExpression {
  const known = new Set(environment.getDefinitions().functions.map(({ name }) => name));
  return failed(source, `compilation failed: ${compileErrorText(problem, source, known)}`);
}

function failed(source: string, problem: string): PolicyExpression {
  const message = `compilation error: ${problem}`;
  return { source, problem, type: 'dyn', evaluate: () => ({ kind: 'error', message }) };
}

function evaluator(
  source: string,
  run: (values: Record<string, unknown>) => unknown,
): PolicyExpression['evaluate'] {
  const nesting = (source.match(/\.(?:all|exists|exists_one|map|filter)\s*\(/g) ?? []).length;
  const tokens = (source.match(/\w+|[^\s\w]/g) ?? []).length;
  return ({ values, size }) => {
    if (tokens * size ** Math.min(nesting, NESTING_MAX) > COST_MAX) {
      return { kind: 'error', message: OUT_OF_BUDGET };
    }
    try {
      return { kind: 'value', value: run(values) };
    } catch (error) {
      const why = runtimeError(error);
      return { kind: 'error', message: `expression '${source}' resulted in error: ${why}` };
    }
  };
}

function runtimeError(error: unknown): string {
  return firstLine(error)
    .replace(/^No such key/, 'no such key')
    .replace(/^(?:no such overload:|found no matching overload for).*/, 'no such overload');
}

/** Brings what a policy looks at into CEL's values; variables are evaluated when first used. */
export function prepare(activation: Activation): Prepared {
  const { object, oldObject, request, params, namespaceObject, authorizer } = activation;
  const variables = new Variables();
  const values: Record<string, unknown> = {
    object: toCel(object, undefined),
    oldObject: toCel(oldObject, undefined),
    request: toCel(request as Json, undefined),
    params: toCel(params, undefined),
    namespaceObject: toCel(namespaceObject, undefined),
    authorizer,
    variables,
  };
  const prepared = { values, size: countValues(object) + countValues(oldObject) };
  for (const [name, expression] of activation.variables) {
    let known: Evaluation | undefined;
    Object.defineProperty(variables, name, {
      enumerable: true,
      get: () => {
        known ??= ofVariable(name, expression, prepared);
        if (known.kind === 'error') throw new Error(known.message);
        return known.value;
      },
    });
  }
  return prepared;
}

function ofVariable(name: string, expression: PolicyExpression, prepared: Prepared): Evaluation {
  const which = `composited variable ${JSON.stringify(name)}`;
  if (expression.problem !== undefined) {
    return { kind: 'error', message: `${which} fails to compile: ${expression.problem}` };
  }
  const found = expression.evaluate(prepared);
  if (found.kind === 'value') return found;
  const why = found.message.replace(/^expression '[\s\S]*?' resulted in error: /, '');
  return { kind: 'error', message: `${which} fails to evaluate: ${why}` };
}

const GROUP_KIND = { group: 'string', version: 'string', kind: 'string' };
const GROUP_RESOURCE = { group: 'string', version: 'string', resource: 'string' };
/** What of an AdmissionRequest expressions see. */
const REQUEST = {
  kind: GROUP_KIND,
  resource: GROUP_RESOURCE,
  subResource: 'string',
  requestKind: GROUP_KIND,
  requestResource: GROUP_RESOURCE,
  requestSubResource: 'string',
  name: 'string',
  namespace: 'string',
  operation: 'string',
  userInfo: {
    username: 'string',
    uid: 'string',
    groups: 'list<string>',
    extra: 'map<string, list<string>>',
  },
  dryRun: 'bool',
  options: 'dyn',
};

function environmentFor(scope: ExpressionScope, literals: ReadonlySet<string>): Environment {
  const environment = kubernetesEnvironment()
    .registerVariable('object', 'dyn')
    .registerVariable('oldObject', 'dyn')
    .registerVariable('namespaceObject', 'dyn')
    .registerVariable({ name: 'request', schema: REQUEST });
  if (scope.hasParams) environment.registerVariable('params', 'dyn');
  if (scope.hasAuthorizer) registerAuthorizer(environment);
  if (scope.hasPatchTypes) registerLiterals(environment, literals);
  if (scope.variables !== undefined) {
    environment
      .registerType('kubernetes.variables', {
        ctor: Variables,
        fields: Object.fromEntries(scope.variables),
      })
      .registerVariable('variables', 'kubernetes.variables');
  }
  return environment;
}

class JsonPatchLibrary {}

function registerLiterals(environment: Environment, types: ReadonlySet<string>): void {
  environment
    .registerType('JSONPatch', { ctor: PatchLiteral, fields: {} })
    .registerType('jsonpatch.library', JsonPatchLibrary)
    .registerConstant('jsonpatch', 'jsonpatch.library', new JsonPatchLibrary())
    .registerFunction(
      'jsonpatch.library.escapeKey(string): string',
      (_: JsonPatchLibrary, key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'),
    );
  for (const type of types) {
    const signature = `${literalFunction(type)}(map): ${type}`;
    if (type === 'JSONPatch') {
      environment.registerFunction(signature, (given: object) => new PatchLiteral({ ...given }));
      continue;
    }
    class Literal extends ObjectLiteral {}
    environment
      .registerType(type, { ctor: Literal, fields: {} })
      .registerFunction(signature, (given: object) => new Literal(type, { ...given }));
  }
}

/** The result of an expression as JSON; literals by their fields. */
export function celToJson(value: unknown): Json {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
    return value as Json;
  if (Array.isArray(value)) return value.map((item: unknown) => celToJson(item));
  if (value instanceof Date) return value.toISOString();
  const fields =
    value instanceof ObjectLiteral || value instanceof PatchLiteral ? value.fields : value;
  if (fields instanceof Map) return celToJson(Object.fromEntries(fields));
  if (!isObject(fields)) return String(value);
  const made: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(fields)) {
    if (item !== undefined) made[key] = celToJson(item);
  }
  return made;
}

/** Types of literals that do not stand where their names say: `Object.spec` at `metadata`. */
export function misplacedTypes(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => misplacedTypes(item, path));
  if (value instanceof ObjectLiteral) {
    const own =
      value.typeName === path
        ? []
        : [
            `unexpected type name ${JSON.stringify(value.typeName)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
          ];
    return [
      ...own,
      ...Object.entries(value.fields).flatMap(([name, item]) =>
        misplacedTypes(item, `${path}.${name}`),
      ),
    ];
  }
  if (!isObject(value)) return [];
  return Object.values(value).flatMap((item) => misplacedTypes(item, path));
}
