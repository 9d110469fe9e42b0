import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@capstan/kube-object';
import { Authorizer } from '../cel/authorization.ts';
import { Message, messageJson, misplacedTypes } from '../cel/patch-types.ts';
import { fromCelValue } from '../cel/schema-values.ts';
import { Activation, type Given, OutOfBudget, POLICY_COST_MAX } from './activation.ts';
import {
  compileExpression,
  type ExpressionScope,
  type PolicyExpression,
} from './policy-expression.ts';

const SCOPE: ExpressionScope = {
  hasParams: false,
  hasAuthorizer: true,
  hasPatchTypes: true,
  variables: new Map(),
};
const authorizer = new Authorizer(
  { username: 'ann', groups: [], extra: {} },
  ({ username }, { verb, resource, namespace, path }) => ({
    allowed: verb === 'get',
    reason: [username, resource, namespace, path].join('/'),
  }),
);
const GIVEN: Given = {
  object: {
    metadata: { name: 'a' },
    spec: { replicas: 3, list: [1, 2], many: Array(2000).fill(1) },
  },
  oldObject: null,
  request: { operation: 'CREATE', userInfo: { username: 'ann' }, dryRun: false },
  params: null,
  namespaceObject: { metadata: { name: 'n', labels: { team: 'red' } } },
  authorizer,
  requestResource: authorizer.resource({ resource: 'pods', namespace: 'n' }),
};

function compile(source: string, scope: Partial<ExpressionScope> = {}): PolicyExpression {
  return compileExpression(source, { ...SCOPE, ...scope }, []);
}

function evaluate(
  source: string,
  variables: ReadonlyMap<string, PolicyExpression> = new Map(),
): Json {
  const types = new Map([...variables].map(([name, { type }]) => [name, type]));
  const expression = compile(source, { variables: types });
  if (expression.problem !== undefined) return expression.problem;
  const found = new Activation(GIVEN, variables, POLICY_COST_MAX).evaluate(expression);
  return found.kind === 'value' ? fromCelValue(found.value) : found.message;
}

test('expressions see the request, the objects, the namespace and who asks', () => {
  const table: readonly (readonly [string, Json])[] = [
    ['object.spec.replicas + 1', 4],
    ['oldObject == null && request.operation == "CREATE"', true],
    ['namespaceObject.metadata.labels["team"]', 'red'],
    ['authorizer.group("apps").resource("pods").namespace("x").check("get").allowed()', true],
    ['authorizer.requestResource.check("list").allowed()', false],
    ['authorizer.requestResource.check("get").reason()', 'ann/pods/n/'],
    ['authorizer.path("/healthz").check("get").reason()', 'ann////healthz'],
    [
      'authorizer.serviceAccount("n", "s").requestResource',
      'compilation failed: ERROR: <input>:1:36: unexpected failed resolution of \'kubernetes.authorization.Authorizer\'\n | authorizer.serviceAccount("n", "s").requestResource\n | ...................................^',
    ],
    ['object.spec.none', "expression 'object.spec.none' resulted in error: no such key: none"],
    ['oldObject.x', "expression 'oldObject.x' resulted in error: no such key: x"],
  ];
  for (const [source, expected] of table) assert.deepEqual(evaluate(source), expected, source);
});

test('variables are evaluated when they are used, know their types, and tell what went wrong in them', () => {
  const variables = new Map([
    ['names', compile('["x", "y"]')],
    ['broken', compile('object.nowhere')],
    ['bad', compile('nowhere')],
  ]);
  assert.equal(evaluate('variables.names[1]', variables), 'y');
  assert.match(
    String(evaluate('variables.names[1] + 1 == 2', variables)),
    /^compilation failed: ERROR: <input>:1:20: found no matching overload for '_\+_' applied to '\(string, int\)'/,
  );
  assert.equal(
    evaluate('variables.broken == 1', variables),
    'expression \'variables.broken == 1\' resulted in error: composited variable "broken" fails to evaluate: no such key: nowhere',
  );
  assert.match(
    String(evaluate('variables.bad == 1', variables)),
    /composited variable "bad" fails to compile: compilation failed: ERROR/,
  );
  assert.match(String(evaluate('variables.other', variables)), /undefined field 'other'/);
});

test('an expression has its own limit, and all of them one budget', () => {
  const costly = compile('object.spec.many.all(a, object.spec.many.all(b, a + b > 0))');
  const activation = new Activation(GIVEN, new Map(), 2_500_000);
  const found = activation.evaluate(costly);
  assert.match(
    found.kind === 'error' ? found.message : '',
    /resulted in error: operation cancelled: actual cost limit exceeded$/,
  );
  activation.evaluate(costly);
  assert.throws(() => {
    activation.evaluate(costly);
  }, OutOfBudget);
});

test('objects and patches that a mutation spells out', () => {
  const messageOf = (source: string): Message => {
    const found = new Activation(GIVEN, new Map(), POLICY_COST_MAX).evaluate(compile(source));
    assert.ok(found.kind === 'value' && found.value instanceof Message, JSON.stringify(found));
    return found.value;
  };
  const object = messageOf(
    'Object{spec: Object.spec{replicas: 2, ?paused: optional.none(), labels: {"a": "b"}}}',
  );
  assert.deepEqual(messageJson(object), { spec: { replicas: 2, labels: { a: 'b' } } });
  assert.deepEqual(misplacedTypes(object), []);
  assert.deepEqual(misplacedTypes(messageOf('Object{spec: [Object.status{}]}')), [
    'unexpected type name "Object.status", expected "Object.spec", which matches field name path from root Object type',
  ]);
  assert.deepEqual(
    messageJson(messageOf('JSONPatch{op: "add", path: "/a", value: duration("90s")}')),
    { op: 'add', path: '/a', value: '90s' },
  );
  const typed = (source: string, ...returns: readonly string[]) =>
    compileExpression(source, SCOPE, returns).problem;
  assert.equal(typed('Object{}', 'Object'), undefined);
  assert.equal(typed('[JSONPatch{}]', 'Object'), 'must evaluate to Object but got list(JSONPatch)');
  assert.equal(typed('null', 'bool'), 'must evaluate to bool but got null_type');
  assert.match(String(typed('JSONPatch{op: 1}', 'JSONPatch')), /expected type of field 'op'/);
});
