import { type FileTree, resolveLinks, resolvePath } from '@capstan/lib-files';
import { checkConstraint, parseConstraint, parseVersion } from '@capstan/lib-semver';
import type { HelmFlavor } from '../capabilities.ts';
import type { Chart, ChartDependency, ChartLock } from '../chart.ts';
import { ChartError } from '../chart-error.ts';
import { isVersion } from '../compatible-range.ts';
import { loadChart, loadChartArchive } from '../load-chart.ts';
import { verifyChart } from '../provenance/verify-chart.ts';
import { absoluteUrl, type ChartRepository } from './chart-repository.ts';
import type { ChartVersion } from './index-file.ts';
import { lockDigest, lockText } from './lock-digest.ts';
import { packChart } from './pack-chart.ts';

export interface DependencyPorts {
  /** Opens a repository by its URL; it decides which are allowed and which credentials are for it. */
  readonly open: (url: string) => ChartRepository;
  /** RFC 3339. */
  readonly now: () => string;
  /** Told what helm prints. */
  readonly print?: (line: string) => void;
  /**
   * Checks what is fetched against its provenance file: a wrong one is an error always, a missing one when it is
   * `required`, as helm does for an update (true) and a build (false).
   */
  readonly verify?: { readonly keyring: Uint8Array; readonly required: boolean };
  /** The version of Helm whose words are followed (default 4). */
  readonly flavor?: HelmFlavor;
  /** Indexes are not announced as fetched anew (--skip-refresh). */
  readonly skipRefresh?: boolean;
}

/** What an update comes to; nothing has been written yet. */
export interface DependencyUpdate {
  /** File names below charts/ with their bytes. */
  readonly charts: ReadonlyMap<string, Uint8Array>;
  /** Archives below charts/ that are not asked for any more. */
  readonly outdated: readonly string[];
  /** The lock file to write; undefined when the one that is there still holds. */
  readonly lock:
    | { readonly name: 'Chart.lock' | 'requirements.lock'; readonly text: string }
    | undefined;
}

/**
 * Chooses and fetches the dependencies of the chart in the folder `path` of a tree (helm dependency update). file://
 * repositories are read inside the tree only. Undefined when the chart asks for none.
 */
export async function updateDependencies(
  tree: FileTree,
  path: string,
  ports: DependencyPorts,
): Promise<DependencyUpdate | undefined> {
  const chart = loadChart(tree, path);
  const asked = chart.metadata.dependencies;
  if (asked.length === 0) return undefined;
  const work = begin(chart, { tree, path }, ports);
  checkRepositories(asked, work);
  await announce(asked, work);
  const locked = await resolveAll(asked, work);
  const fetched = await fetchAll(locked, work);
  const digest = lockDigest(asked, fetched.locked);
  const isSame = chart.lock !== null && chart.lock.digest === digest;
  const lock: ChartLock = { dependencies: fetched.locked, digest, generated: ports.now() };
  const name = chart.metadata.apiVersion === 'v1' ? 'requirements.lock' : 'Chart.lock';
  return {
    charts: fetched.charts,
    outdated: outdatedIn(fetched, work),
    lock: isSame ? undefined : { name, text: lockText(lock) },
  };
}

/** Fetches what Chart.lock says (helm dependency build); without a lock, updates. */
export async function buildDependencies(
  tree: FileTree,
  path: string,
  ports: DependencyPorts,
): Promise<DependencyUpdate | undefined> {
  const chart = loadChart(tree, path);
  const { lock, metadata } = chart;
  if (lock === null) return updateDependencies(tree, path, ports);
  const work = begin(chart, { tree, path }, ports);
  checkRepositories(metadata.dependencies, work);
  checkSchemes(metadata.dependencies);
  if (lockDigest(metadata.dependencies, lock.dependencies) !== lock.digest) {
    throw new ChartError(
      'CHART_LOCK',
      metadata.apiVersion === 'v1'
        ? 'the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml). Please update the dependencies'
        : `the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies${ports.flavor === 3 ? '' : " with 'helm dependency update'"}`,
    );
  }
  const fetched = await fetchAll(lock.dependencies, work);
  return { charts: fetched.charts, outdated: outdatedIn(fetched, work), lock: undefined };
}

interface Place {
  readonly tree: FileTree;
  readonly path: string;
}

interface Work extends Place {
  readonly flavor: HelmFlavor;
  readonly skipRefresh: boolean;
  readonly print: (line: string) => void;
  readonly repository: (url: string) => ChartRepository;
  readonly verify: DependencyPorts['verify'];
}

function begin(_chart: Chart, place: Place, ports: DependencyPorts): Work {
  const open = new Map<string, ChartRepository>();
  const repository = (url: string): ChartRepository => {
    const known = open.get(url) ?? ports.open(url);
    open.set(url, known);
    return known;
  };
  return {
    ...place,
    flavor: ports.flavor ?? 4,
    skipRefresh: ports.skipRefresh ?? false,
    print: ports.print ?? (() => undefined),
    repository,
    verify: ports.verify,
  };
}

function checkRepositories(dependencies: readonly ChartDependency[], work: Work): void {
  const missing: string[] = [];
  for (const { repository } of dependencies) {
    if (repository.startsWith('file://')) localFolder(repository, work);
    else if (repository !== '' && !/^[A-Za-z][\w+.-]*:/.test(repository)) missing.push(repository);
  }
  if (missing.length === 0) return;
  const isName = (text: string): boolean =>
    !text.includes('//') && !text.startsWith('@') && !text.startsWith('alias:');
  const note = missing.some(isName)
    ? '\nNote that repositories must be URLs or aliases. For example, to refer to the "example"\nrepository, use "https://charts.example.com/" or "@example" instead of\n"example". Don\'t forget to add the repo, too (\'helm repo add\').'
    : '';
  throw new ChartError(
    'REPOSITORY',
    `no repository definition for ${missing.join(', ')}. Please add them via 'helm repo add'${note}`,
  );
}

function checkSchemes(dependencies: readonly ChartDependency[]): void {
  for (const { repository } of dependencies) {
    if (repository === '' || /^(oci|https?|file):\/\//.test(repository)) continue;
    const [scheme = ''] = repository.split(':');
    throw new ChartError('REPOSITORY', `could not find protocol handler for: ${scheme}`);
  }
}

/** The folder that a file:// repository means. It lies inside the tree, links followed, or it is refused. */
function localFolder(repository: string, { tree, path }: Place): string {
  const given = repository.slice('file://'.length);
  const folder = given.startsWith('/') ? undefined : resolvePath(path, given);
  const found = folder === undefined ? undefined : resolveLinks(tree, folder);
  if (found === undefined || found.kind === 'escape') {
    throw new ChartError(
      'REPOSITORY',
      `the repository ${repository} leads out of the folder that charts may be read from`,
    );
  }
  if (found.kind !== 'found' || tree.stat(found.path)?.kind !== 'directory') {
    throw new ChartError('REPOSITORY', `directory ${folder} not found`);
  }
  return found.path;
}

async function announce(dependencies: readonly ChartDependency[], work: Work): Promise<void> {
  const all = dependencies
    .map(({ repository }) => repository)
    .filter((url) => url !== '' && !/^(oci|file):/.test(url));
  if (all.length > 0 && !work.skipRefresh) {
    work.print('Getting updates for unmanaged Helm repositories...');
  }
  checkSchemes(dependencies);
  // Helm 3 fetches the index of a repository once for each of its charts.
  const remote = work.flavor === 3 ? all : [...new Set(all)];
  if (work.skipRefresh) return;
  for (const url of remote) {
    const [first] = dependencies.filter(({ repository }) => repository === url);
    try {
      await work.repository(url).resolve(first?.name ?? '', '>=0.0.0-0');
    } catch (error) {
      if (error instanceof ChartError && error.code !== 'CHART_NOT_FOUND') throw error;
    }
    work.print(`...Successfully got an update from the "${url}" chart repository`);
  }
}

async function resolveAll(
  asked: readonly ChartDependency[],
  work: Work,
): Promise<readonly ChartDependency[]> {
  const locked: ChartDependency[] = [];
  const missing: string[] = [];
  for (const dependency of asked) {
    const version = await resolveVersion(dependency, work);
    if (version === undefined) {
      const { name, repository } = dependency;
      const quoted = [repository, dependency.version].map((text) => JSON.stringify(text));
      missing.push(`${JSON.stringify(name)} (repository ${quoted[0]}, version ${quoted[1]})`);
    } else locked.push(lockedAt(dependency, version));
  }
  if (missing.length === 0) return locked;
  throw new ChartError(
    'CHART_NOT_FOUND',
    `can't get a valid version for ${missing.length} subchart(s): ${missing.join(', ')}. Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml`,
  );
}

function lockedAt({ name, repository }: ChartDependency, version: string): ChartDependency {
  return {
    name,
    repository,
    version,
    condition: '',
    tags: [],
    enabled: false,
    importValues: [],
    alias: '',
  };
}

async function resolveVersion(
  dependency: ChartDependency,
  work: Work,
): Promise<string | undefined> {
  const { name, repository, version } = dependency;
  const constraint = constraintOf(dependency);
  if (repository === '') {
    checkName(name);
    const folder = resolvePath(work.path, `charts/${name}`) ?? '';
    if (work.tree.stat(folder) === undefined) {
      throw new ChartError('REPOSITORY', `directory ${folder} not found`);
    }
    return version;
  }
  if (repository.startsWith('file://')) {
    const found = loadChart(work.tree, localFolder(repository, work)).metadata.version;
    return checkConstraint(constraint, parseVersion(found)) ? found : undefined;
  }
  const source = work.repository(repository);
  if (!(await source.has(name))) {
    throw new ChartError('CHART_NOT_FOUND', `${name} chart not found in repo ${repository}`);
  }
  try {
    return (await source.resolve(name, version)).version;
  } catch (error) {
    if (!(error instanceof ChartError) || error.code !== 'CHART_NOT_FOUND') throw error;
    // The original notices that a registry has no such version when it fetches it.
    return repository.startsWith('oci://') ? version : undefined;
  }
}

function constraintOf({ name, version }: ChartDependency) {
  try {
    return parseConstraint(version === '' ? '*' : version);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError(
      'CHART_VERSION',
      `dependency ${JSON.stringify(name)} has an invalid version/constraint format: ${reason}`,
      error,
    );
  }
}

/** A name that becomes part of a path. */
function checkName(name: string): void {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\\]/.test(name)) return;
  throw new ChartError('CHART_METADATA', `dependency name ${JSON.stringify(name)} is invalid`);
}

interface Fetched {
  readonly charts: ReadonlyMap<string, Uint8Array>;
  readonly locked: readonly ChartDependency[];
}

async function fetchAll(locked: readonly ChartDependency[], work: Work): Promise<Fetched> {
  work.print(`Saving ${locked.length} charts`);
  const charts = new Map<string, Uint8Array>();
  const kept: ChartDependency[] = [];
  const seen = new Set<string>();
  for (const dependency of locked) {
    const { name, repository, version } = dependency;
    if (repository === '') {
      kept.push(dependency);
      work.print(
        `Dependency ${name} did not declare a repository. Assuming it exists in the charts directory`,
      );
      checkPresent(dependency, work);
    } else if (repository.startsWith('file://')) {
      const chart = loadChart(work.tree, localFolder(repository, work));
      if (!checkConstraint(constraintOf(dependency), parseVersion(chart.metadata.version))) {
        throw new ChartError('CHART_NOT_FOUND', `can't get a valid version for dependency ${name}`);
      }
      charts.set(archiveName(chart), packChart(chart));
      kept.push({ ...dependency, version: chart.metadata.version });
    } else {
      kept.push(dependency);
      const key = `${repository} ${name} ${version}`;
      work.print(
        `${seen.has(key) ? 'Already downloaded' : 'Downloading'} ${name} from repo ${repository}`,
      );
      if (seen.has(key)) continue;
      seen.add(key);
      const bytes = await download(dependency, work);
      charts.set(archiveName(loadChartArchive(bytes)), bytes);
    }
  }
  work.print('Deleting outdated charts');
  return { charts, locked: kept };
}

async function download(dependency: ChartDependency, work: Work): Promise<Uint8Array> {
  const { name, repository, version } = dependency;
  const source = work.repository(repository);
  let place = `${repository.replace(/\/$/, '')}/${name}`;
  try {
    const found = await source.resolve(name, version);
    if (!repository.startsWith('oci://')) place = absoluteUrl(repository, found.urls[0] ?? '');
    const archive = await source.fetch(found);
    await verifyFetched({ source, found, archive }, work);
    return archive;
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    const reason =
      work.flavor === 3 ? error.message.replace(/^could not l/, 'Could not l') : error.message;
    const message = `could not download ${place}: ${reason}`;
    work.print(`Save error occurred:  ${message}`);
    throw new ChartError(error.code, message, error);
  }
}

interface FetchedChart {
  readonly source: ChartRepository;
  readonly found: ChartVersion;
  readonly archive: Uint8Array;
}

async function verifyFetched(
  { source, found, archive }: FetchedChart,
  { verify, print }: Work,
): Promise<void> {
  if (verify === undefined) return;
  let provenance: Uint8Array;
  try {
    provenance = await source.provenance(found);
  } catch (error) {
    if (verify.required) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    print(`WARNING: Verification not found for ${found.urls[0]}: ${reason}`);
    return;
  }
  const fileName = source.fileName(found);
  await verifyChart({ archive, fileName, provenance, keyring: verify.keyring });
}

/** Of the chart itself, whose name was checked when it was loaded: a repository cannot choose where it is written. */
function archiveName({ metadata }: Chart): string {
  const { name, version } = metadata;
  if (!isVersion(version)) throw new ChartError('CHART_METADATA', `version ${version} is invalid`);
  return `${name}-${version.replaceAll(/[/\\]/g, '')}.tgz`;
}

function checkPresent(dependency: ChartDependency, { tree, path }: Place): void {
  const { name, version } = dependency;
  checkName(name);
  const found = loadChart(tree, resolvePath(path, `charts/${name}`) ?? '').metadata.version;
  if (checkConstraint(constraintOf(dependency), parseVersion(found))) return;
  throw new ChartError(
    'CHART_VERSION',
    `dependency ${name} at version ${found} does not satisfy the constraint ${version}`,
  );
}

function outdatedIn({ charts, locked }: Fetched, { tree, path }: Place): readonly string[] {
  const folder = resolvePath(path, 'charts') ?? '';
  const local = new Set(locked.filter((one) => one.repository === '').map(({ name }) => name));
  return (tree.readDirectory(folder) ?? [])
    .map((entry) => entry.name)
    .filter((name) => name.endsWith('.tgz') && !charts.has(name))
    .filter((name) => {
      const bytes = tree.readFile(`${folder}/${name}`);
      try {
        return bytes !== undefined && !local.has(loadChartArchive(bytes).metadata.name);
      } catch {
        return false;
      }
    });
}
