import type { KubeObject } from '@capstan/kube-object';
import type { Chart, Values } from '../chart.ts';
import { chartToRecord, valuesToJson } from './chart-record.ts';
import { codeOf, type ReleasePorts } from './cluster-port.ts';
import { explain } from './explain.ts';
import { makeRoom } from './history-limit.ts';
import { type CrdOptions, type CrdPolicy, installCrds } from './install-crds.ts';
import { Operation, reasonOf } from './operation.ts';
import { type InstallPlan, planInstall } from './plan-install.ts';
import { recoverPending } from './recover.ts';
import type { Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { checkReleaseName } from './release-name.ts';
import { checkLabels, type ReleaseStore, releaseStore } from './release-store.ts';
import { type RenderReleaseOptions, releaseHooks, renderRelease } from './render-release.ts';
import { runHooks, timeoutOf, timestamp } from './run-hooks.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { waitUntilReady } from './wait.ts';
import { createObjects, updateObjects } from './write-objects.ts';

export interface InstallOptions extends CrdOptions, RenderReleaseOptions {
  readonly name: string;
  readonly namespace: string;
  /** True, as Helm 4; false creates and merges on the client's side, as Helm 3. */
  readonly serverSideApply?: boolean;
  readonly createNamespace?: boolean;
  readonly crds?: CrdPolicy;
  readonly description?: string;
  readonly labels?: Release['labels'];
  /** Objects that others own become the release's. */
  readonly takeOwnership?: boolean;
  /** Uses a name again whose last revision failed or was uninstalled. */
  readonly replace?: boolean;
  /** Uninstalls what a failed install left (--rollback-on-failure, formerly --atomic). Waits, too. */
  readonly rollbackOnFailure?: boolean;
  readonly maxHistory?: number;
  /** Renders and checks against the cluster, writes nothing. */
  readonly dryRun?: boolean;
}

/**
 * Installs a chart as a release (helm install 4.3.1). Gives the deployed revision; throws ReleaseError with the failed one. A
 * pending revision whose owner is gone is recovered and installed over.
 */
export async function installRelease(
  chart: Chart,
  values: Values,
  options: InstallOptions,
  ports: ReleasePorts,
): Promise<Release> {
  checkInstall(options);
  const store = releaseStore(ports, options.storageNamespace ?? options.namespace);
  const previous = await takeName(options, { store, ports });
  if (options.dryRun !== true) {
    await installCrds(chart, values, { policy: options.crds ?? 'create', options }, ports);
  }
  const { release, objects, adopted } = await prepare(chart, values, { options, previous }, ports);
  if (options.dryRun === true) return { ...release, description: 'Dry run complete' };
  if (options.createNamespace === true) await createNamespace(options, ports);
  if (previous !== undefined) await supersede(previous, store);
  await makeRoom(options.name, options.maxHistory ?? 0, store);
  const operation = new Operation(release, { ports, store, signal: options.signal });
  await operation.begin();
  try {
    await perform({ objects, adopted }, { operation, options, ports });
  } catch (error) {
    await operation.end();
    throw await failInstall(error, { operation, options, ports, store });
  }
  await operation.end();
  operation.set({ status: 'deployed', description: options.description ?? 'Install complete' });
  await operation.record();
  return operation.release;
}

function checkInstall({ name, labels }: InstallOptions): void {
  const prefix = `release name check failed: release name ${JSON.stringify(name)}`;
  checkReleaseName(name, (problem) => `${prefix}: ${problem}`);
  checkLabels(labels ?? {});
}

/** The last revision of the name, when it may be installed over; undefined when the name is free. */
async function takeName(
  options: InstallOptions,
  { store, ports }: { readonly store: ReleaseStore; readonly ports: ReleasePorts },
): Promise<Release | undefined> {
  const last = (await store.history(options.name)).at(-1);
  if (last === undefined || options.dryRun === true) return undefined;
  const release = await recoverPending(last, options, { store, ports });
  const recovered = release !== last.release && last.release.status === 'pending-install';
  const ended = release.status === 'uninstalled' || release.status === 'failed';
  if (recovered || (options.replace === true && ended)) return release;
  throw new ReleaseError(
    'RELEASE_NAME_TAKEN',
    'release name check failed: cannot reuse a name that is still in use',
    { hint: `upgrade it instead, or see helm status ${options.name} -n ${options.namespace}` },
  );
}

interface Prepared extends InstallPlan {
  readonly release: Release;
}

async function prepare(
  chart: Chart,
  values: Values,
  of: { readonly options: InstallOptions; readonly previous: Release | undefined },
  ports: ReleasePorts,
): Promise<Prepared> {
  const { options, previous } = of;
  const { name, namespace } = options;
  const { rendered, manifest } = await renderRelease(
    chart,
    values,
    { ...options, release: { name, namespace, revision: 1 } },
    ports,
  );
  const now = timestamp(ports);
  const release: Release = {
    name,
    namespace,
    revision: (previous?.revision ?? 0) + 1,
    status: 'pending-install',
    description: 'Initial install underway',
    firstDeployed: now,
    lastDeployed: now,
    deleted: '',
    notes: rendered.notes,
    rollbackRevision: 0,
    chart: chartToRecord(rendered.chart),
    config: valuesToJson(values),
    manifest,
    hooks: releaseHooks(rendered),
    applyMethod: isServerSide(options) ? 'ssa' : 'csa',
    labels: options.labels ?? {},
  };
  return { release, ...(await planInstall(manifest, options, ports.cluster)) };
}

function isServerSide({ serverSideApply, flavor }: InstallOptions): boolean {
  return serverSideApply ?? flavor !== 3;
}

async function createNamespace(options: InstallOptions, { cluster }: ReleasePorts): Promise<void> {
  const { namespace: name } = options;
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { name } },
  };
  if ((await cluster.find({ apiVersion: 'v1', kind: 'Namespace', name })) !== undefined) return;
  try {
    await cluster.create(object, { fieldManager: options.fieldManager ?? 'helm' });
  } catch (error) {
    if (codeOf(error) !== 'ALREADY_EXISTS') throw error;
  }
}

/** A failed revision stays one. */
async function supersede(previous: Release, store: ReleaseStore): Promise<void> {
  if (previous.status === 'failed') return;
  const description = 'superseded by new release';
  await store.update({ ...previous, status: 'superseded', description });
}

interface Performance {
  readonly operation: Operation;
  readonly options: InstallOptions;
  readonly ports: ReleasePorts;
}

async function perform(
  { objects, adopted }: Pick<Prepared, 'objects' | 'adopted'>,
  { operation, options, ports }: Performance,
): Promise<void> {
  const { signal } = operation;
  const serverSide = isServerSide(options);
  const run = { operation, options, ports, serverSide };
  const hooks = options.disableHooks !== true;
  if (hooks) await explain('failed pre-install', () => runHooks('pre-install', run));
  const mode = { ...options, signal, serverSide, migrate: true };
  if (adopted.length === 0) await createObjects(objects, mode, ports);
  else {
    const written = { created: [] };
    await updateObjects({ originals: adopted, targets: objects }, mode, { ports, written });
  }
  if (options.wait === true || options.waitForJobs === true || options.rollbackOnFailure === true) {
    const jobs = options.waitForJobs ?? false;
    await waitUntilReady(objects, { timeoutMs: timeoutOf(options), signal, jobs }, ports);
  }
  if (hooks) await explain('failed post-install', () => runHooks('post-install', run));
}

async function failInstall(
  error: unknown,
  of: Performance & { readonly store: ReleaseStore },
): Promise<ReleaseError> {
  const { operation, options, ports } = of;
  if (codeOf(error) === 'RELEASE_LOST') return error as ReleaseError;
  const { name } = options;
  const reason = reasonOf(error);
  const fail = (message: string): ReleaseError =>
    new ReleaseError('RELEASE_INSTALL', message, {
      cause: error,
      kind: 'retry',
      release: operation.release,
    });
  operation.set({ status: 'failed', description: `Release "${name}" failed: ${reason}` });
  await operation.record();
  if (options.rollbackOnFailure !== true) return fail(reason);
  const { signal: _ended, ...rest } = options;
  try {
    await uninstallRelease(name, { ...rest, wait: true }, ports);
  } catch (failure) {
    return fail(
      `an error occurred while uninstalling the release. original install error: ${reason}: ${reasonOf(failure)}`,
    );
  }
  return fail(
    `release ${name} failed, and has been uninstalled due to rollback-on-failure being set: ${reason}`,
  );
}
