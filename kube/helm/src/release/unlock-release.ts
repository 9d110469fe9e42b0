import { messageOf } from '@capstan/lib-std';
import type { ReleasePorts } from './cluster-port.ts';
import { mayBeAlive } from './operation.ts';
import { isPending, type Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { releaseStore } from './release-store.ts';

/**
 * Makes the last revision a failed one when an operation left it pending, and gives it as it was before; undefined when it
 * is not pending, or there is none. Unlike the recovery that every operation begins with, records without a sign of life
 * (helm's own) are taken over at once: for a caller who is the only one to work at the release. Throws RELEASE_PENDING
 * while another shows that it is alive, RELEASE_UNLOCK when the record cannot be written.
 */
export async function unlockRelease(
  name: string,
  { namespace }: { readonly namespace: string },
  ports: ReleasePorts,
): Promise<Release | undefined> {
  const store = releaseStore(ports, namespace);
  const last = (await store.history(name)).at(-1);
  if (last === undefined || !isPending(last.release)) return undefined;
  const { release, resourceVersion, holder } = last;
  if (mayBeAlive(last, ports.clock.now())) {
    throw new ReleaseError(
      'RELEASE_PENDING',
      'another operation (install/upgrade/rollback) is in progress',
      { kind: 'wait', hint: `${holder} works at it; it gives way half a minute after its end` },
    );
  }
  const description = `Release unlocked from stale '${release.status}' state`;
  try {
    await store.update({ ...release, status: 'failed', description }, { resourceVersion });
  } catch (cause) {
    throw new ReleaseError('RELEASE_UNLOCK', messageOf(cause), { kind: 'retry', cause, release });
  }
  return release;
}
