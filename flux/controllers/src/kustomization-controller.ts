/**
 * Reconciles Kustomizations. Each run observes the Kustomization, its source, what it depends on and its variables, lets the
 * engine look at the delivery, and writes status and events at the single exit. Level-based and idempotent; it neither
 * renders nor plans. Woken by the object, its source, its dependencies, its objects in the cluster, and its interval.
 */

import {
  AwaitedObjects,
  awaitedBy,
  ChangeJudge,
  type Cluster,
  type Delivery,
  type DeliveryLook,
  type DeliveryPorts,
  type DeliveryStatus,
  type DependencyGraph,
  deleteDelivery,
  type LoadedRender,
  type OperationRequest,
  type OperationState,
  type Problem,
  problemOf,
  runDelivery,
  type VerdictCache,
  watchOwners,
} from '@capstan/engine-delivery';
import type { Snapshot, SourceSpec, SourceStore } from '@capstan/engine-source';
import {
  KUSTOMIZE_GROUP,
  type Kustomization,
  parseKustomization,
  REQUESTED_AT,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import type { LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EventRecorder,
  type ReconcileResult,
  StatusWrites,
} from '@capstan/kube-controller';
import { keyOf as keyOfObject, type ObjectKey } from '@capstan/kube-object';
import { type CelCompiler, createCelCompiler } from '@capstan/lib-expressions';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { findCondition } from './conditions.ts';
import {
  type ControlState,
  FOREIGN_STATUS,
  isWanted,
  type NamedKey,
  requireKustomization,
} from './control-state.ts';
import { decryptingRender, readDecryptionKeys } from './decryption.ts';
import { canActAs, type DestinationPorts, openDestination } from './destination.ts';
import { withoutInvalidAuthorities } from './drop-invalid-authorities.ts';
import { parseDurationMs } from './durations.ts';
import type { CloudIdentities } from './identity/cloud-identities.ts';
import { KustomizationIndex } from './kustomization-index.ts';
import { observe } from './observe-kustomization.ts';
import { reconcileDurations } from './reconcile-durations.ts';
import { type FluxSettings, isWatched } from './settings.ts';
import { deliverySource } from './sources/delivery-source.ts';
import { ownerName, timeoutMs, toDelivery } from './to-delivery.ts';
import { describeDeletions, toDeletionEvent, toEvents } from './to-events.ts';
import {
  notReady,
  readStatus,
  requestId,
  suspendedStatus,
  toKustomizationStatus,
} from './to-kustomization-status.ts';
import { setFinalizer, writeStatus } from './write-object.ts';

export interface KustomizationPorts extends DestinationPorts {
  readonly identities: CloudIdentities;
  readonly sources: SourceStore;
  readonly render: DeliveryPorts['render'];
  readonly verdicts: VerdictCache;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
  readonly settings?: FluxSettings;
  /** Absent: Kustomizations wait for what spec.dependsOn names alone. */
  readonly dependencies?: DependencyGraph;
}

interface Bench {
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
const READ_MS = 20_000;
/** On a ConfigMap or Secret: who refers to it is reconciled when it changes, not at the next interval. */
const WATCH_LABEL = 'reconcile.fluxcd.io/watch';

export interface KustomizationController {
  readonly controller: Controller<NamedKey>;
  start(): () => void;
  /** For a look that changes nothing; undefined when there is no such Kustomization, or its source is not ready. */
  lookUp(key: NamedKey, signal: AbortSignal): Promise<DeliveryLook | undefined>;
}

export function createKustomizationController(
  ports: KustomizationPorts,
  control: ControlState,
): KustomizationController {
  const bench: Bench = {
    ports,
    control,
    known: new Map(),
    index: new KustomizationIndex(),
    judge: new ChangeJudge(ports.sources),
    awaited: new AwaitedObjects(),
    statuses: new StatusWrites((key) => controller.enqueue(key, FOREIGN_STATUS)),
    compileCel: createCelCompiler(),
  };
  const controller = createController<NamedKey>({
    name: 'kustomization',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: ({ namespace, name }) => ownerName(namespace, name),
    concurrency: 32,
    // A cluster that hangs holds up its own Kustomizations alone.
    laneOf: (key) => laneOf(key, control),
    onMoved: ({ namespace, name }) => forget(ownerName(namespace, name), bench),
    clock: ports.clock,
    ...reconcileDurations(
      'Kustomization',
      ports.runtime,
      (key) => control.kustomization(key) !== undefined,
    ),
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    controller,
    start() {
      const watchObjects = (cluster: Cluster) => {
        const stopOwned = watchOwners(cluster, 'Kustomization', (key) =>
          controller.enqueue(key, { reason: 'live object' }),
        );
        const stopAwaited = bench.awaited.watch(cluster, (owner) =>
          controller.enqueue(keyOfOwner(owner), AWAITED),
        );
        return () => {
          stopOwned();
          stopAwaited();
        };
      };
      for (const one of control.kustomizations()) bench.index.put(keyOf(one), one);
      const stops = [
        control.live.subscribe((change) => wakeConcerned(change, controller, bench)),
        ports.cluster.live.subscribe((change) => wakeReferrers(change, controller, bench)),
        watchObjects(ports.cluster),
        ports.dependencies?.subscribe({
          wake: ({ kind, namespace, name }) => {
            if (kind === 'Kustomization')
              controller.enqueue({ namespace, name }, { reason: 'dependency' });
          },
        }) ?? (() => undefined),
        ports.clusters?.onOpen(watchObjects) ?? (() => undefined),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    lookUp: (key, signal) => lookUp(key, bench, signal),
  };
}

/** Somebody else's object may change often. */
const AWAITED = { afterMs: 500, reason: 'awaited object' };

function keyOfOwner(owner: string): NamedKey {
  const [, namespace = '', name = ''] = owner.split('/');
  return { namespace, name };
}

function forget(id: string, { known, awaited }: Bench): void {
  known.delete(id);
  awaited.forget(id);
}

function laneOf(key: NamedKey, control: ControlState): string {
  const spec = control.kustomization(key)?.['spec'];
  const isRemote = typeof spec === 'object' && spec !== null && 'kubeConfig' in spec;
  return isRemote ? `${key.namespace} ${JSON.stringify(spec.kubeConfig)}` : '';
}

/** The object itself; those whose source it is; those that wait for it. */
function wakeConcerned(change: LiveChange, controller: Controller<NamedKey>, bench: Bench): void {
  const { index } = bench;
  const { group, kind, namespace, name } = change.key;
  if (group === KUSTOMIZE_GROUP && kind === 'Kustomization') {
    if (isWanted(change)) {
      const parsed = change.after && parseKustomization(change.after.read());
      index.put(change.key, parsed?.kind === 'ok' ? parsed.value : undefined);
      controller.enqueue(change.key, { reason: 'kustomization' });
    } else bench.statuses.see(change);
    for (const one of index.waitersOf(change.key))
      controller.enqueue(one, { reason: 'dependency' });
  } else if (group === SOURCE_GROUP) {
    // Whatever becomes of it, the Kustomizations are looked at.
    wakeFollowers({ kind, namespace, name }, controller, bench).catch(() => undefined);
  }
}

/** Those that take values from a ConfigMap or Secret which asks for that by its label. */
function wakeReferrers(
  { key, before, after }: LiveChange,
  controller: Controller<NamedKey>,
  { control }: Bench,
): void {
  if (key.group !== '' || (key.kind !== 'ConfigMap' && key.kind !== 'Secret')) return;
  const isWatched = [before, after].some(
    (one) => one?.read().metadata.labels?.[WATCH_LABEL] === 'Enabled',
  );
  if (!isWatched) return;
  for (const one of control.kustomizations()) {
    if ((one.metadata.namespace ?? '') !== key.namespace) continue;
    if (refersTo(one, key)) controller.enqueue(keyOf(one), { reason: 'configuration' });
  }
}

function refersTo({ spec }: Kustomization, { kind, name }: ObjectKey): boolean {
  const values = spec.postBuild?.substituteFrom ?? [];
  if (values.some((ref) => ref.kind === kind && ref.name === name)) return true;
  const secrets = [spec.kubeConfig?.['secretRef'], spec.decryption?.['secretRef']];
  return kind === 'Secret' && secrets.some((ref) => isRecord(ref) && ref['name'] === name);
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}

/** Those whose files the new artifact changes come first; one commit concerns few of many. */
async function wakeFollowers(
  source: NamedKey & { readonly kind: string },
  controller: Controller<NamedKey>,
  bench: Bench,
): Promise<void> {
  const { index, known, judge } = bench;
  const followers = index.followersOf(source);
  if (followers.length === 0) return;
  const snapshot = await readArtifact(source, bench).catch(() => undefined);
  const isTouched = ({ namespace, name }: NamedKey) =>
    snapshot === undefined ||
    judge.touches(known.get(ownerName(namespace, name))?.render, snapshot);
  const touched = new Set(followers.filter(isTouched));
  // What is queued first begins at once, whatever its priority.
  for (const key of touched) controller.enqueue(key, { priority: 10, reason: 'source' });
  for (const key of followers)
    if (!touched.has(key)) controller.enqueue(key, { priority: -10, reason: 'source' });
}

/** The files of a source's artifact. */
async function readArtifact(
  source: NamedKey & { readonly kind: string },
  { control, ports }: Bench,
): Promise<Snapshot | undefined> {
  const signal = AbortSignal.timeout(READ_MS);
  const found = await deliverySource(source, {
    control,
    client: ports.client,
    identities: ports.identities,
    signal,
  });
  return found.kind === 'found' ? ports.sources.fetchSnapshot(found.spec, { signal }) : undefined;
}

function keyOf({ metadata }: Kustomization): NamedKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

async function reconcile(
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
  if (kustomization.metadata.deletionTimestamp !== undefined)
    return finalize(kustomization, bench, signal);
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  const held = await setFinalizer(kustomization, true, write);
  if (held !== undefined) control.live.observeWrite(held);
  const current = held === undefined ? kustomization : requireKustomization(held);
  if (current.spec.suspend === true) {
    const seen = await writeStatus(current, suspendedStatus(current), write);
    if (seen !== undefined) control.live.observeWrite(seen);
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

/** Deletes what the inventory lists, when that is asked for, and lets the object go; waits for the end only when told to. */
async function finalize(
  kustomization: Kustomization,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports } = bench;
  if (deletesObjects(kustomization)) {
    const left = await deleteObjects(kustomization, bench, signal);
    if (left !== undefined) return left;
  }
  await setFinalizer(kustomization, false, {
    client: ports.client,
    fieldManager: FIELD_MANAGER,
    signal,
  });
  const { namespace, name } = keyOf(kustomization);
  forget(ownerName(namespace, name), bench);
  return { kind: 'settled' };
}

function deletesObjects({ spec, status }: Kustomization): boolean {
  const { deletionPolicy = 'MirrorPrune', prune, suspend } = spec;
  if (suspend === true || (status.inventory?.entries.length ?? 0) === 0) return false;
  return deletionPolicy === 'MirrorPrune' ? prune : deletionPolicy !== 'Orphan';
}

/** What is to be done before the object may go; undefined when nothing is. */
async function deleteObjects(
  kustomization: Kustomization,
  { ports }: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const { apiVersion, kind, metadata, spec } = kustomization;
  const object = { apiVersion, kind, metadata };
  const tell = (message: string, type: 'Normal' | 'Warning' = 'Warning') =>
    ports.events.record({ object, ...toDeletionEvent(kustomization, message, type) });
  if (!(await canActAs(kustomization, ports, signal))) {
    tell(`unable to prune objects: the service account ${spec.serviceAccountName} is gone`);
    return undefined;
  }
  const cluster = await openDestination(kustomization, ports, signal);
  const { errors, remaining } = await deleteDelivery(bareDelivery(kustomization), cluster, {
    inventory: readStatus(kustomization)?.inventory ?? [],
    propagation: 'Background',
    signal,
  });
  const going = remaining.filter((one) => one.metadata.deletionTimestamp === undefined);
  if (going.length > 0 && errors.length === 0)
    tell(describeDeletions(going.map(keyOfObject)), 'Normal');
  const [first] = errors;
  if (first !== undefined) {
    const message = `pruning for deleted resource failed: ${messageOf(first)}`;
    tell(message);
    const error = new CapstanError('PRUNE_FAILED', message, { kind: 'retry', cause: first });
    return { kind: 'retry', error };
  }
  if (spec.deletionPolicy !== 'WaitForTermination' || remaining.length === 0) return undefined;
  const limitMs = timeoutMs(kustomization);
  const leftMs = Date.parse(metadata.deletionTimestamp ?? '') + limitMs - ports.clock.now();
  if (leftMs > 0) return { kind: 'settled', recheckAfterMs: Math.min(2_000, leftMs) };
  tell('failed to wait for resources termination');
  return undefined;
}

/** Enough of a delivery to find and delete its objects: no source is needed, nor what cannot be done here. */
function bareDelivery(kustomization: Kustomization): Delivery {
  const source: SourceSpec = {
    kind: 'git',
    url: 'https://unused.invalid',
    revision: { kind: 'any', name: 'HEAD' },
  };
  const { healthCheckExprs: _exprs, ...spec } = kustomization.spec;
  return toDelivery({ ...kustomization, spec }, { source, variables: undefined });
}

async function lookUp(
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
