/**
 * Makes the package of a HelmChart: the very bytes of a repository, or a chart packed anew with another version, other values
 * or its dependencies. Follows Flux's source-controller (builders of remote and local charts).
 */
import type { HelmChart } from '@capstan/flux-api';
import {
  type Chart,
  ChartError,
  type ChartRepository,
  type ChartVersion,
  chartYaml,
  loadChart,
  loadChartArchive,
  packChart,
  parseValues,
  type Values,
  valuesToJson,
} from '@capstan/kube-helm';
import { type FileTree, joinPath, resolveLinks } from '@capstan/lib-files';
import { parseVersion, SemverError } from '@capstan/lib-semver';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';
import { withDependencies } from './chart-dependencies.ts';

export interface ChartBuild {
  readonly name: string;
  readonly version: string;
  /** Undefined when what is held already is it. */
  readonly bytes: Uint8Array | undefined;
  readonly isPackaged: boolean;
  readonly valuesFiles: readonly string[];
  /** The signature of what it is made from was asked for, and counts. */
  readonly isVerified?: boolean;
}

/** What is held of an earlier build: nothing is built again while name and version stay and the spec is the same. */
export interface HeldChart {
  readonly name: string;
  readonly version: string;
  readonly valuesFiles: readonly string[] | undefined;
}

const REASONS = {
  InvalidChartReference: 'invalid chart reference',
  ChartPullError: 'chart pull error',
  MetadataPatchError: 'chart metadata patch error',
  ValuesFilesError: 'values files merge error',
  DependencyBuildError: 'dependency build error',
  ChartPackageError: 'chart package error',
  ChartVerificationError: 'chart verification error',
} as const;

export type BuildReason = keyof typeof REASONS;

/** A build that failed; `reason` is the original's. */
export class BuildError extends CapstanError {
  readonly reason: BuildReason;

  constructor(reason: BuildReason, problem: unknown) {
    const isLasting =
      reason === 'InvalidChartReference' ||
      reason === 'MetadataPatchError' ||
      reason === 'ValuesFilesError';
    super('CHART_BUILD', `${REASONS[reason]}: ${messageOf(problem)}`, {
      kind: isLasting ? 'stalled' : 'retry',
      cause: problem,
    });
    this.reason = reason;
  }
}

async function attempt<T>(reason: BuildReason, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof BuildError ? error : new BuildError(reason, error);
  }
}

interface BuildContext {
  readonly chart: HelmChart;
  readonly held: HeldChart | undefined;
}

/** A version bound to the digest that was looked at, so that nothing else is fetched in its place. */
export interface VerifiedVersion {
  readonly version: ChartVersion;
  /** False where the trust policy asks for no signature. */
  readonly isVerified: boolean;
}

const VALUES_FILE = 'values.yaml';
const FILE_BYTES_MAX = 5 * 1024 * 1024;
const NO_PACKAGE: ReadonlySet<string> = new Set([
  'CHART_VALUES',
  'CHART_SUBCHART',
  'CHART_LINK',
  'CHART_IGNORE',
  'CHART_LIMIT',
]);
const CHART_NAME = /^([-a-z0-9]+\/?\.?)+$/;

/** The chart's own values.yaml alone is no change. */
function changedValuesFiles({ spec }: HelmChart): readonly string[] {
  const files = spec.valuesFiles ?? [];
  return files.length === 1 && clean(files[0] ?? '') === VALUES_FILE ? [] : files;
}

function clean(path: string): string {
  return joinPath('', path.replace(/^\.\//, ''));
}

/** From a repository: the newest version that the constraint allows. */
export async function buildFromRepository(
  repository: ChartRepository,
  context: BuildContext & {
    readonly isOci: boolean;
    /** Throws what is wrong with a packed chart. */
    readonly check: (bytes: Uint8Array) => void;
    /** Throws when a version is not signed as the specification asks. */
    readonly verify?: (version: ChartVersion) => Promise<VerifiedVersion>;
  },
): Promise<ChartBuild> {
  const { spec } = context.chart;
  checkName(spec.chart);
  const found: ChartVersion = await attempt('InvalidChartReference', () =>
    resolve(repository, spec.chart, { version: spec.version ?? '', isOci: context.isOci }),
  );
  const { verify } = context;
  if (verify === undefined) return await buildVersion(repository, found, context);
  const { version, isVerified } = await attempt('ChartVerificationError', () => verify(found));
  return { ...(await buildVersion(repository, version, context)), isVerified };
}

async function buildVersion(
  repository: ChartRepository,
  found: ChartVersion,
  { chart, held, check }: BuildContext & { readonly check: (bytes: Uint8Array) => void },
): Promise<ChartBuild> {
  const { spec } = chart;
  const files = changedValuesFiles(chart);
  const build = files.length > 0 ? String(chart.metadata.generation ?? 0) : '';
  const version = withBuild(found.version, build);
  const known = heldBuild({ chart, held }, { name: found.name, version, files });
  if (known !== undefined) return { ...known, isPackaged: build !== '' };
  const bytes = await attempt('ChartPullError', async () => {
    try {
      return await repository.fetch(found);
    } catch (error) {
      throw new CapstanError(
        'CHART_PULL',
        `failed to download chart for remote reference: ${messageOf(error)}`,
        { cause: error },
      );
    }
  });
  if (build === '') {
    await attempt('ChartPullError', () => check(bytes));
    return { name: found.name, version, bytes, isPackaged: false, valuesFiles: [] };
  }
  const loaded = await attempt('ChartPackageError', () => loadChartArchive(bytes));
  const merged = await attempt('ValuesFilesError', () =>
    mergeValues(files, { ignoresMissing: spec.ignoreMissingValuesFiles === true }, (path) =>
      readFromChart(loaded, path),
    ),
  ).catch((error: unknown) => {
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError(
      'ValuesFilesError',
      new Error(`failed to merge chart values: ${messageOf(error.cause)}`),
    );
  });
  const changed = withValues(withVersion(loaded, version), merged.values);
  return {
    name: found.name,
    version,
    bytes: packChart(changed),
    isPackaged: true,
    valuesFiles: merged.files,
  };
}

function checkName(name: string): void {
  if (CHART_NAME.test(name)) return;
  throw new BuildError(
    'InvalidChartReference',
    new Error(
      `invalid chart name '${name}': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)`,
    ),
  );
}

/** What is wrong with the reference lasts; a registry's answers do not. */
async function resolve(
  repository: ChartRepository,
  name: string,
  { version, isOci }: { readonly version: string; readonly isOci: boolean },
): Promise<ChartVersion> {
  const prefix = 'failed to get chart version for remote reference';
  try {
    return await repository.resolve(name, version === '*' ? '' : version);
  } catch (error) {
    const message = messageOf(error);
    const isMissing = error instanceof CapstanError && error.code === 'CHART_NOT_FOUND';
    if (isOci || !(isMissing || error instanceof SemverError)) {
      throw new BuildError('ChartPullError', new Error(`${prefix}: ${message}`));
    }
    const isVersion = isMissing && / not found in /.test(message);
    throw new Error(
      `${prefix}: ${isVersion ? `no '${name}' chart with version matching '${version}' found` : message}`,
    );
  }
}

export interface LocalContext extends BuildContext {
  /** Of the source: a part of it becomes part of the version when the strategy is to follow revisions. */
  readonly revision: string;
  /** Opens the repository of a dependency. */
  readonly open: (url: string) => ChartRepository;
  /** Of each file of a folder; 5 MiB when absent. */
  readonly fileBytesMax?: number | undefined;
}

/** From a folder, or a package, of a tree. */
export async function buildFromTree(tree: FileTree, context: LocalContext): Promise<ChartBuild> {
  const { chart } = context;
  const { spec } = chart;
  const place = await attempt('InvalidChartReference', () => placeOf(tree, spec.chart));
  const { fileBytesMax = FILE_BYTES_MAX } = context;
  const loaded = await load(() =>
    place.isFolder
      ? loadChart(tree, place.path, { fileBytesMax })
      : loadChartArchive(bytesOf(tree, place.path)),
  );
  const files = changedValuesFiles(chart);
  const build = [
    spec.reconcileStrategy === 'Revision' ? shortRevision(context.revision) : '',
    files.length > 0 ? String(chart.metadata.generation ?? 0) : '',
  ]
    .filter((part) => part !== '')
    .join('.');
  const { name } = loaded.metadata;
  const version = withBuild(loaded.metadata.version, build);
  const isPackaged = place.isFolder || build !== '' || files.length > 0;
  const known = heldBuild(context, { name, version, files });
  if (known !== undefined) return { ...known, isPackaged };
  if (!isPackaged) {
    return { name, version, bytes: bytesOf(tree, place.path), isPackaged, valuesFiles: [] };
  }
  const merged = await attempt('ValuesFilesError', () =>
    mergeValues(
      files,
      { ignoresMissing: spec.ignoreMissingValuesFiles === true, isOfTree: true },
      (path) => readFromTree(tree, path),
    ),
  );
  const changed = withValues(withVersion(loaded, version), merged.values);
  const complete = place.isFolder
    ? await attempt('DependencyBuildError', () =>
        withDependencies(changed, { tree, path: place.path, open: context.open }),
      )
    : changed;
  const bytes = await attempt('ChartPackageError', () => packChart(complete));
  return { name, version, bytes, isPackaged, valuesFiles: merged.files };
}

/** What is wrong with the metadata makes no chart; with the rest, no package. */
async function load(run: () => Chart): Promise<Chart> {
  try {
    return run();
  } catch (error) {
    const isPackage = error instanceof ChartError && NO_PACKAGE.has(error.code);
    throw new BuildError(isPackage ? 'ChartPackageError' : 'InvalidChartReference', error);
  }
}

/** Links that lead out of the tree are refused. */
function placeOf(
  tree: FileTree,
  given: string,
): { readonly path: string; readonly isFolder: boolean } {
  const found = resolveLinks(tree, clean(given));
  if (found.kind !== 'found') throw new Error(`no chart found at path '${given}'`);
  const kind = tree.stat(found.path)?.kind;
  if (kind === undefined) throw new Error(`no chart found at path '${given}'`);
  return { path: found.path, isFolder: kind === 'directory' };
}

function bytesOf(tree: FileTree, path: string): Uint8Array {
  const bytes = tree.readFile(path);
  if (bytes === undefined) throw new Error(`cannot read ${path}`);
  return bytes;
}

/** Twelve digits of the commit or digest. */
function shortRevision(revision: string): string {
  return revision.slice(revision.lastIndexOf(':') + 1).slice(0, 12);
}

function withBuild(version: string, build: string): string {
  if (build === '') return version;
  try {
    const { major, minor, patch, prerelease } = parseVersion(version);
    const before = prerelease === '' ? '' : `-${prerelease}`;
    return `${major}.${minor}.${patch}${before}+${build}`;
  } catch (error) {
    throw new BuildError(
      'MetadataPatchError',
      new Error(`failed to parse version from chart metadata as SemVer: ${messageOf(error)}`),
    );
  }
}

function heldBuild(
  { chart, held }: BuildContext,
  wanted: { readonly name: string; readonly version: string; readonly files: readonly string[] },
): Omit<ChartBuild, 'isPackaged'> | undefined {
  const isForced = chart.metadata.generation !== chart.status.observedGeneration;
  const { name, version, files } = wanted;
  if (isForced || held?.name !== name || held.version !== version) return undefined;
  return { name, version, bytes: undefined, valuesFiles: held.valuesFiles ?? files };
}

function withVersion(chart: Chart, version: string): Chart {
  if (chart.metadata.version === version) return chart;
  const metadata = { ...chart.metadata, version };
  return withFile({ ...chart, metadata }, 'Chart.yaml', chartYaml(metadata));
}

function withValues(chart: Chart, values: Values | undefined): Chart {
  if (values === undefined) return chart;
  if (!chart.raw.some(({ name }) => name === VALUES_FILE)) {
    throw new BuildError(
      'ValuesFilesError',
      new Error(`failed to locate values file: ${VALUES_FILE}`),
    );
  }
  const plain = valuesToJson(values);
  const text = Object.keys(plain).length === 0 ? '' : toYaml(plain);
  return withFile({ ...chart, values }, VALUES_FILE, text);
}

function withFile(chart: Chart, name: string, text: string): Chart {
  const data = new TextEncoder().encode(text);
  const known = chart.raw.some((file) => file.name === name);
  const raw = known
    ? chart.raw.map((file) => (file.name === name ? { name, data } : file))
    : [...chart.raw, { name, data }];
  return { ...chart, raw };
}

interface Merged {
  readonly values: Values | undefined;
  readonly files: readonly string[];
}

function mergeValues(
  paths: readonly string[],
  {
    ignoresMissing,
    isOfTree = false,
  }: { readonly ignoresMissing: boolean; readonly isOfTree?: boolean },
  read: (path: string) => Values | undefined,
): Merged {
  if (paths.length === 0) return { values: undefined, files: [] };
  let values: Values = {};
  const files: string[] = [];
  for (const path of paths) {
    const own = read(path);
    if (own === undefined) {
      if (ignoresMissing) continue;
      throw new Error(
        isOfTree
          ? `no values file found at path '/${clean(path)}' (reference '${path}')`
          : `no values file found at path '${path}'`,
      );
    }
    values = mergeTables(values, own);
    files.push(path);
  }
  return { values, files };
}

function mergeTables(a: Values, b: Values): Values {
  const out: Values = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const known = out[key];
    out[key] = isTable(known) && isTable(value) ? mergeTables(known, value) : value;
  }
  return out;
}

function isTable(value: unknown): value is Values {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function readFromChart(chart: Chart, path: string): Values | undefined {
  const name = clean(path);
  if (name === VALUES_FILE) return structuredClone(chart.values);
  const file = chart.raw.find((one) => one.name === name);
  return file && parseFile(path, file.data);
}

function readFromTree(tree: FileTree, path: string): Values | undefined {
  const found = resolveLinks(tree, clean(path));
  const data = found.kind === 'found' ? tree.readFile(found.path) : undefined;
  return data && parseFile(path, data);
}

function parseFile(path: string, data: Uint8Array): Values {
  try {
    return parseValues(new TextDecoder().decode(data));
  } catch (error) {
    throw new Error(`unmarshaling values from '${path}' failed: ${messageOf(error)}`);
  }
}

/** What was built, for a person. */
export function summarizeBuild({ name, version, isPackaged, valuesFiles }: ChartBuild): string {
  const action = isPackaged ? 'packaged' : 'pulled';
  const merged =
    valuesFiles.length === 0 ? '' : ` and merged values files [${valuesFiles.join(' ')}]`;
  return `${action} '${name}' chart with version '${version}'${merged}`;
}
