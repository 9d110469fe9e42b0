import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RenderSpec, renderManifests } from '@capstan/engine-render';
import { type MemoryFiles, memoryTree, traceHolds } from '@capstan/lib-files';
import { createChartRenderer } from './chart-renderer.ts';

const renderChart = createChartRenderer(
  () => 0,
  () => ({ kubeVersion: 'v1.36.3', apiVersions: ['v1', 'example.com/v1/Thing'] }),
);

const CHART: MemoryFiles = {
  'charts/app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 0.1.0\n',
  'charts/app/values.yaml': 'a: default\nb: default\nc: default\nlist: []\n',
  'charts/app/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  abc: "{{ .Values.a }} {{ .Values.b }} {{ .Values.c }}"
  list: {{ toJson .Values.list | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  thing: {{ .Capabilities.APIVersions.Has "example.com/v1/Thing" | quote }}
`,
  'charts/app/templates/hook.yaml':
    'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: hook\n  annotations: {"helm.sh/hook": pre-install}\n',
  'charts/app/crds/crd.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.com\n',
  'charts/app/own.yaml': 'b: own file\n',
  'shared/values.yaml': 'b: shared file\nc: shared file\n',
  'other/secret.yaml': 'a: other\n',
};

/** What a chart reads of the cluster. */
function capabilities(spec: Parameters<typeof render>[0]): readonly unknown[] {
  const { kube, thing } = data(render(spec)) as { readonly [name: string]: string };
  return [kube, thing];
}

const HELM = { releaseName: 'web', releaseNamespace: 'prod' } as const;

function render(spec: Partial<Extract<RenderSpec, { kind: 'helm' }>>, files: MemoryFiles = {}) {
  const tree = memoryTree({ ...CHART, ...files });
  const revision = { id: 'a'.repeat(40), name: 'main' };
  const snapshot = { source: 'test', revision, digest: 'd', files: tree };
  return renderManifests(
    snapshot,
    { kind: 'helm', path: 'charts/app', ...HELM, ...spec },
    { renderChart },
  );
}

function data(result: ReturnType<typeof render>): unknown {
  return result.objects.find(({ object }) => object.kind === 'ConfigMap')?.object['data'];
}

test('values files, inline values and parameters are laid over each other in that order', () => {
  const result = render({
    valueFiles: ['own.yaml', '/shared/values.yaml'],
    values: 'c: inline\n',
    parameters: [
      { name: 'a', value: 'x,y' },
      { name: 'list', value: '{p,q}' },
    ],
  });
  assert.deepEqual(result.diagnostics, []);
  assert.deepEqual(data(result), {
    abc: 'x,y shared file inline',
    list: '["p","q"]',
    kube: 'v1.36.3',
    thing: 'true',
  });
});

test('CRDs and hooks are objects too, each with its template as origin', () => {
  const result = render({});
  assert.deepEqual(
    result.objects.map(({ object, origin }) => [object.kind, origin?.file]),
    [
      ['CustomResourceDefinition', 'charts/app/crds/crd.yaml'],
      ['ConfigMap', 'charts/app/templates/cm.yaml'],
      ['Job', 'charts/app/templates/hook.yaml'],
    ],
  );
  assert.equal(render({ skipCrds: true }).objects.length, 2);
});

test('the trace holds until a file of the chart or of its values changes', () => {
  const { trace } = render({ valueFiles: ['own.yaml'] });
  const changed = (files: MemoryFiles) => !traceHolds(trace, memoryTree({ ...CHART, ...files }));
  assert.equal(changed({ 'other/secret.yaml': 'b: 2\n' }), false);
  assert.equal(changed({ 'charts/app/own.yaml': 'b: 2\n' }), true);
  assert.equal(changed({ 'charts/app/templates/new.yaml': '' }), true);
});

test('a values file cannot lead out of the repository, and its content is not told', () => {
  const links: MemoryFiles = {
    'charts/app/link.yaml': { link: '../../../etc/passwd' },
    'charts/app/abs.yaml': { link: '/proc/self/environ' },
    'charts/app/dir': { link: '../../../other' },
  };
  const refused = [
    '../../../../etc/passwd',
    '..%2f..%2f..%2fetc/passwd',
    '..\\..\\..\\etc\\passwd',
    'file:///etc/passwd',
    'https://example.com/values.yaml',
    'link.yaml',
    'abs.yaml',
    'dir/values.yaml',
  ];
  for (const name of refused) {
    const result = render({ valueFiles: [name], ignoreMissingValueFiles: true }, links);
    assert.match(result.diagnostics[0]?.message ?? '', /is refused/, name);
    assert.equal(result.objects.length, 0, name);
  }
  const inside = render(
    { valueFiles: ['inside.yaml'] },
    { 'charts/app/inside.yaml': { link: '../../shared/values.yaml' } },
  );
  assert.deepEqual(inside.diagnostics, []);
});

test('a missing values file is an error unless it may be missing', () => {
  assert.match(
    render({ valueFiles: ['none.yaml'] }).diagnostics[0]?.message ?? '',
    /does not exist/,
  );
  assert.deepEqual(
    render({ valueFiles: ['none.yaml'], ignoreMissingValueFiles: true }).diagnostics,
    [],
  );
});

test('a template that fails is one diagnostic at the chart', () => {
  const result = render({}, { 'charts/app/templates/bad.yaml': '{{ fail "no name given" }}' });
  assert.equal(result.objects.length, 0);
  assert.match(
    result.diagnostics[0]?.message ?? '',
    /app\/templates\/bad\.yaml:1:3\): no name given/,
  );
  assert.equal(result.diagnostics[0]?.location?.file, 'charts/app/Chart.yaml');
});

test('a kustomization takes charts of its repository when that is allowed', () => {
  const kustomization = (more: string) =>
    `helmCharts:\n- {name: app, releaseName: web, namespace: prod, valuesInline: {a: inline}${more}}\n`;
  const build = (more: string, charts?: object) => {
    const files = { ...CHART, 'kustomization.yaml': kustomization(more) };
    const revision = { id: 'a'.repeat(40), name: 'main' };
    const snapshot = { source: 'test', revision, digest: 'd', files: memoryTree(files) };
    const spec = { kind: 'detect' as const, path: '', ...(charts === undefined ? {} : { charts }) };
    const { objects, diagnostics } = renderManifests(snapshot, spec, { renderChart });
    const problem = diagnostics.find(({ severity }) => severity === 'error');
    if (problem !== undefined) return problem.message;
    const names = objects.map(({ object }) => `${object.kind}/${object.metadata.name}`).sort();
    const data = objects.find(({ object }) => object.kind === 'ConfigMap')?.object['data'];
    return { names: names.join(' '), data };
  };
  const data = { abc: 'inline default default', kube: 'v1.36.3', list: '[]', thing: 'true' };
  assert.deepEqual(build('', {}), { names: 'ConfigMap/web Job/hook', data });
  assert.deepEqual(build(', includeCRDs: true, skipHooks: true', {}), {
    names: 'ConfigMap/web CustomResourceDefinition/things.example.com',
    data,
  });
  assert.deepEqual(build('', { kubeVersion: '1.30.0' }), {
    names: 'ConfigMap/web Job/hook',
    data: { ...data, kube: 'v1.30.0' },
  });
  assert.match(String(build('')), /must specify --enable-helm/);
  assert.match(
    String(build(', nameTemplate: x', {})),
    /nameTemplate of helmCharts is not followed/,
  );
});

test('versions that the source names stand instead of those that the destination offers', () => {
  assert.deepEqual(capabilities({}), ['v1.36.3', 'true']);
  assert.deepEqual(capabilities({ kubeVersion: '1.30' }), ['v1.30', 'true']);
  assert.deepEqual(capabilities({ apiVersions: ['other.example.com/v1'] }), ['v1.36.3', 'false']);
});
