import type { KubeObject } from '@capstan/kube-object';
import type { Chart, Values } from '../chart.ts';
import { coalesceTables, coalesceValues } from '../values.ts';
import { chartToRecord, recordedDefaults, valuesToJson } from './chart-record.ts';
import { codeOf, type ReleasePorts } from './cluster-port.ts';
import { explain } from './explain.ts';
import { lastDeployed, makeRoom } from './history-limit.ts';
import { type CrdPolicy, installCrds } from './install-crds.ts';
import { type InstallOptions, installRelease } from './install-release.ts';
import { Operation, reasonOf } from './operation.ts';
import { recoverPending } from './recover.ts';
import type { Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { checkReleaseName } from './release-name.ts';
import { findExisting, identityOf, markOwned, readObjects } from './release-objects.ts';
import { checkLabels, type ReleaseStore, releaseStore } from './release-store.ts';
import { releaseHooks, renderRelease } from './render-release.ts';
import { rollbackRelease } from './rollback-release.ts';
import { runHooks, timeoutOf, timestamp } from './run-hooks.ts';
import { waitUntilReady } from './wait.ts';
import { deleteObjects, updateObjects, type Written } from './write-objects.ts';

export interface UpgradeOptions extends Omit<InstallOptions, 'replace' | 'crds'> {
  /** Installs the release when there is none (--install). */
  readonly install?: boolean;
  /**
   * What becomes of the last revision's values: `reset` forgets them, `reuse` lays the new ones over them and over the
   * old chart's defaults, `reset-then-reuse` takes the new chart's defaults. Without any, they are kept when no new ones
   * are given.
   */
  readonly oldValues?: 'reset' | 'reuse' | 'reset-then-reuse';
  /** Deletes what a failed upgrade had newly created. */
  readonly cleanupOnFail?: boolean;
  /** Helm never touches CRDs on an upgrade, which is `skip`. */
  readonly crds?: CrdPolicy;
}

/**
 * Brings a release to a chart and values (helm upgrade 4.3.1). Applied on the server's side when the last revision was, unless
 * said otherwise. A pending revision whose owner is gone is recovered first.
 */
export async function upgradeRelease(
  chart: Chart,
  values: Values,
  options: UpgradeOptions,
  ports: ReleasePorts,
): Promise<Release> {
  const { name } = options;
  checkReleaseName(name, () => `release name is invalid: ${name}`);
  checkLabels(options.labels ?? {});
  const store = releaseStore(ports, options.storageNamespace ?? options.namespace);
  const history = await store.history(name);
  const newest = history.at(-1);
  if (options.install === true && (newest === undefined || isUninstalled(newest.release))) {
    const { crds = 'create' } = options;
    return installRelease(chart, values, { ...options, crds, replace: true }, ports);
  }
  if (newest === undefined) throw noDeployed(name);
  const last = await recoverPending(newest, options, { store, ports });
  const current = currentOf(
    name,
    last,
    history.map(({ release }) => release),
  );
  if (options.dryRun !== true) {
    await installCrds(chart, values, { policy: options.crds ?? 'skip', options }, ports);
  }
  const prepared = await prepare(chart, values, { options, last, current }, ports);
  if (options.dryRun === true) {
    return { ...prepared.release, description: options.description ?? 'Dry run complete' };
  }
  await makeRoom(name, options.maxHistory ?? 0, store);
  const operation = new Operation(prepared.release, { ports, store, signal: options.signal });
  await operation.begin();
  return perform(prepared, { operation, options, ports, store, current });
}

function isUninstalled({ status }: Release): boolean {
  return status === 'uninstalled';
}

function noDeployed(name: string): ReleaseError {
  return new ReleaseError('RELEASE_NOT_DEPLOYED', `"${name}" has no deployed releases`, {
    hint: 'install it first, or upgrade with --install',
  });
}

/** The revision that the cluster holds: the last deployed, or the last at all when none ever was. */
function currentOf(name: string, last: Release, history: readonly Release[]): Release {
  if (last.status === 'deployed') return last;
  const deployed = lastDeployed(history);
  if (deployed !== undefined) return deployed;
  if (last.status === 'failed' || last.status === 'superseded') return last;
  throw noDeployed(name);
}

interface Prepared {
  readonly release: Release;
  readonly serverSide: boolean;
  readonly originals: readonly KubeObject[];
  readonly targets: readonly KubeObject[];
}

interface Between {
  readonly options: UpgradeOptions;
  readonly last: Release;
  readonly current: Release;
}

async function prepare(
  chart: Chart,
  values: Values,
  { options, last, current }: Between,
  ports: ReleasePorts,
): Promise<Prepared> {
  const { name } = options;
  const { namespace } = current;
  const revision = last.revision + 1;
  const chosen = chooseValues(chart, values, current, options);
  const { rendered, manifest } = await renderRelease(
    chosen.chart,
    chosen.values,
    { ...options, release: { name, namespace, revision, isUpgrade: true } },
    ports,
  );
  const serverSide = options.serverSideApply ?? last.applyMethod === 'ssa';
  const release: Release = {
    name,
    namespace,
    revision,
    status: 'pending-upgrade',
    description: 'Preparing upgrade',
    firstDeployed: current.firstDeployed,
    lastDeployed: timestamp(ports),
    deleted: '',
    notes: rendered.notes,
    rollbackRevision: 0,
    chart: chartToRecord(rendered.chart),
    config: valuesToJson(chosen.values),
    manifest,
    hooks: releaseHooks(rendered),
    applyMethod: serverSide ? 'ssa' : 'csa',
    labels: mergeLabels(last.labels, options.labels ?? {}),
  };
  const { originals, targets } = await diffObjects(release, current, options, ports);
  return { release, serverSide, originals, targets };
}

/** A label of the value `null` is taken away. */
function mergeLabels(old: Release['labels'], given: Release['labels']): Release['labels'] {
  const merged = Object.entries({ ...old, ...given });
  return Object.fromEntries(merged.filter(([, value]) => value !== 'null'));
}

function chooseValues(
  chart: Chart,
  values: Values,
  current: Release,
  { oldValues, flavor = 4 }: UpgradeOptions,
): { readonly chart: Chart; readonly values: Values } {
  const old = structuredClone(current.config) as Values;
  if (oldValues === 'reset') return { chart, values };
  if (oldValues === 'reset-then-reuse') return { chart, values: coalesceTables(values, old) };
  if (oldValues === 'reuse') {
    const recorded = { ...chart, values: recordedDefaults(current.chart), dependencies: [] };
    const defaults = coalesceValues(recorded, old, { flavor });
    return { chart: { ...chart, values: defaults }, values: coalesceTables(values, old) };
  }
  return Object.keys(values).length === 0 ? { chart, values: old } : { chart, values };
}

async function diffObjects(
  release: Release,
  current: Release,
  options: UpgradeOptions,
  ports: ReleasePorts,
): Promise<Pick<Prepared, 'originals' | 'targets'>> {
  const { cluster } = ports;
  const { name, namespace } = release;
  const originals = await explain(
    'unable to build kubernetes objects from current release manifest',
    () => readObjects(current.manifest, namespace, cluster),
  );
  const wanted = await explain('unable to build kubernetes objects from new release manifest', () =>
    readObjects(release.manifest, namespace, cluster),
  );
  const targets = wanted.map((object) => markOwned(object, release));
  const known = new Set(originals.map(identityOf));
  const created = targets.filter((object) => !known.has(identityOf(object)));
  const owner = { name, namespace, takeOwnership: options.takeOwnership ?? false };
  const adopted = await explain('unable to continue with update', () =>
    findExisting(created, owner, cluster),
  );
  return { originals: [...originals, ...adopted], targets };
}

interface Run {
  readonly operation: Operation;
  readonly options: UpgradeOptions;
  readonly ports: ReleasePorts;
  readonly store: ReleaseStore;
  readonly current: Release;
}

async function perform(prepared: Prepared, run: Run): Promise<Release> {
  const { operation, options, store, current } = run;
  const written: Written = { created: [] };
  try {
    await release(prepared, written, run);
  } catch (error) {
    await operation.end();
    throw await failUpgrade(error, written, run);
  }
  await operation.end();
  await store.update({ ...current, status: 'superseded' });
  operation.set({ status: 'deployed', description: options.description ?? 'Upgrade complete' });
  await operation.record();
  return operation.release;
}

async function release(
  { originals, targets, serverSide }: Prepared,
  written: Written,
  { operation, options, ports, current }: Run,
): Promise<void> {
  const { signal } = operation;
  const run = { operation, options, ports, serverSide };
  const hooks = options.disableHooks !== true;
  if (hooks) await explain('pre-upgrade hooks failed', () => runHooks('pre-upgrade', run));
  const migrate = serverSide && current.applyMethod !== 'ssa';
  const mode = { ...options, signal, serverSide, migrate };
  await updateObjects({ originals, targets }, mode, { ports, written });
  if (options.wait === true || options.waitForJobs === true || options.rollbackOnFailure === true) {
    const jobs = options.waitForJobs ?? false;
    await waitUntilReady(targets, { timeoutMs: timeoutOf(options), signal, jobs }, ports);
  }
  if (hooks) await explain('post-upgrade hooks failed', () => runHooks('post-upgrade', run));
}

async function failUpgrade(error: unknown, written: Written, run: Run): Promise<ReleaseError> {
  const { operation, options, ports, store } = run;
  if (codeOf(error) === 'RELEASE_LOST') return error as ReleaseError;
  const { name } = options;
  const reason = reasonOf(error);
  const fail = (message: string): ReleaseError =>
    new ReleaseError('RELEASE_UPGRADE', message, {
      cause: error,
      kind: 'retry',
      release: operation.release,
    });
  operation.set({ status: 'failed', description: `Upgrade "${name}" failed: ${reason}` });
  await operation.record();
  if (options.cleanupOnFail === true && written.created.length > 0) {
    const failures = await deleteObjects(written.created, 'Background', ports);
    if (failures.length > 0) {
      return fail(
        `an error occurred while cleaning up resources. original upgrade error: ${reason}: unable to cleanup resources: ${failures.join(', ')}`,
      );
    }
  }
  if (options.rollbackOnFailure !== true) return fail(reason);
  return fail(await rollBack(reason, { options, ports, store }));
}

async function rollBack(
  reason: string,
  { options, ports, store }: Pick<Run, 'options' | 'ports' | 'store'>,
): Promise<string> {
  const { name } = options;
  const good = (await store.history(name)).findLast(
    ({ release: { status } }) => status === 'superseded' || status === 'deployed',
  );
  if (good === undefined) {
    return `unable to find a previously successful release when attempting to rollback. original upgrade error: ${reason}`;
  }
  const { signal: _ended, description: _own, dryRun: _never, ...rest } = options;
  try {
    await rollbackRelease(name, { ...rest, revision: good.release.revision, wait: true }, ports);
  } catch (error) {
    return `an error occurred while rolling back the release. original upgrade error: ${reason}: ${reasonOf(error)}`;
  }
  return `release ${name} failed, and has been rolled back due to rollback-on-failure being set: ${reason}`;
}
