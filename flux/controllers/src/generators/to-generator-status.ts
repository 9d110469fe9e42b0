import {
  type ArtifactGenerator,
  type ArtifactGeneratorStatus,
  type GeneratedArtifact,
  REQUESTED_AT,
} from '@capstan/flux-api';
import { findCondition, type NewCondition, setConditions } from '../conditions.ts';

/** What a look at an ArtifactGenerator gave. */
export type GeneratorOutcome =
  /** Told not to be reconciled. */
  | { readonly kind: 'disabled' }
  /** Nothing has changed since it was ready. */
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'made';
      readonly inventory: readonly GeneratedArtifact[];
      readonly sourcesDigest: string;
    }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly message: string;
      /** Only a change of the object can help. */
      readonly isStalled: boolean;
    };

const PROGRESS = 'Reconciliation in progress';

/** The whole status, with what of the old one stays. Pure. */
export function toGeneratorStatus(
  { metadata, status }: ArtifactGenerator,
  outcome: GeneratorOutcome,
  nowMs: number,
): ArtifactGeneratorStatus {
  const requestedAt = metadata.annotations?.[REQUESTED_AT];
  const handled = requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt };
  const wanted = conditionsOf(status, outcome);
  if (wanted === undefined) return { ...status, ...handled };
  const { generation = 0 } = metadata;
  return {
    ...status,
    ...handled,
    conditions: setConditions(status.conditions ?? [], wanted, { generation, nowMs }),
    ...(outcome.kind === 'made'
      ? { inventory: outcome.inventory, observedSourcesDigest: outcome.sourcesDigest }
      : {}),
  };
}

/** Undefined when they stay as they are. */
function conditionsOf(
  status: ArtifactGeneratorStatus,
  outcome: GeneratorOutcome,
): readonly NewCondition[] | undefined {
  if (outcome.kind === 'unchanged') return undefined;
  const ready = { type: 'Ready', status: 'True' } as const;
  if (outcome.kind === 'disabled') {
    if (findCondition(status.conditions, 'Ready') !== undefined) return undefined;
    const message = 'Initialized with reconciliation suspended';
    return [{ ...ready, reason: 'ReconciliationDisabled', message }];
  }
  if (outcome.kind === 'made') {
    const message = `reconciliation succeeded, generated ${outcome.inventory.length} artifact(s)`;
    return [{ ...ready, reason: 'Succeeded', message }];
  }
  const { reason, message, isStalled } = outcome;
  const progress: NewCondition = isStalled
    ? { type: 'Stalled', status: 'True', reason, message }
    : { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message: PROGRESS };
  return [progress, { type: 'Ready', status: 'False', reason, message }];
}
