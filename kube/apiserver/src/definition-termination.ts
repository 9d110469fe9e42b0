import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type Core, timestamp } from './core.ts';
import { listAt, textAt } from './json.ts';

/** Holds a CustomResourceDefinition until the last of its objects is gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** What a definition says as soon as somebody asked for its end; unlike others it has no new generation then. */
export function withEndPending(
  core: Core,
  definition: KubeObject,
  finalizers: readonly string[],
): KubeObject {
  const deletionTimestamp = timestamp(core.clock);
  const metadata = { ...definition.metadata, deletionTimestamp, finalizers: [...finalizers] };
  return withTermination(
    core,
    { ...definition, metadata },
    {
      status: 'True',
      reason: 'InstanceDeletionPending',
      message:
        'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    },
  );
}

export function isTerminating(definition: KubeObject | undefined): boolean {
  return listAt(definition, 'status', 'conditions').some(
    (one) => textAt(one, 'type') === 'Terminating' && textAt(one, 'status') === 'True',
  );
}

export function withTermination(
  core: Core,
  definition: KubeObject,
  state: { readonly status: string; readonly reason: string; readonly message: string },
): KubeObject {
  const others = listAt(definition, 'status', 'conditions').filter(
    (one) => textAt(one, 'type') !== 'Terminating',
  );
  const condition = { type: 'Terminating', ...state, lastTransitionTime: timestamp(core.clock) };
  const status = { ...(definition['status'] as JsonObject), conditions: [...others, condition] };
  return { ...definition, status };
}
