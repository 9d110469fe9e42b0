import { codeOf, type ReleasePorts } from './cluster-port.ts';
import { explain } from './explain.ts';
import { makeRoom } from './history-limit.ts';
import { Operation, type OperationOptions, reasonOf } from './operation.ts';
import { recoverPending } from './recover.ts';
import type { Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { checkReleaseName } from './release-name.ts';
import { markOwned, readObjects } from './release-objects.ts';
import { notFound, type ReleaseStore, releaseStore } from './release-store.ts';
import { runHooks, timeoutOf, timestamp } from './run-hooks.ts';
import { waitUntilReady } from './wait.ts';
import { deleteObjects, updateObjects, type Written } from './write-objects.ts';

export interface RollbackOptions extends OperationOptions {
  readonly namespace: string;
  /** The revision to go back to; the one before the last by default. */
  readonly revision?: number;
  /** As the revision was applied, by default. */
  readonly serverSideApply?: boolean;
  readonly cleanupOnFail?: boolean;
  readonly description?: string;
  readonly maxHistory?: number;
  readonly dryRun?: boolean;
}

const DESCRIPTION_MAX = 256;

/** Makes an earlier revision the current one again, as a new revision (helm rollback 4.3.1). */
export async function rollbackRelease(
  name: string,
  options: RollbackOptions,
  ports: ReleasePorts,
): Promise<Release> {
  checkRollback(name, options);
  const store = releaseStore(ports, options.storageNamespace ?? options.namespace);
  const history = await store.history(name);
  const newest = history.at(-1);
  if (newest === undefined) throw notFound();
  const current = await recoverPending(newest, options, { store, ports });
  const wanted = options.revision || current.revision - 1;
  const earlier = history.find(({ release }) => release.revision === wanted)?.release;
  if (earlier === undefined) {
    throw new ReleaseError('RELEASE_REVISION', `release has no ${wanted} version`, {
      hint: `see which there are: helm history ${name} -n ${options.namespace}`,
    });
  }
  const serverSide = options.serverSideApply ?? earlier.applyMethod === 'ssa';
  const target = rolledBack(earlier, current, {
    serverSide,
    now: timestamp(ports),
    description: options.description ?? `Rollback to ${wanted}`,
  });
  if (options.dryRun === true) return target;
  await makeRoom(name, options.maxHistory ?? 0, store);
  const operation = new Operation(target, { ports, store, signal: options.signal });
  await operation.begin();
  return perform(current, { operation, options, ports, store, serverSide });
}

function checkRollback(name: string, { description = '', revision = 0 }: RollbackOptions): void {
  const length = [...description].length;
  if (length > DESCRIPTION_MAX) {
    throw new ReleaseError(
      'RELEASE_OPTIONS',
      `description must be ${DESCRIPTION_MAX} characters or less, got ${length}`,
    );
  }
  checkReleaseName(name, () => `prepareRollback: Release name is invalid: ${name}`);
  if (revision < 0) throw new ReleaseError('RELEASE_REVISION', 'invalid release revision');
}

function rolledBack(
  earlier: Release,
  current: Release,
  of: { readonly serverSide: boolean; readonly now: string; readonly description: string },
): Release {
  return {
    ...earlier,
    namespace: current.namespace,
    revision: current.revision + 1,
    status: 'pending-rollback',
    description: of.description,
    firstDeployed: current.firstDeployed,
    lastDeployed: of.now,
    deleted: '',
    rollbackRevision: earlier.revision,
    applyMethod: of.serverSide ? 'ssa' : 'csa',
  };
}

interface Run {
  readonly operation: Operation;
  readonly options: RollbackOptions;
  readonly ports: ReleasePorts;
  readonly store: ReleaseStore;
  readonly serverSide: boolean;
}

async function perform(current: Release, run: Run): Promise<Release> {
  const { operation, store } = run;
  const written: Written = { created: [] };
  try {
    await release(current, written, run);
  } catch (error) {
    await operation.end();
    throw await failRollback(error, { written, current }, run);
  }
  await operation.end();
  const { name, revision } = operation.release;
  for (const { release: other } of await store.history(name)) {
    if (other.status !== 'deployed' || other.revision === revision) continue;
    await store.update({ ...other, status: 'superseded' });
  }
  operation.set({ status: 'deployed' });
  await operation.record();
  return operation.release;
}

async function release(current: Release, written: Written, run: Run): Promise<void> {
  const { operation, options, ports, serverSide } = run;
  const { signal } = operation;
  const { cluster } = ports;
  const target = operation.release;
  const originals = await explain(
    'unable to build kubernetes objects from current release manifest',
    () => readObjects(current.manifest, current.namespace, cluster),
  );
  const wanted = await explain('unable to build kubernetes objects from new release manifest', () =>
    readObjects(target.manifest, target.namespace, cluster),
  );
  const hooks = options.disableHooks !== true;
  if (hooks) await runHooks('pre-rollback', run);
  const targets = wanted.map((object) => markOwned(object, target));
  const mode = { ...options, signal, serverSide, migrate: serverSide };
  await updateObjects({ originals, targets }, mode, { ports, written });
  if (options.wait === true || options.waitForJobs === true) {
    const jobs = options.waitForJobs ?? false;
    await explain(`release ${target.name} failed`, () =>
      waitUntilReady(targets, { timeoutMs: timeoutOf(options), signal, jobs }, ports),
    );
  }
  if (hooks) await runHooks('post-rollback', run);
}

async function failRollback(
  error: unknown,
  of: { readonly written: Written; readonly current: Release },
  { operation, options, ports, store }: Run,
): Promise<ReleaseError> {
  if (codeOf(error) === 'RELEASE_LOST') return error as ReleaseError;
  const { name } = operation.release;
  const reason = reasonOf(error);
  operation.set({ status: 'failed', description: `Rollback "${name}" failed: ${reason}` });
  if (of.current.status !== 'deployed' || of.written.created.length > 0) {
    await store.update({ ...of.current, status: 'superseded' });
  }
  await operation.record();
  const fail = (message: string): ReleaseError =>
    new ReleaseError('RELEASE_ROLLBACK', message, {
      cause: error,
      kind: 'retry',
      release: operation.release,
    });
  if (options.cleanupOnFail !== true) return fail(reason);
  const failures = await deleteObjects(of.written.created, 'Background', ports);
  return failures.length === 0
    ? fail(reason)
    : fail(
        `an error occurred while cleaning up resources. original rollback error: unable to cleanup resources: ${failures.join(', ')}`,
      );
}
