import type { ChartOffer } from '@capstan/engine-render';
import {
  createLiveState,
  isVolatile,
  type KubeClient,
  type LiveChange,
  type LiveState,
  type ResourceKind,
} from '@capstan/kube-client';
import type { GroupVersionKind, KubeObject } from '@capstan/kube-object';
import type { KindSchema, Schema } from '@capstan/kube-schema';
import type { Clock } from '@capstan/lib-std';
import { createOfferReader } from './chart-offer.ts';
import { HeldWakes, type Weight } from './held-wakes.ts';

/** One destination: its API, its watched state, and what is known of its kinds. Shared by all deliveries to it. */
export interface Cluster extends AsyncDisposable {
  readonly name: string;
  readonly client: KubeClient;
  readonly live: LiveState;
  /** Only these are looked into; absent: the whole cluster. */
  readonly namespaces?: readonly string[];
  /** undefined: a kind without a known schema. */
  schemaOf(kind: GroupVersionKind): KindSchema | undefined;
  /** A type of the built-in kinds, by the name that the published schemas give it. */
  readonly definitionOf?: (name: string) => Schema | undefined;
  /** Owners (TrackingMark.owner) that the object's marks name. */
  ownersOf(object: KubeObject): readonly string[];
  readonly heldWakes: HeldWakes;
  /** What charts are told of it; throws while it does not answer. */
  readonly offered: (options: { readonly signal: AbortSignal }) => Promise<ChartOffer>;
}

export interface ClusterOptions {
  readonly name: string;
  readonly client: KubeClient;
  readonly schemaOf: Cluster['schemaOf'];
  readonly definitionOf?: Cluster['definitionOf'];
  /** One for each family of marks. They must be pure. */
  readonly ownerReaders: readonly ((object: KubeObject) => readonly string[])[];
  /** Objects that the cache holds whole though no delivery owns them, for other readers of `live`. */
  readonly keepsWhole?: (object: KubeObject) => boolean;
  /** Look into these namespaces only; absent: the whole cluster. */
  readonly namespaces?: readonly string[];
  /** False: objects of the cluster's own scope are not looked at. */
  readonly clusterObjects?: boolean;
  readonly clock?: Clock;
}

/** Name of the index of the live cache under which a delivery's objects are found. */
export const OWNER_INDEX = 'owner';

export function createCluster(options: ClusterOptions): Cluster {
  const { client, name, ownerReaders, schemaOf, clock, keepsWhole, namespaces } = options;
  const onlyNamespaced = options.clusterObjects === false;
  const ownersOf = (object: KubeObject) => ownerReaders.flatMap((read) => read(object));
  const live = createLiveState({
    client,
    isManaged: (object) => ownersOf(object).length > 0 || keepsWhole?.(object) === true,
    indexes: { [OWNER_INDEX]: ownersOf },
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(onlyNamespaced
      ? { isExcluded: (kind: ResourceKind) => isVolatile(kind) || !kind.namespaced }
      : {}),
    ...(clock === undefined ? {} : { clock }),
  });
  return {
    name,
    client,
    live,
    ...(namespaces === undefined ? {} : { namespaces }),
    schemaOf,
    ...(options.definitionOf === undefined ? {} : { definitionOf: options.definitionOf }),
    ownersOf,
    heldWakes: new HeldWakes(),
    offered: createOfferReader({ client, live, now: () => clock?.now() ?? Date.now() }),
    [Symbol.asyncDispose]: () => live[Symbol.asyncDispose](),
  };
}

/**
 * Calls `wake` with every owner of a kind one of whose objects changed, but for changes of no account, for what its own
 * delivery wrote, which looks at it before it ends, and for what else a look that is under way comes to see (HeldWakes); returns the
 * way to stop.
 */
export function watchOwners(
  cluster: Cluster,
  kind: string,
  wake: (owner: { readonly namespace: string; readonly name: string }, weight: Weight) => void,
  weigh: (change: LiveChange) => Weight | 'none' = () => 'content',
): () => void {
  const prefix = `${kind}/`;
  return cluster.live.subscribe((change) => {
    const { before, after, writer } = change;
    // What is not whole is nobody's: an EndpointSlice bears the labels of its Service.
    const told = [before, after].flatMap((held) =>
      held?.whole === true ? held.indexedBy(OWNER_INDEX) : [],
    );
    const owners = new Set(told.filter((owner) => owner !== writer && owner.startsWith(prefix)));
    if (owners.size === 0) return;
    const weight = weigh(change);
    if (weight === 'none') return;
    for (const owner of owners) {
      const wakeOwner = (heaviest: Weight) => wake(keyOfOwner(owner), heaviest);
      if (!cluster.heldWakes.hold(owner, weight, wakeOwner)) wakeOwner(weight);
    }
  });
}

/** The object that an owner (TrackingMark.owner) names: `Kustomization/apps/web`. */
export function keyOfOwner(owner: string): { readonly namespace: string; readonly name: string } {
  const [, namespace = '', name = ''] = owner.split('/');
  return { namespace, name };
}
