import { isMarked, releaseHook } from '@capstan/engine-apply';
import { compareKinds, type Permission, readHints, type SyncSwitch } from '@capstan/engine-sync';
import { isConflict, isNotFound } from '@capstan/kube-client';
import { type KubeObject, keyOf, keyString, type ObjectKey } from '@capstan/kube-object';
import type { Cluster } from './cluster.ts';
import { findOwned } from './find-owned.ts';
import { findRefusal } from './guard.ts';
import { mapLimited } from './map-limited.ts';
import type { Delivery, Guard, InventoryEntry } from './types.ts';

export interface DeleteOptions {
  readonly inventory: readonly InventoryEntry[];
  readonly propagation: 'Foreground' | 'Background';
  /** Absent: everything that does not say otherwise goes. */
  readonly policy?: DeletionPolicy;
  readonly signal: AbortSignal;
}

export interface DeletionPolicy {
  /** For objects that say nothing of themselves. */
  readonly permission: Permission;
  /** A person confirmed it: what waits for that may go. */
  readonly confirmed: boolean;
  /** Definitions of kinds stay, since all objects of the kind would go with them. */
  readonly keepDefinitions: boolean;
  /** The object that is being ended itself may be among what it put in place. */
  readonly keepUid?: string;
  /** What it forbids stays. */
  readonly guard?: Guard;
}

export interface DeletionState {
  readonly remaining: readonly KubeObject[];
  /** Nothing is deleted until a person confirms the deletion of these. */
  readonly unconfirmed: readonly KubeObject[];
  readonly errors: readonly unknown[];
}

const DELETES_ALL: DeletionPolicy = {
  permission: 'allowed',
  confirmed: true,
  keepDefinitions: false,
};

/**
 * Deletes what the delivery put in place, last wave first and kinds in reverse, wave by wave; to be called again until
 * `remaining` is empty. Objects that say so (Delete=false, prune or reconcile disabled) stay, and so does what is marked as
 * another's or forbidden.
 */
export async function deleteDelivery(
  delivery: Delivery,
  cluster: Cluster,
  options: DeleteOptions,
): Promise<DeletionState> {
  const policy = options.policy ?? DELETES_ALL;
  const kinds = options.inventory.map(({ key }) => ({ group: key.group, kind: key.kind }));
  await cluster.live.ensure(kinds, { signal: options.signal });
  const owned = findOwned(delivery, cluster, options.inventory).filter((object) =>
    mayDelete(object, delivery, policy),
  );
  const unconfirmed = owned.filter((object) => awaitsPerson(object, delivery, policy));
  if (unconfirmed.length > 0) return { remaining: owned, unconfirmed, errors: [] };
  const wave = (object: KubeObject) => readHints(object, delivery.sync.vocabulary).wave;
  const last = Math.max(...owned.map(wave), Number.NEGATIVE_INFINITY);
  const { hookFinalizer: finalizer } = delivery.sync.vocabulary;
  const isLeaving = ({ metadata }: KubeObject) => metadata.deletionTimestamp !== undefined;
  // A hook that never came to its verdict would stay for ever.
  const isHeld = ({ metadata }: KubeObject) =>
    finalizer !== undefined && (metadata.finalizers ?? []).includes(finalizer);
  const due = owned
    .filter((object) => wave(object) === last && (!isLeaving(object) || isHeld(object)))
    .sort(
      (a, b) =>
        compareKinds(keyOf(b), keyOf(a)) || (keyString(keyOf(a)) < keyString(keyOf(b)) ? -1 : 1),
    );
  const errors: unknown[] = [];
  await mapLimited(due, 16, async (object) => {
    try {
      await releaseHook(object, finalizer, {
        client: cluster.client,
        observeWrite: (written) => cluster.live.observeWrite(written),
        signal: options.signal,
      });
      if (!isLeaving(object)) await deleteOwned(object, delivery, { cluster, options });
    } catch (error) {
      options.signal.throwIfAborted();
      errors.push(error);
    }
  });
  return { remaining: owned, unconfirmed, errors };
}

const ATTEMPTS_MAX = 5;

/** Deletes an object only while it bears the delivery's marks: somebody else may have taken it a moment ago. */
async function deleteOwned(
  object: KubeObject,
  { tracking }: Delivery,
  { cluster, options }: { readonly cluster: Cluster; readonly options: DeleteOptions },
): Promise<void> {
  const { propagation, signal } = options;
  const { name = '', namespace = '' } = object.metadata;
  const ref = { apiVersion: object.apiVersion, kind: object.kind, name, namespace };
  let live: KubeObject | undefined = object;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (live === undefined || !isMarked(live, tracking)) return;
    const { uid, resourceVersion } = live.metadata;
    if (uid !== object.metadata.uid) return;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    try {
      const left = await cluster.client.delete(ref, { propagation, preconditions, signal });
      if (left !== undefined) cluster.live.observeWrite(left);
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      live = await cluster.client.find(ref, { signal });
    }
  }
  // It changes all the time: that it is still the same object has to do.
  await deleteOne(object, cluster, options);
}

export async function deleteOne(
  object: KubeObject,
  { client, live }: Cluster,
  { propagation, signal }: Pick<DeleteOptions, 'propagation' | 'signal'>,
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

function mayDelete(object: KubeObject, delivery: Delivery, policy: DeletionPolicy): boolean {
  const { options, switches } = readHints(object, delivery.sync.vocabulary);
  if (switches.some((means) => STAYS.includes(means))) return false;
  const key = keyOf(object);
  if (policy.keepDefinitions && isDefinition(key)) return false;
  if (policy.keepUid !== undefined && object.metadata.uid === policy.keepUid) return false;
  const namespaced = key.namespace !== '';
  const { guard } = policy;
  if (guard !== undefined && findRefusal(guard, key, { namespaced }) !== undefined) return false;
  return (options['Delete'] ?? VALUES[policy.permission]) !== 'false';
}

const STAYS: readonly SyncSwitch['means'][] = ['keep', 'outlive', 'ignoreObject'];
const VALUES: Readonly<Record<Permission, string>> = {
  allowed: 'true',
  forbidden: 'false',
  confirm: 'confirm',
};

/** What asks a person before it is pruned asks before it is deleted, too. */
function awaitsPerson(object: KubeObject, delivery: Delivery, policy: DeletionPolicy): boolean {
  if (policy.confirmed) return false;
  const { options } = readHints(object, delivery.sync.vocabulary);
  const deletes = options['Delete'] ?? VALUES[policy.permission];
  const prunes = options['Prune'] ?? VALUES[delivery.sync.prunePermission];
  return deletes === 'confirm' || prunes === 'confirm';
}

function isDefinition({ group, kind }: ObjectKey): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
}
