import type { KubeClient, ObjectRef } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

const LOOK_EVERY_MS = 250;

/**
 * Waits until the object's condition `type` is True for its present generation and `holds` agrees. At the deadline the error
 * says what the object said last.
 */
export async function awaitCondition(
  client: KubeClient,
  ref: ObjectRef,
  options: {
    readonly type: string;
    readonly holds?: (object: KubeObject) => boolean;
    readonly deadlineMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { type, holds = () => true, deadlineMs, signal } = options;
  for (;;) {
    const object = await client.find(ref, { signal });
    const condition = object === undefined ? undefined : conditionOf(object, type);
    if (object !== undefined && condition?.status === 'True' && isObserved(object) && holds(object))
      return;
    if (Date.now() >= deadlineMs) {
      const said = condition === undefined ? 'it has no status' : `${type}: ${condition.message}`;
      throw new CapstanError(
        'BOOTSTRAP_TIMEOUT',
        `${ref.kind} ${ref.namespace}/${ref.name} did not become ready: ${said}`,
        { hint: 'see whether a control plane runs on this cluster, then run the command again' },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    signal.throwIfAborted();
  }
}

function conditionOf(
  object: KubeObject,
  type: string,
): { readonly status: string; readonly message: string } | undefined {
  const status: unknown = object['status'];
  const conditions = isRecord(status) ? status['conditions'] : undefined;
  const list: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  const found = list.filter(isRecord).find((one) => one['type'] === type);
  if (found === undefined) return undefined;
  return { status: String(found['status']), message: String(found['message'] ?? '') };
}

function isObserved({ metadata, status }: KubeObject): boolean {
  const observed = isRecord(status) ? status['observedGeneration'] : undefined;
  return observed === undefined || observed === metadata.generation;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
