/**
 * One run for one Kustomization: it is observed with its source, its dependencies and its variables, the engine looks at its
 * delivery, and status and events are written once, at the single exit.
 */
import {
  type AwaitedObjects,
  awaitedBy,
  type ChangeJudge,
  type Delivery,
  type DeliveryLook,
  type DeliveryPorts,
  type DeliveryStatus,
  type LoadedRender,
  type OperationRequest,
  type OperationState,
  type Problem,
  problemOf,
  runDelivery,
} from '@capstan/engine-delivery';
import { type Kustomization, REQUESTED_AT } from '@capstan/flux-api';
import type { ReconcileResult, StatusWrites } from '@capstan/kube-controller';
import type { CelCompiler } from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';
import { findCondition } from './conditions.ts';
import { type ControlState, type NamedKey, requireKustomization } from './control-state.ts';
import { decryptingRender, readDecryptionKeys } from './decryption.ts';
import { openDestination } from './destination.ts';
import { withoutInvalidAuthorities } from './drop-invalid-authorities.ts';
import { parseDurationMs } from './durations.ts';
import { finalize } from './finalize-kustomization.ts';
import type { KustomizationPorts } from './kustomization-controller.ts';
import type { KustomizationIndex } from './kustomization-index.ts';
import { observe } from './observe-kustomization.ts';
import { isWatched } from './settings.ts';
import { ownerName } from './to-delivery.ts';
import { toEvents } from './to-events.ts';
import {
  notReady,
  readStatus,
  requestId,
  suspendedStatus,
  toKustomizationStatus,
} from './to-kustomization-status.ts';
import { setFinalizer, writeStatus } from './write-object.ts';

/** Everything a reconcile uses. */
export interface Bench {
  readonly ports: KustomizationPorts;
  readonly control: ControlState;
  readonly known: Map<string, Known>;
  readonly index: KustomizationIndex;
  readonly judge: ChangeJudge;
  /** What Kustomizations check the health of, and need not own. */
  readonly awaited: AwaitedObjects;
  readonly statuses: StatusWrites;
  readonly compileCel: CelCompiler;
}

/** The engine's last word on a Kustomization, and what it was rendered from. */
interface Known {
  readonly uid: string;
  readonly status: DeliveryStatus;
  readonly render: LoadedRender | undefined;
}

/** Not that of the applies: what a Kustomization that holds this one takes over is not the finalizer. */
const FIELD_MANAGER = 'gotk-kustomize-controller';
export function forget(id: string, { known, awaited }: Bench): void {
  known.delete(id);
  awaited.forget(id);
}

export function keyOf({ metadata }: Kustomization): NamedKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

export async function reconcile(
  key: NamedKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, control } = bench;
  const id = ownerName(key.namespace, key.name);
  const object = control.kustomization(key);
  if (object === undefined) {
    forget(id, bench);
    return { kind: 'settled' };
  }
  if (!isWatched(object, ports.settings ?? {})) return { kind: 'settled' };
  const kustomization = requireKustomization(object);
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  if (kustomization.metadata.deletionTimestamp !== undefined) {
    const left = await finalize(kustomization, ports, write);
    if (left === undefined) forget(id, bench);
    return left ?? { kind: 'settled' };
  }
  const held = await setFinalizer(kustomization, true, write);
  if (held !== undefined) control.live.observeWrite(held);
  const current = held === undefined ? kustomization : requireKustomization(held);
  if (current.spec.suspend === true) {
    await bench.statuses.write(key, control.live, () =>
      writeStatus(current, suspendedStatus(current), write),
    );
    return { kind: 'settled' };
  }
  const status = await look(current, { bench, id, signal });
  return toResult(current, status, ports.clock.now());
}

interface LookOptions {
  readonly bench: Bench;
  readonly id: string;
  readonly signal: AbortSignal;
}

async function look(
  kustomization: Kustomization,
  { bench, id, signal }: LookOptions,
): Promise<DeliveryStatus> {
  const { ports, known, awaited } = bench;
  const held = known.get(id);
  const { uid = '' } = kustomization.metadata;
  const previous = held?.uid === uid ? held.status : readStatus(kustomization);
  let current = kustomization;
  let revision = '';
  let originRevision: string | undefined;
  let waited = previous?.operation;
  const report = async (delivery: DeliveryStatus) => {
    const superseded = endsWait(waited, delivery) ? triggerOf(current, revision) : undefined;
    waited = delivery.operation;
    current = await reportStatus(current, delivery, {
      bench,
      signal,
      superseded,
      artifact: { revision, ...(originRevision === undefined ? {} : { originRevision }) },
    });
  };
  let status: DeliveryStatus;
  let render = held?.render;
  try {
    const observed = await observe(kustomization, { ...ports, ...bench }, signal);
    revision = observed.revision;
    if (observed.kind !== 'waiting') originRevision = observed.originRevision;
    if (observed.kind === 'unreadable') throw observed.error;
    if (observed.kind === 'waiting') {
      status = notReady(observed.reason, observed.message, previous, ports.clock.now());
    } else {
      const { delivery } = observed;
      const request = toRequest(kustomization, delivery, previous);
      const deliveryPorts = await portsFor(kustomization, ports, signal);
      // Before they are looked at: what changes during the look asks for another one.
      awaited.set(id, deliveryPorts.cluster, awaitedBy(delivery));
      status = await runDelivery(
        {
          delivery,
          previous,
          request,
          refresh: false,
          onProgress: report,
          onLoaded: ([loaded]) => {
            render = loaded;
          },
        },
        deliveryPorts,
        { signal },
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CapstanError && error.kind === 'retry') throw error;
    const isBug = !(error instanceof CapstanError) || error.kind === 'bug';
    const problem = problemOf(error, isBug ? 'compare' : stageOf(error));
    status = { ...notReady('', '', previous, ports.clock.now()), problems: [problem] };
    if (isBug) {
      await report(status);
      throw error;
    }
  }
  known.set(id, { uid, status, render });
  if (status.operation?.phase !== 'Running') awaited.forget(id);
  await report(status);
  return status;
}

/** Whether something newer began while the wait for health was not over. */
function endsWait(before: OperationState | undefined, { operation }: DeliveryStatus): boolean {
  const isWaiting = before?.phase === 'Running' && before.appliedAtMs !== undefined;
  return isWaiting && operation !== undefined && operation.request.id !== before.request.id;
}

/** What made it look again: its source with another revision, or itself. */
function triggerOf({ spec, metadata, status }: Kustomization, revision: string): string {
  const { namespace = '', name = '' } = metadata;
  const { kind, name: source, namespace: told } = spec.sourceRef;
  return status.lastAttemptedRevision === revision
    ? `Kustomization/${namespace}/${name}`
    : `${kind}/${told || namespace}/${source}`;
}

/** What cannot be reached is told as a failure of the reconciliation, what is missing as one of the build. */
function stageOf({ code, kind }: CapstanError): Problem['stage'] {
  if (code.startsWith('KUBECONFIG_')) return 'compare';
  return kind === 'wait' ? 'render' : 'spec';
}

/** What asks for a sync though nothing drifted: the annotation, or a new generation while an attempt waits for its turn. */
function toRequest(
  { metadata, status }: Kustomization,
  { automation }: Delivery,
  previous: DeliveryStatus | undefined,
): OperationRequest | undefined {
  if (automation.kind === 'manual') return undefined;
  const requestedAt = metadata.annotations?.[REQUESTED_AT];
  const isAsked = requestedAt !== undefined && requestedAt !== status.lastHandledReconcileAt;
  const seen = findCondition(status.conditions, 'Ready')?.observedGeneration;
  const isRetrying = previous?.operation?.nextAttemptAtMs !== undefined;
  if (!isAsked && !(isRetrying && seen !== metadata.generation)) return undefined;
  return {
    id: isAsked ? requestId(requestedAt) : `generation ${metadata.generation}`,
    initiatedBy: { kind: 'automation' },
    policy: {},
    retry: automation.retry,
    healAttempt: 0,
  };
}

async function portsFor(
  kustomization: Kustomization,
  ports: KustomizationPorts,
  signal: AbortSignal,
): Promise<DeliveryPorts> {
  const { sources, render, clock, verdicts } = ports;
  const cluster = await openDestination(kustomization, ports, signal);
  const keys = await readDecryptionKeys(kustomization, ports, signal);
  const rendering = withoutInvalidAuthorities(decryptingRender(render, keys));
  return { sources, render: rendering, clock, verdicts, cluster };
}

/** The single exit. */
async function reportStatus(
  kustomization: Kustomization,
  delivery: DeliveryStatus,
  {
    bench,
    artifact,
    superseded,
    signal,
  }: {
    readonly bench: Bench;
    readonly superseded: string | undefined;
    readonly artifact: { readonly revision: string; readonly originRevision?: string };
    readonly signal: AbortSignal;
  },
): Promise<Kustomization> {
  const { ports, control, statuses } = bench;
  const status = toKustomizationStatus(kustomization, delivery, {
    nowMs: ports.clock.now(),
    ...artifact,
    handledReconcileAt: kustomization.metadata.annotations?.[REQUESTED_AT],
  });
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  const written = await statuses.write(keyOf(kustomization), control.live, () =>
    writeStatus(kustomization, status, write),
  );
  if (written === undefined) return kustomization;
  const after = requireKustomization(written);
  const { apiVersion, kind, metadata } = after;
  for (const event of toEvents(kustomization, after, { delivery, superseded, ...artifact })) {
    ports.events.record({ object: { apiVersion, kind, metadata }, ...event });
  }
  // Not what people wrote meanwhile: that was neither rendered nor handled yet, and wakes it once more.
  return { ...kustomization, status: after.status };
}

function toResult({ spec }: Kustomization, status: DeliveryStatus, nowMs: number): ReconcileResult {
  const intervalMs = parseDurationMs(spec.interval, 'spec.interval');
  const retryMs = parseDurationMs(spec.retryInterval ?? spec.interval, 'spec.retryInterval');
  const failed = status.problems.some(({ severity }) => severity === 'error');
  const dueMs =
    status.recheckAtMs === undefined ? Number.POSITIVE_INFINITY : status.recheckAtMs - nowMs;
  const regular = failed ? retryMs : intervalMs;
  return { kind: 'settled', recheckAfterMs: Math.max(1, Math.min(dueMs, regular)) };
}

export async function lookUp(
  key: NamedKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<DeliveryLook | undefined> {
  const held = bench.control.kustomization(key);
  if (held === undefined) return undefined;
  const kustomization = requireKustomization(held);
  const { ports } = bench;
  const observed = await observe(kustomization, { ...ports, ...bench }, signal);
  if (observed.kind !== 'ready') return undefined;
  return {
    delivery: observed.delivery,
    ports: await portsFor(kustomization, ports, signal),
    inventory: readStatus(kustomization)?.inventory ?? [],
  };
}
