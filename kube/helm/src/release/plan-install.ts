import type { KubeObject } from '@capstan/kube-object';
import type { HelmFlavor } from '../capabilities.ts';
import type { ReleaseCluster } from './cluster-port.ts';
import { explain } from './explain.ts';
import { findExisting, markOwned, readObjects } from './release-objects.ts';

export interface InstallPlan {
  /** As they are applied, with the marks of the release. */
  readonly objects: readonly KubeObject[];
  /** Those of them that exist already and may be taken over. */
  readonly adopted: readonly KubeObject[];
}

export interface PlanOptions {
  readonly name: string;
  readonly namespace: string;
  readonly takeOwnership?: boolean;
  /** Nobody asks whose the live objects are. */
  readonly isUpgrade?: boolean;
  readonly flavor?: HelmFlavor;
}

/** What an installation of a manifest would write; throws in Helm's words when it could not. Reads only. */
export async function planInstall(
  manifest: string,
  { name, namespace, takeOwnership = false, isUpgrade = false, flavor = 4 }: PlanOptions,
  cluster: ReleaseCluster,
): Promise<InstallPlan> {
  const read = await explain('unable to build kubernetes objects from release manifest', () =>
    readObjects(manifest, namespace, cluster),
  );
  const objects = read.map((object) => markOwned(object, { name, namespace }));
  if (isUpgrade) return { objects, adopted: [] };
  const unable = `${flavor === 3 ? 'U' : 'u'}nable to continue with install`;
  const owner = { name, namespace, takeOwnership };
  return { objects, adopted: await explain(unable, () => findExisting(objects, owner, cluster)) };
}
