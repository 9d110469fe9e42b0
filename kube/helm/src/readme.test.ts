import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
// example
import { memoryTree } from '@capstan/lib-files';
import { loadChart, renderChart } from './index.ts';

const chart = loadChart(
  memoryTree({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'values.yaml': 'color: red\n',
    'templates/config.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  color: {{ .Values.color | quote }}\n',
  }),
);
const release = { name: 'web', namespace: 'default' };
const { yaml, hooks } = renderChart(chart, { color: 'blue' }, { release });
// end

test('the example of the README renders a chart', () => {
  const source = readFileSync(import.meta.filename, 'utf8');
  const [, example = ''] = source.split(/\/\/ example\n|\/\/ end\n/);
  const shown = example.replace("'./index.ts'", "'@capstan/kube-helm'");
  assert.ok(readFileSync(`${import.meta.dirname}/../README.md`, 'utf8').includes(shown));
  assert.match(yaml, /# Source: shop\/templates\/config.yaml\n.*color: "blue"/s);
  assert.deepEqual(hooks, []);
});
