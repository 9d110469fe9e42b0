/**
 * Reconciles Kustomizations. Each run observes the Kustomization, its source, what it depends on and its variables, lets the
 * engine look at the delivery, and writes status and events at the single exit. Level-based and idempotent; it neither
 * renders nor plans. Woken by the object, its source, its dependencies, its objects in the cluster, and its interval.
 */

import {
  AwaitedObjects,
  ChangeJudge,
  type Cluster,
  type DeliveryLook,
  type DeliveryPorts,
  type DependencyGraph,
  keyOfOwner,
  type VerdictCache,
  watchOwners,
} from '@capstan/engine-delivery';
import type { Snapshot, SourceStore } from '@capstan/engine-source';
import {
  KUSTOMIZE_GROUP,
  type Kustomization,
  parseKustomization,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import type { LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EventRecorder,
  StatusWrites,
} from '@capstan/kube-controller';
import type { ObjectKey } from '@capstan/kube-object';
import { createCelCompiler } from '@capstan/lib-expressions';
import type { Clock } from '@capstan/lib-std';
import { type ControlState, isWanted, type NamedKey } from './control-state.ts';
import type { DestinationPorts } from './destination.ts';
import type { CloudIdentities } from './identity/cloud-identities.ts';
import { KustomizationIndex } from './kustomization-index.ts';
import { reconcileDurations } from './reconcile-durations.ts';
import { type Bench, forget, keyOf, lookUp, reconcile } from './reconcile-kustomization.ts';
import type { FluxSettings } from './settings.ts';
import { deliverySource } from './sources/delivery-source.ts';
import { ownerName } from './to-delivery.ts';

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
    statuses: new StatusWrites((key, options) => controller.enqueue(key, options)),
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
