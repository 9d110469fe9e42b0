import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@capstan/kube-object';
import { generate, generateTexts, makeSet, TEMPLATE } from './testing/generate.ts';

const list = (...elements: JsonObject[]): JsonObject => ({ list: { elements } });

test("a generator's own template is completed by that of the set", async () => {
  const own = { metadata: { labels: { b: '2' } }, spec: { source: { path: 'own' } } };
  const set = makeSet({
    generators: [{ list: { elements: [{ name: 'x' }], template: own } }],
    template: { ...TEMPLATE, metadata: { name: '{{name}}', labels: { a: '1', b: '1' } } },
  });
  const result = await generate(set);
  assert.equal(result.kind, 'generated');
  const [application] = result.kind === 'generated' ? result.applications : [];
  assert.deepEqual(application?.metadata.labels, { a: '1', b: '2' });
  assert.deepEqual(application?.['spec'], {
    ...(TEMPLATE['spec'] as JsonObject),
    source: { repoURL: 'https://git.example.com/a.git', path: 'own', targetRevision: 'main' },
  });
});

test('keys are rendered as values are, and Helm values whole', async () => {
  const set = makeSet({
    goTemplate: true,
    generators: [{ list: { elements: [{ k: 'key', v: 'value' }] } }],
    template: {
      metadata: { name: 'a', labels: { 'l-{{.k}}': '{{.v}}' } },
      spec: { source: { helm: { valuesObject: { '{{.k}}': ['{{.v}}', 3, null], none: null } } } },
    },
  });
  const result = await generate(set);
  const [application] = result.kind === 'generated' ? result.applications : [];
  assert.deepEqual(application?.metadata.labels, { 'l-key': 'value' });
  assert.deepEqual(application?.['spec'], {
    source: { helm: { valuesObject: { key: ['value', 3, null] } } },
  });
});

test('finalizers: the standard one, none when resources are preserved, given ones always', async () => {
  const finalizers = async (given: readonly string[] | undefined, preserves: boolean) => {
    const metadata = { name: '{{name}}', ...(given === undefined ? {} : { finalizers: given }) };
    const set = makeSet({
      generators: [{ list: { elements: [{ name: 'x' }] } }],
      template: { ...TEMPLATE, metadata },
      syncPolicy: { preserveResourcesOnDeletion: preserves },
    });
    const result = await generate(set);
    return result.kind === 'generated' ? result.applications[0]?.metadata.finalizers : undefined;
  };
  assert.deepEqual(await finalizers(undefined, false), ['resources-finalizer.argocd.argoproj.io']);
  assert.deepEqual(await finalizers([], false), ['resources-finalizer.argocd.argoproj.io']);
  assert.equal(await finalizers(undefined, true), undefined);
  assert.deepEqual(await finalizers(['x.io/y'], true), ['x.io/y']);
});

test('a template patch changes what it names, never the project or the namespace', async () => {
  const set = makeSet({
    goTemplate: true,
    generators: [{ list: { elements: [{ name: 'x', auto: true, files: ['a', 'b'] }] } }],
    template: { ...TEMPLATE, metadata: { name: '{{.name}}' } },
    templatePatch: `
metadata: {namespace: elsewhere, labels: {a: '{{.name}}'}}
spec:
  project: stolen
  source: {helm: {valueFiles: [{{ join "," .files }}]}}
  {{- if .auto }}
  syncPolicy: {automated: {prune: true}}
  {{- end }}`,
  });
  const result = await generate(set);
  assert.equal(result.kind, 'generated', JSON.stringify(result));
  const [application] = result.kind === 'generated' ? result.applications : [];
  assert.equal(application?.metadata.namespace, 'argocd');
  assert.deepEqual(application?.metadata.labels, { a: 'x' });
  const spec = application?.['spec'] as JsonObject;
  assert.equal(spec['project'], 'default');
  assert.deepEqual(spec['syncPolicy'], { automated: { prune: true } });
  assert.deepEqual((spec['source'] as JsonObject)['helm'], { valueFiles: ['a', 'b'] });
});

test('a template patch that is no object is refused', async () => {
  const set = makeSet({ generators: [list({ name: 'x' })], templatePatch: '- a' });
  const result = await generate(set);
  assert.equal(result.kind === 'failed' && result.reason, 'RenderTemplateParamsError');
  assert.match(result.kind === 'failed' ? result.error.message : '', /invalid templatePatch/);
});

test('no generator sees more than 10,000 sets, however a matrix multiplies them', async () => {
  const elements = (name: string) =>
    Array.from({ length: 1000 }, (_none, index) => ({ [name]: String(index) }));
  const set = makeSet({
    generators: [
      {
        matrix: {
          generators: [
            { list: { elements: elements('a') } },
            { list: { elements: elements('b') } },
          ],
        },
      },
    ],
  });
  const started = performance.now();
  const result = await generate(set);
  assert.match(
    result.kind === 'failed' ? result.error.message : '',
    /matrix generator gives more than 10000 sets/,
  );
  assert.ok(performance.now() - started < 10_000);
});

const BOMBS: readonly (readonly [title: string, text: string])[] = [
  ['repeat', '{{ repeat 1000000000 "x" }}'],
  ['nested repeat', '{{ repeat 10000 (repeat 10000 "x") }}'],
  ['nested range', '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}'],
  ['a template that calls itself', '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}'],
  ['tpl of itself', '{{ tpl .s . }}'],
];
for (const [title, text] of BOMBS) {
  test(`a template is bounded: ${title}`, async () => {
    const started = performance.now();
    const found = await generateTexts(text, {
      goTemplate: true,
      generators: [list({ s: '{{ tpl .s . }}' })],
    });
    assert.match(String(found), /exceed|longer|limit|more than|maximum|too/i);
    assert.ok(performance.now() - started < 10_000);
  });
}
