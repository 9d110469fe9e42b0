/**
 * Reconciles HelmCharts: takes a chart from a HelmRepository, a GitRepository or a Bucket, packs it when its version, values or
 * dependencies ask for that, and keeps it as an artifact. Woken by the object, its source and its interval.
 */

import {
  type Artifact,
  type HelmChart,
  type HelmRepository,
  parseHelmChart,
  parseHelmRepository,
  REQUESTED_AT,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import {
  formatTime,
  isWatched,
  type NamedKey,
  parseDurationMs,
  reconcileDurations,
  setFinalizer,
  soundArtifact,
  writeStatus,
} from '@capstan/flux-controllers';
import {
  type Controller,
  createController,
  type ReconcileResult,
  StatusWrites,
} from '@capstan/kube-controller';
import { type ChartRepository, openRepository } from '@capstan/kube-helm';
import type { KubeObject } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import { CapstanError, messageOf } from '@capstan/lib-std';
import {
  BuildError,
  buildFromRepository,
  buildFromTree,
  type ChartBuild,
  summarizeBuild,
} from './build-chart.ts';
import { ChartSupply } from './chart-supply.ts';
import { mark, unmark, withStatus } from './conditions.ts';
import { isAsking, isNewSource, keyOf, keyText, requireParsed } from './control-state.ts';
import { artifactMarks, type HelmSourcePorts } from './helm-repository-controller.ts';
import { isRefusedLogin } from './refused-login.ts';
import { openAccess } from './repository-access.ts';
import {
  artifactOf,
  failed,
  hasFailed,
  type SourceFailure,
  succeeded,
} from './source-conditions.ts';
import { recordEvent } from './tell.ts';
import { verifierOf } from './verify-chart.ts';

export interface HelmChartPorts extends HelmSourcePorts {
  /** The files in a tar.gz archive. */
  readonly unpack: (bytes: Uint8Array) => Promise<FileTree>;
  readonly supply: ChartSupply;
}

const FIELD_MANAGER = 'source-controller';

export function createHelmChartController(given: Omit<HelmChartPorts, 'supply'>): {
  readonly controller: Controller<NamedKey>;
  start(): () => void;
} {
  const ports: HelmChartPorts = {
    ...given,
    supply: new ChartSupply(given.artifacts, given.runtime?.registry),
  };
  const { control } = ports;
  const statuses = new StatusWrites((key, options) => controller.enqueue(key, options));
  const controller = createController<NamedKey>({
    name: 'helmchart',
    reconcile: (key, { signal }) => reconcile(key, { ...ports, statuses }, signal),
    keyString: keyText,
    clock: ports.clock,
    ...reconcileDurations(
      'HelmChart',
      ports.runtime,
      (key) => control.find('HelmChart', key) !== undefined,
    ),
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    controller,
    start: () =>
      control.live.subscribe((change) => {
        const { group, kind, namespace, name } = change.key;
        if (group !== SOURCE_GROUP) return;
        if (kind === 'HelmChart') {
          if (isAsking(change)) controller.enqueue(change.key);
          else statuses.see(change);
          return;
        }
        if (!isNewSource(change)) return;
        for (const object of control.chartsOf({ kind, namespace, name }))
          controller.enqueue(keyOf(object), { reason: 'source' });
      }),
  };
}

async function reconcile(
  key: NamedKey,
  ports: HelmChartPorts & { readonly statuses: StatusWrites },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, control, artifacts, statuses } = ports;
  const object = control.find('HelmChart', key);
  if (object === undefined || !isWatched(object, ports.settings ?? {})) return { kind: 'settled' };
  const write = { client, fieldManager: FIELD_MANAGER, signal };
  if (object.metadata.deletionTimestamp !== undefined) {
    await artifacts.removeAll({ kind: 'HelmChart', ...key });
    await setFinalizer(object, false, write);
    return { kind: 'settled' };
  }
  const chart = requireParsed(parseHelmChart(object), object);
  const held = await setFinalizer(object, true, write);
  if (held !== undefined) control.live.observeWrite(held);
  if (chart.spec.suspend === true) return { kind: 'settled' };
  const before = held === undefined ? chart : requireParsed(parseHelmChart(held), held);
  const artifactNow = await soundArtifact(before, ports);
  const current = withStatus(before, { artifact: artifactNow } as Partial<HelmChart['status']>);
  const { next, failure, build } = await bring(current, ports, signal);
  const requested = current.metadata.annotations?.[REQUESTED_AT];
  const told = withStatus(next, {
    ...(requested === undefined ? {} : { lastHandledReconcileAt: requested }),
    ...(failure === undefined || failure.isStalled
      ? { observedGeneration: current.metadata.generation ?? 0 }
      : {}),
  });
  await statuses.write(key, control.live, () => writeStatus(held ?? object, told.status, write));
  tell(before, told, { failure, build, ports });
  const { artifact } = told.status;
  if (artifact !== undefined) await artifacts.collectGarbage(artifact);
  const recheckAfterMs = parseDurationMs(current.spec.interval, 'spec.interval');
  if (failure === undefined) return { kind: 'settled', recheckAfterMs };
  const { error } = failure;
  return failure.isStalled ? { kind: 'stalled', error } : { kind: 'retry', error };
}

interface Brought {
  readonly next: HelmChart;
  readonly failure?: SourceFailure;
  readonly build?: ChartBuild;
}

async function bring(
  given: HelmChart,
  ports: HelmChartPorts,
  signal: AbortSignal,
): Promise<Brought> {
  const { clock } = ports;
  let chart = given;
  try {
    const source = findSource(chart, ports);
    const artifact = artifactIn(source);
    if (artifact !== undefined)
      chart = withStatus(chart, { observedSourceArtifactRevision: artifact.revision });
    const build = await buildChart(chart, { source, artifact, ports, signal });
    const next = await store(chart, build, ports);
    const reason = build.isPackaged ? 'ChartPackageSucceeded' : 'ChartPullSucceeded';
    const message = summarizeBuild(build);
    const done = withVerdict(succeeded(next, { reason, message }, clock.now()), build, clock.now());
    return { next: done, build };
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error);
    let next = failed(chart, failure, clock.now());
    const isVerifier = failure.error.code === 'VERIFIER';
    if (isVerifier || failure.reason === 'ChartVerificationError') {
      const { message } = isVerifier ? failure.error : failure;
      const verdict = { reason: 'VerificationError', message };
      next = mark(next, { type: 'SourceVerified', status: 'False', ...verdict }, clock.now());
    } else if (isUnverified(chart)) next = unmark(next, 'SourceVerified');
    return { next, failure };
  }
}

/** A verdict stays while what it is about is looked at in vain; one that failed is told anew. */
function isUnverified({ spec, status }: HelmChart): boolean {
  const known = status.conditions?.find(({ type }) => type === 'SourceVerified');
  return spec.verify === undefined || known?.status === 'False';
}

function withVerdict(chart: HelmChart, build: ChartBuild, nowMs: number): HelmChart {
  if (chart.spec.verify === undefined || build.isVerified !== true) {
    return unmark(chart, 'SourceVerified');
  }
  const message = `verified signature of version ${build.version}`;
  const verdict = { type: 'SourceVerified', status: 'True', reason: 'Succeeded', message } as const;
  return mark(chart, verdict, nowMs);
}

const KINDS: readonly string[] = ['HelmRepository', 'GitRepository', 'Bucket'];

function findSource(chart: HelmChart, { control }: HelmChartPorts): KubeObject {
  const { kind, name } = chart.spec.sourceRef;
  if (!KINDS.includes(kind)) {
    throw new CapstanError(
      'SOURCE_KIND',
      `failed to get source: unsupported source kind '${kind}', must be one of: [${KINDS.join(' ')}]`,
      { kind: 'stalled' },
    );
  }
  const found = control.find(kind, { namespace: chart.metadata.namespace ?? '', name });
  if (found !== undefined) return found;
  throw new CapstanError(
    'SOURCE_MISSING',
    `failed to get source: ${kind}.source.toolkit.fluxcd.io "${name}" not found`,
    { kind: 'retry' },
  );
}

function artifactIn(source: KubeObject): Artifact | undefined {
  const status = source['status'];
  const artifact: unknown =
    typeof status === 'object' && status !== null ? Reflect.get(status, 'artifact') : undefined;
  return typeof artifact === 'object' && artifact !== null ? (artifact as Artifact) : undefined;
}

interface BuildInput {
  readonly source: KubeObject;
  readonly artifact: Artifact | undefined;
  readonly ports: HelmChartPorts;
  readonly signal: AbortSignal;
}

async function buildChart(chart: HelmChart, input: BuildInput): Promise<ChartBuild> {
  const { source, artifact, ports, signal } = input;
  const held = heldChart(chart);
  if (source.kind === 'HelmRepository') {
    const repository = requireParsed(parseHelmRepository(source), source);
    if (repository.spec.type !== 'oci' && artifact === undefined) throw noArtifact(chart);
    await using access = await openAccess(repository, { ...ports, signal });
    const opened = openIndexed(repository, { access, ports });
    const { url, type } = repository.spec;
    if (type === 'oci' && !url.startsWith('oci://')) {
      const message = `failed to construct Helm client: invalid OCI registry URL: ${url}`;
      throw new CapstanError('CLIENT', message, { kind: 'stalled' });
    }
    const verify = await verifierOf(chart, { url, access, ports, signal });
    return await authenticated(() =>
      buildFromRepository(opened, {
        chart,
        held,
        isOci: repository.spec.type === 'oci',
        check: (bytes) => ports.supply.check(bytes),
        ...(verify === undefined ? {} : { verify }),
      }),
    );
  }
  if (artifact === undefined) throw noArtifact(chart);
  const tree = await readSource(artifact, ports);
  if (tree === undefined) throw noArtifact(chart);
  await using opener = new DependencyOpener(chart.metadata.namespace ?? '', ports, signal);
  return await buildFromTree(tree, {
    chart,
    held,
    revision: artifact.revision,
    open: opener.open,
    fileBytesMax: ports.settings?.helmChartFileBytesMax,
  });
}

function heldChart({ status }: HelmChart) {
  const { artifact, observedChartName, observedValuesFiles } = status;
  if (artifact === undefined || observedChartName === undefined) return undefined;
  return {
    name: observedChartName,
    version: artifact.revision,
    valuesFiles: observedValuesFiles,
  };
}

function noArtifact({ spec }: HelmChart): CapstanError {
  const { kind, name } = spec.sourceRef;
  return new CapstanError(
    'NO_SOURCE_ARTIFACT',
    `no artifact available for ${kind} source '${name}'`,
    { kind: 'retry' },
  );
}

/** The repository with the index that is kept of it, so that nobody fetches it twice. */
function openIndexed(
  repository: HelmRepository,
  {
    access,
    ports,
  }: {
    readonly access: Awaited<ReturnType<typeof openAccess>>;
    readonly ports: HelmChartPorts;
  },
): ChartRepository {
  const { artifact } = repository.status;
  const { supply } = ports;
  const isIndexed = repository.spec.type !== 'oci' && artifact !== undefined;
  const opened = openRepository(repository.spec.url, {
    ...access.options,
    prefersNewest: true,
    ...(isIndexed ? { versionsOf: (name) => supply.versionsOf(repository, artifact, name) } : {}),
  });
  return {
    ...opened,
    fetch: (version) => supply.pull(repository, version, () => opened.fetch(version)),
  };
}

/** A refused login is one, wherever it shows. */
async function authenticated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isRefusedLogin(error)) throw error;
    const message = messageOf(error);
    throw new CapstanError('AUTH', `failed to authenticate with the Helm repository: ${message}`, {
      kind: 'retry',
      cause: error,
    });
  }
}

/** The files of a source's artifact; undefined while it is not there. */
async function readSource(
  artifact: Artifact,
  { artifacts, unpack }: HelmChartPorts,
): Promise<FileTree | undefined> {
  const bytes = await artifacts.read(artifacts.urlOf(artifact.path));
  return bytes && (await unpack(bytes));
}

/** Opens the repositories of dependencies: those that a HelmRepository of the namespace names with its access. */
class DependencyOpener implements AsyncDisposable {
  readonly #namespace: string;
  readonly #ports: HelmChartPorts;
  readonly #signal: AbortSignal;
  readonly #open: Promise<Awaited<ReturnType<typeof openAccess>>>[] = [];

  constructor(namespace: string, ports: HelmChartPorts, signal: AbortSignal) {
    this.#namespace = namespace;
    this.#ports = ports;
    this.#signal = signal;
  }

  readonly open = (url: string): ChartRepository => {
    const repository = this.#find(url);
    const access = openAccess(repository, { ...this.#ports, signal: this.#signal });
    // Told when the repository is used.
    access.catch(() => undefined);
    this.#open.push(access);
    const opened = access.then((one) =>
      openIndexed(repository, { access: one, ports: this.#ports }),
    );
    opened.catch(() => undefined);
    let ready: ChartRepository | undefined;
    const use = async (): Promise<ChartRepository> => {
      ready = await opened;
      return ready;
    };
    return {
      resolve: async (...args) => (await use()).resolve(...args),
      fetch: async (...args) => (await use()).fetch(...args),
      has: async (...args) => (await use()).has(...args),
      provenance: async (...args) => (await use()).provenance(...args),
      // Asked only of what was resolved before.
      fileName: (version) => ready?.fileName(version) ?? '',
    };
  };

  #find(url: string): HelmRepository {
    for (const object of this.#ports.control.list('HelmRepository', this.#namespace)) {
      const parsed = parseHelmRepository(object);
      if (parsed.kind === 'ok' && normalize(parsed.value.spec.url) === normalize(url)) {
        return parsed.value;
      }
    }
    const isOci = url.startsWith('oci://');
    return {
      apiVersion: `${SOURCE_GROUP}/v1`,
      kind: 'HelmRepository',
      metadata: { namespace: this.#namespace, name: '' },
      spec: { url, timeout: '60s', ...(isOci ? { type: 'oci' } : {}) },
      status: {},
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const result of await Promise.allSettled(this.#open)) {
      if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
    }
  }
}

function normalize(url: string): string {
  return url.startsWith('oci://') ? url.replace(/\/+$/, '') : `${url.replace(/\/+$/, '')}/`;
}

async function store(
  chart: HelmChart,
  build: ChartBuild,
  { artifacts, clock }: HelmChartPorts,
): Promise<HelmChart> {
  const { namespace = '', name = '' } = chart.metadata;
  const { artifact } = chart.status;
  const { bytes, version } = build;
  const observed: Partial<HelmChart['status']> =
    chart.spec.ignoreMissingValuesFiles === true && build.valuesFiles.length > 0
      ? { observedValuesFiles: build.valuesFiles }
      : {};
  const next = withStatus(unmark(chart, 'SourceVerified'), {
    observedChartName: build.name,
    observedValuesFiles: undefined,
    ...observed,
  } as Partial<HelmChart['status']>);
  // What is held already is it.
  if (bytes === undefined) return next;
  const fileName = `${build.name}-${version}.tgz`;
  const file = { kind: 'HelmChart', namespace, name, fileName };
  const stored = await artifacts.store(file, [bytes]);
  const made = artifactOf(artifact, { ...stored, revision: version }, formatTime(clock.now()));
  return withStatus(next, { artifact: made, url: await artifacts.linkLatest(file) });
}

const REASONS: Readonly<Record<string, string>> = {
  SOURCE_KIND: 'SourceUnavailable',
  SOURCE_MISSING: 'SourceUnavailable',
  NO_SOURCE_ARTIFACT: 'NoSourceArtifact',
  VERIFIER: 'VerificationError',
  AUTH: 'AuthenticationFailed',
  AUTH_SECRET: 'AuthenticationFailed',
};
const SOURCE_REASONS = ['SourceUnavailable', 'NoSourceArtifact'];
const BUILD_REASONS: readonly string[] = [
  'MetadataPatchError',
  'ValuesFilesError',
  'DependencyBuildError',
  'ChartPackageError',
  'ChartVerificationError',
];

function failureOf(error: unknown): SourceFailure {
  const problem =
    error instanceof CapstanError
      ? error
      : new CapstanError('INTERNAL', messageOf(error), { kind: 'retry', cause: error });
  const isStalled = problem.kind === 'stalled';
  const { message } = problem;
  const reason =
    problem instanceof BuildError ? problem.reason : (REASONS[problem.code] ?? 'Failed');
  if (problem instanceof BuildError || SOURCE_REASONS.includes(reason)) {
    const condition = BUILD_REASONS.includes(reason) ? 'BuildFailed' : 'FetchFailed';
    const told =
      problem.code === 'SOURCE_KIND' ? { reason: 'UnsupportedSourceKind', message } : undefined;
    return {
      ...{ condition, reason, message, isStalled, error: problem },
      ...(told === undefined ? {} : { told }),
    };
  }
  // What is no failure of the build itself is one of unknown reason to its condition.
  return {
    condition: 'FetchFailed',
    reason: 'Unknown',
    message: `unknown build error: ${message}`,
    told: { reason, message },
    isStalled,
    error: problem,
  };
}

/** New artifacts, recoveries, failures. */
function tell(
  before: HelmChart,
  after: HelmChart,
  of: {
    readonly failure: SourceFailure | undefined;
    readonly build: ChartBuild | undefined;
    readonly ports: HelmChartPorts;
  },
): void {
  const { failure, build } = of;
  const { events } = of.ports;
  if (failure !== undefined) {
    const { reason, message } = failure.told ?? failure;
    // That the source is not there yet is no news.
    const old = before.status.conditions?.find(({ type }) => type === 'Ready');
    if (reason === 'NoSourceArtifact' || old?.message === failure.message) return;
    recordEvent(events, after, { type: 'Warning', reason, message });
    return;
  }
  const { artifact } = after.status;
  if (artifact === undefined || build === undefined) return;
  const isNew = before.status.artifact?.digest !== artifact.digest;
  if (!isNew && !hasFailed(before)) return;
  recordEvent(events, after, {
    type: 'Normal',
    reason: build.isPackaged ? 'ChartPackageSucceeded' : 'ChartPullSucceeded',
    message: summarizeBuild(build),
    annotations: artifactMarks(artifact),
  });
}
