import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type Chart,
  type ChartDependency,
  chooseVersion,
  loadChart,
  loadChartArchive,
} from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';
import { kindAt } from '../chart-path.ts';

/** What `helm dependency list` prints of the chart in a folder; `shown` is the folder as it was given. */
export function listDependencies(folder: string, shown: string): string {
  const chart = readChart(folder);
  const asked = chart.metadata.dependencies;
  if (asked.length === 0) return `WARNING: no dependencies at ${join(shown, 'charts')}\n`;
  const rows = asked.map((one) => [
    one.name,
    one.version,
    one.repository,
    statusOf(folder, one, chart),
  ]);
  return `${table([['NAME', 'VERSION', 'REPOSITORY', 'STATUS'], ...rows])}\n\n${unasked(folder, shown, asked)}`;
}

function readChart(path: string): Chart {
  return kindAt(path) === 'file'
    ? loadChartArchive(readFileSync(path))
    : loadChart(openDiskTree(path));
}

const WIDTH_MAX = 80;

function table(rows: readonly (readonly string[])[]): string {
  const cut = rows.map((row) =>
    row.map((cell) => (cell.length > WIDTH_MAX ? `${cell.slice(0, WIDTH_MAX - 3)}...` : cell)),
  );
  const widths = (cut[0] ?? []).map((_, i) => Math.max(...cut.map((row) => row[i]?.length ?? 0)));
  return cut.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('\t')).join('\n');
}

function statusOf(folder: string, dependency: ChartDependency, parent: Chart): string {
  const archives = globSync(`${dependency.name}-*.tgz`, { cwd: join(folder, 'charts') });
  const isOther = (name: string): boolean =>
    !/^\d+\.\d+\.\d+(?:[-+].*)?\.tgz$/.test(name.slice(dependency.name.length + 1));
  const found = archives.length > 1 ? archives.filter((name) => !isOther(name)) : archives;
  if (found.length > 1) return 'too many matches';
  const [only] = found;
  if (only !== undefined) return archiveStatus(join(folder, 'charts', only), dependency);
  const child = parent.dependencies.findLast(({ metadata }) => metadata.name === dependency.name);
  if (child === undefined) return 'missing';
  return versionProblem(child, dependency) ?? 'unpacked';
}

function archiveStatus(path: string, dependency: ChartDependency): string {
  try {
    const chart = loadChartArchive(readFileSync(path));
    if (chart.metadata.name !== dependency.name) return 'misnamed';
    return versionProblem(chart, dependency) ?? 'ok';
  } catch {
    return 'corrupt';
  }
}

function versionProblem({ metadata }: Chart, { version }: ChartDependency): string | undefined {
  if (metadata.version === version) return undefined;
  try {
    const fits = chooseVersion([{ version: metadata.version }], version) !== undefined;
    return fits ? undefined : 'wrong version';
  } catch {
    return 'invalid version';
  }
}

function unasked(folder: string, shown: string, asked: readonly ChartDependency[]): string {
  const lines = globSync('*', { cwd: join(folder, 'charts') })
    .sort()
    .flatMap((name) => {
      const path = join(folder, 'charts', name);
      if (kindAt(path) !== 'directory' && !name.endsWith('.tgz')) return [];
      const at = JSON.stringify(join(shown, 'charts', basename(name)));
      try {
        const found = readChart(path).metadata.name;
        const isAsked = asked.some((one) => one.name === found);
        return isAsked ? [] : [`WARNING: ${at} is not in Chart.yaml.\n`];
      } catch {
        return [`WARNING: ${at} is not a chart.\n`];
      }
    });
  return lines.join('');
}
