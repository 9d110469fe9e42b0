import type { KindRef, LiveChange, LiveState } from '@capstan/kube-client';
import type { ObjectMeta } from '@capstan/kube-object';
import type { Controller } from './controller-types.ts';

export interface EnqueueChangesOptions<Key> {
  /** Kinds to look at (any version); absent: all that the cache watches. */
  readonly kinds?: readonly KindRef[];
  /** The keys that a change concerns. */
  readonly keysOf: (change: LiveChange) => Iterable<Key>;
  /** Changes to leave out, e.g. `isMeaningful` to skip a controller's own status writes. */
  readonly filter?: (change: LiveChange) => boolean;
  /** Abort a running reconcile of the key: for changes that make its work void (a new spec). */
  readonly supersede?: (change: LiveChange) => boolean;
  readonly priority?: number;
}

/** Wires a cache to a controller's queue; returns the way to stop it. What the cache reads first comes with low priority. */
export function enqueueChanges<Key>(
  live: Pick<LiveState, 'subscribe'>,
  controller: Pick<Controller<Key>, 'enqueue'>,
  options: EnqueueChangesOptions<Key>,
): () => void {
  const kinds = options.kinds === undefined ? undefined : new Set(options.kinds.map(groupKind));
  const { priority = 0 } = options;
  return live.subscribe((change) => {
    if (kinds !== undefined && !kinds.has(`${change.key.group}/${change.key.kind}`)) return;
    if (options.filter?.(change) === false) return;
    for (const key of options.keysOf(change)) {
      controller.enqueue(key, {
        priority: change.isInitial ? initialPriority : priority,
        supersede: options.supersede?.(change) ?? false,
      });
    }
  });
}

const initialPriority = -100;

/**
 * True unless only status, managedFields or the resourceVersion changed: new, gone, another generation, labels, annotations,
 * finalizers or deletion time. Always true for kinds without a generation (ConfigMap, Secret), and on a status write too
 * where a CRD has no status subresource, because its generation then counts those.
 */
export function isMeaningful({ before, after }: LiveChange): boolean {
  if (before === undefined || after === undefined) return true;
  const [old, current] = [before.read().metadata, after.read().metadata];
  if (old.generation === undefined || current.generation === undefined) return true;
  return outline(old) !== outline(current);
}

function outline(metadata: ObjectMeta): string {
  return JSON.stringify([
    metadata.uid,
    metadata.generation,
    metadata.deletionTimestamp,
    metadata.labels,
    metadata.annotations,
    metadata.finalizers,
  ]);
}

function groupKind(ref: KindRef): string {
  if ('apiVersion' in ref && typeof ref.apiVersion === 'string') {
    const slash = ref.apiVersion.indexOf('/');
    return `${slash < 0 ? '' : ref.apiVersion.slice(0, slash)}/${ref.kind}`;
  }
  return `${'group' in ref ? ref.group : ''}/${ref.kind}`;
}
