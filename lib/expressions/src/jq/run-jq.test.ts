import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJqCompiler } from './run-jq.ts';
import type { JqValue } from './values.ts';

const compile = createJqCompiler();
const POD: JqValue = {
  metadata: { name: 'web', labels: { app: 'web', 'a.b/c': 'x' } },
  spec: {
    replicas: 2,
    containers: [
      { name: 'web', image: 'nginx:1', env: [{ name: 'A', value: '1' }, { name: 'B' }] },
      { name: 'proxy', image: 'envoy:2' },
    ],
  },
};

function results(query: string, input: JqValue = POD): readonly JqValue[] | string {
  const compiled = compile(query);
  if ('error' in compiled) return `not jq: ${compiled.error}`;
  const outcome = compiled.run(input);
  return outcome.kind === 'values' ? outcome.values : `error: ${outcome.message}`;
}

function paths(query: string): readonly string[] | string {
  const compiled = compile(query);
  if ('error' in compiled) return `not jq: ${compiled.error}`;
  const outcome = compiled.paths(POD);
  return outcome.kind === 'values'
    ? outcome.values.map((path) => path.join('/'))
    : `error: ${outcome.message}`;
}

test('path expressions find places', () => {
  const table: readonly (readonly [string, readonly string[] | string])[] = [
    ['.spec.replicas', ['spec/replicas']],
    ['.metadata.labels."a.b/c"', ['metadata/labels/a.b/c']],
    ['.spec.containers[].image', ['spec/containers/0/image', 'spec/containers/1/image']],
    ['.spec.containers[] | select(.name == "proxy")', ['spec/containers/1']],
    ['.spec.containers[-1].image', ['spec/containers/-1/image']],
    [
      '.spec.containers[] | select(.name | test("^w")).env[] | select(.value == null)',
      ['spec/containers/0/env/1'],
    ],
    ['.spec | .containers[1:] | .[].name', ['spec/containers/[object Object]/0/name']],
    [
      '.metadata.labels | keys[] as $k | select($k | startswith("a.")) | .[$k]',
      ['metadata/labels/a.b/c'],
    ],
    [
      '.metadata.labels | with_entries(.)',
      'error: invalid path with value: object ({"a.b/c":"x","app":"web"})',
    ],
    ['.spec.missing[]?', []],
    ['.spec.replicas[]', 'error: cannot iterate over: number (2)'],
    ['.. | select(type == "number")', ['spec/replicas']],
    ['first(.spec.containers[])', ['spec/containers/0']],
    [
      '.spec.containers | map(.image)',
      'error: invalid path with value: array (["nginx:1","envoy:2"])',
    ],
    ['if .spec.replicas > 1 then .spec else .metadata end', ['spec']],
    ['(.spec, .metadata).name?', ['spec/name', 'metadata/name']],
    ['getpath(["spec", "replicas"])', ['spec/replicas']],
    ['.spec.nothing // .spec.replicas', ['spec/replicas']],
  ];
  for (const [query, expected] of table) assert.deepEqual(paths(query), expected, query);
});

test('results, functions and updates', () => {
  const table: readonly (readonly [string, readonly JqValue[]])[] = [
    ['[.spec.containers[] | .name] | sort | join(",")', ['proxy,web']],
    ['.spec.containers | map(select(.env)) | length', [1]],
    ['.spec.replicas += 1 | .spec.replicas', [3]],
    ['del(.spec.containers[0, 1]) | .spec', [{ replicas: 2, containers: [] }]],
    ['.spec.containers |= map(del(.env)) | [.spec.containers[].image]', [['nginx:1', 'envoy:2']]],
    ['reduce range(5) as $i (0; . + $i)', [10]],
    [
      '[foreach (1, 2, 3) as $x (0; . + $x; [$x, .])]',
      [
        [
          [1, 1],
          [2, 3],
          [3, 6],
        ],
      ],
    ],
    ['[limit(3; range(100))]', [[0, 1, 2]]],
    ['"\\(.metadata.name)-\\(1 + 1)"', ['web-2']],
    ['@base64 "x\\("hi")"', ['xaGk=']],
    ['.metadata.labels | to_entries | map(.key)', [['a.b/c', 'app']]],
    ['. as {metadata: {name: $n}} | $n', ['web']],
    ['try error("x") catch .', ['x']],
    ['"nginx:1.2" | capture("(?<name>[a-z]+):(?<tag>.*)") | .tag', ['1.2']],
    ['"a1b22" | [scan("[0-9]+")], gsub("[0-9]+"; "#")', [['1', '22'], 'a#b#']],
    [
      '[1, [2]] | flatten, (tojson | fromjson)',
      [
        [1, 2],
        [1, [2]],
      ],
    ],
    ['def twice(f): f | f; 3 | twice(. * 2)', [12]],
  ];
  for (const [query, expected] of table) assert.deepEqual(results(query), expected, query);
});

test('mistakes are told where they are', () => {
  assert.equal(results('.spec ['), 'not jq: unexpected EOF');
  assert.equal(results('nothing(1)'), 'not jq: function not defined: nothing/1');
  assert.equal(results('$x'), 'error: variable not defined: $x');
  assert.match(String(results('.spec + 1')), /^error: cannot add: object .* and number \(1\)$/);
});

test('every query ends', () => {
  const endless = [
    'until(false; .)',
    'repeat(1)',
    'range(0; infinite; 1)',
    'def f: f; f',
    'recurse(.)',
    '[range(1e9)]',
    'reduce range(1e9) as $i (0; .)',
    '"x" * 1e9',
    '[.[]?] | combinations(30)',
    'def f: ., f; f',
    `${'['.repeat(1000)}1${']'.repeat(1000)}`,
    '"a" | until(false; . + .)',
    '[1] | until(false; . + .)',
  ];
  for (const query of endless) {
    const compiled = compile(query);
    assert.ok('error' in compiled || compiled.run(POD).kind === 'error', query);
  }
});
