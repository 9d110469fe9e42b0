/**
 * What a HelmRelease needs before anything can be released: its dependencies, its chart, its values. Each that is missing
 * ends the reconcile with what the original says of it.
 */
import { type HelmRelease, parseHelmRelease } from '@capstan/flux-api';
import { checkReference, type FluxSettings, type Tenancy } from '@capstan/flux-controllers';
import type { KubeClient } from '@capstan/kube-client';
import type { Chart, Values } from '@capstan/kube-helm';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import type { ChartCache } from './chart-cache.ts';
import { type ChartSource, dateChart, findSource, unreadyReason } from './chart-source.ts';
import { composeValues } from './compose-values.ts';
import { conditionOf, mark } from './conditions.ts';
import type { HelmControlState } from './control-state.ts';
import { deniedText, formatName } from './names.ts';
import type { ReleaseExpressions } from './release-expressions.ts';
import type { Told } from './tell.ts';

export interface ObservePorts {
  readonly client: KubeClient;
  readonly control: HelmControlState;
  readonly charts: ChartCache;
  readonly tenancy: Tenancy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly settings?: FluxSettings;
  /** Decides `readyExpr` of a dependency. */
  readonly isReadyByExpression: ReleaseExpressions['isReady'];
}

export const DEPENDENCY_AGAIN_MS = 30_000;

export type Observed =
  | {
      readonly kind: 'complete';
      readonly release: HelmRelease;
      readonly chart: Chart;
      readonly values: Values;
      readonly ociDigest: string;
    }
  | {
      readonly kind: 'incomplete';
      readonly release: HelmRelease;
      readonly event?: Told;
      readonly end:
        | { readonly kind: 'wait'; readonly afterMs: number }
        | { readonly kind: 'failed'; readonly error: CapstanError }
        | { readonly kind: 'stalled'; readonly error: CapstanError };
    };

export async function observeRelease(given: HelmRelease, ports: ObservePorts): Promise<Observed> {
  let release = given;
  const nowMs = ports.clock.now();
  const unready = dependencyProblem(release, ports);
  if (unready !== undefined) return unready;
  release = forget(release, ['DependencyNotReady'], nowMs);
  let source: ChartSource;
  try {
    source = findSource(release, ports);
  } catch (error) {
    return noSource(release, asCapstanError(error), nowMs);
  }
  release = forget(release, ['AccessDenied', 'ArtifactFailed'], nowMs);
  const reason = unreadyReason(source);
  if (reason !== undefined) {
    const end = { kind: 'wait' as const, afterMs: DEPENDENCY_AGAIN_MS };
    return { kind: 'incomplete', release: notReady(release, 'SourceNotReady', reason, nowMs), end };
  }
  release = forget(release, ['SourceNotReady'], nowMs);
  let values: Values;
  try {
    values = await composeValues(release, ports.client, { signal: ports.signal });
  } catch (error) {
    return failed(release, 'ValuesError', { error: asCapstanError(error), nowMs, tells: true });
  }
  release = forget(release, ['ValuesError'], nowMs);
  return loadChart(release, { source, values, ports });
}

async function loadChart(
  given: HelmRelease,
  {
    source,
    values,
    ports,
  }: { readonly source: ChartSource; readonly values: Values; readonly ports: ObservePorts },
): Promise<Observed> {
  const nowMs = ports.clock.now();
  const { artifact } = source.status;
  let loaded: Chart | undefined;
  try {
    loaded = artifact && (await ports.charts.load(artifact, { signal: ports.signal }));
  } catch (error) {
    ports.signal.throwIfAborted();
    const problem = asCapstanError(error);
    const release = notReady(
      given,
      'ArtifactFailed',
      `Could not load chart: ${problem.message}`,
      nowMs,
    );
    const event = { type: 'Warning' as const, reason: 'ArtifactFailed', message: problem.message };
    return { kind: 'incomplete', release, event, end: { kind: 'failed', error: problem } };
  }
  if (loaded === undefined) {
    const message = `Source not ready: artifact not found. Retrying in ${DEPENDENCY_AGAIN_MS / 1000}s`;
    const end = { kind: 'wait' as const, afterMs: DEPENDENCY_AGAIN_MS };
    return { kind: 'incomplete', release: notReady(given, 'ArtifactFailed', message, nowMs), end };
  }
  const release = forget(given, ['ArtifactFailed'], nowMs);
  try {
    return { kind: 'complete', release, values, ...dateChart(loaded, source, ports.settings) };
  } catch (error) {
    return failed(release, 'ChartMutateError', {
      error: asCapstanError(error),
      nowMs,
      tells: false,
    });
  }
}

function notReady(
  release: HelmRelease,
  reason: string,
  message: string,
  nowMs: number,
): HelmRelease {
  return mark(release, { type: 'Ready', status: 'False', reason, message }, nowMs);
}

/** A reason that no longer holds is not told any longer. */
export function forget(
  release: HelmRelease,
  reasons: readonly string[],
  nowMs: number,
): HelmRelease {
  if (!reasons.includes(conditionOf(release, 'Ready')?.reason ?? '')) return release;
  const message = 'reconciliation in progress';
  const state = { type: 'Ready', status: 'Unknown' as const, reason: 'Progressing', message };
  return mark(release, state, nowMs);
}

function failed(
  release: HelmRelease,
  reason: string,
  {
    error,
    nowMs,
    tells,
  }: { readonly error: CapstanError; readonly nowMs: number; readonly tells: boolean },
): Observed {
  const { message } = error;
  const event = { type: 'Warning' as const, reason, message };
  return {
    kind: 'incomplete',
    release: notReady(release, reason, message, nowMs),
    ...(tells ? { event } : {}),
    end: { kind: 'failed', error },
  };
}

function noSource(release: HelmRelease, error: CapstanError, nowMs: number): Observed {
  if (error.code !== 'ACCESS_DENIED') {
    const message = `could not get Source object: ${error.message}`;
    const next = notReady(release, 'ArtifactFailed', message, nowMs);
    return { kind: 'incomplete', release: next, end: { kind: 'failed', error } };
  }
  return denied(release, error, nowMs);
}

/** What may not be seen stays unseen until something is changed. */
export function denied(release: HelmRelease, error: CapstanError, nowMs: number): Observed {
  const reason = 'AccessDenied';
  return terminal(release, { reason, message: error.message, error, nowMs });
}

function terminal(
  release: HelmRelease,
  of: {
    readonly reason: string;
    readonly message: string;
    readonly error: CapstanError;
    readonly nowMs: number;
  },
): Observed {
  const { reason, message, error, nowMs } = of;
  const stalled = mark(
    mark(release, { type: 'Ready', status: 'False', reason, message }, nowMs),
    { type: 'Stalled', status: 'True', reason, message },
    nowMs,
  );
  const conditions = (stalled.status.conditions ?? []).filter(({ type }) => type !== 'Reconciling');
  return {
    kind: 'incomplete',
    release: { ...stalled, status: { ...stalled.status, conditions } },
    event: { type: 'Warning', reason, message: error.message },
    end: { kind: 'stalled', error },
  };
}

function dependencyProblem(release: HelmRelease, ports: ObservePorts): Observed | undefined {
  const nowMs = ports.clock.now();
  let message: string | undefined;
  try {
    message = findUnready(release, ports);
  } catch (error) {
    const problem = asCapstanError(error);
    if (problem.code === 'ACCESS_DENIED') return denied(release, problem, nowMs);
    if (problem.kind === 'wait') return waits(release, problem.message, nowMs);
    return terminal(release, {
      reason: 'InvalidCELExpression',
      message: `Reconciliation failed terminally due to configuration error: ${problem.message}`,
      error: problem,
      nowMs,
    });
  }
  return message === undefined ? undefined : waits(release, message, nowMs);
}

function waits(release: HelmRelease, message: string, nowMs: number): Observed {
  const reason = 'DependencyNotReady';
  return {
    kind: 'incomplete',
    release: notReady(release, reason, message, nowMs),
    event: { type: 'Normal', reason, message },
    end: { kind: 'wait', afterMs: DEPENDENCY_AGAIN_MS },
  };
}

/** Why the release has to wait for another one; undefined when all it depends on is ready. */
function findUnready(release: HelmRelease, ports: ObservePorts): string | undefined {
  const own = release.metadata.namespace ?? '';
  for (const { name, namespace: given, readyExpr } of release.spec.dependsOn ?? []) {
    const namespace = given || own;
    checkReference({ kind: 'HelmRelease', namespace, name }, own, ports.tenancy, deniedText);
    const text = formatName({ namespace, name });
    const object = ports.control.find('HelmRelease', { namespace, name });
    const parsed = object && parseHelmRelease(object);
    if (parsed?.kind !== 'ok') {
      return `unable to get '${text}' dependency: helmreleases.helm.toolkit.fluxcd.io "${name}" not found`;
    }
    const dependency = parsed.value;
    if (readyExpr) {
      if (!ports.isReadyByExpression(readyExpr, release, dependency)) {
        return `dependency '${text}' is not ready according to readyExpr eval`;
      }
      if (ports.settings?.additiveDependencyCheck !== true) continue;
    }
    const isObserved = dependency.metadata.generation === dependency.status.observedGeneration;
    if (!isObserved || conditionOf(dependency, 'Ready')?.status !== 'True') {
      return `dependency '${text}' is not ready`;
    }
  }
  return undefined;
}

function asCapstanError(error: unknown): CapstanError {
  return error instanceof CapstanError
    ? error
    : new CapstanError('INTERNAL', messageOf(error), { kind: 'retry', cause: error });
}
