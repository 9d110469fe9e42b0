import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { applyIgnoreRules } from './ignore-rules.ts';
import { createPathEvaluator } from './jq-paths.ts';

const evaluator = createPathEvaluator();
const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', annotations: { 'a.io/x': '1', 'b.io/y': '2' } },
  spec: {
    containers: [
      { name: 'web', env: [{ name: 'A' }, { name: 'B' }] },
      { name: 'proxy', env: [{ name: 'TOKEN' }] },
      { name: 'log' },
    ],
  },
};

function places(expression: string): string {
  const answer = evaluator.paths(expression, POD);
  if ('error' in answer) return `error: ${answer.error}`;
  return answer.paths.map((path) => path.join('/')).join(' ');
}

test('places of jq expressions, with negative indices and slices as the elements that they mean', () => {
  const table: readonly (readonly [string, string])[] = [
    ['.spec.containers[] | select(.name | test("^pro"))', 'spec/containers/1'],
    ['.spec.containers[-1]', 'spec/containers/2'],
    ['.spec.containers[1:]', 'spec/containers/1 spec/containers/2'],
    ['.spec.containers[:-1][].name', 'spec/containers/0/name spec/containers/1/name'],
    [
      '.spec.containers[].env[]? | select(.name == ("A", "TOKEN"))',
      'spec/containers/0/env/0 spec/containers/1/env/0',
    ],
    ['.metadata.annotations | to_entries[] | .key', ''],
    ['.metadata.annotations | .["b.io/y"]', 'metadata/annotations/b.io/y'],
    ['.. | select(type == "object" and .name? == "B")', 'spec/containers/0/env/1'],
    ['.status.hosts[]', ''],
    ['.spec.missing', ''],
  ];
  for (const [expression, expected] of table)
    assert.equal(places(expression), expected, expression);
});

test('an expression that closes the deletion around it changes the object, as in the original', () => {
  const config = (data: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { 'config.json': data },
  });
  const trick = '.nothing) | .data["config.json"] |= (fromjson | del(.auth) | tojson';
  const left = config('{"auth":"a","level":1}');
  const right = config('{"level":1,"auth":"b"}');
  const ignored = applyIgnoreRules(left, right, {
    rules: [
      {
        target: { syntax: 'glob' },
        jsonPointers: [],
        pathExpressions: [trick],
        managers: [],
      },
    ],
    evaluator,
  });
  assert.deepEqual(ignored.diagnostics, []);
  assert.deepEqual(ignored.desired, ignored.live);
  assert.deepEqual(evaluator.rewrite?.(trick, config('no json')), config('no json'));
  assert.equal(evaluator.rewrite?.('.spec.x', POD), undefined);
  assert.equal(evaluator.rewrite?.('.spec[', POD), undefined);
});

test('what is no jq and what does not end is told', () => {
  assert.equal(places('.spec['), 'error: unexpected EOF');
  assert.match(places('until(false; .)'), /^error: the query/);
});
