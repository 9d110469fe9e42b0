import type { Release } from './release.ts';
import type { ReleaseStore } from './release-store.ts';

/** Deletes the oldest revisions, never the last deployed one, until one more makes `max`. 0 keeps all. */
export async function makeRoom(name: string, max: number, store: ReleaseStore): Promise<void> {
  if (max <= 0) return;
  const all = (await store.history(name)).map(({ release }) => release);
  const deployed = lastDeployed(all);
  let excess = all.length - (max - 1);
  for (const release of all) {
    if (excess <= 0) return;
    if (release.revision === deployed?.revision) continue;
    await store.delete(release);
    excess--;
  }
}

export function lastDeployed(history: readonly Release[]): Release | undefined {
  return history.findLast(({ status }) => status === 'deployed');
}
