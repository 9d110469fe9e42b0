import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Snapshot } from '@capstan/engine-source';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { formatDiagnostic } from '@capstan/lib-std';
import { RenderCache } from './render-cache.ts';
import { renderManifests } from './render-manifests.ts';
import type { KustomizeOptions, KustomizeOverlay, RenderSpec } from './render-spec.ts';

const DEPLOYMENT = `apiVersion: apps/v1
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
`;
const FILES: MemoryFiles = {
  'base/kustomization.yaml': 'resources:\n- web.yaml\n',
  'base/web.yaml': DEPLOYMENT,
  'extra/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {extra: "yes"}\n',
  'prod/kustomization.yaml': 'resources:\n- ../base\nimages:\n- name: nginx\n  newTag: "2"\n',
};

function snapshot(files: MemoryFiles): Snapshot {
  const tree = memoryTree(files);
  return {
    source: 'test',
    revision: { id: 'a'.repeat(40), name: 'main' },
    digest: tree.stat('')!.id,
    files: tree,
  };
}

function render(files: MemoryFiles, path: string, options: KustomizeOptions = {}) {
  const spec: RenderSpec = { kind: 'kustomize', path, ...options };
  const { objects, diagnostics } = renderManifests(snapshot(files), spec);
  return { objects, problems: diagnostics.map(formatDiagnostic) };
}

function only(files: MemoryFiles, path: string, options: KustomizeOptions = {}): KubeObject {
  const { objects, problems } = render(files, path, options);
  assert.deepEqual(problems, []);
  assert.equal(objects.length, 1);
  return objects[0]!.object;
}

function imageOf(object: KubeObject): string {
  const text = JSON.stringify(object);
  return /"image":"([^"]*)"/.exec(text)?.[1] ?? '';
}

test('a kustomization gives its objects with the file and line they begin at', () => {
  const { objects, problems } = render(FILES, './prod/');
  assert.deepEqual(problems, []);
  assert.equal(imageOf(objects[0]!.object), 'nginx:2');
  assert.deepEqual(objects[0]?.origin, { file: 'base/web.yaml', line: 1 });
});

test('what a delivery lays over it replaces, merges or adds, by the rule of each field', () => {
  const object = only(FILES, 'prod', {
    overlay: {
      namespace: 'team',
      namePrefix: 'a-',
      nameSuffix: '-z',
      images: [{ name: 'nginx', newName: 'registry/nginx' }],
      replicas: [{ name: 'web', count: 5 }],
      patches: [
        {
          patch: '[{"op":"add","path":"/metadata/labels","value":{"x":"y"}}]',
          target: { kind: 'Deployment' },
        },
      ],
      components: ['../extra'],
      labels: { team: 'a' },
      labelsWithoutSelector: true,
      annotations: { note: 'b' },
      commonMetadata: { labels: { x: 'over' } },
    },
  });
  assert.equal(object.metadata.name, 'a-web-z');
  assert.equal(object.metadata.namespace, 'team');
  assert.equal(imageOf(object), 'registry/nginx:2');
  assert.equal((object['spec'] as { replicas: number }).replicas, 5);
  assert.deepEqual(object.metadata.labels, { team: 'a', x: 'over' });
  assert.deepEqual(object.metadata.annotations, { extra: 'yes', note: 'b' });
});

test('a tag clears a digest and the other way round', () => {
  const files = {
    ...FILES,
    'prod/kustomization.yaml': 'resources:\n- ../base\nimages:\n- name: nginx\n  newTag: "2"\n',
  };
  const digest = `sha256:${'0'.repeat(64)}`;
  const object = only(files, 'prod', { overlay: { images: [{ name: 'nginx', digest }] } });
  assert.equal(imageOf(object), `nginx@${digest}`);
});

describe('laid over as kustomize edit does it', () => {
  const files = {
    ...FILES,
    'prod/kustomization.yaml':
      'resources: [../base]\ncomponents: [../extra]\nimages: [{name: nginx, newName: registry/nginx, newTag: "2"}]\nlabels: [{pairs: {own: "1"}, fields: [{path: spec/note, create: true}]}]\n',
  };
  const image = (overlay: KustomizeOverlay) =>
    imageOf(only(files, 'prod', { overlay: { edits: true, ...overlay } }));

  test('an image replaces the entry of its name, but for what is kept by a star', () => {
    assert.equal(image({ images: [{ name: 'nginx', newTag: '3' }] }), 'nginx:3');
    assert.equal(
      image({ images: [{ name: 'nginx', newName: '*', newTag: '3' }] }),
      'registry/nginx:3',
    );
    assert.equal(image({ images: [{ name: 'nginx', newName: 'b', newTag: '*' }] }), 'b:2');
    assert.equal(image({ images: [{ name: 'other', newName: '*', newTag: '4' }] }), image({}));
    const digest = `sha256:${'0'.repeat(64)}`;
    const both = [{ name: 'nginx', newTag: '3', digest }];
    assert.equal(image({ images: both }), `nginx:3@${digest}`);
  });

  test('labels join the entry that reaches as far', () => {
    const overlay = { edits: true, labels: { team: '"a"' }, labelsWithoutSelector: true };
    const object = only(files, 'prod', { overlay });
    assert.deepEqual(object.metadata.labels, { own: '1', team: 'a' });
    assert.deepEqual((object['spec'] as JsonObject)['note'], { own: '1', team: 'a' });
    const { problems } = render(files, 'prod', {
      overlay: { labels: { a: 'b' }, labelsInTemplates: true },
    });
    assert.match(problems[0] ?? '', /--without-selector must be specified/);
  });

  test('components are found by patterns, are there once, and may be missing', () => {
    const more = {
      ...files,
      'parts/a/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: a-\n',
      'parts/b/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: b-\n',
      'parts/none/x.yaml': '',
    };
    const nameOf = (components: readonly string[], ignoreMissingComponents = false) =>
      only(more, 'prod', { overlay: { edits: true, components, ignoreMissingComponents } }).metadata
        .name;
    assert.equal(nameOf(['../parts/[ab]']), 'b-a-web');
    assert.equal(nameOf(['../extra']), 'web');
    assert.equal(nameOf(['../parts/none', '../parts/b'], true), 'b-web');
    const overlay = { edits: true, components: ['https://git.example.com/x'] };
    assert.doesNotMatch(render(files, 'prod', { overlay }).problems[0] ?? '', /is not local/);
  });
});

test('labels and annotations that the kustomization sets itself have to be forced', () => {
  const files = {
    ...FILES,
    'prod/kustomization.yaml':
      'resources: [../base]\ncommonLabels: {a: own}\ncommonAnnotations: {c: own}\nlabels: [{pairs: {p: own}}]\n',
  };
  const [labels, annotations] = [{ a: 'over' }, { c: 'over' }];
  const problemOf = (overlay: KustomizeOverlay) => render(files, 'prod', { overlay }).problems[0];
  const known = (what: string) => new RegExp(`${what} already in kustomization file`);
  assert.match(problemOf({ labels }) ?? '', known('label a'));
  assert.match(problemOf({ annotations }) ?? '', known('annotation c'));
  assert.match(
    problemOf({ labels: { p: 'x' }, labelsWithoutSelector: true }) ?? '',
    known('label p'),
  );
  assert.doesNotMatch(problemOf({ labels: { p: 'x' } }) ?? '', known('label p'));
  const forced = { labels, annotations, forcesLabels: true, forcesAnnotations: true };
  const object = render(files, 'prod', { overlay: forced }).objects[0]?.object ?? assert.fail();
  assert.equal(object.metadata.labels?.['a'], 'over');
  assert.equal(object.metadata.annotations?.['c'], 'over');
});

test('an overlay fills a kustomization that is empty', () => {
  const files = { ...FILES, 'prod/kustomization.yaml': '' };
  assert.match(render(files, 'prod', {}).problems[0] ?? '', /kustomization.yaml is empty/);
  const overlay = { components: ['../none'], ignoreMissingComponents: true, namePrefix: 'a-' };
  assert.deepEqual(render(files, 'prod', { overlay }), { objects: [], problems: [] });
});

test('a missing component is an error unless it may be missing; a remote one is refused', () => {
  const components = ['../none'];
  assert.match(render(FILES, 'prod', { overlay: { components } }).problems[0] ?? '', /none/);
  const object = only(FILES, 'prod', { overlay: { components, ignoreMissingComponents: true } });
  assert.equal(object.metadata.name, 'web');
  assert.match(
    render(FILES, 'prod', { overlay: { components: ['https://evil.example.com/x'] } })
      .problems[0] ?? '',
    /component path 'https:\/\/evil.example.com\/x' must be local and relative/,
  );
});

test('a folder without a kustomization gets one of all its files when that is asked for', () => {
  const files = {
    'app/b.yaml': DEPLOYMENT.replaceAll('web', 'b'),
    'app/sub/c.yml': DEPLOYMENT.replaceAll('web', 'c'),
    'app/own/kustomization.yaml': 'resources: [d.yaml]\nnamePrefix: own-\n',
    'app/own/d.yaml': DEPLOYMENT.replaceAll('web', 'd'),
    'app/readme.md': 'text',
    'empty/readme.md': 'text',
  };
  const { objects, problems } = render(files, 'app', { generateMissing: true });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    objects.map(({ object }) => object.metadata.name),
    ['b', 'c', 'own-d'],
  );
  assert.deepEqual(render(files, 'empty', { generateMissing: true }), {
    objects: [],
    problems: [],
  });
  assert.match(
    render(files, 'app').problems[0] ?? '',
    /unable to find one of 'kustomization.yaml'/,
  );
});

test('where it is generated for when missing, a kustomization is read by its types alone, as Flux does', () => {
  const flux = { generateMissing: true };
  const images = 'images: [{name: nginx, newTag: 1.21}]\n';
  const files = {
    ...FILES,
    'app/kustomization.yaml': `x-note: any\nResources: [../base]\n${images}`,
    'old/kustomization.yaml': 'bases: [../base]\n',
  };
  assert.match(render(files, 'app').problems[0] ?? '', /invalid Kustomization: json: /);
  assert.match(JSON.stringify(only(files, 'app', flux)['spec']), /"image":"nginx:1.21"/);
  const overlay = { images: [{ name: 'nginx', newName: 'web', newTag: '' }] };
  assert.match(JSON.stringify(only(files, 'app', { ...flux, overlay })['spec']), /"web:1.21"/);
  // What stands in `bases` does not count as resources there, and a kustomization without any tells origins.
  assert.match(
    JSON.stringify(render(files, 'old', flux).objects[0]?.object.metadata.annotations),
    /config.kubernetes.io.origin":"path: ..\/base\/web.yaml/,
  );
  const wrong = { ...files, 'app/kustomization.yaml': 'patches: [a.yaml]\n' };
  assert.match(
    render(wrong, 'app', flux).problems[0] ?? '',
    /json: cannot unmarshal string into Go struct field Kustomization.patches of type types.Patch/,
  );
});

test('a broken file deep below is named with its line', () => {
  const files = { ...FILES, 'base/web.yaml': `${DEPLOYMENT}  broken: [\n` };
  assert.deepEqual(render(files, 'prod').problems, [
    'base/web.yaml:12: invalid YAML: did not find expected node content (correct the file at this line or near it)',
  ]);
  const missing = { ...FILES, 'base/kustomization.yaml': 'resources:\n- none.yaml\n' };
  assert.match(
    render(missing, 'prod').problems[0] ?? '',
    /^prod\/kustomization.yaml: kustomize build: .*none.yaml/,
  );
});

test('nothing outside the repository is read, and nothing remote', () => {
  for (const resource of [
    '../../../../etc/passwd',
    '/etc/passwd',
    'https://169.254.169.254/x',
    'ssh://internal/x',
  ]) {
    const files = { ...FILES, 'prod/kustomization.yaml': `resources:\n- ${resource}\n` };
    const { objects, problems } = render(files, 'prod', { loadRestriction: 'none' });
    assert.deepEqual(objects, []);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.doesNotMatch(problems[0]!, /root:x:0/);
  }
});

test('the kind is found by what a folder holds, and a change of the base renders again', () => {
  const cache = new RenderCache();
  const spec: RenderSpec = { kind: 'detect', path: 'prod', overlay: { namePrefix: 'p-' } };
  const first = cache.render(snapshot(FILES), spec);
  assert.equal(first.kind, 'kustomize');
  assert.equal(cache.render(snapshot({ ...FILES, 'other.txt': 'x' }), spec), first);
  const changed = cache.render(
    snapshot({ ...FILES, 'base/web.yaml': DEPLOYMENT.replace(': 1\n', ': 7\n') }),
    spec,
  );
  assert.equal(
    (changed.objects[0]?.object['spec'] as { replicas: number } | undefined)?.replicas,
    7,
  );
  assert.equal(cache.render(snapshot({ 'prod/a.yaml': DEPLOYMENT }), spec).kind, 'directory');
  const both = { ...FILES, 'prod/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n' };
  assert.equal(cache.render(snapshot(both), spec).kind, 'kustomize');
});
