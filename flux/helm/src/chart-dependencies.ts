/**
 * Dependencies of a chart in a folder that its charts/ does not hold: taken from other folders of the same tree, or from
 * repositories, as Chart.lock says where there is one (source-controller, internal/helm/chart, DependencyManager). Whether the lock
 * fits Chart.yaml is not asked, as there.
 */
import {
  type Chart,
  type ChartDependency,
  type ChartRepository,
  loadChart,
  loadChartArchive,
  packChart,
} from '@capstan/kube-helm';
import { type FileTree, joinPath, resolveLinks, resolvePath } from '@capstan/lib-files';
import { checkConstraint, parseConstraint, parseVersion } from '@capstan/lib-semver';
import { messageOf } from '@capstan/lib-std';

export interface DependencySources {
  readonly tree: FileTree;
  /** The folder of the chart. */
  readonly path: string;
  /** Opens the repository of a dependency. */
  readonly open: (url: string) => ChartRepository;
}

/** The chart with what was missing. Throws in the original's words. */
export async function withDependencies(chart: Chart, sources: DependencySources): Promise<Chart> {
  const wanted = chart.lock?.dependencies ?? chart.metadata.dependencies;
  if (chart.dependencies.length === wanted.length) return chart;
  const names = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  const missing = wanted.filter(({ name, alias }) => !names.has(alias === '' ? name : alias));
  const added = new Map<string, Uint8Array>();
  for (const dependency of missing) {
    const isLocal = dependency.repository === '' || dependency.repository.startsWith('file://');
    const bring = isLocal ? localChart : remoteChart;
    const { file, bytes } = await bring(dependency, sources).catch((error: unknown) => {
      const what = `${isLocal ? 'local' : 'remote'} dependency '${dependency.alias || dependency.name}'`;
      throw new Error(`failed to add ${what}: ${messageOf(error)}`);
    });
    added.set(`charts/${file}`, bytes);
  }
  const others = chart.raw.filter(({ name }) => !added.has(name));
  return { ...chart, raw: [...others, ...[...added].map(([name, data]) => ({ name, data }))] };
}

interface Brought {
  readonly file: string;
  readonly bytes: Uint8Array;
}

async function localChart(
  { name, version, repository }: ChartDependency,
  { tree, path }: DependencySources,
): Promise<Brought> {
  const place = localPlace(name, repository, path);
  const found = place === undefined ? undefined : resolveLinks(tree, place);
  const at = found?.kind === 'found' ? found.path : undefined;
  const kind = at === undefined ? undefined : tree.stat(at)?.kind;
  if (at === undefined || kind === undefined) {
    throw new Error(`no chart found at '/${place ?? ''}' (reference '${repository}')`);
  }
  const constraint = parsedConstraint(version);
  let chart: Chart;
  try {
    chart =
      kind === 'directory'
        ? loadChart(tree, at)
        : loadChartArchive(tree.readFile(at) ?? new Uint8Array());
  } catch (error) {
    throw new Error(
      `failed to load chart from '/${at}' (reference '${repository}'): ${messageOf(error)}`,
    );
  }
  if (!checkConstraint(constraint, parseVersion(chart.metadata.version))) {
    throw new Error(`can't get a valid version for constraint '${version}'`);
  }
  return { file: fileNameOf(chart), bytes: packChart(chart) };
}

/** Below the tree's root; undefined when it leads out of it. */
function localPlace(name: string, repository: string, path: string): string | undefined {
  const inside = repository === '' ? joinPath('charts', name) : repository.slice('file://'.length);
  return resolvePath(path, inside.replace(/^\/+/, ''));
}

function parsedConstraint(version: string) {
  try {
    return parseConstraint(version);
  } catch (error) {
    throw new Error(`invalid version/constraint format '${version}': ${messageOf(error)}`);
  }
}

async function remoteChart(
  { name, version, repository }: ChartDependency,
  { open }: DependencySources,
): Promise<Brought> {
  checkUrl(repository);
  const opened = open(repository);
  const found = await opened.resolve(name, version === '*' ? '' : version).catch((error) => {
    throw new Error(
      `failed to get chart '${name}' version '${version}' from '${repository}': ${messageOf(error)}`,
    );
  });
  const bytes = await opened.fetch(found).catch((error: unknown) => {
    throw new Error(`chart download of version '${found.version}' failed: ${messageOf(error)}`);
  });
  let chart: Chart;
  try {
    chart = loadChartArchive(bytes);
  } catch (error) {
    throw new Error(
      `failed to load downloaded archive of version '${found.version}': ${messageOf(error)}`,
    );
  }
  return { file: fileNameOf(chart), bytes };
}

function checkUrl(url: string): void {
  if (/^(?:oci|https?:\/\/)/.test(url)) return;
  throw new Error(
    url.startsWith('@')
      ? `aliased repository dependency is not supported: ${url}`
      : `invalid dependency repository URL: ${url}`,
  );
}

/** A name that stays in charts/. */
function fileNameOf({ metadata: { name, version } }: Chart): string {
  const file = `${name}-${version}.tgz`;
  if (/[/\\]/.test(file) || name.startsWith('.')) {
    throw new Error(`${JSON.stringify(name)} is no name of a chart`);
  }
  return file;
}
