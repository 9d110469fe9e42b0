import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@capstan/kube-object';
import { parseSchema } from '@capstan/kube-schema';
import { createRuleCompiler } from './cel-rules.ts';

const schema = parseSchema({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });

function check(rule: string, self: Json, oldSelf?: Json): unknown {
  const compiled = createRuleCompiler().compile(rule, schema, {
    isResourceRoot: false,
    optionalOldSelf: false,
    costMax: 1_000_000,
  });
  const outcome = compiled.evaluate({ self, oldSelf });
  return outcome.kind === 'value' ? outcome.value : outcome.message;
}

test('evaluates the rules that definitions usually have', () => {
  assert.equal(check('self.replicas <= self.max', { replicas: 3, max: 2 }), false);
  assert.equal(check('self.all(x, x.startsWith("a"))', ['a', 'ab']), true);
  assert.equal(check('self == oldSelf', { a: 1 }, { a: 2 }), false);
  assert.equal(check('has(self.a) ? self.a > 1 : true', {}), true);
  assert.equal(check('self.matches("^[a-z]+$")', 'abc'), true);
  assert.equal(check('self.isSorted() && self.sum() == 6', [1, 2, 3]), true);
  assert.equal(check("self.note == '.matches('", { note: '.matches(' }), true);
  assert.equal(check('self.b == 1', {}), 'no such key: b');
  assert.match(String(check('self.a ==', {})), /compilation failed/);
});

test('a pattern that would backtrack and a rule that visits too much are bounded', () => {
  assert.equal(check('self.matches("(a+)+$")', `${'a'.repeat(5000)}!`), false);
  const many = Array.from({ length: 2000 }, (_, i) => i);
  assert.equal(check('self.all(x, self.all(y, x + y >= 0))', many), 'the cost limit is exceeded');
});
