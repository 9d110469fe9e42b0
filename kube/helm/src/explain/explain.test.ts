import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryTree, traceHolds } from '@capstan/lib-files';
import { loadChart } from '../load-chart.ts';
import { explainChart } from './explain-chart.ts';
import { fieldOrigins } from './field-origins.ts';
import { renderChartTree } from './render-tree.ts';

const FILES = {
  'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 0.1.0\n',
  'values.yaml': 'image:\n  name: shop\n  tag: "1"\nreplicas: 1\nresources:\n  cpu: 1\n',
  'templates/_helpers.tpl':
    '{{- define "labels" -}}\napp: {{ .Release.Name }}\nteam: {{ .Values.team }}\n{{- end }}\n',
  'templates/app.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    {{- include "labels" . | nindent 4 }}
spec:
  {{- if .Values.replicas }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  template:
    image: "{{ .Values.image.name }}:{{ .Values.image.tag }}"
    resources: {{- toYaml .Values.resources | nindent 6 }}
`,
  'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n',
  'charts/db/values.yaml': 'size: 1\n',
  'charts/db/templates/c.yaml':
    'kind: ConfigMap\nmetadata:\n  name: c\ndata:\n  size: {{ .Values.size | quote }}\n  password: {{ randAlphaNum 8 }}\n  old: {{ (lookup "v1" "Secret" "x" "y").data }}\n  first: {{ .Release.IsInstall }}\n  lookup: {{ .Values.lookup | default "randInt" }}\n',
};
const release = { name: 'web', namespace: 'shop' };

describe('origins', () => {
  const chart = loadChart(memoryTree(FILES));
  const layers = [
    { name: 'prod.yaml', text: 'replicas: 3\nteam: a\nimage:\n  tag: "2"\ndb:\n  size: 9\n' },
  ];
  const values = { replicas: 3, team: 'a', image: { tag: '2' }, db: { size: 9 } };
  const { manifests } = renderChartTree(memoryTree(FILES), '', { values, release });

  function lines(kind: string): readonly string[] {
    const manifest = manifests.find((one) => one.kind === kind);
    assert.ok(manifest !== undefined);
    return fieldOrigins(manifest, chart, layers).map(({ field, template, line, values: from }) => {
      const set = from.map(
        (v) => `${v.path}=${v.file ?? 'nowhere'}:${v.line}${v.isDefault ? '*' : ''}`,
      );
      return `${field.join('.')} ${template.split('/').at(-1)}:${line} ${set.join(' ')}`.trim();
    });
  }

  test('give each field its template line and the values that set it', () => {
    assert.deepEqual(lines('Deployment'), [
      'apiVersion app.yaml:1',
      'kind app.yaml:2',
      'metadata app.yaml:3',
      'metadata.name app.yaml:4',
      'metadata.labels app.yaml:5',
      'metadata.labels.app app.yaml:6 team=prod.yaml:2',
      'metadata.labels.team app.yaml:6 team=prod.yaml:2',
      'spec app.yaml:7',
      'spec.replicas app.yaml:9 replicas=prod.yaml:1',
      'spec.template app.yaml:11',
      'spec.template.image app.yaml:12 image.name=values.yaml:2* image.tag=prod.yaml:4',
      'spec.template.resources app.yaml:13 resources=values.yaml:5*',
      'spec.template.resources.cpu app.yaml:13 resources=values.yaml:5*',
    ]);
  });

  test('know the values of a subchart under its name', () => {
    assert.ok(lines('ConfigMap').includes('data.size c.yaml:5 db.size=prod.yaml:6'));
  });
});

test('a chart that is only rendered is told from one that helm installs', () => {
  const { differences, lookups, unstable } = explainChart(
    loadChart(memoryTree(FILES)),
    {},
    { release },
  );
  assert.deepEqual(
    differences.map(({ kind, file, line, what }) => `${kind} ${file}:${line} ${what}`),
    [
      'random app/charts/db/templates/c.yaml:6 randAlphaNum',
      'lookup app/charts/db/templates/c.yaml:7 lookup',
      'install-or-upgrade app/charts/db/templates/c.yaml:8 .Release.IsInstall',
    ],
  );
  assert.deepEqual(lookups, ['v1 Secret x/y']);
  assert.deepEqual(unstable, ['app/charts/db/templates/c.yaml: ConfigMap c']);
});

test('a render says what it read: a change elsewhere leaves it, a change or a new file ends it', () => {
  const { trace } = renderChartTree(memoryTree({ ...FILES }), '', { values: {}, release });
  assert.equal(traceHolds(trace, memoryTree(FILES)), true);
  assert.equal(traceHolds(trace, memoryTree({ ...FILES, 'values.yaml': 'a: 1\n' })), false);
  assert.equal(traceHolds(trace, memoryTree({ ...FILES, 'templates/new.yaml': '' })), false);
});

test('a render of a tree has the objects, what was read, what made each field, and what helm warns of', () => {
  const text = 'replicas: {min: 3}\n';
  const { objects, origins, diagnostics, trace } = renderChartTree(memoryTree(FILES), '', {
    values: { replicas: { min: 3 } },
    layers: [{ name: 'prod.yaml', text }],
    release,
  });
  const at = objects.findIndex(({ kind }) => kind === 'Deployment');
  const [replicas] = origins(at).filter(({ field }) => field.join('.') === 'spec.replicas');
  assert.deepEqual(replicas?.values, [
    { path: 'replicas', file: 'prod.yaml', line: 1, isDefault: false },
  ]);
  assert.equal(replicas?.line, 9);
  assert.deepEqual(origins(objects.length), []);
  assert.match(diagnostics[0]?.message ?? '', /skipped value for app.replicas: Not a table/);
  assert.ok(traceHolds(trace, memoryTree(FILES)));
});
