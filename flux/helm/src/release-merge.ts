import type { Cluster } from '@capstan/engine-delivery';
import type { ReleaseMerge } from '@capstan/kube-helm';
import {
  migrateClientSideApply,
  threeWayJsonPatch,
  threeWayStrategicPatch,
} from '@capstan/kube-merge';
import { type GroupVersionKind, groupVersionKindOf } from '@capstan/kube-object';

/** The merges of Helm 3's way by kube/merge: strategic for kinds with a known schema, else JSON merge patches. */
export function releaseMerge(
  schemaOf: (kind: GroupVersionKind) => ReturnType<Cluster['schemaOf']>,
): ReleaseMerge {
  return {
    threeWayPatch: ({ original, modified, live }) => {
      const versions = { original, modified, current: live };
      const kind = schemaOf(groupVersionKindOf(modified));
      const made =
        kind === undefined
          ? { type: 'merge' as const, patch: threeWayJsonPatch(versions) }
          : { type: 'strategic' as const, patch: threeWayStrategicPatch(kind.schema, versions) };
      return Object.keys(made.patch).length === 0 ? undefined : made;
    },
    migrateManager: (live, manager) =>
      migrateClientSideApply(live, { from: [manager], to: manager }),
  };
}
