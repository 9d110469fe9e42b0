import { ANNOTATION, API_VERSION, type ApplicationSet, FINALIZER } from '@capstan/argocd-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import type { EventRecorder } from '@capstan/kube-controller';
import type { JsonObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import type { Outcome } from './application-set-status.ts';
import type { ApplicationPlan, PlannedDeletion } from './plan-applications.ts';
import type { Rollout } from './rolling-sync.ts';
import type { SetState } from './set-state.ts';

export const FIELD_MANAGER = 'argocd-applicationset-controller';

export interface PerformOptions {
  readonly ports: { readonly client: KubeClient; readonly events: EventRecorder };
  readonly state: SetState;
  readonly signal: AbortSignal;
}

/**
 * Does what is planned: creations and updates first, then deletions, each in the order of names. One that fails does not
 * keep the others from being done; the first failure is the outcome. Over the deletion budget, nothing is done.
 */
export async function performPlan(
  set: ApplicationSet,
  plan: ApplicationPlan,
  options: PerformOptions,
): Promise<Outcome | undefined> {
  if (plan.overBudget !== undefined)
    return failed('DeletionBudgetExceeded', plan.overBudget.message);
  const upserts: [string, () => Promise<void>][] = [
    ...plan.create.map((object): [string, () => Promise<void>] => [
      object.metadata.name ?? '',
      async () => {
        const { client } = options.ports;
        const { signal } = options;
        const made = await client.create(object, { fieldManager: FIELD_MANAGER, signal });
        options.state.live.observeWrite(made);
        tell(set, options, 'created', made.metadata.name ?? '');
      },
    ]),
    ...plan.update.map(({ name, patch }): [string, () => Promise<void>] => [
      name,
      async () => {
        const { signal } = options;
        const changed = await options.ports.client.patch(refOf(set, name), patch, {
          type: 'merge',
          fieldManager: FIELD_MANAGER,
          signal,
        });
        options.state.live.observeWrite(changed);
        tell(set, options, 'updated', name);
      },
    ]),
  ];
  const upsertError = await performAll(upserts, options.signal);
  const [refused] = plan.refused;
  const removeError = await performAll(
    plan.remove.map((deletion) => [deletion.name, () => remove(set, deletion, options)]),
    options.signal,
  );
  if (upsertError !== undefined) return failed('UpdateApplicationError', upsertError);
  if (refused !== undefined) return failed('UpdateApplicationError', refused.message);
  return removeError === undefined ? undefined : failed('DeleteApplicationError', removeError);
}

function failed(reason: string, message: string): Outcome {
  return { kind: 'error', reason, message, parametersGenerated: true };
}

/** The message of the first failure, in the order given. */
async function performAll(
  steps: readonly (readonly [name: string, run: () => Promise<void>])[],
  signal: AbortSignal,
): Promise<string | undefined> {
  let first: string | undefined;
  for (const [name, run] of steps) {
    try {
      await run();
    } catch (error) {
      signal.throwIfAborted();
      first ??= `Application ${name}: ${messageOf(error)}`;
    }
  }
  return first;
}

async function remove(
  set: ApplicationSet,
  { name, uid, dropsFinalizer, finalizers }: PlannedDeletion,
  options: PerformOptions,
): Promise<void> {
  const { client } = options.ports;
  const { signal } = options;
  const ref = refOf(set, name);
  try {
    if (dropsFinalizer) {
      const kept = finalizers.filter((finalizer) => finalizer !== FINALIZER);
      const patch = { metadata: { finalizers: kept.length === 0 ? null : kept } };
      await client.patch(ref, patch, { type: 'merge', fieldManager: FIELD_MANAGER, signal });
    }
    await client.delete(ref, {
      propagation: 'Background',
      ...(uid === '' ? {} : { preconditions: { uid } }),
      signal,
    });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  tell(set, options, 'Deleted', name);
}

/** Starts the syncs of a rollout, and asks for looks at what it waits for. The first failure is told. */
export async function performRollout(
  set: ApplicationSet,
  { operations, refresh }: Rollout,
  options: PerformOptions,
): Promise<string | undefined> {
  const write = (name: string, patch: JsonObject) => async () => {
    const { signal } = options;
    const changed = await options.ports.client.patch(refOf(set, name), patch, {
      type: 'merge',
      fieldManager: FIELD_MANAGER,
      signal,
    });
    options.state.live.observeWrite(changed);
  };
  const asked = { metadata: { annotations: { [ANNOTATION.refresh]: 'normal' } } };
  return performAll(
    [
      ...refresh.map((name) => [name, write(name, asked)] as const),
      ...operations.map(({ name, operation }) => [name, write(name, { operation })] as const),
    ],
    options.signal,
  );
}

/** Deletes the next Application of a set that goes in reverse order; false when none is left. */
export async function deleteNext(
  set: ApplicationSet,
  order: readonly string[],
  options: PerformOptions,
): Promise<boolean> {
  const { client } = options.ports;
  const { signal } = options;
  for (const name of order) {
    const found = await client.find(refOf(set, name), { signal });
    if (found === undefined) continue;
    const { uid, deletionTimestamp } = found.metadata;
    if (deletionTimestamp === undefined)
      await client.delete(refOf(set, name), {
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        signal,
      });
    return true;
  }
  return false;
}

function refOf({ metadata }: ApplicationSet, name: string) {
  const namespace = metadata.namespace ?? '';
  return { apiVersion: API_VERSION, kind: 'Application', namespace, name };
}

function tell(
  { apiVersion, kind, metadata }: ApplicationSet,
  { ports }: PerformOptions,
  reason: string,
  name: string,
): void {
  ports.events.record({
    object: { apiVersion, kind, metadata },
    type: 'Normal',
    reason,
    message: `${reason} Application ${JSON.stringify(name)}`,
  });
}
