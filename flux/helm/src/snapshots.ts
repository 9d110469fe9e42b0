/** The history in the status of a HelmRelease: what of each revision was seen, the newest first. Pure. */
import type { ReleaseSnapshot } from '@capstan/flux-api';
import { HISTORY_MAX_DEFAULT } from './policies.ts';

export type Snapshots = readonly ReleaseSnapshot[];

export function newestFirst(history: Snapshots): Snapshots {
  return history.toSorted((a, b) => b.version - a.version);
}

export function latest(history: Snapshots | undefined): ReleaseSnapshot | undefined {
  return newestFirst(history ?? [])[0];
}

/** The newest before the latest that was in place, and, unless tests are ignored, did not fail them. */
export function previous(
  history: Snapshots | undefined,
  ignoresTests: boolean,
): ReleaseSnapshot | undefined {
  return newestFirst(history ?? [])
    .slice(1)
    .find((one) => isGood(one, ignoresTests));
}

/** Keeps all up to the previous good one; without one, the newest five. */
export function truncate(history: Snapshots, ignoresTests: boolean): Snapshots {
  const sorted = newestFirst(history);
  const at = sorted.findIndex((one, index) => index > 0 && isGood(one, ignoresTests));
  return sorted.slice(0, at < 0 ? HISTORY_MAX_DEFAULT : at + 1);
}

export function truncateToNewest(history: Snapshots): Snapshots {
  return newestFirst(history).slice(0, HISTORY_MAX_DEFAULT);
}

function isGood(snapshot: ReleaseSnapshot, ignoresTests: boolean): boolean {
  const { status } = snapshot;
  if (status !== 'deployed' && status !== 'superseded') return false;
  return ignoresTests || !hasTestInPhase(snapshot, 'Failed');
}

export function hasTestInPhase(snapshot: ReleaseSnapshot | undefined, phase: string): boolean {
  return Object.values(snapshot?.testHooks ?? {}).some((hook) => hook.phase === phase);
}

/** Whether test results were seen: none selected, one failed, or all succeeded. */
export function hasBeenTested(snapshot: ReleaseSnapshot | undefined): boolean {
  if (snapshot?.testHooks === undefined) return false;
  const hooks = Object.values(snapshot.testHooks);
  return hasTestInPhase(snapshot, 'Failed') || hooks.every(({ phase }) => phase === 'Succeeded');
}

/** `namespace/name.v3` */
export function fullName({ namespace, name, version }: ReleaseSnapshot): string {
  return `${namespace}/${name}.v${version}`;
}

/** `podinfo@6.0.0` */
export function chartText({ chartName, chartVersion }: ReleaseSnapshot): string {
  return `${chartName}@${chartVersion}`;
}

export function isOf(
  snapshot: ReleaseSnapshot,
  release: { readonly name: string; readonly namespace: string; readonly revision: number },
): boolean {
  return (
    snapshot.name === release.name &&
    snapshot.namespace === release.namespace &&
    snapshot.version === release.revision
  );
}
