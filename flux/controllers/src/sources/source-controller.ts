/**
 * Reconciles one kind of source: looks at its remote, keeps what it holds as an artifact, and tells so. Woken by the object,
 * by its remote, by what it includes, by `reconcile.fluxcd.io/requestedAt`, and at its interval. Level-based; writes the
 * status once a run. What is particular to a kind stands in its SourceKind.
 */
import type { Artifact, SourceStatus } from '@capstan/flux-api';
import { REQUESTED_AT, SOURCE_GROUP } from '@capstan/flux-api';
import type { KubeClient, LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EventRecorder,
  type ReconcileResult,
  StatusWrites,
} from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { findCondition } from '../conditions.ts';
import { type ControlState, isWanted, type NamedKey } from '../control-state.ts';
import { parseDurationMs } from '../durations.ts';
import type { CloudIdentities } from '../identity/cloud-identities.ts';
import { reconcileDurations } from '../reconcile-durations.ts';
import { type FluxSettings, isWatched } from '../settings.ts';
import { setFinalizer, writeStatus } from '../write-object.ts';
import type { ArtifactPort } from './artifact-port.ts';
import { soundArtifact } from './sound-artifact.ts';
import {
  describeError,
  type FailedOutcome,
  SourceFailure,
  type SourceOutcome,
} from './source-outcome.ts';
import { toSourceStatus } from './to-source-status.ts';

/** What every source has. */
export interface SourceObject extends KubeObject {
  readonly spec: { readonly interval: string; readonly suspend?: boolean } & KubeObject[string];
  readonly status: SourceStatus;
}

export interface FetchContext {
  /** The artifact of the status, when it is still in storage and whole. */
  readonly current: Artifact | undefined;
  /** Somebody asked for a look at the remote now. */
  readonly isAsked: boolean;
  readonly signal: AbortSignal;
}

export interface SourceKind<T extends SourceObject> {
  readonly kind: string;
  readonly require: (object: KubeObject) => T;
  /** Looks at the remote and stores what is new. Failures are thrown, best as a SourceFailure. */
  readonly fetch: (object: T, context: FetchContext) => Promise<SourceOutcome>;
  /** Where an error without a place of its own belongs. */
  readonly failureOf: (error: CapstanError, object: T) => FailedOutcome;
  /** The object is suspended or gone: nothing of it is followed any more. */
  readonly forget?: (key: NamedKey) => void;
  /** Its remote is followed, and wakes it; else it is looked at once an interval. */
  readonly isFollowed: boolean;
}

export interface SourcePorts {
  readonly client: KubeClient;
  /** For sources that a cloud's identity opens. */
  readonly identities: CloudIdentities;
  readonly artifacts: ArtifactPort;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** In [0, 1); spreads what is due at the same time. */
  readonly random: () => number;
  readonly runtime?: ControllerRuntime;
  readonly settings?: FluxSettings;
}

export interface SourceController {
  readonly controller: Controller<NamedKey>;
  start(): () => void;
}

interface Bench<T extends SourceObject> {
  readonly ports: SourcePorts;
  readonly control: ControlState;
  readonly source: SourceKind<T>;
  readonly statuses: StatusWrites;
}

const FIELD_MANAGER = 'source-controller';
const DEPENDENCY_MS = 30_000;
const JITTER = 0.05;

export function createSourceController<T extends SourceObject>(
  source: SourceKind<T>,
  ports: SourcePorts,
  control: ControlState,
): SourceController {
  const statuses = new StatusWrites((key, options) => controller.enqueue(key, options));
  const bench: Bench<T> = { ports, control, source, statuses };
  const controller = createController<NamedKey>({
    name: source.kind.toLowerCase(),
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: sourceId,
    onMoved: (key) => source.forget?.(key),
    clock: ports.clock,
    ...reconcileDurations(
      source.kind,
      ports.runtime,
      (key) => control.source(source.kind, key) !== undefined,
    ),
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    controller,
    start: () =>
      control.live.subscribe((change) => {
        if (!concerns(change, source.kind)) return;
        if (isWanted(change)) controller.enqueue(change.key);
        else statuses.see(change);
      }),
  };
}

function concerns({ key }: LiveChange, kind: string): boolean {
  return key.group === SOURCE_GROUP && key.kind === kind;
}

export function sourceId({ namespace, name }: NamedKey): string {
  return `${namespace}/${name}`;
}

async function reconcile<T extends SourceObject>(
  key: NamedKey,
  bench: Bench<T>,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, control, source } = bench;
  const object = control.source(source.kind, key);
  if (object !== undefined && !isWatched(object, ports.settings ?? {})) return { kind: 'settled' };
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
    source.forget?.(key);
    if (object === undefined) return { kind: 'settled' };
    await ports.artifacts.removeAll({ kind: source.kind, ...key });
    await setFinalizer(object, false, write);
    return { kind: 'settled' };
  }
  const held = await setFinalizer(object, true, write);
  if (held !== undefined) control.live.observeWrite(held);
  const current = source.require(held ?? object);
  if (current.spec.suspend === true) {
    source.forget?.(key);
    return { kind: 'settled' };
  }
  return await look(current, bench, signal);
}

async function look<T extends SourceObject>(
  object: T,
  { ports, control, source, statuses }: Bench<T>,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const requestedAt = object.metadata.annotations?.[REQUESTED_AT];
  const isAsked = requestedAt !== undefined && requestedAt !== object.status.lastHandledReconcileAt;
  const current = await soundArtifact(object, ports);
  const { outcome, error } = await attempt(object, source, { current, isAsked, signal });
  const { generation = 0, namespace = '', name = '' } = object.metadata;
  const status = toSourceStatus({ status: object.status, generation, current }, outcome, {
    nowMs: ports.clock.now(),
    handledReconcileAt: requestedAt,
  });
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  const written = await statuses.write({ namespace, name }, control.live, () =>
    writeStatus(object, status, write),
  );
  if (written !== undefined)
    tell(object, source.require(written), { outcome, events: ports.events });
  if (outcome.kind === 'stored') await ports.artifacts.collectGarbage(outcome.artifact);
  const { random, settings = {} } = ports;
  const jitter = (settings.intervalJitter ?? JITTER) * (2 * random() - 1);
  return toResult(object, outcome, { error, source, jitter });
}

async function attempt<T extends SourceObject>(
  object: T,
  source: SourceKind<T>,
  context: FetchContext,
): Promise<{ readonly outcome: SourceOutcome; readonly error?: CapstanError }> {
  try {
    return { outcome: await source.fetch(object, context) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof SourceFailure) return { outcome: error.outcome, error };
    if (!(error instanceof CapstanError) || error.kind === 'bug') throw error;
    return { outcome: source.failureOf(error, object), error };
  }
}

function toResult<T extends SourceObject>(
  { spec, status }: T,
  outcome: SourceOutcome,
  options: {
    readonly error: CapstanError | undefined;
    readonly source: SourceKind<T>;
    /** By which part the interval is longer this time. */
    readonly jitter: number;
  },
): ReconcileResult {
  const intervalMs = parseDurationMs(spec.interval, 'spec.interval');
  const { error, source, jitter } = options;
  const jittered = Math.round(intervalMs * (1 + jitter));
  if (outcome.kind === 'stored' || error === undefined) {
    return source.isFollowed ? { kind: 'settled' } : { kind: 'settled', recheckAfterMs: jittered };
  }
  if (outcome.response === 'wait') return { kind: 'settled', recheckAfterMs: DEPENDENCY_MS };
  // Credentials may be corrected without a change of the object: a stalled source is looked at now and then as well.
  if (outcome.response === 'stall' || (source.isFollowed && status.artifact !== undefined)) {
    return { kind: 'stalled', error, recheckAfterMs: jittered };
  }
  return { kind: 'retry', error };
}

/** Events at new artifacts, failures and recoveries, with the reasons and metadata of the original. */
function tell<T extends SourceObject>(
  before: T,
  after: T,
  { outcome, events }: { readonly outcome: SourceOutcome; readonly events: EventRecorder },
): void {
  const { apiVersion, kind, metadata } = after;
  const object = { apiVersion, kind, metadata };
  if (outcome.kind === 'failed') {
    const { reason, message, response } = outcome;
    if (findCondition(before.status.conditions, 'Ready')?.message === message) return;
    events.record({ object, type: response === 'wait' ? 'Normal' : 'Warning', reason, message });
    return;
  }
  const { revision, digest } = outcome.artifact;
  const isNew = digest !== before.status.artifact?.digest;
  const wasFailing = before.status.conditions?.some(
    ({ type, status }) => FAILURES.has(type) && status === 'True',
  );
  if (!isNew && wasFailing !== true) return;
  const annotations = {
    [`${SOURCE_GROUP}/revision`]: revision,
    [`${SOURCE_GROUP}/digest`]: digest,
  };
  const reason = isNew ? 'NewArtifact' : 'Succeeded';
  events.record({ object, type: 'Normal', reason, message: outcome.event, annotations });
}

const FAILURES: ReadonlySet<string> = new Set([
  'FetchFailed',
  'IncludeUnavailable',
  'StorageOperationFailed',
]);

/** For messages of failures that other parts threw. */
export function failedWith(reason: string, error: CapstanError, prefix = ''): FailedOutcome {
  return {
    kind: 'failed',
    condition: 'FetchFailed',
    reason,
    message: `${prefix}${describeError(error)}`,
    response: error.kind === 'stalled' && reason === 'URLInvalid' ? 'stall' : 'retry',
  };
}
