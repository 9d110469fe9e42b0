import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toYaml } from './to-yaml.ts';

function check(value: Parameters<typeof toYaml>[0], expected: string): void {
  assert.equal(toYaml(value), expected);
}

test('keys are ordered naturally and sequences are not indented', () => {
  check(
    { b10: 1, b9: 2, a: [{ x: 1, y: [] }, [1, [2]]] },
    'a:\n- x: 1\n  "y": []\n- - 1\n  - - 2\nb9: 2\nb10: 1\n',
  );
});

test('strings are quoted where YAML 1.1 would not read a string', () => {
  check(
    ['yes', '1e3', '', 'null', '2020-01-01', '1:30', 'a: b'],
    '- "yes"\n- "1e3"\n- ""\n- "null"\n- "2020-01-01"\n- "1:30"\n- \'a: b\'\n',
  );
});

test('large and small numbers are written as Go writes them', () => {
  check(
    [1000000, 1e20, 1e21, 1e-7, 0.1, 1234567.5, -0],
    '- 1000000\n- 1e+20\n- 1e+21\n- 1e-07\n- 0.1\n- 1.2345675e+06\n- 0\n',
  );
});

test('text with line breaks is a literal block, chomped as it ends', () => {
  check(
    { a: 'x\ny', b: 'x\n', c: 'x\n\n', d: ' x\n' },
    'a: |-\n  x\n  y\nb: |\n  x\nc: |+\n  x\n\nd: |2\n   x\n',
  );
});

test('what JSON cannot hold is an error', () => {
  assert.throws(() => toYaml(Number.NaN), {
    code: 'YAML_VALUE',
    message: 'error marshaling into JSON: json: unsupported value: NaN',
  });
});
