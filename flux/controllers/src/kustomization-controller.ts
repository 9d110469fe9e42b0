/**
 * Reconciles Kustomizations. Each run observes the Kustomization, its source, what it depends on and its variables, lets the
 * engine look at the delivery, and writes status and events at the single exit. Level-based and idempotent; it neither
 * renders nor plans. Woken by the object, its source, its dependencies, its objects in the cluster, and its interval.
 */

import {
  actAs,
  ChangeJudge,
  type Cluster,
  type Delivery,
  type DeliveryPorts,
  type DeliveryStatus,
  deleteDelivery,
  inspectObject,
  type LoadedRender,
  type ObjectInsight,
  type OperationRequest,
  problemOf,
  runDelivery,
  serviceAccount,
  type VerdictCache,
  watchOwners,
} from '@capstan/engine-delivery';
import type { Snapshot, SourceSpec, SourceStore } from '@capstan/engine-source';
import { KUSTOMIZE_GROUP, type Kustomization, REQUESTED_AT, SOURCE_GROUP } from '@capstan/flux-api';
import type { KubeClient, LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  createController,
  type EventRecorder,
  type ReconcileResult,
} from '@capstan/kube-controller';
import type { ObjectKey } from '@capstan/kube-object';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import {
  type ControlState,
  isWanted,
  type NamedKey,
  requireGitRepository,
  requireKustomization,
} from './control-state.ts';
import { parseDurationMs } from './durations.ts';
import { observe } from './observe-kustomization.ts';
import { ownerName, toDelivery } from './to-delivery.ts';
import { toEvents } from './to-events.ts';
import {
  notReady,
  readStatus,
  requestId,
  toKustomizationStatus,
} from './to-kustomization-status.ts';
import { commitOf, toSourceSpec } from './to-source.ts';
import { setFinalizer, writeStatus } from './write-object.ts';

export interface KustomizationPorts {
  readonly client: KubeClient;
  readonly cluster: Cluster;
  readonly sources: SourceStore;
  readonly render: DeliveryPorts['render'];
  readonly verdicts: VerdictCache;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

interface Bench {
  readonly ports: KustomizationPorts;
  readonly control: ControlState;
  readonly known: Map<string, Known>;
  readonly judge: ChangeJudge;
}

/** The engine's last word on a Kustomization, and what it was rendered from. */
interface Known {
  readonly uid: string;
  readonly status: DeliveryStatus;
  readonly render: LoadedRender | undefined;
}

const FIELD_MANAGER = 'kustomize-controller';

export interface KustomizationController {
  readonly controller: Controller<NamedKey>;
  start(): () => void;
  inspect(
    key: NamedKey,
    object: ObjectKey,
    signal: AbortSignal,
  ): Promise<ObjectInsight | undefined>;
}

export function createKustomizationController(
  ports: KustomizationPorts,
  control: ControlState,
): KustomizationController {
  const bench: Bench = { ports, control, known: new Map(), judge: new ChangeJudge(ports.sources) };
  const controller = createController<NamedKey>({
    name: 'kustomization',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: ({ namespace, name }) => ownerName(namespace, name),
    concurrency: 8,
    clock: ports.clock,
  });
  return {
    controller,
    start() {
      const stops = [
        control.live.subscribe((change) => wakeConcerned(change, controller, bench)),
        watchOwners(ports.cluster, (owner) => {
          const [kind, namespace = '', name = ''] = owner.split('/');
          if (kind === 'Kustomization')
            controller.enqueue({ namespace, name }, { reason: 'live object' });
        }),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    inspect: (key, object, signal) => inspect(key, object, { bench, signal }),
  };
}

/** The object itself; those whose source it is; those that wait for it. */
function wakeConcerned(change: LiveChange, controller: Controller<NamedKey>, bench: Bench): void {
  const { control } = bench;
  const { group, kind, namespace, name } = change.key;
  if (group === KUSTOMIZE_GROUP && kind === 'Kustomization') {
    if (isWanted(change)) controller.enqueue(change.key, { reason: 'kustomization' });
    for (const one of control.kustomizations()) {
      const own = one.metadata.namespace ?? '';
      const waits = one.spec.dependsOn?.some(
        (ref) => ref.name === name && (ref.namespace || own) === namespace,
      );
      if (waits === true) controller.enqueue(keyOf(one), { reason: 'dependency' });
    }
  } else if (group === SOURCE_GROUP && kind === 'GitRepository') {
    // Whatever becomes of it, the Kustomizations are looked at.
    wakeFollowers({ namespace, name }, controller, bench).catch(() => undefined);
  }
}

/** Those whose files the new artifact changes come first; one commit concerns few of many. */
async function wakeFollowers(
  source: NamedKey,
  controller: Controller<NamedKey>,
  { control, ports, known, judge }: Bench,
): Promise<void> {
  const followers = control.kustomizations().filter(({ spec, metadata }) => {
    const { kind, name, namespace } = spec.sourceRef;
    return (
      kind === 'GitRepository' &&
      name === source.name &&
      (namespace || metadata.namespace) === source.namespace
    );
  });
  const snapshot = await readArtifact(source, control, ports.sources).catch(() => undefined);
  for (const one of followers) {
    const { namespace, name } = keyOf(one);
    const before = known.get(ownerName(namespace, name))?.render;
    const touched = snapshot === undefined || judge.touches(before, snapshot);
    controller.enqueue({ namespace, name }, { priority: touched ? 10 : -10, reason: 'source' });
  }
}

/** The files of a repository's artifact, as far as they are at hand. */
async function readArtifact(
  key: NamedKey,
  control: ControlState,
  sources: SourceStore,
): Promise<Snapshot | undefined> {
  const object = control.gitRepository(key);
  if (object === undefined) return undefined;
  const repository = requireGitRepository(object);
  const { artifact } = repository.status;
  if (artifact === undefined) return undefined;
  return sources.snapshotAt(toSourceSpec(repository, undefined), commitOf(artifact.revision));
}

function keyOf({ metadata }: Kustomization): NamedKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

async function reconcile(
  key: NamedKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, control, known } = bench;
  const id = ownerName(key.namespace, key.name);
  const object = control.kustomization(key);
  if (object === undefined) {
    known.delete(id);
    return { kind: 'settled' };
  }
  const kustomization = requireKustomization(object);
  if (kustomization.metadata.deletionTimestamp !== undefined)
    return finalize(kustomization, bench, signal);
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  const held = await setFinalizer(kustomization, true, write);
  if (held !== undefined) control.live.observeWrite(held);
  if (kustomization.spec.suspend === true) return { kind: 'settled' };
  const current = held === undefined ? kustomization : requireKustomization(held);
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
  const { ports, known } = bench;
  const held = known.get(id);
  const { uid = '' } = kustomization.metadata;
  const previous = held?.uid === uid ? held.status : readStatus(kustomization);
  let current = kustomization;
  let revision = '';
  const report = async (delivery: DeliveryStatus) => {
    current = await reportStatus(current, delivery, { bench, revision, signal });
  };
  let status: DeliveryStatus;
  let render = held?.render;
  try {
    const observed = await observe(
      kustomization,
      { control: bench.control, client: bench.ports.client },
      signal,
    );
    revision = observed.revision;
    if (observed.kind === 'waiting') {
      status = notReady(observed.reason, observed.message, previous, ports.clock.now());
    } else {
      const { delivery } = observed;
      const request = toRequest(kustomization, delivery);
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
        portsFor(kustomization, ports),
        { signal },
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CapstanError) || error.kind === 'bug' || error.kind === 'retry')
      throw error;
    const problem = problemOf(error, error.kind === 'wait' ? 'render' : 'spec');
    status = { ...notReady('', '', previous, ports.clock.now()), problems: [problem] };
  }
  known.set(id, { uid, status, render });
  await report(status);
  return status;
}

function toRequest(
  { metadata, status }: Kustomization,
  { automation }: Delivery,
): OperationRequest | undefined {
  const requestedAt = metadata.annotations?.[REQUESTED_AT];
  if (
    requestedAt === undefined ||
    requestedAt === status.lastHandledReconcileAt ||
    automation.kind === 'manual'
  ) {
    return undefined;
  }
  return {
    id: requestId(requestedAt),
    initiatedBy: { kind: 'automation' },
    policy: {},
    retry: automation.retry,
    healAttempt: 0,
  };
}

/** Acts as the service account that the Kustomization names, if it does. */
function portsFor({ spec, metadata }: Kustomization, ports: KustomizationPorts): DeliveryPorts {
  const { cluster, sources, render, clock, verdicts } = ports;
  const { serviceAccountName } = spec;
  if (serviceAccountName === undefined || serviceAccountName === '') {
    return { sources, render, clock, verdicts, cluster };
  }
  const identity = serviceAccount(metadata.namespace ?? '', serviceAccountName);
  return { sources, render, clock, verdicts, cluster: actAs(cluster, identity) };
}

/** The single exit. */
async function reportStatus(
  kustomization: Kustomization,
  delivery: DeliveryStatus,
  {
    bench,
    revision,
    signal,
  }: { readonly bench: Bench; readonly revision: string; readonly signal: AbortSignal },
): Promise<Kustomization> {
  const { ports, control } = bench;
  const status = toKustomizationStatus(kustomization, delivery, {
    nowMs: ports.clock.now(),
    revision,
    handledReconcileAt: kustomization.metadata.annotations?.[REQUESTED_AT],
  });
  const written = await writeStatus(kustomization, status, {
    client: ports.client,
    fieldManager: FIELD_MANAGER,
    signal,
  });
  if (written === undefined) return kustomization;
  control.live.observeWrite(written);
  const after = requireKustomization(written);
  const { apiVersion, kind, metadata } = after;
  for (const event of toEvents(kustomization, after, { delivery, revision })) {
    ports.events.record({ object: { apiVersion, kind, metadata }, ...event });
  }
  return after;
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

/** Prunes what the inventory lists, when that is asked for, and lets the object go. As in Flux, it does not wait for the end. */
async function finalize(
  kustomization: Kustomization,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, known } = bench;
  const previous = readStatus(kustomization);
  const { deletionPolicy = 'MirrorPrune', prune, suspend } = kustomization.spec;
  const deletes = deletionPolicy === 'MirrorPrune' ? prune : deletionPolicy !== 'Orphan';
  if (deletes && suspend !== true && previous !== undefined && previous.inventory.length > 0) {
    const source: SourceSpec = {
      kind: 'git',
      url: 'https://unused.invalid',
      revision: { kind: 'any', name: 'HEAD' },
    };
    const {
      kubeConfig: _kubeConfig,
      decryption: _decryption,
      healthCheckExprs: _exprs,
      ...spec
    } = kustomization.spec;
    const delivery = toDelivery({ ...kustomization, spec }, { source, variables: undefined });
    const { cluster } = portsFor(kustomization, ports);
    const { inventory } = previous;
    const { errors } = await deleteDelivery(delivery, cluster, {
      inventory,
      propagation: 'Background',
      signal,
    });
    const [first] = errors;
    if (first !== undefined) {
      const message = `pruning for deleted resource failed: ${messageOf(first)}`;
      return {
        kind: 'retry',
        error: new CapstanError('PRUNE_FAILED', message, { kind: 'retry', cause: first }),
      };
    }
  }
  await setFinalizer(kustomization, false, {
    client: ports.client,
    fieldManager: FIELD_MANAGER,
    signal,
  });
  const { namespace, name } = keyOf(kustomization);
  known.delete(ownerName(namespace, name));
  return { kind: 'settled' };
}

async function inspect(
  key: NamedKey,
  object: ObjectKey,
  { bench, signal }: { readonly bench: Bench; readonly signal: AbortSignal },
): Promise<ObjectInsight | undefined> {
  const held = bench.control.kustomization(key);
  if (held === undefined) return undefined;
  const kustomization = requireKustomization(held);
  const observed = await observe(
    kustomization,
    { control: bench.control, client: bench.ports.client },
    signal,
  );
  if (observed.kind === 'waiting') return undefined;
  return inspectObject(observed.delivery, object, {
    ports: portsFor(kustomization, bench.ports),
    signal,
  });
}
