/** The end of an Application as its finalizers tell it: what they promise, in which order they go. */
import {
  API_VERSION,
  type Application,
  BACKGROUND_FINALIZER,
  CLEANUP_FINALIZER,
  DELETE_HOOK_FINALIZER,
  FINALIZER,
  FOREGROUND_FINALIZER,
} from '@capstan/argocd-api';
import type { DeletePhase } from '@capstan/engine-sync';
import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';

const CASCADES: readonly string[] = [FINALIZER, FOREGROUND_FINALIZER, BACKGROUND_FINALIZER];
const PHASES = ['PreDelete', 'PostDelete'] as const;

/** What is to be done next; `finalizers` go when it is done. */
export type EndStage =
  | { readonly kind: 'hooks'; readonly phase: DeletePhase; readonly finalizers: readonly string[] }
  | {
      readonly kind: 'objects';
      readonly propagation: 'Foreground' | 'Background';
      readonly finalizers: readonly string[];
    }
  | {
      readonly kind: 'cleanup';
      readonly phase: DeletePhase;
      readonly finalizers: readonly string[];
    };

/** PreDelete hooks, the objects, PostDelete hooks, then the hooks that are to be taken away; undefined when all is done. */
export function nextStage(finalizers: readonly string[]): EndStage | undefined {
  const has = (name: string) => finalizers.includes(name);
  const hooks = (phase: DeletePhase): EndStage | undefined => {
    const name = DELETE_HOOK_FINALIZER[phase];
    return has(name) ? { kind: 'hooks', phase, finalizers: [name] } : undefined;
  };
  const cleanup = (phase: DeletePhase): EndStage | undefined => {
    const name = CLEANUP_FINALIZER[phase];
    return has(name) ? { kind: 'cleanup', phase, finalizers: [name] } : undefined;
  };
  return (
    hooks('PreDelete') ??
    objects(finalizers) ??
    hooks('PostDelete') ??
    cleanup('PreDelete') ??
    cleanup('PostDelete')
  );
}

function objects(finalizers: readonly string[]): EndStage | undefined {
  const first = finalizers.find((name) => CASCADES.includes(name));
  if (first === undefined) return undefined;
  const propagation = first === BACKGROUND_FINALIZER ? 'Background' : 'Foreground';
  return { kind: 'objects', propagation, finalizers: CASCADES };
}

/** All finalizers that are ours to take away. */
export const OWN_FINALIZERS: readonly string[] = [
  ...CASCADES,
  ...Object.values(DELETE_HOOK_FINALIZER),
  ...Object.values(CLEANUP_FINALIZER),
];

/**
 * Lets an application hold itself as long as its sources declare hooks for its end, and no longer. Undefined: nothing had
 * to be written, or what its sources declare is not known.
 */
export async function ensureDeleteFinalizers(
  { metadata }: Application,
  phases: readonly DeletePhase[] | undefined,
  client: KubeClient,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  if (phases === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const { finalizers = [] } = metadata;
  const wanted = withDeleteFinalizers(finalizers, phases);
  if (wanted.join() === finalizers.join()) return undefined;
  return writeFinalizers(metadata, wanted, client, signal);
}

/** Both finalizers of each phase with hooks, those of the other phases not. Pure. */
export function withDeleteFinalizers(
  finalizers: readonly string[],
  phases: readonly DeletePhase[],
): readonly string[] {
  const unwanted = PHASES.filter((phase) => !phases.includes(phase)).flatMap(finalizersOf);
  const wanted = PHASES.filter((phase) => phases.includes(phase)).flatMap(finalizersOf);
  return [...new Set([...finalizers.filter((name) => !unwanted.includes(name)), ...wanted])];
}

function finalizersOf(phase: DeletePhase): readonly string[] {
  return [DELETE_HOOK_FINALIZER[phase], CLEANUP_FINALIZER[phase]];
}

/** Insists on the version that was read: what others added meanwhile is not lost. */
export async function writeFinalizers(
  { name = '', namespace = '', resourceVersion }: Application['metadata'],
  finalizers: readonly string[],
  client: KubeClient,
  signal: AbortSignal,
): Promise<KubeObject> {
  const metadata = {
    finalizers: [...finalizers],
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return client.patch(
    { apiVersion: API_VERSION, kind: 'Application', namespace, name },
    { metadata },
    { type: 'merge', signal },
  );
}
