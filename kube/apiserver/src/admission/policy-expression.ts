import {
  type CelProgram,
  type CelType,
  celTypeName,
  DYN_TYPE,
  namedType,
} from '@capstan/lib-expressions';
import { AUTHORIZER, RESOURCE } from '../cel/authorization.ts';
import { patchType } from '../cel/patch-types.ts';
import { NAMESPACE_TYPE, objectType, REQUEST_TYPE } from '../cel/request-types.ts';
import { kubernetesCel } from '../cel/rule-compiler.ts';

/** Which variables an expression may use beside object, oldObject, request and namespaceObject. */
export interface ExpressionScope {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** `Object{…}` and `JSONPatch{…}`, in mutations. */
  readonly hasPatchTypes: boolean;
  /** The policy's own variables that stand before the expression: name → type. Undefined: there is no `variables`. */
  readonly variables: ReadonlyMap<string, CelType> | undefined;
}

export interface PolicyExpression {
  readonly source: string;
  /** Why it does not compile; then there is no program. */
  readonly problem: string | undefined;
  /** It compiles, but can never run: told as the server's own fault. */
  readonly isInternal?: boolean;
  /** Of the result, as the policy's other expressions see it. */
  readonly type: CelType;
  readonly program: CelProgram | undefined;
}

/**
 * Compiles an expression of a policy or a match condition as k8s.io/apiserver's plugin/cel: types are checked, the result
 * must be exactly one of `returns` (names as cel-go has them; none: anything).
 */
export function compileExpression(
  source: string,
  scope: ExpressionScope,
  returns: readonly string[],
): PolicyExpression {
  const compiled = kubernetesCel().compile(source, {
    variables: variablesOf(scope),
    ...(scope.hasPatchTypes ? { messageType: patchType } : {}),
  });
  if ('issues' in compiled) {
    const isInternal = compiled.issues.length === 0;
    const what = isInternal ? 'program instantiation' : 'compilation';
    return { ...failed(source, `${what} failed: ${compiled.text}`), isInternal };
  }
  const result = celTypeName(compiled.type);
  if (returns.length > 0 && !returns.includes(result)) {
    const wanted = returns.length === 1 ? returns[0] : `one of [${returns.join(' ')}]`;
    return failed(source, `must evaluate to ${wanted} but got ${result}`);
  }
  return { source, problem: undefined, type: variableType(compiled.type), program: compiled };
}

function failed(source: string, problem: string): PolicyExpression {
  return { source, problem, type: DYN_TYPE, program: undefined };
}

function variablesOf(scope: ExpressionScope): ReadonlyMap<string, CelType> {
  const variables = new Map<string, CelType>([
    ['object', DYN_TYPE],
    ['oldObject', DYN_TYPE],
    ['namespaceObject', NAMESPACE_TYPE],
    ['request', REQUEST_TYPE],
  ]);
  if (scope.hasParams) variables.set('params', DYN_TYPE);
  if (scope.hasAuthorizer) {
    variables.set('authorizer', namedType(AUTHORIZER));
    variables.set('authorizer.requestResource', namedType(RESOURCE));
  }
  if (scope.variables !== undefined) variables.set('variables', variablesType(scope.variables));
  return variables;
}

/** The type of `variables`, with the policy's own as its fields. */
export function variablesType(variables: ReadonlyMap<string, CelType>): CelType {
  return objectType('kubernetes.variables', Object.fromEntries(variables));
}

const SIMPLE: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'null_type',
  'string',
  'uint',
  'google.protobuf.Duration',
  'google.protobuf.Timestamp',
]);

/** The type of a policy's variable: of what is neither simple, nor a list or map of such, nothing is known. */
export function variableType(type: CelType): CelType {
  switch (type.kind) {
    case 'named':
      return SIMPLE.has(type.name) ? type : DYN_TYPE;
    case 'list':
      return { kind: 'list', element: variableType(type.element) };
    case 'map':
      return { kind: 'map', key: variableType(type.key), value: variableType(type.value) };
    default:
      return DYN_TYPE;
  }
}
