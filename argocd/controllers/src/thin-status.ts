import type { ApplicationStatus, ResourceResult } from '@capstan/argocd-api';

/**
 * What stays of a sync's results where the server has no room for all: hooks, which must not run twice, and what did not go
 * well or was pruned. The rest is told by the resources themselves.
 */
export function isTelling({ hookType, hookPhase, status }: ResourceResult): boolean {
  const isBad = hookPhase === 'Failed' || hookPhase === 'Error';
  return hookType !== undefined || status !== 'Synced' || isBad;
}

/** The status with the telling results alone. */
export function thinStatus(status: ApplicationStatus): ApplicationStatus {
  const { operationState } = status;
  const { resources, ...syncResult } = operationState?.syncResult ?? {};
  if (operationState === undefined || resources === undefined) return status;
  const kept = resources.filter(isTelling);
  const told = { ...syncResult, ...(kept.length === 0 ? {} : { resources: kept }) };
  return { ...status, operationState: { ...operationState, syncResult: told } };
}
