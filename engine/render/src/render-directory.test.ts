// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the language that is rendered
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '@capstan/engine-source';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { formatDiagnostic } from '@capstan/lib-std';
import { RenderCache } from './render-cache.ts';
import { renderManifests } from './render-manifests.ts';
import type { RenderSpec } from './render-spec.ts';

function snapshot(files: MemoryFiles, id = 'a'.repeat(40)): Snapshot {
  const tree = memoryTree(files);
  return {
    source: 'test',
    revision: { id, name: 'main' },
    digest: tree.stat('')!.id,
    files: tree,
  };
}

/** The render as text: a line for each object (`file:line Kind name`), then the diagnostics. */
function check(files: MemoryFiles, spec: Partial<RenderSpec>, expected: string): void {
  const full = { kind: 'directory', path: '', ...spec } as RenderSpec;
  const { objects, diagnostics } = renderManifests(snapshot(files), full);
  const lines = [
    ...objects.map(
      ({ object, origin }) =>
        `${origin?.file}:${origin?.line} ${object.kind} ${object.metadata.name ?? object.metadata.generateName}`,
    ),
    ...diagnostics.map((diagnostic) => `! ${formatDiagnostic(diagnostic)}`),
  ];
  assert.equal(lines.join('\n'), expected.trim().replace(/^ +/gm, ''));
}

const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

test('files of a folder in order of their paths, several documents and lists unfolded', () => {
  check(
    {
      'app/b.yml': map('b'),
      'app/a.yaml': `# head\n\n${map('one')}--- # next\n\n---\n${map('two')}`,
      'app/c.json': '{"apiVersion":"v1","kind":"Secret","metadata":{"generateName":"c-"}}',
      'app/list.yaml': `apiVersion: v1\nkind: List\nitems:\n- ${map('x').trimEnd().replaceAll('\n', '\n  ')}\n`,
      'app/notes.txt': 'text',
      'app/sub/d.yaml': map('d'),
      'other.yaml': map('other'),
    },
    { path: './app/' },
    `app/a.yaml:3 ConfigMap one
     app/a.yaml:9 ConfigMap two
     app/b.yml:1 ConfigMap b
     app/c.json:1 Secret c-
     app/list.yaml:1 ConfigMap x`,
  );
});

test('the last line of a file ends, whether or not it is written', () => {
  const files = { 'a.yaml': `${map('a')}data:\n  script: |\n    first\n    last` };
  const { objects } = renderManifests(snapshot(files), { kind: 'directory', path: '' });
  assert.deepEqual(objects[0]?.object['data'], { script: 'first\nlast\n' });
});

test('recurse descends, include and exclude are globs over the path below the folder', () => {
  const files = {
    'app/a.yaml': map('a'),
    'app/sub/b.yaml': map('b'),
    'app/sub/c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
    'app/sub/deep/d.yaml': map('d'),
  };
  const recurse = true;
  check(
    files,
    { path: 'app', recurse, exclude: 'sub/deep/*' },
    'app/a.yaml:1 ConfigMap a\napp/sub/b.yaml:1 ConfigMap b\napp/sub/c.json:1 ConfigMap c',
  );
  check(files, { path: 'app', recurse, include: '*.json' }, 'app/sub/c.json:1 ConfigMap c');
  check(
    files,
    { path: 'app', recurse, include: '{a,sub/b}.yaml' },
    'app/a.yaml:1 ConfigMap a\napp/sub/b.yaml:1 ConfigMap b',
  );
  check(files, { path: 'app', recurse, include: '{../**}' }, '');
});

test('a broken manifest says its file and line, and nothing is given to apply', () => {
  check(
    {
      'a.yaml': map('a'),
      'b.yaml': `${map('b')}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n data: y\n`,
    },
    {},
    `! b.yaml:9: invalid YAML: did not find expected key (correct the file at this line or near it)`,
  );
  check(
    { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n' },
    {},
    'a.yaml:1 ConfigMap undefined',
  );
  check(
    { 'a.yaml': `${map('a')}---\n- a\n- b\n` },
    {},
    '! a.yaml:5: this document is a list, not a Kubernetes object (write apiVersion, kind and metadata, or remove the document)',
  );
});

test('UTF-16 is read by its mark, an empty list is none, JSON has to be JSON', () => {
  const utf16 = (text: string) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));
  check({ 'a.yaml': utf16(map('a')) }, {}, 'a.yaml:1 ConfigMap a');
  const swapped = new Uint8Array(Buffer.from(`\ufeff${map('b')}`, 'utf16le').swap16());
  check({ 'b.yaml': swapped }, {}, 'b.yaml:1 ConfigMap b');
  const list = (items: string) => `apiVersion: v1\nkind: ConfigMapList\nitems:${items}\n`;
  check({ 'a.yaml': `${list('')}---\n${list(' []')}---\n${map('a')}` }, {}, 'a.yaml:9 ConfigMap a');
  check({ 'a.json': '{"name": "a-package", "version": "1.0.0"}' }, {}, '');
  const json = (name: string) =>
    `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${name}"}, "data": {"a": "}{\\""}}`;
  check({ 'a.json': `${json('a')}\n` }, {}, 'a.json:1 ConfigMap a');
  check(
    { 'a.json': `${json('a')}\n${json('b')}` },
    {},
    '! a.json: found multiple objects: only single objects are allowed in JSON files (give each a file of its own, or make a List of them)',
  );
  check(
    { 'a.json': '{"apiVersion": "v1"' },
    {},
    "! a.json:2: invalid YAML: did not find expected ',' or '}' (correct the file at this line or near it)",
  );
  check({ 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\n' }, {}, 'a.yaml:1 ConfigMap undefined');
});

test('a file that is no manifest at all is passed over, as is one that asks for it', () => {
  check(
    {
      'values.yaml': 'replicas: 3\nimage: nginx\n',
      'broken.yaml': '{{ template }}: [\n',
      'skip.yaml': `# +argocd:skip-file-rendering\n${map('skipped')}`,
      'skip.jsonnet': '// +argocd:skip-file-rendering\nerror "it is asked for elsewhere"',
      'a.yaml': map('a'),
    },
    {},
    'a.yaml:1 ConfigMap a',
  );
});

test('links inside the repository are read, links out of it refused without a look', () => {
  check(
    {
      'shared/a.yaml': map('a'),
      'app/link.yaml': { link: '../shared/a.yaml' },
      'app/dir': { link: '../shared' },
    },
    { path: 'app', recurse: true },
    'app/link.yaml:1 ConfigMap a',
  );
  check(
    { 'app/link.yaml': { link: '../../../etc/passwd' } },
    { path: 'app' },
    '! app/link.yaml: this link leads out of the repository (replace the link by the file)',
  );
});

test('a wrong path says what stands there instead', () => {
  const files = { 'apps/web/base/a.yaml': map('a'), 'apps/web/overlays/dev/b.yaml': map('b') };
  check(
    files,
    { path: 'apps/web/overlay/dev' },
    '! apps/web/overlay/dev: the folder "apps/web/overlay/dev" does not exist at main (aaaaaaaaaaaa) (correct the path: apps/web holds base, overlays)',
  );
  check(
    files,
    { path: '../x' },
    '! ../x: the path "../x" leads out of the repository (give a path relative to the root of the repository)',
  );
});

test('variables go into the text of an object, so that a value may be a number', () => {
  const file = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {cost: "$$5"}
spec:
  replicas: \${replicas}
  paused: \${paused:=false}
`;
  const spec = (variables: Record<string, string>, strict = true): RenderSpec => ({
    kind: 'directory',
    path: '',
    substitute: { variables, strict, except: { key: 'substitute', value: 'disabled' } },
  });
  const done = renderManifests(snapshot({ 'a.yaml': file }), spec({ replicas: '3' }));
  assert.deepEqual(done.diagnostics, []);
  assert.deepEqual(done.objects[0]?.object['spec'], { replicas: 3, paused: false });
  assert.equal(done.objects[0]?.object.metadata.annotations?.['cost'], '$5');
  check(
    { 'a.yaml': file },
    spec({ other: '1' }),
    `! a.yaml:1: post build failed for 'Deployment.v1.apps/web': envsubst error: variable substitution failed: variable not set (strict mode): "replicas" (set the variable or give it a default; write $$ for a dollar sign that stays)`,
  );
  check(
    { 'a.yaml': file },
    spec({ replicas: '[canary' }),
    `! a.yaml:1: post build failed for 'Deployment.v1.apps/web': envsubst error: YAMLToJSON: yaml: line 9 (a value breaks the YAML around it: quote it where it is used)`,
  );
  check(
    { 'a.yaml': file },
    spec({ 'a-b': '1' }),
    `! a.yaml:1: post build failed for 'Deployment.v1.apps/web': envsubst error: 'a-b' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$' (use letters, digits and underscores, and no digit first)`,
  );
  const excepted = file.replace('cost: "$$5"', 'substitute: disabled');
  const left = renderManifests(snapshot({ 'a.yaml': excepted }), spec({ replicas: '3' }));
  assert.deepEqual(left.objects[0]?.object['spec'], {
    paused: '${paused:=false}',
    replicas: '${replicas}',
  });
});

test('a render is made again only when something that it read has changed', () => {
  const cache = new RenderCache();
  const spec: RenderSpec = { kind: 'directory', path: 'app' };
  const base = { 'app/a.yaml': map('a'), 'other/b.yaml': map('b') };
  const first = cache.render(snapshot(base), spec);
  assert.equal(cache.render(snapshot({ ...base, 'other/b.yaml': map('changed') }), spec), first);
  assert.equal(cache.render(snapshot(base), { ...spec }), first);
  assert.deepEqual(cache.statistics, { hits: 2, misses: 1 });
  const added = cache.render(snapshot({ ...base, 'app/c.yaml': map('c') }), spec);
  assert.equal(added.objects.length, 2);
  assert.notEqual(added.digest, first.digest);
  assert.equal(cache.render(snapshot(base), spec), first);
  assert.deepEqual(cache.statistics, { hits: 3, misses: 2 });
});
