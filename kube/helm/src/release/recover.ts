import type { ReleasePorts } from './cluster-port.ts';
import { mayBeAlive, type OperationOptions } from './operation.ts';
import { isPending, type Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';

/**
 * Makes a pending record whose owner is gone a failed one, so that the next operation can go on from it. Gives the release
 * as it then is. Throws RELEASE_PENDING (kind `wait`) when its owner may be alive; two who recover at once: one gets CONFLICT.
 */
export async function recoverPending(
  last: StoredRelease,
  options: Pick<OperationOptions, 'recoverForeignAfterMs'>,
  { store, ports }: { readonly store: ReleaseStore; readonly ports: ReleasePorts },
): Promise<Release> {
  const { release } = last;
  if (!isPending(release)) return release;
  const gone = goneSince(last, options.recoverForeignAfterMs, ports.clock.now());
  if (gone === undefined) throw pendingError(last);
  const recovered: Release = {
    ...release,
    status: 'failed',
    description: `${release.status} was interrupted: its owner has given no sign of life since ${gone}`,
  };
  await store.update(recovered, { resourceVersion: last.resourceVersion });
  ports.warn?.(`release ${release.name} revision ${release.revision}: ${recovered.description}`);
  return recovered;
}

function goneSince(
  last: StoredRelease,
  foreignMs: number | undefined,
  now: number,
): string | undefined {
  const { release, renewedAt } = last;
  if (renewedAt !== undefined)
    return mayBeAlive(last, now) ? undefined : new Date(renewedAt).toISOString();
  if (foreignMs === undefined) return undefined;
  const started = Date.parse(release.lastDeployed);
  return now - started > foreignMs ? release.lastDeployed : undefined;
}

function pendingError({ holder }: StoredRelease): ReleaseError {
  return new ReleaseError(
    'RELEASE_PENDING',
    'another operation (install/upgrade/rollback) is in progress',
    {
      kind: 'wait',
      hint:
        holder === ''
          ? 'the record was written by helm, which leaves no sign of life: if no helm runs any more, recover it (recoverForeignAfterMs) or helm rollback'
          : `${holder} works at it; should it be gone, the release is recovered half a minute after its last sign of life`,
    },
  );
}
