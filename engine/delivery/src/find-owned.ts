import { isMarked } from '@capstan/engine-apply';
import type { KubeObject } from '@capstan/kube-object';
import { type Cluster, OWNER_INDEX } from './cluster.ts';
import type { Delivery, InventoryEntry } from './types.ts';

/** What is live of a delivery, by its marks; where those are not enough, among what its last status listed. */
export function findOwned(
  { tracking }: Delivery,
  { live }: Cluster,
  inventory: readonly InventoryEntry[],
): readonly KubeObject[] {
  const held =
    tracking.find === 'mark'
      ? live.byIndex(OWNER_INDEX, tracking.owner)
      : inventory.flatMap(({ key }) => live.get(key) ?? []);
  return held
    .filter(({ whole }) => whole)
    .map((one) => one.read())
    .filter((object) => isMarked(object, tracking));
}
