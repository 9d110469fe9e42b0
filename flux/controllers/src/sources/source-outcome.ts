import type { Artifact } from '@capstan/flux-api';
import type { JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

/** What a look at a source gave. */
export type SourceOutcome = StoredOutcome | FailedOutcome;

export interface StoredOutcome {
  readonly kind: 'stored';
  readonly artifact: Artifact;
  /** The message of ArtifactInStorage and Ready. */
  readonly message: string;
  /** The message of the event for a new artifact. */
  readonly event: string;
  /** What was verified; absent when nothing is to be. */
  readonly verified?: string;
  /** What was verified before stands as it was told. */
  readonly isVerificationKept?: boolean;
  /** Further fields of the status: what of the spec the artifact was made with. */
  readonly observed: JsonObject;
}

export interface FailedOutcome {
  readonly kind: 'failed';
  readonly condition:
    | 'FetchFailed'
    | 'StorageOperationFailed'
    | 'IncludeUnavailable'
    | 'SourceVerified'
    /** Told by Ready and Stalled alone. */
    | 'none';
  readonly reason: string;
  readonly message: string;
  /** `stall`: only a change of the object or its Secrets can help. `wait`: for another object. */
  readonly response: 'retry' | 'wait' | 'stall';
}

/** A failure with its place among the conditions, thrown on the way to an artifact. */
export class SourceFailure extends CapstanError {
  readonly outcome: FailedOutcome;

  constructor(
    outcome: Omit<FailedOutcome, 'kind' | 'response'> & {
      readonly response?: FailedOutcome['response'];
    },
    cause?: unknown,
  ) {
    const { response = 'retry' } = outcome;
    super('SOURCE_FAILED', outcome.message, {
      kind: response === 'stall' ? 'stalled' : response,
      ...(cause === undefined ? {} : { cause }),
    });
    // The message is redacted by the base.
    this.outcome = { ...outcome, kind: 'failed', response, message: this.message };
  }
}

/** For what concerns the way to the remote. */
export function fetchFailure(
  reason: string,
  message: string,
  options: { readonly response?: FailedOutcome['response']; readonly cause?: unknown } = {},
): SourceFailure {
  const { response = 'retry', cause } = options;
  return new SourceFailure({ condition: 'FetchFailed', reason, message, response }, cause);
}

/** The message of an error with what to do about it. */
export function describeError(error: unknown): string {
  if (!(error instanceof CapstanError))
    return error instanceof Error ? error.message : String(error);
  return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
}
