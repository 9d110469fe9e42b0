/** What a source says of itself, summed up as Flux's source-controller does. Pure. */
import type { Artifact } from '@capstan/flux-api';
import { progressOf } from '@capstan/flux-controllers';
import type { CapstanError } from '@capstan/lib-std';
import { type Conditioned, mark, markReconciling, markStalled, unmark } from './conditions.ts';

const FAILURES = ['FetchFailed', 'BuildFailed', 'StorageOperationFailed'] as const;

export interface SourceFailure {
  readonly condition: (typeof FAILURES)[number];
  readonly reason: string;
  readonly message: string;
  /** What events and Stalled say instead, where the condition has other words. */
  readonly told?: { readonly reason: string; readonly message: string };
  /** Nothing helps but a change of the object. */
  readonly isStalled: boolean;
  readonly error: CapstanError;
}

/** All is well: the artifact is in place. */
export function succeeded<T extends Conditioned>(
  source: T,
  { reason, message }: { readonly reason: string; readonly message: string },
  nowMs: number,
): T {
  const cleared = unmark(source, ...FAILURES, 'ArtifactOutdated', 'Reconciling', 'Stalled');
  const stored = mark(
    cleared,
    { type: 'ArtifactInStorage', status: 'True', reason, message },
    nowMs,
  );
  return mark(stored, { type: 'Ready', status: 'True', reason, message }, nowMs);
}

export function failed<T extends Conditioned>(
  source: T,
  { condition, reason, message, told: words, isStalled }: SourceFailure,
  nowMs: number,
): T {
  const others = FAILURES.filter((one) => one !== condition);
  const told = mark(
    unmark(source, ...others),
    { type: condition, status: 'True', reason, message },
    nowMs,
  );
  const moving = isStalled
    ? markStalled(told, words?.reason ?? reason, words?.message ?? message, nowMs)
    : markReconciling(told, 'ProgressingWithRetry', progressIn(source), nowMs);
  return mark(moving, { type: 'Ready', status: 'False', reason, message }, nowMs);
}

function progressIn({ metadata, status }: Conditioned): string {
  const seen = status as { readonly artifact?: Artifact; readonly observedGeneration?: number };
  return progressOf({
    ...{ status: seen, generation: metadata.generation ?? 0 },
    current: seen.artifact,
  });
}

export function hasFailed({ status }: Conditioned): boolean {
  return (status.conditions ?? []).some(({ type }) => FAILURES.some((one) => one === type));
}

/** The same artifact as before keeps its time. */
export function artifactOf(
  before: Artifact | undefined,
  made: Omit<Artifact, 'lastUpdateTime'> & { readonly path: string },
  time: string,
): Artifact {
  const isSame = (one: Artifact): boolean =>
    one.revision === made.revision && one.digest === made.digest && one.url === made.url;
  return before !== undefined && isSame(before)
    ? before
    : ({ ...made, lastUpdateTime: time } as Artifact);
}
