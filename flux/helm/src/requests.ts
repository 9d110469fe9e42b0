/** Requests by annotations: each token is handled once. Pure. */
import { FORCE_AT, type HelmRelease, REQUESTED_AT, RESET_AT } from '@capstan/flux-api';
import { withStatus } from './conditions.ts';

/**
 * Takes note of a request beside `reconcile.fluxcd.io/requestedAt` (to force a release, or to reset failures): it counts when
 * both carry the same token and that token is new.
 */
export function takeRequest(
  release: HelmRelease,
  kind: 'force' | 'reset',
): { readonly release: HelmRelease; readonly isAsked: boolean } {
  const { annotations = {} } = release.metadata;
  const requested = annotations[kind === 'force' ? FORCE_AT : RESET_AT];
  if (requested === undefined) return { release, isAsked: false };
  const field = kind === 'force' ? 'lastHandledForceAt' : 'lastHandledResetAt';
  const isNew = (release.status[field] ?? '') !== requested;
  const reconcile = annotations[REQUESTED_AT];
  const isReconcileNew = (release.status.lastHandledReconcileAt ?? '') !== reconcile;
  return {
    release: withStatus(release, { [field]: requested }),
    isAsked: requested === reconcile && isReconcileNew && isNew,
  };
}
