import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HelmChart } from '@capstan/flux-api';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { BuildError, buildFromTree } from './build-chart.ts';

const CHART_YAML = 'apiVersion: v2\nname: web\nversion: 1.0.0\n';

/** `reason message` of why no chart comes of a folder, or '' when one does. */
async function outcome(files: MemoryFiles, fileBytesMax?: number): Promise<string> {
  const chart = {
    metadata: { name: 'web', namespace: 'apps', generation: 1 },
    spec: { chart: './web', sourceRef: { kind: 'GitRepository', name: 'repo' } },
    status: {},
  } as unknown as HelmChart;
  const open = () => {
    throw new Error('nothing is fetched');
  };
  const context = { chart, held: undefined, revision: 'main@sha1:1', open, fileBytesMax };
  try {
    await buildFromTree(memoryTree(files), context);
    return '';
  } catch (error) {
    return error instanceof BuildError ? `${error.reason} ${error.message}` : String(error);
  }
}

test('metadata that is wrong makes no chart; any other fault of a folder no package', async () => {
  const whole = { 'web/Chart.yaml': CHART_YAML };
  const rows: readonly (readonly [MemoryFiles, string])[] = [
    [whole, ''],
    [{ 'web/values.yaml': '' }, 'InvalidChartReference '],
    [{ 'web/Chart.yaml': 'name: [' }, 'InvalidChartReference '],
    [{ 'web/Chart.yaml': 'apiVersion: v2\nname: web\n' }, 'InvalidChartReference '],
    [{ ...whole, 'web/values.yaml': 'a: [' }, 'ChartPackageError chart package error: '],
    [{ ...whole, 'web/.helmignore': '**\n' }, 'ChartPackageError '],
    [{ ...whole, 'web/charts/a/values.yaml': '' }, 'ChartPackageError '],
  ];
  for (const [files, start] of rows) {
    const told = await outcome(files);
    assert.ok(start === '' ? told === '' : told.startsWith(start), `${start}: ${told}`);
  }
});

test('no file of a folder is larger than 5 MiB, or than what was said', async () => {
  const files = (size: number) => ({ 'web/Chart.yaml': CHART_YAML, 'web/x': 'x'.repeat(size) });
  const limit = 5 * 1024 * 1024;
  assert.equal(await outcome(files(limit)), '');
  assert.equal(
    await outcome(files(limit + 1)),
    `ChartPackageError chart package error: cannot load file x as file size (${limit + 1}) exceeds limit (${limit})`,
  );
  assert.equal(await outcome(files(limit + 1), limit + 1), '');
  assert.match(await outcome(files(101), 100), /file size \(101\) exceeds limit \(100\)$/);
});
