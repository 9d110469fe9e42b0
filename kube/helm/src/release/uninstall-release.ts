import type { KubeObject } from '@capstan/kube-object';
import { UNINSTALL_ORDER } from '../manifests.ts';
import { codeOf, type ReleasePorts, serverMessage } from './cluster-port.ts';
import { Operation, type OperationOptions, reasonOf } from './operation.ts';
import { recoverPending } from './recover.ts';
import type { Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { checkReleaseName } from './release-name.ts';
import { isKept, ownershipProblem, readObjects, refOf } from './release-objects.ts';
import { notFound, type ReleaseStore, releaseStore } from './release-store.ts';
import { runHooks, timeoutOf, timestamp } from './run-hooks.ts';
import { waitUntilGone } from './wait.ts';
import { deleteObjects } from './write-objects.ts';

export interface UninstallOptions extends OperationOptions {
  readonly namespace: string;
  readonly keepHistory?: boolean;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly ignoreNotFound?: boolean;
  readonly description?: string;
  readonly dryRun?: boolean;
}

export interface Uninstalled {
  readonly release: Release;
  /** What stays, and why, as the original prints it; '' when all was deleted. */
  readonly info: string;
}

/**
 * Deletes what a release holds, with its hooks, and its history unless that is kept (helm uninstall 4.3.1). What has the
 * annotation `helm.sh/resource-policy: keep` stays, and so does what is not the release's own. Undefined when there is no
 * such release and that is no error. What was left behind by a crash can always be uninstalled.
 */
export async function uninstallRelease(
  name: string,
  options: UninstallOptions,
  ports: ReleasePorts,
): Promise<Uninstalled | undefined> {
  checkReleaseName(name, () => `uninstall: Release name is invalid: ${name}`);
  const store = releaseStore(ports, options.storageNamespace ?? options.namespace);
  const history = await store.history(name);
  const last = history.at(-1);
  if (last === undefined) {
    if (options.ignoreNotFound === true) return undefined;
    throw new ReleaseError(
      'RELEASE_NOT_FOUND',
      `uninstall: Release not loaded: ${name}: ${notFound().message}`,
    );
  }
  if (options.dryRun === true) return { release: last.release, info: '' };
  const all = history.map(({ release }) => release);
  if (last.release.status === 'uninstalled') {
    return purgeUninstalled(last.release, all, { options, store });
  }
  const release = await recoverPending(last, options, { store, ports });
  return perform(release, all, { options, ports, store });
}

async function purgeUninstalled(
  release: Release,
  all: readonly Release[],
  { options, store }: { readonly options: UninstallOptions; readonly store: ReleaseStore },
): Promise<Uninstalled> {
  if (options.keepHistory === true) {
    throw new ReleaseError(
      'RELEASE_UNINSTALLED',
      `the release named "${release.name}" is already deleted`,
    );
  }
  await purge(all, store);
  return { release, info: '' };
}

async function purge(all: readonly Release[], store: ReleaseStore): Promise<void> {
  for (const revision of all) {
    try {
      await store.delete(revision);
    } catch (cause) {
      const message = `uninstall: Failed to purge the release: ${reasonOf(cause)}`;
      throw new ReleaseError('RELEASE_UNINSTALL', message, { kind: 'retry', cause });
    }
  }
}

interface Run {
  readonly options: UninstallOptions;
  readonly ports: ReleasePorts;
  readonly store: ReleaseStore;
}

async function perform(
  release: Release,
  all: readonly Release[],
  { options, ports, store }: Run,
): Promise<Uninstalled> {
  const operation = new Operation(release, { ports, store, signal: options.signal });
  operation.set({
    status: 'uninstalling',
    deleted: timestamp(ports),
    description: 'Deletion in progress (or silently failed)',
  });
  const run = { operation, options, ports, serverSide: true };
  const hooks = options.disableHooks !== true;
  if (hooks) await runHooks('pre-delete', run);
  await tryRecord(operation, ports);
  const recorded = operation.release;
  const { deleted, info } = await deleteOwned(release, { options, ports });
  const failures: string[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(reasonOf(error));
    }
  };
  if (options.wait === true) {
    const wait = { timeoutMs: timeoutOf(options), signal: operation.signal };
    await attempt(() => waitUntilGone(deleted, wait, ports));
  }
  if (hooks) await attempt(() => runHooks('post-delete', run));
  operation.set({
    status: 'uninstalled',
    description: options.description ?? 'Uninstallation complete',
  });
  if (options.keepHistory === true) await keepRecords(operation, all, { store, ports });
  else {
    const asStored = all.map((one) => (one.revision === recorded.revision ? recorded : one));
    await attempt(() => purge(asStored, store));
  }
  if (failures.length === 0) return { release: operation.release, info };
  throw new ReleaseError(
    'RELEASE_UNINSTALL',
    `uninstallation completed with ${failures.length} error(s): ${failures.join('; ')}`,
    { kind: 'retry', release: operation.release },
  );
}

/** As the original does: what cannot be written down is deleted all the same, unless another has taken the release over. */
async function tryRecord(operation: Operation, { warn }: ReleasePorts): Promise<void> {
  try {
    await operation.record();
  } catch (error) {
    if (codeOf(error) === 'RELEASE_LOST') throw error;
    warn?.(`uninstall: Failed to store updated release: ${reasonOf(error)}`);
  }
}

async function keepRecords(
  operation: Operation,
  all: readonly Release[],
  { store, ports }: Pick<Run, 'store' | 'ports'>,
): Promise<void> {
  await tryRecord(operation, ports);
  const { revision } = operation.release;
  const deployed = all.filter((one) => one.status === 'deployed' && one.revision !== revision);
  for (const one of deployed) await store.update({ ...one, status: 'superseded' });
}

interface Deletion {
  readonly deleted: readonly KubeObject[];
  readonly info: string;
}

async function deleteOwned(
  release: Release,
  { options, ports }: Pick<Run, 'options' | 'ports'>,
): Promise<Deletion> {
  const { cluster } = ports;
  const objects = inOrder(await readable(release, ports));
  const kept = objects.filter(isKept);
  const unowned: KubeObject[] = [];
  const unknown: string[] = [];
  const owned: KubeObject[] = [];
  for (const object of objects) {
    if (isKept(object) || object.metadata.name === undefined) continue;
    try {
      const live = await cluster.find(refOf(object));
      if (live === undefined) continue;
      (ownershipProblem(live, release) === '' ? owned : unowned).push(object);
    } catch (error) {
      unknown.push(`${label(object)}: ${serverMessage(error)}`);
    }
  }
  const failures = await deleteObjects(owned, options.propagation ?? 'Background', ports);
  if (failures.length > 0) {
    ports.warn?.(`failed to delete release ${release.name}: ${failures.join('; ')}`);
    throw new ReleaseError('RELEASE_UNINSTALL', `failed to delete release: ${release.name}`, {
      hint: failures.join('; '),
      kind: 'retry',
      release,
    });
  }
  return { deleted: owned, info: infoText({ kept, unowned, unknown }) };
}

/** Objects of kinds that the cluster no longer serves are gone with them. */
async function readable(release: Release, ports: ReleasePorts): Promise<readonly KubeObject[]> {
  try {
    return await readObjects(release.manifest, release.namespace, ports.cluster);
  } catch (error) {
    throw new ReleaseError('RELEASE_UNINSTALL', `failed to delete release: ${release.name}`, {
      cause: error,
      hint: reasonOf(error),
      release,
    });
  }
}

function inOrder(objects: readonly KubeObject[]): readonly KubeObject[] {
  const rank = ({ kind }: KubeObject): number => {
    const at = UNINSTALL_ORDER.indexOf(kind);
    return at < 0 ? UNINSTALL_ORDER.length : at;
  };
  return objects.toSorted((a, b) => rank(a) - rank(b));
}

function label({ kind, metadata }: KubeObject): string {
  return `[${kind}] ${metadata.name ?? ''}`;
}

function infoText(of: {
  readonly kept: readonly KubeObject[];
  readonly unowned: readonly KubeObject[];
  readonly unknown: readonly string[];
}): string {
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : [`${title}\n${lines.map((line) => `${line}\n`).join('')}`];
  const not = (count: number): string => `${count} resource(s) were not deleted because`;
  return [
    ...section('These resources were kept due to the resource policy:', of.kept.map(label)),
    ...section(
      `${not(of.unowned.length)} they are not owned by this release:`,
      of.unowned.map(label),
    ),
    ...section(`${not(of.unknown.length)} their ownership could not be verified:`, of.unknown),
  ].join('\n');
}
