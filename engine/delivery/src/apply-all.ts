import { applyStep } from '@capstan/engine-apply';
import type { StepResult, SyncStep } from '@capstan/engine-sync';
import type { KubeObject } from '@capstan/kube-object';
import { mapLimited } from './map-limited.ts';
import type { DeliveryPorts } from './ports.ts';
import type { Delivery } from './types.ts';

export const CONCURRENCY = 16;

/** Performs steps that may run together; what fails is a result as well. */
export async function applyAll(
  steps: readonly SyncStep[],
  delivery: Delivery,
  { ports, signal }: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<readonly StepResult[]> {
  const { fieldManager, tracking } = delivery;
  return mapLimited(steps, CONCURRENCY, (step) =>
    applyStep(step, applyPorts(ports, tracking.owner), { fieldManager, mark: tracking, signal }),
  );
}

/** With a `writer`: an owner that looks at what was written by itself, and so is not woken by it. */
export function applyPorts({ cluster, clock }: DeliveryPorts, writer?: string) {
  const options = writer === undefined ? {} : { writer };
  const observeWrite = (object: KubeObject) => cluster.live.observeWrite(object, options);
  return { client: cluster.client, clock, observeWrite };
}
