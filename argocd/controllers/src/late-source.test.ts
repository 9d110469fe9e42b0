import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplicationSource } from '@capstan/argocd-api';
import { renderManifests } from '@capstan/engine-render';
import { memoryTree, traceHolds } from '@capstan/lib-files';
import { substitute } from './build-environment.ts';
import { resolveSource } from './late-source.ts';
import type { RenderContext } from './to-sources.ts';

const CONTEXT: RenderContext = {
  field: 'spec.source',
  release: { name: 'web', namespace: 'prod' },
  app: { instance: 'team_web', namespace: 'prod', project: 'default' },
  tools: { kustomize: true, helm: true, jsonnet: true },
};

function snapshotOf(files: { readonly [path: string]: string }) {
  const revision = { id: '0123456789abcdef', name: 'main' };
  return { source: 'git', revision, digest: 'd', files: memoryTree(files) };
}

const source = (fields: Partial<ApplicationSource>): ApplicationSource => ({
  repoURL: 'https://git.example.com/a.git',
  path: 'app',
  targetRevision: 'main',
  ...fields,
});

describe('what a folder says of its source', () => {
  test('for all applications, then for this one; where it lies stays', () => {
    const files = {
      'app/.argocd-source.yaml': `
path: elsewhere
repoURL: https://evil.example.com/
kustomize:
  namePrefix: all-
  images: [nginx:1]
`,
      'app/.argocd-source-team_web.yaml': 'kustomize: {images: ["nginx:2"]}',
      'app/.argocd-source-other.yaml': 'kustomize: {namePrefix: other-}',
    };
    const snapshot = snapshotOf(files);
    const { spec, trace } = resolveSource(source({}), snapshot, CONTEXT);
    assert.equal(spec.path, 'app');
    const overlay = spec.kind === 'kustomize' ? spec.overlay : undefined;
    assert.deepEqual(overlay, {
      edits: true,
      namePrefix: 'all-',
      images: [{ name: 'nginx', newTag: '2' }],
    });
    assert.ok(traceHolds(trace, snapshot.files));
    const changed = memoryTree({ ...files, 'app/.argocd-source-team_web.yaml': '{}' });
    assert.ok(!traceHolds(trace, changed));
    const { trace: without } = resolveSource(source({}), snapshotOf({}), CONTEXT);
    assert.ok(!traceHolds(without, memoryTree(files)), 'one that appears is noticed');
  });

  test('a file that is no object is told', () => {
    const snapshot = snapshotOf({ 'app/.argocd-source.yaml': '- a' });
    assert.throws(() => resolveSource(source({}), snapshot, CONTEXT), {
      message: /app\/\.argocd-source\.yaml: it is not an object/,
    });
  });

  test('a link out of the repository is not followed', () => {
    const link = { '.argocd-source.yaml': { link: '../../etc/passwd' } };
    const files = memoryTree({ 'app/.argocd-source.yaml': link['.argocd-source.yaml'] });
    const { spec } = resolveSource(source({}), { ...snapshotOf({}), files }, CONTEXT);
    assert.equal(spec.kind, 'detect');
  });
});

test('the build environment is filled in where the original does', () => {
  const helm = {
    parameters: [{ name: 'tag', value: '$ARGOCD_APP_REVISION_SHORT' }],
    valueFiles: [`values-\${ARGOCD_APP_NAME}.yaml`, '$values/$ARGOCD_APP_NAMESPACE.yaml'],
    values: 'kept: $ARGOCD_APP_NAME',
  };
  const { spec } = resolveSource(source({ helm }), snapshotOf({}), CONTEXT);
  const found = spec.kind === 'helm' ? spec : undefined;
  assert.deepEqual(found?.parameters?.[0]?.value, '0123456');
  assert.deepEqual(found?.valueFiles, ['values-team_web.yaml', '$values/prod.yaml']);
  assert.equal(found?.values, 'kept: $ARGOCD_APP_NAME');
  assert.equal(substitute(`a$$b \${X} $NONE.`, new Map([['X', '1']])), 'a$b 1 .');
});

describe('the tool is the one that is named, else what the folder holds', () => {
  const rows: readonly (readonly [Partial<ApplicationSource>, string])[] = [
    [{}, 'detect'],
    [{ directory: {} }, 'detect'],
    [{ directory: { exclude: 'x' } }, 'directory'],
    [{ directory: { recurse: true } }, 'directory'],
    [{ kustomize: {} }, 'detect'],
    [{ kustomize: { forceCommonLabels: true, labelWithoutSelector: true } }, 'detect'],
    [{ kustomize: { kubeVersion: '1.30' } }, 'kustomize'],
    [{ helm: { valueFiles: ['a'] } }, 'helm'],
    [{ directory: { jsonnet: { libs: ['lib'] } } }, 'directory'],
  ];
  for (const [fields, kind] of rows) {
    test(JSON.stringify(fields), () => {
      assert.equal(resolveSource(source(fields), snapshotOf({}), CONTEXT).spec.kind, kind);
    });
  }

  test('a path begins at the root of the repository, without a slash', () =>
    assert.throws(() => resolveSource({ ...source({}), path: '/app' }, snapshotOf({}), CONTEXT), {
      code: 'SOURCE_PATH_INVALID',
      message: '/app: app path is absolute',
    }));

  test('two are one too many', () => {
    const fields = { helm: { releaseName: 'a' }, kustomize: { namePrefix: 'b' } };
    assert.throws(() => resolveSource(source(fields), snapshotOf({}), CONTEXT), {
      message: /multiple application sources defined: Kustomize,Helm/,
    });
    const chart = { repoURL: 'https://charts.example.com', chart: 'web', targetRevision: '1' };
    assert.throws(() => resolveSource({ ...chart, ...fields }, snapshotOf({}), CONTEXT), {
      message: /multiple application sources defined: Kustomize,Helm/,
    });
    const { spec } = resolveSource(
      { ...chart, kustomize: fields.kustomize },
      snapshotOf({}),
      CONTEXT,
    );
    assert.deepEqual([spec.kind, spec.path], ['kustomize', '']);
  });

  test('an image says something', () => {
    const kustomize = { images: ['host:5000/nginx'] };
    assert.throws(() => resolveSource(source({ kustomize }), snapshotOf({}), CONTEXT), {
      code: 'KUSTOMIZATION_INVALID',
    });
  });

  test('what the administrator has switched off is a plain folder', () => {
    const tools = { kustomize: false, helm: false, jsonnet: false };
    const context = { ...CONTEXT, tools };
    const fields = { kustomize: { namePrefix: 'b' } };
    assert.equal(resolveSource(source(fields), snapshotOf({}), context).spec.kind, 'directory');
    const files = {
      'app/kustomization.yaml': 'resources: [a.yaml]',
      'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}',
    };
    const snapshot = snapshotOf(files);
    const rendered = renderManifests(snapshot, resolveSource(source({}), snapshot, context).spec);
    assert.equal(rendered.kind, 'directory');
  });
});

test('Jsonnet files with variables, arguments and libraries become objects', () => {
  const files = {
    'app/main.jsonnet': `
local lib = import 'make.libsonnet';
function(env) [lib.config('a', env), lib.config(std.extVar('name'), std.extVar('n').x)]`,
    'vendor/make.libsonnet': `{
  config(name, value): { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { value: '' + value } },
}`,
    'app/part.libsonnet': '{}',
  };
  const jsonnet = {
    tlas: [{ name: 'env', value: '$ARGOCD_APP_NAMESPACE' }],
    extVars: [
      { name: 'name', value: 'b' },
      { name: 'n', value: '{ x: 1 + 1 }', code: true },
    ],
    libs: ['vendor'],
  };
  const snapshot = snapshotOf(files);
  const { spec } = resolveSource(source({ directory: { jsonnet } }), snapshot, CONTEXT);
  const { objects, diagnostics } = renderManifests(snapshot, spec);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    objects.map(({ object }) => [object.metadata.name, object['data']]),
    [
      ['a', { value: 'prod' }],
      ['b', { value: '2' }],
    ],
  );
});
