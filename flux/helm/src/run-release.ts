/**
 * Brings a release to what its HelmRelease says: judge, decide, perform, until nothing is left to do, an action would run
 * twice, or a remediation ran. Every step is told by `report`, so that a crash loses nothing that was seen.
 */
import type { HelmRelease } from '@capstan/flux-api';
import {
  type Chart,
  codeOf,
  type Release,
  type ReleasePorts,
  releaseHistory,
  type Values,
} from '@capstan/kube-helm';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { conditionOf, isReady, mark, markReconciling, markStalled, unmark } from './conditions.ts';
import { findDrift } from './drift.ts';
import { hasDrift } from './drift-report.ts';
import { formatGoDuration } from './go-duration.ts';
import { releaseName } from './names.ts';
import {
  type ActionName,
  exhausted,
  type Next,
  nextAction,
  type StateWithDrift,
} from './next-action.ts';
import { type ActionPorts, performAction } from './perform-action.ts';
import {
  activeRemediation,
  activeRetryMs,
  detectsDrift,
  type TimedAction,
  timeoutMs,
} from './policies.ts';
import { judgeRelease, type Wanted } from './release-state.ts';
import { summarize } from './summarize.ts';
import { recordEvent } from './tell.ts';

export interface RunPorts extends ActionPorts {
  /** Writes the status as it is now. */
  readonly report: (release: HelmRelease) => Promise<void>;
}

export type RunEnd =
  | { readonly kind: 'done' }
  /** There is more to do, at once but for backoff. */
  | { readonly kind: 'requeue' }
  | { readonly kind: 'retry'; readonly afterMs: number }
  /** For something else; what is wanted now counts as not yet seen. */
  | { readonly kind: 'waits'; readonly afterMs: number }
  | { readonly kind: 'stalled'; readonly error: CapstanError }
  | { readonly kind: 'failed'; readonly error: CapstanError };

export interface RunResult {
  readonly release: HelmRelease;
  readonly end: RunEnd;
}

/** What an action counts as, when it is asked whether it ran already. */
const TYPES: Readonly<Record<ActionName, string>> = {
  install: 'release',
  upgrade: 'release',
  test: 'test',
  rollback: 'remediate',
  uninstall: 'remediate',
  unlock: 'unlock',
  'correct cluster drift': 'drift correction',
};

export async function runRelease(
  given: HelmRelease,
  wanted: { readonly chart: Chart; readonly values: Values },
  ports: RunPorts,
): Promise<RunResult> {
  const done = new Set<string>();
  for (let release = given; ; ) {
    ports.signal.throwIfAborted();
    const step = await decide(release, wanted, ports);
    if (step.kind === 'ended') return step.result;
    const { next, action, records } = step;
    release = next.release;
    if (done.has(TYPES[action])) return stopBefore(release, ports);
    release = announce(release, action, ports);
    await ports.report(release);
    const input = { ...wanted, records, drift: next.drift };
    const result = await performAction(action, release, { input, ports });
    release = result.release;
    if (result.error !== undefined) return broken(release, result.error, ports);
    if (TYPES[action] === 'remediate') return remediated(release, ports);
    done.add(TYPES[action]);
    // Without it nothing is asked of anybody before the status is written next.
    if (detectsDrift(release)) await ports.report(release);
  }
}

type Step =
  | { readonly kind: 'ended'; readonly result: RunResult }
  | {
      readonly kind: 'act';
      readonly next: Next;
      readonly action: ActionName;
      readonly records: readonly Release[];
    };

async function decide(
  release: HelmRelease,
  wanted: { readonly chart: Chart; readonly values: Values },
  ports: RunPorts,
): Promise<Step> {
  const { clock } = ports;
  let records: readonly Release[];
  let state: StateWithDrift;
  try {
    records = await readRecords(release, ports);
    state = await judge(release, records, { wanted, ports });
  } catch (error) {
    ports.signal.throwIfAborted();
    return { kind: 'ended', result: undetermined(release, messageOf(error), ports) };
  }
  if (state.kind === 'unknown')
    return { kind: 'ended', result: undetermined(release, state.problem, ports) };
  const next = nextAction(release, state, { nowMs: clock.now(), records });
  if (state.kind === 'drifted') tellDrift(next.release, ports);
  const { decision } = next;
  switch (decision.kind) {
    case 'run':
      return { kind: 'act', next, action: decision.action, records };
    case 'done': {
      const settled = summarize(unmark(next.release, 'Reconciling'), clock.now());
      return { kind: 'ended', result: { release: settled, end: { kind: 'done' } } };
    }
    case 'stalled':
      return { kind: 'ended', result: stall(next.release, decision, ports) };
    case 'failed':
      return { kind: 'ended', result: undetermined(next.release, decision.message, ports) };
    default:
      return decision satisfies never;
  }
}

async function readRecords(release: HelmRelease, ports: RunPorts): Promise<readonly Release[]> {
  const { cluster, clock } = ports;
  const helm: ReleasePorts = { cluster, clock };
  try {
    const namespace = release.status.storageNamespace ?? '';
    return await releaseHistory(releaseName(release), namespace, helm);
  } catch (error) {
    if (codeOf(error) === 'RELEASE_NOT_FOUND') return [];
    const message = `failed to retrieve last release from storage: ${messageOf(error)}`;
    throw new CapstanError('RELEASE_STORE', message, { kind: 'retry', cause: error });
  }
}

async function judge(
  release: HelmRelease,
  records: readonly Release[],
  {
    wanted,
    ports,
  }: {
    readonly wanted: Pick<Wanted, never> & { readonly chart: Chart; readonly values: Values };
    readonly ports: RunPorts;
  },
): Promise<StateWithDrift> {
  const { name, version } = wanted.chart.metadata;
  const last = records.at(-1);
  const state = judgeRelease(release, last, { chart: { name, version }, values: wanted.values });
  if (state.kind !== 'in-sync' || last === undefined || !detectsDrift(release)) return state;
  const ignore = release.spec.driftDetection?.ignore ?? [];
  const drift = await findDrift(last, ignore, ports);
  return hasDrift(drift) ? { kind: 'drifted', drift } : state;
}

function tellDrift(release: HelmRelease, { events }: RunPorts): void {
  const message = conditionOf(release, 'Drifted')?.message ?? '';
  recordEvent(events, release, { type: 'Warning', reason: 'DriftDetected', message });
}

function undetermined(release: HelmRelease, problem: string, { clock }: RunPorts): RunResult {
  const message = `Could not determine release state: ${problem}`;
  const state = { type: 'Ready', status: 'False' as const, reason: 'StateError', message };
  const error = new CapstanError('RELEASE_STATE', `cannot determine release state: ${problem}`, {
    kind: 'retry',
  });
  return { release: mark(release, state, clock.now()), end: { kind: 'failed', error } };
}

function stall(
  release: HelmRelease,
  { reason, message }: { readonly reason: string; readonly message: string },
  { clock }: RunPorts,
): RunResult {
  const error = new CapstanError('RELEASE_STALLED', message, { kind: 'stalled' });
  return {
    release: markStalled(release, reason, message, clock.now()),
    end: { kind: 'stalled', error },
  };
}

/** Says what runs, before it does: actions may take long. */
function announce(release: HelmRelease, action: ActionName, { clock }: RunPorts): HelmRelease {
  const timed = action === 'unlock' || action === 'correct cluster drift' ? undefined : action;
  const timeout = formatGoDuration(timeoutMs(release, timed as TimedAction | undefined));
  const message = `Running '${action}' action with timeout of ${timeout}`;
  const next = markReconciling(release, 'Progressing', message, clock.now());
  if (TYPES[action] !== 'release') return next;
  const state = { type: 'Ready', status: 'Unknown' as const, reason: 'Progressing', message };
  return mark(next, state, clock.now());
}

function retryLater(release: HelmRelease, afterMs: number, { clock }: RunPorts): RunResult {
  const message = `retrying after ${formatGoDuration(afterMs)}`;
  const next = markReconciling(release, 'ProgressingWithRetry', message, clock.now());
  return { release: next, end: { kind: 'retry', afterMs } };
}

function again(release: HelmRelease, { clock }: RunPorts): RunResult {
  const message = conditionOf(release, 'Ready')?.message ?? '';
  const next = markReconciling(release, 'ProgressingWithRetry', message, clock.now());
  return { release: next, end: { kind: 'requeue' } };
}

function stopBefore(release: HelmRelease, ports: RunPorts): RunResult {
  const retryMs = activeRetryMs(release);
  if (retryMs !== undefined) return retryLater(release, retryMs, ports);
  if (activeRemediation(release)?.isExhausted !== true) return again(release, ports);
  return { release: unmark(release, 'Reconciling'), end: { kind: 'done' } };
}

function broken(release: HelmRelease, error: Error, ports: RunPorts): RunResult {
  if (codeOf(error) === 'RELEASE_PENDING') {
    return { release, end: { kind: 'waits', afterMs: PENDING_AGAIN_MS } };
  }
  const retryMs = activeRetryMs(release);
  if (retryMs !== undefined) return retryLater(release, retryMs, ports);
  const message = messageOf(error);
  const state = { type: 'Ready', status: 'False' as const, reason: 'ReconcileError', message };
  const told = isReady(release) ? mark(release, state, ports.clock.now()) : release;
  const failure =
    error instanceof CapstanError && error.kind === 'retry'
      ? error
      : new CapstanError('RELEASE', message, { kind: 'retry', cause: error });
  return { release: told, end: { kind: 'failed', error: failure } };
}

/** Until the lease of a process that died has run out. */
const PENDING_AGAIN_MS = 5_000;

function remediated(release: HelmRelease, ports: RunPorts): RunResult {
  const retryMs = activeRetryMs(release);
  if (retryMs !== undefined) return retryLater(release, retryMs, ports);
  const remediation = activeRemediation(release);
  const isUninstalled =
    remediation?.counter === 'upgradeFailures' && remediation.strategy === 'uninstall';
  if (remediation?.isExhausted !== true || isUninstalled) return again(release, ports);
  return stall(release, exhausted(release), ports);
}
