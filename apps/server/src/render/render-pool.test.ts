import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RenderCache, type RenderSpec } from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { createChartRenderer } from '../chart-renderer.ts';
import { RenderPool, type RenderPoolOptions } from './render-pool.ts';

const HOSTILE = new URL('./testdata/hostile-worker.ts', import.meta.url);

function snapshotOf(files: MemoryFiles, digest = 'd'): Snapshot {
  return { source: 'git x', revision: { id: 'a', name: 'main' }, digest, files: memoryTree(files) };
}

const helm = (path: string): RenderSpec => ({
  kind: 'helm',
  path,
  releaseName: 'r',
  releaseNamespace: 'n',
});

function open(options: Partial<RenderPoolOptions> = {}) {
  const renders = new RenderCache({
    renderChart: createChartRenderer(
      () => 0,
      () => undefined,
    ),
  });
  const pool = new RenderPool({ renders, now: () => 0, ...options });
  return { pool, renders, [Symbol.asyncDispose]: () => pool.close() };
}

const CHART: MemoryFiles = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'chart/values.yaml': 'name: a\n',
  'chart/templates/x.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Values.name }}}\ndata: {f: {{ .Files.Get "f.txt" | quote }}, r: {{ .Release.Name }}}\n',
  'chart/f.txt': 'file',
};

test('a chart is rendered in a thread to what is rendered here, with the trace of what it read', async () => {
  await using opened = open();
  const spec: RenderSpec = { kind: 'helm', path: 'chart', releaseName: 'r', releaseNamespace: 'n' };
  const there = await opened.pool.render(snapshotOf(CHART), spec);
  await using other = open();
  const here = other.renders.render(snapshotOf(CHART), spec);
  assert.deepEqual(there.objects, here.objects);
  assert.deepEqual(there.diagnostics, []);
  assert.deepEqual([there.digest, there.trace], [here.digest, here.trace]);
  // A commit that changes another folder renders nothing.
  const before = opened.renders.statistics.misses;
  const again = await opened.pool.render(snapshotOf({ ...CHART, other: 'x' }, 'e'), spec);
  assert.equal(again, there);
  assert.equal(opened.renders.statistics.misses, before);
});

test('plain manifests need no thread', async () => {
  await using opened = open({ program: new URL('file:///nonexistent.ts') });
  const files = { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' };
  const { objects } = await opened.pool.render(snapshotOf(files), { kind: 'detect', path: '' });
  assert.equal(objects.length, 1);
});

/** What each renderer does in a thread: a chart, Jsonnet, and a kustomization of many files. */
const RENDERERS: readonly (readonly [
  name: string,
  of: (path: string) => { readonly files: MemoryFiles; readonly spec: RenderSpec },
])[] = [
  ['Helm', (path) => ({ files: {}, spec: helm(path) })],
  [
    'Jsonnet',
    (path) => ({ files: { [`${path}/a.jsonnet`]: '{}' }, spec: { kind: 'directory', path } }),
  ],
  ['Kustomize', (path) => ({ files: kustomization(path, 41), spec: { kind: 'kustomize', path } })],
];

function kustomization(path: string, count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, i) => `m${i}.yaml`);
  const manifest = (name: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name.replace('.yaml', '')}}\n`;
  return {
    [`${path}/kustomization.yaml`]: `resources: [${names.join(', ')}]\n`,
    ...Object.fromEntries(names.map((name) => [`${path}/${name}`, manifest(name)])),
  };
}

test('many files are rendered in a thread to what is rendered here', async () => {
  const files = kustomization('big', 41);
  const spec: RenderSpec = { kind: 'kustomize', path: 'big' };
  await using opened = open();
  const there = await opened.pool.render(snapshotOf(files), spec);
  await using other = open();
  const here = other.renders.render(snapshotOf(files), spec);
  assert.equal(there.objects.length, 41);
  assert.deepEqual(
    [there.objects, there.digest, there.trace],
    [here.objects, here.digest, here.trace],
  );
  await using nowhere = open({ program: new URL('file:///nonexistent.ts') });
  const small = await nowhere.pool.render(snapshotOf(kustomization('big', 40)), spec);
  assert.equal(small.objects.length, 40, 'a few are rendered at once');
});

for (const [renderer, of] of RENDERERS)
  test(`one of ${renderer} that hangs, crashes or eats the memory costs its own app only, once`, async () => {
    await using opened = open({ program: HOSTILE, timeoutMs: 5_000, memoryMb: 64 });
    const render = (path: string) => {
      const { files, spec } = of(path);
      return opened.pool.render(snapshotOf(files), spec);
    };
    const rows = [
      ['hang', 'RENDER_TIMEOUT'],
      ['crash', 'RENDER_CRASHED'],
      ['throw', 'RENDER_CRASHED'],
      ['memory', 'RENDER_MEMORY'],
    ] as const;
    for (const [path, code] of rows) {
      const [bad, good] = await Promise.all([render(path), render(`good-${path}`)]);
      assert.equal(bad.diagnostics[0]?.code, code, path);
      assert.deepEqual(bad.objects, []);
      assert.deepEqual([...bad.trace.files.keys()], [`${path}/loop.yaml`], 'what may mend it');
      assert.equal(good.digest, `good-${path}`);
      const started = performance.now();
      assert.equal(await render(path), bad);
      assert.ok(performance.now() - started < 500, 'it is not tried again');
    }
  });

test('what falls over in a thread that served others gets a thread of its own', async () => {
  await using opened = open({ program: HOSTILE });
  const render = (path: string) => opened.pool.render(snapshotOf({}), helm(path));
  assert.equal((await render('first')).digest, 'first');
  const second = await render('second');
  assert.deepEqual([second.digest, second.diagnostics], ['second', []]);
});

test('what a thread computes is counted, not what passes while it waits for its turn', async () => {
  await using opened = open({ program: HOSTILE, timeoutMs: 400 });
  const { diagnostics, digest } = await opened.pool.render(snapshotOf({}), helm('slow'));
  assert.deepEqual([diagnostics, digest], [[], 'slow']);
  await using starved = open({ program: HOSTILE, timeoutMs: 400 });
  const render = () => starved.pool.render(snapshotOf({}), helm('starved'));
  await assert.rejects(render(), { code: 'RENDER_STARVED', kind: 'retry' });
  await assert.rejects(render(), { code: 'RENDER_STARVED' }, 'it is tried again');
});

test('more than may wait are told to come again, and those that wait when it ends as well', async () => {
  const opened = open({ program: HOSTILE, timeoutMs: 60_000, queueMax: 2 });
  const { pool } = opened;
  const waiting = ['hang', 'a', 'b'].map((path) => pool.render(snapshotOf({}), helm(path)));
  await assert.rejects(pool.render(snapshotOf({}), helm('c')), { code: 'RENDER_BUSY' });
  const settled = Promise.allSettled(waiting);
  await pool.close();
  const [, second, third] = await settled;
  assert.equal(second?.status, 'rejected');
  assert.equal(third?.status, 'rejected');
});

test('what is offered to charts is part of what their results depend on', async () => {
  await using opened = open();
  const files = {
    'chart/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
    'chart/templates/x.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Capabilities.KubeVersion.Version }}}\n',
  };
  const nameFor = async (kubeVersion: string) => {
    const offered = { id: kubeVersion, kubeVersion, apiVersions: [] };
    const { objects } = await opened.pool.render(snapshotOf(files), helm('chart'), { offered });
    return objects[0]?.object.metadata.name;
  };
  assert.equal(await nameFor('v1.30.0'), 'v1.30.0');
  assert.equal(await nameFor('v1.31.0'), 'v1.31.0');
  assert.equal(await nameFor('v1.30.0'), 'v1.30.0');
  assert.equal(opened.renders.statistics.hits, 1);
});
