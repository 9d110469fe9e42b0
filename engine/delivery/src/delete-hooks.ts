/** Runs the hooks of a delivery's end, and takes them away after it. To be called again until nothing is left to do. */
import { applyStep, cleanHook, isMarked } from '@capstan/engine-apply';
import { assessHealth } from '@capstan/engine-health';
import {
  type DeletePhase,
  hooksToClean,
  isDeleteHook,
  type LiveHook,
  nextDeleteHooks,
  planDeleteHooks,
  type StepObservation,
  type SyncPolicy,
  type SyncStep,
} from '@capstan/engine-sync';
import { type KubeObject, keyOf } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { applyPorts } from './apply-all.ts';
import { deleteOne } from './delete-delivery.ts';
import { findOwned } from './find-owned.ts';
import { loadDesired } from './load-desired.ts';
import { observeStep } from './observe-step.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import type { PreparedState } from './prepare-desired.ts';
import type { Delivery, InventoryEntry } from './types.ts';

export interface DeleteHooksOptions extends SignalOptions {
  readonly phase: DeletePhase;
  /** Distinguishes hooks without a name of their own from those of another end: the same as long as this one lasts. */
  readonly suffix: string;
}

export type DeleteHooksState =
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting'; readonly message: string };

/** How old the known state of a source may be: a correction of a hook that failed should be seen at the next attempt. */
const MAX_AGE_MS = 5_000;

/**
 * Makes the hooks that Git declares for a phase, wave by wave, and judges them by what is live. Hooks that failed are
 * deleted after a while, to be made again by what Git says then, and thrown as DELETE_HOOK_FAILED. An object that exists and bears no mark of
 * the delivery is left alone.
 */
export async function runDeleteHooks(
  delivery: Delivery,
  ports: DeliveryPorts,
  { phase, suffix, signal }: DeleteHooksOptions,
): Promise<DeleteHooksState> {
  const prepared = await loadPrepared(delivery, ports, { signal });
  const { cluster } = ports;
  const [missed] = await cluster.live.ensure(kindsOf(prepared.hooks), { signal });
  if (missed !== undefined) throw failed(messageOf(missed.error), 'retry');
  const policy: SyncPolicy = { dryRun: false, hookSuffix: suffix, ...delivery.sync };
  const hooks = prepared.hooks.filter(({ object }) =>
    isDeleteHook(object, phase, policy.vocabulary),
  );
  const refused = hooks.find(({ refusal }) => refusal !== undefined);
  if (refused?.refusal !== undefined) throw failed(refused.refusal, 'stalled');
  const plan = planDeleteHooks(
    hooks.map(({ object }) => object),
    phase,
    policy,
  );
  const observe = (step: SyncStep) => observeHook(step, delivery, ports);
  const made = new Set<string>();
  for (;;) {
    signal.throwIfAborted();
    const next = nextDeleteHooks(plan, observe);
    if (next.kind === 'done') return next;
    if (next.kind === 'wait') return { kind: 'waiting', message: next.message };
    if (next.kind === 'failed') {
      await clearFailed(next.steps, ports, { signal });
      throw failed(next.message, 'retry');
    }
    if (next.steps.some(({ id }) => made.has(id))) {
      return { kind: 'waiting', message: `waiting for ${phase} hook(s) to be seen` };
    }
    for (const step of next.steps) {
      made.add(step.id);
      await make(step, delivery, { ports, signal });
    }
  }
}

/** A hook that fails at once is not made again at once. */
const AGAIN_AFTER_MS = 5_000;

async function clearFailed(
  steps: readonly SyncStep[],
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<void> {
  for (const step of steps) {
    const live = ports.cluster.live.get(step.key)?.read();
    const madeAt = Date.parse(live?.metadata.creationTimestamp ?? '');
    if (ports.clock.now() - madeAt < AGAIN_AFTER_MS) continue;
    await cleanHook(step, applyPorts(ports), { signal });
  }
}

/**
 * Deletes the hooks of a phase whose policies ask for it; true: none of those is left. Kinds are learned from what Git
 * declares, if it can still be read, and from the inventory.
 */
export async function cleanDeleteHooks(
  delivery: Delivery,
  ports: DeliveryPorts,
  {
    phase,
    inventory,
    signal,
  }: {
    readonly phase: DeletePhase;
    readonly inventory: readonly InventoryEntry[];
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { cluster } = ports;
  const known = await loadDesired(delivery, ports, { maxAgeMs: Number.POSITIVE_INFINITY, signal });
  await cluster.live.ensure(
    [...kindsOf(known.prepared?.hooks ?? []), ...inventory.map(({ key }) => key)],
    { signal },
  );
  const { vocabulary } = delivery.sync;
  const hooks = findOwned(delivery, cluster, inventory).map(
    (object): LiveHook => ({ object, verdict: verdictOf(object, delivery, ports.clock.now()) }),
  );
  const due = hooksToClean(hooks, phase, vocabulary);
  for (const object of due) {
    if (object.metadata.deletionTimestamp !== undefined) continue;
    await deleteOne(object, cluster, { propagation: 'Background', signal });
  }
  return due.every((object) => cluster.live.get(keyOf(object)) === undefined);
}

async function loadPrepared(
  delivery: Delivery,
  ports: DeliveryPorts,
  { signal }: SignalOptions,
): Promise<PreparedState> {
  const { prepared, problems } = await loadDesired(delivery, ports, {
    maxAgeMs: MAX_AGE_MS,
    signal,
  });
  if (prepared !== undefined) return prepared;
  const errors = problems.filter(({ severity }) => severity === 'error');
  throw failed(errors.map(({ message }) => message).join('; '), 'retry');
}

function kindsOf(hooks: PreparedState['hooks']) {
  return hooks.map(({ object }) => keyOf(object));
}

function observeHook(
  step: SyncStep,
  delivery: Delivery,
  { cluster, clock }: DeliveryPorts,
): StepObservation | undefined {
  const held = cluster.live.get(step.key);
  if (held === undefined) return undefined;
  const live = held.read();
  if (!held.whole || !isMarked(live, delivery.tracking)) return { kind: 'reached', message: '' };
  if (live.metadata.deletionTimestamp !== undefined) return { kind: 'waiting', message: '' };
  return observeStep(step, live, { rules: delivery.health.rules, nowMs: clock.now() });
}

async function make(
  step: SyncStep,
  { fieldManager, tracking }: Delivery,
  { ports, signal }: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<void> {
  const { outcome, message, retryable } = await applyStep(step, applyPorts(ports), {
    fieldManager,
    mark: tracking,
    signal,
  });
  if (outcome === 'failed')
    throw failed(`${step.phase} hook ${step.key.name}: ${message}`, retryable ? 'retry' : 'bug');
}

function verdictOf(object: KubeObject, { health }: Delivery, nowMs: number): LiveHook['verdict'] {
  const status = assessHealth(object, health.rules, { isHook: true, nowMs })?.status ?? 'Healthy';
  return status === 'Healthy' ? 'good' : status === 'Degraded' ? 'bad' : 'open';
}

function failed(message: string, kind: 'retry' | 'stalled' | 'bug'): CapstanError {
  return new CapstanError('DELETE_HOOK_FAILED', message, {
    kind,
    hint: 'correct the hook in its source, or take its finalizer from the resource that is being deleted',
  });
}
