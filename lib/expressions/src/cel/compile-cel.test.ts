import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CelValue, createCelCompiler } from './compile-cel.ts';

const compile = createCelCompiler();
const OBJECT: { readonly [name: string]: CelValue } = {
  metadata: { name: 'web', generation: 2, labels: { app: 'web' } },
  status: {
    observedGeneration: 2,
    ratio: 1.5,
    conditions: [
      { type: 'Ready', status: 'True', observedGeneration: 2 },
      { type: 'Synced', status: 'False' },
    ],
  },
};

function evaluate(expression: string): CelValue | string {
  const compiled = compile(expression);
  if ('error' in compiled) return `not CEL: ${compiled.error}`;
  const outcome = compiled.evaluate(OBJECT);
  return outcome.kind === 'value' ? outcome.value : `error: ${outcome.message}`;
}

test('health expressions as people write them', () => {
  const table: readonly (readonly [string, CelValue])[] = [
    ["status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')", true],
    ["status.conditions.exists(e, e.type == 'Synced' && e.status == 'True')", false],
    ['metadata.generation == status.observedGeneration', true],
    ['has(status.phase) && status.phase == "Bound"', false],
    ['status.?phase.orValue("none")', 'none'],
    ['status.ratio < 2', true],
    ["'app' in metadata.labels && metadata.labels['app'] == 'web'", true],
    ["metadata.name.matches('^w.b$')", true],
    ["metadata.name.replace('w', 'W').upperAscii()", 'WEB'],
    ["'a-b'.split('-').first().value()", 'a'],
    ["sets.contains(['a', 'b'], ['b'])", true],
    ["base64.encode(b'hi')", 'aGk='],
    ["timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z')", true],
  ];
  for (const [expression, expected] of table)
    assert.equal(evaluate(expression), expected, expression);
});

test('what is not there is an error, in the words of the original', () => {
  assert.equal(evaluate('status.phase'), 'error: no such key: phase');
  assert.equal(evaluate('spec.replicas'), 'error: no such attribute(s): spec.replicas');
  assert.equal(evaluate('has(data.foo.bar)'), 'error: no such attribute(s): data.foo.bar');
  assert.match(String(evaluate('status.')), /^not CEL: /);
});

test('what costs too much is refused; patterns are linear', () => {
  const list = Array.from({ length: 2000 }, (_, i) => i);
  const nested = compile('l.all(a, l.all(b, l.all(c, a + b + c >= 0)))');
  assert.ok(!('error' in nested));
  assert.equal(nested.evaluate({ l: list }).kind, 'error');
  const pattern = compile("t.matches('(a+)+$')");
  assert.ok(!('error' in pattern));
  const start = performance.now();
  pattern.evaluate({ t: `${'a'.repeat(5000)}b` });
  assert.ok(performance.now() - start < 10_000);
});
