/** The end of a Kustomization: its objects are deleted, left, or waited for, as its deletion policy says. */
import { type Delivery, deleteDelivery } from '@capstan/engine-delivery';
import type { SourceSpec } from '@capstan/engine-source';
import type { Kustomization } from '@capstan/flux-api';
import type { ReconcileResult } from '@capstan/kube-controller';
import { keyOf } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { canActAs, openDestination } from './destination.ts';
import type { KustomizationPorts } from './kustomization-controller.ts';
import { timeoutMs, toDelivery } from './to-delivery.ts';
import { describeDeletions, toDeletionEvent } from './to-events.ts';
import { readStatus } from './to-kustomization-status.ts';
import { setFinalizer, type WriteOptions } from './write-object.ts';

/**
 * Deletes what the inventory lists, when that is asked for, and lets the object go; waits for the end only when told to. Gives what is
 * to be done before it may go; undefined once it went.
 */
export async function finalize(
  kustomization: Kustomization,
  ports: KustomizationPorts,
  write: WriteOptions,
): Promise<ReconcileResult | undefined> {
  if (deletesObjects(kustomization)) {
    const left = await deleteObjects(kustomization, ports, write.signal);
    if (left !== undefined) return left;
  }
  await setFinalizer(kustomization, false, write);
  return undefined;
}

function deletesObjects({ spec, status }: Kustomization): boolean {
  const { deletionPolicy = 'MirrorPrune', prune, suspend } = spec;
  if (suspend === true || (status.inventory?.entries.length ?? 0) === 0) return false;
  return deletionPolicy === 'MirrorPrune' ? prune : deletionPolicy !== 'Orphan';
}

/** What is to be done before the object may go; undefined when nothing is. */
async function deleteObjects(
  kustomization: Kustomization,
  ports: KustomizationPorts,
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
  if (going.length > 0 && errors.length === 0) tell(describeDeletions(going.map(keyOf)), 'Normal');
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
