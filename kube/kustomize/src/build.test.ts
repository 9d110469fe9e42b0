import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryTree, traceHolds } from '@capstan/lib-files';
import { type Built, build } from './build.ts';
import { KustomizeCache } from './cache.ts';
import { buildText } from './test-build.ts';

const BASE = {
  'base/kustomization.yaml': `resources:
- dep.yaml
commonLabels:
  app: web
configMapGenerator:
- name: settings
  literals:
  - level=info
  files:
  - app.conf
`,
  'base/app.conf': 'a=1\n',
  'base/dep.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: web
        image: nginx:1
        envFrom:
        - configMapRef:
            name: settings
`,
  'overlay/kustomization.yaml': `resources:
- ../base
namePrefix: p-
images:
- name: nginx
  newTag: "2"
replicas:
- name: web
  count: 3
configMapGenerator:
- name: settings
  behavior: merge
  literals:
  - level=debug
patches:
- path: patch.yaml
- target:
    kind: Deployment
  patch: |-
    - op: add
      path: /spec/paused
      value: true
`,
  'overlay/patch.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  minReadySeconds: 5
`,
};

function built(files: Parameters<typeof memoryTree>[0], path: string): Built {
  const result = build(memoryTree(files), path);
  assert.equal(result.kind, 'built');
  return result as Built;
}

/** The origin of a field as one text. */
function originOf({ origins, objects }: Built, kind: string, path: (string | number)[]): string {
  const index = objects.findIndex((object) => object.kind === kind);
  const origin = origins.ofField(index, path);
  return origin === undefined
    ? 'unknown'
    : `${origin.file}:${origin.line}${origin.statement === undefined ? '' : ` ${origin.statement}`}`;
}

test('every field knows the file and line that set it', () => {
  const result = built(BASE, '/overlay');
  const rows: [string, (string | number)[], string][] = [
    ['Deployment', ['apiVersion'], 'base/dep.yaml:1'],
    ['Deployment', ['metadata', 'name'], 'overlay/kustomization.yaml:3 namePrefix'],
    ['Deployment', ['metadata', 'labels', 'app'], 'base/kustomization.yaml:3 commonLabels'],
    ['Deployment', ['spec', 'replicas'], 'overlay/kustomization.yaml:9 replicas[0]'],
    ['Deployment', ['spec', 'minReadySeconds'], 'overlay/patch.yaml:6'],
    ['Deployment', ['spec', 'paused'], 'overlay/kustomization.yaml:17 patches[1]'],
    [
      'Deployment',
      ['spec', 'template', 'spec', 'containers', 0, 'image'],
      'overlay/kustomization.yaml:6 images[0]',
    ],
    [
      'Deployment',
      ['spec', 'template', 'spec', 'containers', 0, 'envFrom', 0, 'configMapRef', 'name'],
      'base/dep.yaml:14',
    ],
    ['ConfigMap', ['data', 'level'], 'overlay/kustomization.yaml:11 configMapGenerator[0]'],
    ['ConfigMap', ['data', 'app.conf'], 'base/app.conf:1'],
    ['ConfigMap', ['metadata', 'labels', 'app'], 'base/kustomization.yaml:3 commonLabels'],
  ];
  for (const [kind, path, want] of rows) assert.equal(originOf(result, kind, path), want);
  const deployment = result.objects.findIndex((object) => object.kind === 'Deployment');
  assert.equal(result.origins.ofObject(deployment)?.file, 'base/dep.yaml');
  assert.ok(result.origins.fields(deployment).has('/spec/template/spec/containers/0/image'));
});

test('the trace tells whether a build still holds', () => {
  const { trace } = built(BASE, '/overlay');
  assert.ok(traceHolds(trace, memoryTree(BASE)));
  assert.ok(traceHolds(trace, memoryTree({ ...BASE, 'elsewhere/a.yaml': 'x' })));
  for (const path of Object.keys(BASE)) {
    const changed = { ...BASE, [path]: `${BASE[path as keyof typeof BASE]}# changed\n` };
    assert.ok(!traceHolds(trace, memoryTree(changed)), path);
  }
  const second = { ...BASE, 'base/kustomization.yml': '' };
  assert.ok(!traceHolds(trace, memoryTree(second)), 'a file that was missed and is there now');
});

test('a failed build has a trace too, and no objects', () => {
  const result = build(memoryTree({ 'kustomization.yaml': 'resources: [nope.yaml]\n' }), '/');
  assert.equal(result.kind, 'failed');
  assert.ok(result.trace.stats.has('nope.yaml'));
  assert.ok(!('objects' in result));
  assert.equal(result.diagnostics.at(-1)?.severity, 'error');
});

test('builds that share a cache give what builds without one give', () => {
  const cache = new KustomizeCache();
  const alone = buildText(BASE, '/overlay');
  for (let i = 0; i < 3; i++) {
    assert.equal(buildText(BASE, '/overlay', { cache }), alone);
    assert.equal(buildText(BASE, '/base', { cache }), buildText(BASE, '/base'));
  }
});

test('warnings are diagnostics in the words of the original', () => {
  const { diagnostics } = built(BASE, '/base');
  assert.deepEqual(
    diagnostics.map(({ severity, message }) => [severity, message]),
    [
      [
        'warning',
        "# Warning: 'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
      ],
    ],
  );
});

test('charts are rendered by the port, and their namespace is left alone', () => {
  const files = {
    'kustomization.yaml':
      'namespace: apps\nnamePrefix: p-\nhelmCharts:\n- name: c\n  releaseName: r\n  valuesInline: {a: 1, c: null}\n',
    'charts/c/values.yaml': 'b: 2\nc: 3\n',
  };
  const yaml = buildText(files, '/', {
    enableHelm: true,
    renderChart: ({ chart, path, values }) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${chart.releaseName}\ndata:\n  ns: ${chart.namespace}\n  path: ${path}\n  values: ${JSON.stringify(values)}\n`,
  });
  const want =
    'apiVersion: v1\ndata:\n  ns: apps\n  path: charts/c\n  values:\n  - |\n    a: 1\n    b: 2\nkind: ConfigMap\nmetadata:\n  name: p-r\n';
  assert.equal(yaml, want);
});

test('the cost grows with the resources, and not with their square', () => {
  const large = (count: number) => {
    const documents: string[] = [];
    for (let i = 0; i < count; i++) {
      documents.push(
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\n`,
        `apiVersion: v1\nkind: Pod\nmetadata: {name: p${i}}\nspec: {containers: [{name: a, envFrom: [{configMapRef: {name: c${i}}}]}]}\n`,
      );
    }
    return {
      'kustomization.yaml': 'resources: [all.yaml]\nnamePrefix: x-\nnamespace: apps\n',
      'all.yaml': documents.join('---\n'),
    };
  };
  const time = (count: number) => {
    const tree = memoryTree(large(count));
    const start = performance.now();
    assert.equal(build(tree, '/').kind, 'built');
    return performance.now() - start;
  };
  time(200);
  const small = Math.min(time(200), time(200), time(200));
  // Sixteen times the resources; a square would be 256 times.
  assert.ok(time(3200) < small * 100);
});
