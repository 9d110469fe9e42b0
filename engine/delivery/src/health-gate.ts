import { assessHealth, type Health } from '@capstan/engine-health';
import { type KubeObject, keyString, type ObjectKey, parseApiVersion } from '@capstan/kube-object';
import { valueAt } from '@capstan/lib-std';
import type { Cluster } from './cluster.ts';
import { fail } from './perform-operation.ts';
import type { Delivery, HealthGate, InventoryEntry, OperationState } from './types.ts';

/** What is left to wait for, and what will not become healthy any more. */
interface GateView {
  readonly waiting: readonly JudgedObject[];
  readonly failed: readonly JudgedObject[];
}

interface JudgedObject {
  readonly key: ObjectKey;
  readonly health: Health;
  readonly kstatus: string;
}

interface GateContext {
  readonly cluster: Cluster;
  readonly inventory: readonly InventoryEntry[];
  /** Keys of what the cluster clears away once it is done: where it is missing, it is done. */
  readonly fleeting: ReadonlySet<string>;
  readonly nowMs: number;
}

/** Ends an operation whose objects are all applied, once they are healthy or their time is over. */
export function passGate(
  operation: OperationState,
  delivery: Delivery,
  { inventory, ...context }: GateContext,
): OperationState {
  const { gate } = delivery.sync;
  if (gate === undefined || operation.appliedAtMs === undefined) return operation;
  const keys = keysOf(gate, inventory);
  const { waiting, failed } = lookAt(keys, delivery, context);
  const { nowMs } = context;
  const { nextAttemptAtMs: _due, ...rest } = operation;
  if (waiting.length === 0 && failed.length === 0) {
    return { ...rest, phase: 'Succeeded', finishedAtMs: nowMs };
  }
  const seconds = Math.round((nowMs - operation.appliedAtMs) / 1000);
  if (failed.length > 0 && (gate.failFast || waiting.length === 0)) {
    const message = `health check failed after ${seconds}s: failed early due to stalled resources: [${tell(failed)}]`;
    return fail(operation, { message, retryable: true }, nowMs);
  }
  if (nowMs >= operation.appliedAtMs + gate.timeoutMs) {
    const message = `health check failed after ${seconds}s: timeout waiting for: [${tell([...waiting, ...failed])}]`;
    return fail(operation, { message, retryable: true }, nowMs);
  }
  return {
    ...rest,
    phase: 'Running',
    message: `waiting for: [${tell([...waiting, ...failed])}]`,
  };
}

/** When the gate may open or close without any object changing. */
export function gateChangesAtMs(
  operation: OperationState,
  delivery: Delivery,
  { inventory, ...context }: GateContext,
): number | undefined {
  const { gate } = delivery.sync;
  if (gate === undefined || operation.appliedAtMs === undefined) return undefined;
  const { waiting } = lookAt(keysOf(gate, inventory), delivery, context);
  const times = waiting.flatMap(({ health }) => health.changesAtMs ?? []);
  return Math.min(operation.appliedAtMs + gate.timeoutMs, ...times);
}

/** Objects by name whose health ends the delivery's syncs; they need not be its own. */
export function awaitedBy({ sync: { gate } }: Pick<Delivery, 'sync'>): readonly ObjectKey[] {
  return gate === undefined || gate.objects === 'all' ? [] : gate.objects;
}

function keysOf(gate: HealthGate, inventory: readonly InventoryEntry[]): readonly ObjectKey[] {
  return gate.objects === 'all' ? inventory.map(({ key }) => key) : gate.objects;
}

function lookAt(
  keys: readonly ObjectKey[],
  delivery: Delivery,
  { cluster, fleeting, nowMs }: Omit<GateContext, 'inventory'>,
): GateView {
  const judged = keys.map((key) => {
    const live = cluster.live.get(key)?.read();
    const health: Health =
      live === undefined
        ? { status: fleeting.has(keyString(key)) ? 'Healthy' : 'Missing' }
        : (assessHealth(live, delivery.health.rules, { nowMs }) ?? { status: 'Healthy' });
    return { key, health, kstatus: kstatusOf(health, live) };
  });
  return {
    waiting: judged.filter(
      ({ health }) => health.status !== 'Healthy' && health.status !== 'Degraded',
    ),
    failed: judged.filter(({ health }) => health.status === 'Degraded'),
  };
}

const KSTATUS: Readonly<Record<Health['status'], string>> = {
  Healthy: 'Current',
  Degraded: 'Failed',
  Progressing: 'InProgress',
  Suspended: 'InProgress',
  Missing: 'NotFound',
  Unknown: 'Unknown',
};

/** The word that kstatus has for it, and that people know from the original's messages. */
function kstatusOf({ status }: Health, live: KubeObject | undefined): string {
  return live?.metadata.deletionTimestamp === undefined ? KSTATUS[status] : 'Terminating';
}

function tell(objects: GateView['waiting']): string {
  const shown = objects.slice(0, 10).map(({ key, health, kstatus }) => {
    const { kind, namespace, name } = key;
    const subject = [kind, namespace, name].filter((part) => part !== '').join('/');
    const why = health.message === undefined ? '' : `: ${health.message}`;
    return `${subject} status: '${kstatus}'${why}`;
  });
  const more = objects.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** A Job with a time to live, of which it is told by `spec.ttlSecondsAfterFinished` that the cluster deletes it. */
export function isClearedAway({ apiVersion, kind, ...object }: KubeObject): boolean {
  if (kind !== 'Job' || parseApiVersion(apiVersion).group !== 'batch') return false;
  return typeof valueAt(object, 'spec', 'ttlSecondsAfterFinished') === 'number';
}
