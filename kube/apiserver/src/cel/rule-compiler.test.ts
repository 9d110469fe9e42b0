import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, JsonObject } from '@capstan/kube-object';
import { parseSchema } from '@capstan/kube-schema';
import { compileExpression, createRuleCompiler, kubernetesCel } from './rule-compiler.ts';
import { declaredType, sizeAt } from './schema-types.ts';

const text = { type: 'string' };
const number = { type: 'integer' };
const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    replicas: number,
    max: number,
    name: text,
    short: { type: 'string', maxLength: 10 },
    ports: { type: 'array', maxItems: 5, items: { type: 'object', properties: { port: number } } },
    names: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    labels: { type: 'object', additionalProperties: text },
    either: { 'x-kubernetes-int-or-string': true },
    time: { type: 'string', format: 'date-time' },
    'a-b': number,
    namespace: text,
  },
};

function check(rule: string, self: Json, oldSelf?: Json): unknown {
  const compiled = createRuleCompiler().compile(rule, parseSchema(SCHEMA), {
    isResourceRoot: false,
    optionalOldSelf: false,
    costMax: 1_000_000,
  });
  if (compiled.problem !== undefined) return compiled.problem;
  const outcome = compiled.evaluate({ self, oldSelf });
  return outcome.kind === 'value' ? outcome.value : outcome.message;
}

test('rules as definitions have them', () => {
  const table: readonly (readonly [string, Json, unknown])[] = [
    ['self.replicas <= self.max', { replicas: 3, max: 2 }, false],
    ['has(self.max) ? self.max > 1 : true', {}, true],
    ['self.ports.all(p, p.port > 0)', { ports: [{ port: 1 }, { port: 0 }] }, false],
    ['self.ports.exists_one(p, p.port == 80)', { ports: [{ port: 80 }] }, true],
    ["self.names == ['b', 'a']", { names: ['a', 'b'] }, true],
    ["['b', 'a'] == self.names", { names: ['a', 'b'] }, false],
    ["self.names + ['a', 'c'] == ['c', 'b', 'a']", { names: ['a', 'b'] }, true],
    ["'a' in self.labels && self.labels['a'] == 'x'", { labels: { a: 'x' } }, true],
    ["type(self.either) == int ? self.either > 1 : self.either == '50%'", { either: '50%' }, true],
    ["self.time > timestamp('2026-01-01T00:00:00Z')", { time: '2026-02-01T00:00:00Z' }, true],
    ["self.a__dash__b == 1 && self.namespace == 'n'", { 'a-b': 1, namespace: 'n' }, true],
    ["self.name.matches('^[a-z]+$')", { name: 'abc' }, true],
    ["self.labels.transformMap(k, v, v + '!') == {'a': 'x!'}", { labels: { a: 'x' } }, true],
    ["self.?name.orValue('none') == 'none'", {}, true],
    ['self.name == "x"', {}, 'no such key: name'],
    ['self.ports[3].port == 1', { ports: [] }, 'index out of bounds: 3'],
    ['self.replicas / self.max == 1', { replicas: 1, max: 0 }, 'division by zero'],
  ];
  for (const [rule, self, expected] of table) assert.equal(check(rule, self), expected, rule);
  assert.equal(check('self.replicas == oldSelf.replicas', { replicas: 1 }, { replicas: 2 }), false);
});

test('the functions of the API server', () => {
  const holds = [
    "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1k').asInteger() == 1000",
    "!isQuantity('1 Gi') && quantity('1').add(quantity('500m')).compareTo(quantity('1.5')) == 0",
    "ip('10.1.2.3').family() == 4 && ip('::1').isLoopback() && !isIP('10.1.2')",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')",
    "string(cidr('192.168.1.7/24').masked()) == '192.168.1.0/24' && type(ip('::1')) == net.IP",
    "url('https://u@h:80/a?b=c').getPort() == '80' && isURL('/x') && !isURL('x')",
    "semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('v1.2', true).minor() == 2",
    "format.named('dns1123Label').value().validate('A').hasValue()",
    "!format.dns1123Label().validate('a').hasValue()",
    "[1, 3, 2].max() == 3 && ['a', 'b'].isSorted() && [1, 2].sum() == 3 && [1, 2, 1].lastIndexOf(1) == 2",
    "sets.contains(['a', 'b'], ['b']) && [[1], [2]].flatten() == [1, 2] && [3, 1].sort() == [1, 3]",
    "'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1'.find('[0-9]') == '1'",
    "'%s: %d'.format(['n', 3]) == 'n: 3' && strings.quote('a\"') == '\"a\\\\\"\"'",
    "jsonpatch.escapeKey('a/b~') == 'a~1b~0' && optional.of(1).optMap(x, x + 1).value() == 2",
  ];
  for (const rule of holds) assert.equal(check(rule, {}), true, rule);
  assert.match(String(check("ip('x') == ip('y')", {})), /^IP Address "x" parse error/);
});

test('what does not compile is told as cel-go tells it', () => {
  const located = (problem: string, column: number, rule: string): string =>
    `compilation failed: ERROR: <input>:1:${column}: ${problem}\n | ${rule}\n | ${'.'.repeat(column - 1)}^`;
  const table: readonly (readonly [string, number, string])[] = [
    ["undefined field 'nome'", 5, 'self.nome == "x"'],
    ["undeclared reference to 'foo' (in container '')", 1, 'foo == 1'],
    [
      "found no matching overload for '_+_' applied to '(int, string)'",
      15,
      'self.replicas + self.name == 1',
    ],
    [
      "found no matching overload for 'startsWith' applied to 'int.(string)'",
      25,
      'self.replicas.startsWith("a")',
    ],
    ["expected type 'int' but found 'string'", 5, "[1, 'a'] == []"],
    ['invalid timestamp argument', 11, "timestamp('x') == self.time"],
    ["Syntax error: extraneous input '!' expecting <EOF>", 10, 'self.name!'],
    ['invalid argument to has() macro', 5, 'has(self)'],
    ["Syntax error: mismatched input 'true' expecting IDENTIFIER", 6, 'self.true'],
  ];
  for (const [problem, column, rule] of table) {
    assert.equal(check(rule, {}), located(problem, column, rule), rule);
  }
  assert.equal(check('self.replicas', {}), 'cel expression must evaluate to a bool');
});

test('costs are those of the API server', () => {
  const type = declaredType(parseSchema(SCHEMA), false);
  assert.ok(type !== undefined);
  const table: readonly (readonly [string, number])[] = [
    ['self.replicas == 1', 2],
    ['has(self.name)', 1],
    ["self.short == 'abc'", 3],
    ["self.short.startsWith('abc') && self.replicas > 1", 6],
    ['self.ports.all(p, p.port > 0)', 33],
    ["self.name.contains('a')", 314_575],
  ];
  for (const [rule, cost] of table) {
    const compiled = compileExpression(kubernetesCel(), rule, {
      type,
      optionalOldSelf: false,
      returns: 'bool',
    });
    assert.ok('program' in compiled, rule);
    assert.equal(compiled.program.estimate((path) => sizeAt(type, path)).max, cost, rule);
  }
});

test('a rule that visits too much is stopped at its limit', () => {
  const many = Array.from({ length: 2000 }, (_, i) => ({ port: i }));
  const rule = 'self.ports.all(x, self.ports.all(y, x.port + y.port >= 0))';
  assert.equal(check(rule, { ports: many }), 'operation cancelled: actual cost limit exceeded');
});
