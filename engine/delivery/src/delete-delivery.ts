import { isMarked, type Mark } from '@capstan/engine-apply';
import { compareKinds, readHints } from '@capstan/engine-sync';
import { isConflict, isNotFound } from '@capstan/kube-client';
import { type KubeObject, keyOf, keyString } from '@capstan/kube-object';
import { type Cluster, OWNER_INDEX } from './cluster.ts';
import { mapLimited } from './map-limited.ts';
import type { Delivery, InventoryEntry } from './types.ts';

export interface DeleteOptions {
  readonly inventory: readonly InventoryEntry[];
  readonly propagation: 'Foreground' | 'Background';
  readonly signal: AbortSignal;
}

/**
 * Deletes what the delivery put in place, last wave first and kinds in reverse, wave by wave; to be called again until
 * `remaining` is empty. Objects that say so (Delete=false, prune or reconcile disabled) stay, and so does what is marked as
 * another's.
 */
export async function deleteDelivery(
  delivery: Delivery,
  cluster: Cluster,
  options: DeleteOptions,
): Promise<{ readonly remaining: readonly KubeObject[]; readonly errors: readonly unknown[] }> {
  const kinds = options.inventory.map(({ key }) => ({ group: key.group, kind: key.kind }));
  await cluster.live.ensure(kinds, { signal: options.signal });
  const owned = findOwned(delivery, cluster, options.inventory).filter((object) =>
    mayDelete(object, delivery),
  );
  const wave = (object: KubeObject) => readHints(object, delivery.sync.vocabulary).wave;
  const last = Math.max(...owned.map(wave), Number.NEGATIVE_INFINITY);
  const due = owned
    .filter((object) => wave(object) === last && object.metadata.deletionTimestamp === undefined)
    .sort(
      (a, b) =>
        compareKinds(b.kind, a.kind) || (keyString(keyOf(a)) < keyString(keyOf(b)) ? -1 : 1),
    );
  const errors: unknown[] = [];
  await mapLimited(due, 16, async (object) => {
    try {
      await deleteOne(object, cluster, options);
    } catch (error) {
      options.signal.throwIfAborted();
      errors.push(error);
    }
  });
  return { remaining: owned, errors };
}

async function deleteOne(
  object: KubeObject,
  { client, live }: Cluster,
  { propagation, signal }: DeleteOptions,
): Promise<void> {
  const { uid, name = '', namespace = '' } = object.metadata;
  const ref = { apiVersion: object.apiVersion, kind: object.kind, name, namespace };
  try {
    const left = await client.delete(ref, {
      propagation,
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      signal,
    });
    if (left !== undefined) live.observeWrite(left);
  } catch (error) {
    // Gone, or another object of the same name by now: nothing of ours is left there.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

function findOwned(
  delivery: Delivery,
  { live }: Cluster,
  inventory: readonly InventoryEntry[],
): readonly KubeObject[] {
  const { tracking } = delivery;
  const held =
    tracking.find === 'mark'
      ? live.byIndex(OWNER_INDEX, tracking.owner)
      : inventory.flatMap(({ key }) => live.get(key) ?? []);
  const mark: Mark = tracking;
  return held
    .filter(({ whole }) => whole)
    .map((one) => one.read())
    .filter((object) => isMarked(object, mark));
}

function mayDelete(object: KubeObject, delivery: Delivery): boolean {
  const { options, switches } = readHints(object, delivery.sync.vocabulary);
  if (switches.includes('keep') || switches.includes('ignoreObject')) return false;
  return options['Delete'] !== 'false';
}
