/**
 * Performs one action on a release through kube/helm, and gives the HelmRelease as it then is: history, conditions, counters,
 * inventory. An `error` says that nothing was recorded, so that trying again is all there is to do.
 */
import type { FormerManager } from '@capstan/engine-sync';
import type { HelmRelease, ReleaseSnapshot } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import type { EventRecorder } from '@capstan/kube-controller';
import {
  type Chart,
  type ChartLanguage,
  codeOf,
  installRelease,
  type Release,
  ReleaseError,
  type ReleaseMerge,
  type ReleasePorts,
  type ReleaseWaits,
  rollbackRelease,
  testRelease,
  uninstallRelease,
  unlockRelease,
  upgradeRelease,
  type Values,
} from '@capstan/kube-helm';
import { type Clock, messageOf } from '@capstan/lib-std';
import { mark, unmark, withStatus } from './conditions.ts';
import { valuesDigest } from './digests.ts';
import { correctDrift } from './drift.ts';
import type { DriftReport } from './drift-report.ts';
import { formatGoDuration } from './go-duration.ts';
import { HelmLog, logged } from './helm-log.ts';
import { inventoryOf } from './inventory.ts';
import type { KnownCluster } from './known-cluster.ts';
import { MESSAGES } from './messages.ts';
import { releaseName, releaseNamespace, wantedName } from './names.ts';
import type { ActionName } from './next-action.ts';
import { recordReleased, recordSeen, recordTested, snapshotOf } from './observe-records.ts';
import { activeRemediation, remediationOf, retryIntervalMs, timeoutMs } from './policies.ts';
import { fullName, hasBeenTested, isOf, latest, previous } from './snapshots.ts';
import { summarize } from './summarize.ts';
import { eventMetadata, recordEvent } from './tell.ts';
import {
  toInstallOptions,
  toRollbackOptions,
  toTestOptions,
  toUninstallOptions,
  toUpgradeOptions,
} from './to-release-options.ts';

export interface ActionPorts {
  /** Acts as whom the HelmRelease says. */
  readonly client: KubeClient;
  /** The same cluster, for Helm: what this reconcile has asked of it and written is not asked again. */
  readonly cluster: KnownCluster;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly merge: ReleaseMerge;
  readonly language?: ChartLanguage;
  readonly waits: ReleaseWaits;
  readonly signal: AbortSignal;
  /** Managers whose fields become the release's own before drift is looked for. */
  readonly formerManagers?: readonly FormerManager[];
}

export interface ActionInput {
  readonly chart: Chart;
  readonly values: Values;
  /** Helm's records before the action, oldest first. */
  readonly records: readonly Release[];
  readonly drift?: DriftReport | undefined;
}

export interface ActionResult {
  readonly release: HelmRelease;
  readonly error?: Error;
}

type Perform = (
  release: HelmRelease,
  input: ActionInput,
  ports: ActionPorts,
) => Promise<ActionResult>;

const ACTIONS: Readonly<Record<ActionName, Perform>> = {
  install: (release, input, ports) => releaseChart('install', release, { input, ports }),
  upgrade: (release, input, ports) => releaseChart('upgrade', release, { input, ports }),
  test: runTests,
  rollback: rollBack,
  uninstall: remediateByUninstall,
  unlock,
  'correct cluster drift': correct,
};

export async function performAction(
  action: ActionName,
  release: HelmRelease,
  { input, ports }: { readonly input: ActionInput; readonly ports: ActionPorts },
): Promise<ActionResult> {
  const result = await ACTIONS[action](release, input, ports);
  // The original does not summarise what it uninstalls as a remediation, nor what it brings back from drift.
  if (action === 'uninstall' || action === 'correct cluster drift') return result;
  return { ...result, release: summarize(result.release, ports.clock.now()) };
}

/** The ports of kube/helm, with the records that are written collected, and what is done told to a log. */
function watching(ports: ActionPorts): {
  readonly seen: Release[];
  readonly helm: ReleasePorts;
  readonly log: HelmLog;
} {
  const { cluster, clock, merge, waits } = ports;
  const seen: Release[] = [];
  const log = new HelmLog(clock);
  const observe = (record: Release): void => {
    seen.push(record);
  };
  const helm = { cluster, clock, merge, waits, holder: 'helm-controller', observe };
  return { seen, helm: logged(helm, log), log };
}

async function releaseChart(
  action: 'install' | 'upgrade',
  given: HelmRelease,
  { input, ports }: { readonly input: ActionInput; readonly ports: ActionPorts },
): Promise<ActionResult> {
  const { chart, values, records } = input;
  const { clock, signal } = ports;
  const startedMs = clock.now();
  // An install begins anew: nothing before it can be rolled back to.
  const start = withStatus(unmark(given, 'TestSuccess', 'Remediated'), {
    lastAttemptedReleaseAction: action,
    ...(action === 'install' ? { history: [] } : {}),
  });
  const { seen, helm, log } = watching(ports);
  let failure: unknown;
  try {
    const shared = {
      signal,
      ...(ports.language === undefined ? {} : { language: ports.language }),
    };
    if (action === 'install') {
      await installRelease(chart, values, { ...toInstallOptions(start), ...shared }, helm);
    } else {
      const options = toUpgradeOptions(start, records.at(-1));
      await upgradeRelease(chart, values, { ...options, ...shared }, helm);
    }
  } catch (error) {
    failure = error;
  }
  const timed = withStatus(start, {
    lastAttemptedReleaseActionDuration: formatGoDuration(clock.now() - startedMs),
  });
  const recorded = recordReleased(timed, seen, action);
  const listed = await withInventory(recorded, seen, { input, ports });
  if (failure === undefined) return { release: released(listed, action, ports) };
  return notReleased(listed, { action, failure, seen, log, input, ports });
}

async function withInventory(
  release: HelmRelease,
  seen: readonly Release[],
  { input, ports }: { readonly input: ActionInput; readonly ports: ActionPorts },
): Promise<HelmRelease> {
  const newest = seen.toSorted((a, b) => b.revision - a.revision)[0];
  if (newest === undefined) return release;
  try {
    const entries = await inventoryOf(newest, input, ports.client);
    return withStatus(release, { inventory: { entries } });
  } catch (error) {
    const { namespace = '', name = '' } = release.metadata;
    const message = `failed to build inventory for ${namespace}/${name}: ${messageOf(error)}`;
    recordEvent(ports.events, release, {
      type: 'Warning',
      reason: 'InventoryBuildFailed',
      message,
    });
    return release;
  }
}

function released(
  release: HelmRelease,
  action: 'install' | 'upgrade',
  { clock, events }: ActionPorts,
): HelmRelease {
  const seen = latest(release.status.history);
  if (seen === undefined) return release;
  const isInstall = action === 'install';
  const reason = isInstall ? 'InstallSucceeded' : 'UpgradeSucceeded';
  const message = isInstall ? MESSAGES.installed(seen) : MESSAGES.upgraded(seen);
  const nowMs = clock.now();
  let next = mark(release, { type: 'Released', status: 'True', reason, message }, nowMs);
  if (release.spec.test?.enable === true && !hasBeenTested(seen)) {
    const pending = MESSAGES.testPending(seen);
    const state = { status: 'Unknown' as const, reason: 'AwaitingTests', message: pending };
    next = mark(next, { type: 'TestSuccess', ...state }, nowMs);
  }
  // With a strategy of retries, failures matter only as long as it fails.
  if (retryIntervalMs(release, action) !== undefined) next = withoutFailures(next);
  recordEvent(events, next, { type: 'Normal', reason, message, ...eventMetadata(seen) });
  return next;
}

export function withoutFailures(release: HelmRelease): HelmRelease {
  const none = { failures: undefined, installFailures: undefined, upgradeFailures: undefined };
  return withStatus(release, none as unknown as Partial<HelmRelease['status']>);
}

function notReleased(
  release: HelmRelease,
  of: {
    readonly action: 'install' | 'upgrade';
    readonly failure: unknown;
    readonly seen: readonly Release[];
    readonly log: HelmLog;
    readonly input: ActionInput;
    readonly ports: ActionPorts;
  },
): ActionResult {
  const { action, failure, seen, log, input, ports } = of;
  const { name, version, appVersion } = input.chart.metadata;
  const target = {
    namespace: releaseNamespace(release),
    name: wantedName(release),
    chart: `${name}@${version}`,
  };
  const isInstall = action === 'install';
  const reason = isInstall ? 'InstallFailed' : 'UpgradeFailed';
  const say = isInstall ? MESSAGES.installFailed : MESSAGES.upgradeFailed;
  const message = say(target, messageOf(failure).trim());
  const state = { type: 'Released', status: 'False' as const, reason, message };
  const failed = mark(countFailure(release), state, ports.clock.now());
  recordEvent(ports.events, failed, {
    type: 'Warning',
    reason,
    message: log.appendTo(message),
    ...eventMetadata({
      chartVersion: version,
      configDigest: valuesDigest(input.values),
      appVersion,
      ociDigest: release.status.lastAttemptedRevisionDigest,
    }),
  });
  if (seen.length === 0) return { release: failed, error: asError(failure) };
  const { counter, failures } = remediationOf(failed, action);
  return { release: withStatus(failed, { [counter]: failures + 1 }) };
}

function countFailure(release: HelmRelease): HelmRelease {
  return withStatus(release, { failures: (release.status.failures ?? 0) + 1 });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}

async function runTests(
  release: HelmRelease,
  _input: ActionInput,
  ports: ActionPorts,
): Promise<ActionResult> {
  const { clock, events, signal } = ports;
  const current = latest(release.status.history);
  if (current === undefined) {
    return { release, error: new Error('no latest release: required for test') };
  }
  const { seen, helm } = watching(ports);
  let failure: unknown;
  try {
    const options = { ...toTestOptions(release), signal };
    const tested = await testRelease(releaseName(release), options, helm);
    if (!isOf(current, tested)) {
      const { namespace, name, revision } = tested;
      failure = new Error(
        `release mismatch: tested release ${namespace}/${name}.v${revision} != current release ${fullName(current)}`,
      );
    }
  } catch (error) {
    failure = error;
  }
  const recorded = seen.reduce(recordTested, release);
  const after = latest(recorded.status.history) ?? current;
  const report = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    recordEvent(events, recorded, { type, reason, message, ...eventMetadata(after) });
  if (failure === undefined) {
    const reason = 'TestSucceeded';
    const message = MESSAGES.tested(after, Object.keys(after.testHooks ?? {}).length);
    report('Normal', reason, message);
    const state = { type: 'TestSuccess', status: 'True' as const, reason, message };
    return { release: mark(recorded, state, clock.now()) };
  }
  const reason = 'TestFailed';
  const message = MESSAGES.testFailed(after, messageOf(failure).trim());
  report('Warning', reason, message);
  const state = { type: 'TestSuccess', status: 'False' as const, reason, message };
  const failed = mark(countFailure(recorded), state, clock.now());
  if (!hasBeenTested(after)) return { release: failed, error: asError(failure) };
  const remediation = activeRemediation(failed);
  if (remediation === undefined || remediation.ignoresTestFailures) return { release: failed };
  return {
    release: withStatus(failed, { [remediation.counter]: remediation.failures + 1 }),
  };
}

async function rollBack(
  release: HelmRelease,
  input: ActionInput,
  ports: ActionPorts,
): Promise<ActionResult> {
  const { records, values } = input;
  const { clock, events, signal } = ports;
  const current = latest(release.status.history);
  const target = previous(
    release.status.history,
    remediationOf(release, 'upgrade').ignoresTestFailures,
  );
  if (target === undefined || current === undefined) {
    const problem = 'missing target release for rollback: required to rollback';
    return { release, error: new Error(problem) };
  }
  const { seen, helm, log } = watching(ports);
  const record = records.find(({ revision }) => revision === target.version);
  const options = toRollbackOptions(release, { revision: target.version, record });
  let failure: unknown;
  try {
    await rollbackRelease(target.name, { ...options, signal }, helm);
  } catch (error) {
    failure = error;
  }
  const fold = (one: HelmRelease, written: Release): HelmRelease =>
    recordSeen(one, written, { action: 'rollback', adds: true });
  const recorded = await withInventory(seen.reduce(fold, release), seen, { input, ports });
  const metadata = eventMetadata({ ...target, configDigest: valuesDigest(values) });
  const outcome = remediation(failure, {
    reasons: ['RollbackSucceeded', 'RollbackFailed'],
    done: MESSAGES.rolledBack(target),
    failed: (problem) => MESSAGES.rollbackFailed(target, problem),
    log,
  });
  const next = mark(
    failure === undefined ? recorded : countFailure(recorded),
    { type: 'Remediated', ...outcome.state },
    clock.now(),
  );
  recordEvent(events, next, { ...outcome.event, ...metadata });
  if (failure === undefined) return { release: next };
  const isRecorded = latest(next.status.history)?.digest !== current.digest;
  return isRecorded ? { release: next } : { release: next, error: asError(failure) };
}

function remediation(
  failure: unknown,
  say: {
    readonly reasons: readonly [succeeded: string, failed: string];
    readonly done: string;
    readonly failed: (problem: string) => string;
    readonly log: HelmLog;
  },
) {
  const isDone = failure === undefined;
  const reason = say.reasons[isDone ? 0 : 1];
  const message = isDone ? say.done : say.failed(messageOf(failure).trim());
  const status: 'True' | 'False' = isDone ? 'True' : 'False';
  const type: 'Normal' | 'Warning' = isDone ? 'Normal' : 'Warning';
  const told = isDone ? message : say.log.appendTo(message);
  return { state: { status, reason, message }, event: { type, reason, message: told } };
}

interface Removal {
  readonly release: HelmRelease;
  readonly failure: unknown;
  readonly log: HelmLog;
}

/** Uninstalls the release where it was last seen, and checks that it was that very one. */
async function remove(
  release: HelmRelease,
  current: ReleaseSnapshot,
  {
    action,
    ports,
  }: {
    readonly action: 'uninstall' | 'uninstall-remediation';
    readonly ports: ActionPorts;
  },
): Promise<Removal> {
  const { seen, helm, log } = watching(ports);
  const { namespace, name } = current;
  const storageNamespace = release.status.storageNamespace ?? namespace;
  const options = toUninstallOptions(release, { namespace, storageNamespace });
  let failure: unknown;
  try {
    const gone = await uninstallRelease(name, { ...options, signal: ports.signal }, helm);
    if (gone !== undefined && !isOf(current, gone.release)) {
      const { revision } = gone.release;
      failure = new Error(
        `release mismatch: uninstalled release ${namespace}/${name}.v${revision} != current release ${fullName(current)}`,
      );
    }
  } catch (error) {
    failure = error;
  }
  const fold = (one: HelmRelease, written: Release): HelmRelease =>
    recordSeen(one, written, { action, adds: false });
  return { release: seen.reduce(fold, release), failure, log };
}

const NOT_UPDATED = 'uninstall completed with error: release not updated in Helm storage';

async function remediateByUninstall(
  release: HelmRelease,
  _input: ActionInput,
  ports: ActionPorts,
): Promise<ActionResult> {
  const current = latest(release.status.history);
  if (current === undefined) {
    return { release, error: new Error('no latest release: required to uninstall') };
  }
  const removal = await remove(release, current, { action: 'uninstall-remediation', ports });
  const after = latest(removal.release.status.history) ?? current;
  const isSame = after.digest === current.digest;
  const failure = removal.failure ?? (isSame ? new Error(NOT_UPDATED) : undefined);
  const outcome = remediation(failure, {
    reasons: ['UninstallSucceeded', 'UninstallFailed'],
    done: MESSAGES.remediated(after),
    failed: (problem) => MESSAGES.remediationFailed(after, problem),
    log: removal.log,
  });
  const next = mark(
    failure === undefined ? removal.release : countFailure(removal.release),
    { type: 'Remediated', ...outcome.state },
    ports.clock.now(),
  );
  recordEvent(ports.events, next, { ...outcome.event, ...eventMetadata(after) });
  return failure !== undefined && isSame
    ? { release: next, error: asError(failure) }
    : { release: next };
}

/** Uninstalls the release for good: its HelmRelease goes, or its target has changed. */
export async function uninstall(release: HelmRelease, ports: ActionPorts): Promise<ActionResult> {
  const current = latest(release.status.history);
  if (current === undefined) return { release };
  const removal = await remove(release, current, { action: 'uninstall', ports });
  const nowMs = ports.clock.now();
  const finish = (one: HelmRelease, reason: string, message: string): HelmRelease =>
    summarize(mark(one, { type: 'Released', status: 'False', reason, message }, nowMs), nowMs);
  const problem = removal.failure === undefined ? '' : messageOf(removal.failure);
  if (codeOf(removal.failure) === 'RELEASE_NOT_FOUND') {
    return {
      release: finish(removal.release, 'UninstallSucceeded', MESSAGES.alreadyGone(current)),
    };
  }
  const keeps = release.spec.uninstall?.keepHistory === true;
  if (keeps && problem.includes('is already deleted')) {
    const message = MESSAGES.alreadyUninstalled(current);
    return { release: finish(removal.release, 'UninstallSucceeded', message) };
  }
  const after = latest(removal.release.status.history) ?? current;
  const isUnwritten = after.digest === current.digest && current.status !== 'uninstalled';
  const failure = removal.failure ?? (isUnwritten ? new Error(NOT_UPDATED) : undefined);
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    recordEvent(ports.events, release, { type, reason, message, ...eventMetadata(after) });
  if (failure === undefined) {
    const message = MESSAGES.uninstalled(after);
    tell('Normal', 'UninstallSucceeded', message);
    const gone = { inventory: undefined } as unknown as Partial<HelmRelease['status']>;
    return { release: finish(withStatus(removal.release, gone), 'UninstallSucceeded', message) };
  }
  const message = MESSAGES.uninstallFailed(after, messageOf(failure).trim());
  tell('Warning', 'UninstallFailed', removal.log.appendTo(message));
  const failed = finish(countFailure(removal.release), 'UninstallFailed', message);
  return { release: failed, error: asError(failure) };
}

async function unlock(
  release: HelmRelease,
  _input: ActionInput,
  ports: ActionPorts,
): Promise<ActionResult> {
  const { seen, helm } = watching(ports);
  const namespace = release.status.storageNamespace ?? '';
  const tell = (given: HelmRelease, record: Release, problem?: string): HelmRelease => {
    const known = (given.status.history ?? []).find((one) => isOf(one, record));
    const current = snapshotOf(record, { ociDigest: known?.ociDigest });
    const reason = 'PendingRelease';
    const message =
      problem === undefined
        ? MESSAGES.unlocked(current, record.status)
        : MESSAGES.unlockFailed(current, record.status, problem);
    const state = { type: 'Released', status: 'False' as const, reason, message };
    const told = mark(
      problem === undefined ? given : countFailure(given),
      state,
      ports.clock.now(),
    );
    const type = problem === undefined ? ('Normal' as const) : ('Warning' as const);
    recordEvent(ports.events, told, { type, reason, message, ...eventMetadata(current) });
    return told;
  };
  try {
    const before = await unlockRelease(releaseName(release), { namespace }, helm);
    if (before === undefined) return { release };
    const fold = (one: HelmRelease, written: Release): HelmRelease =>
      recordSeen(one, written, { action: 'same', adds: false });
    return { release: tell(seen.reduce(fold, release), before) };
  } catch (error) {
    // Only a record that was read and could not be written is a failure of the release.
    const record = error instanceof ReleaseError ? error.release : undefined;
    if (record === undefined) return { release, error: asError(error) };
    return { release: tell(release, record, messageOf(error).trim()), error: asError(error) };
  }
}

async function correct(
  release: HelmRelease,
  { drift = [] }: ActionInput,
  ports: ActionPorts,
): Promise<ActionResult> {
  const { client, clock, events } = ports;
  const message = 'correcting cluster drift';
  const state = { type: 'Ready', status: 'Unknown' as const, reason: 'Progressing', message };
  const next = mark(release, state, clock.now());
  const signal = AbortSignal.any([ports.signal, AbortSignal.timeout(timeoutMs(release))]);
  const { changes, problems } = await correctDrift(drift, { client, signal });
  const current = latest(release.status.history);
  if (current === undefined) return { release: next };
  const name = fullName(current);
  const metadata = eventMetadata(current);
  if (problems.length > 0) {
    const partially = changes.length > 0 ? 'partially ' : '';
    const done = changes.length > 0 ? `\n\nSuccessful corrections:\n${changes.join('\n')}` : '';
    const text = `Failed to ${partially}correct cluster state of release ${name}:\n${problems.join('\n')}${done}`;
    recordEvent(events, next, {
      type: 'Warning',
      reason: 'DriftCorrectionFailed',
      message: text,
      ...metadata,
    });
  } else if (changes.length > 0) {
    const text = `Cluster state of release ${name} has been corrected:\n${changes.join('\n')}`;
    recordEvent(events, next, {
      type: 'Normal',
      reason: 'DriftCorrected',
      message: text,
      ...metadata,
    });
  }
  return { release: next };
}
