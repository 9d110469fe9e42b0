import type { ReleaseMerge } from '@capstan/kube-helm';
import {
  migrateClientSideApply,
  threeWayJsonPatch,
  threeWayStrategicPatch,
} from '@capstan/kube-merge';
import { groupVersionKindOf } from '@capstan/kube-object';
import { loadCatalogue } from '@capstan/kube-schema';

/** The merges of Helm 3's way by kube/merge, as a program that releases charts hands them over. */
export async function releaseMerge(): Promise<ReleaseMerge> {
  const catalogue = await loadCatalogue();
  return {
    threeWayPatch: ({ original, modified, live }) => {
      const versions = { original, modified, current: live };
      const kind = catalogue.kind(groupVersionKindOf(modified));
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
