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
      () => ({}),
    ),
  });
  const pool = new RenderPool({ renders, offered: () => ({}), now: () => 0, ...options });
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

test('one that hangs, crashes or eats the memory costs its own app only, once', async () => {
  await using opened = open({ program: HOSTILE, timeoutMs: 5_000, memoryMb: 64 });
  const { pool } = opened;
  const rows = [
    ['hang', 'RENDER_TIMEOUT'],
    ['crash', 'RENDER_CRASHED'],
    ['throw', 'RENDER_CRASHED'],
    ['memory', 'RENDER_MEMORY'],
  ] as const;
  for (const [path, code] of rows) {
    const [bad, good] = await Promise.all([
      pool.render(snapshotOf({}), helm(path)),
      pool.render(snapshotOf({}), helm(`good-${path}`)),
    ]);
    assert.equal(bad.diagnostics[0]?.code, code, path);
    assert.deepEqual(bad.objects, []);
    assert.equal(good.digest, `good-${path}`);
    const started = performance.now();
    assert.equal(await pool.render(snapshotOf({}), helm(path)), bad);
    assert.ok(performance.now() - started < 500, 'it is not tried again');
  }
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
