import { type RenderSpec, referredSources } from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { type FileTree, mountTrees } from '@capstan/lib-files';
import type { DeliverySource } from './types.ts';

/**
 * A snapshot with those of other sources that its chart refers to (`$values/prod.yaml`) mounted at `$<ref>`; the snapshot
 * itself when it refers to none. A ref that no source bears is left to the renderer, which names it.
 */
export async function withReferences(
  snapshot: Snapshot,
  render: RenderSpec,
  others: {
    readonly sources: readonly DeliverySource[];
    /** The snapshot of the source at an index. */
    readonly fetch: (index: number) => Promise<Snapshot>;
  },
): Promise<Snapshot> {
  const helm = render.kind === 'helm' ? render : render.kind === 'detect' ? render.helm : undefined;
  const names = helm === undefined ? [] : referredSources(helm);
  const mounts = new Map<string, FileTree>();
  const digests = [snapshot.digest];
  for (const name of names) {
    const index = others.sources.findIndex(({ ref }) => ref === name);
    if (index < 0) continue;
    const referred = await others.fetch(index);
    mounts.set(`$${name}`, referred.files);
    digests.push(`${name}=${referred.digest}`);
  }
  if (mounts.size === 0) return snapshot;
  return { ...snapshot, digest: digests.join(' '), files: mountTrees(snapshot.files, mounts) };
}
