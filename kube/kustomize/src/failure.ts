import { CapstanError } from '@capstan/lib-std';

/** What a caller further up may want to know of a failure, beside its text. */
export interface FailureFacts {
  /** The kind of node that stood where another one was needed. */
  readonly wrongKind?: string;
  /** The text was no YAML at all. */
  readonly malformed?: boolean;
  /** The server answered, with an error. */
  readonly http?: boolean;
  /** Content from elsewhere is needed and not there yet. */
  readonly pending?: boolean;
  readonly timeout?: boolean;
  /** What to do about it. */
  readonly hint?: string;
}

/** An error in the user's input, in the words of the original. */
export class BuildFailure extends Error {
  readonly facts: FailureFacts;

  constructor(message: string, facts: FailureFacts = {}) {
    super(message);
    this.name = 'BuildFailure';
    this.facts = facts;
  }
}

export function failure(message: string, facts: FailureFacts = {}): BuildFailure {
  return new BuildFailure(message, facts);
}

/** Puts `prefix: ` before the message; the facts stay. Anything that is no BuildFailure passes through unchanged. */
export function withPrefix(error: unknown, prefix: string): unknown {
  if (!(error instanceof BuildFailure)) return error;
  return new BuildFailure(`${prefix}: ${error.message}`, error.facts);
}

/** Runs `work`, and names what it was for when it fails. */
export function within<T>(prefix: () => string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withPrefix(error, prefix());
  }
}

/** The error a caller of the package sees. */
export function publicError(error: unknown): CapstanError {
  // What the YAML library says is said in the words of the original, which has no hints.
  if (error instanceof CapstanError && error.code.startsWith('YAML_')) {
    return new CapstanError('KUSTOMIZE_BUILD', error.message, { cause: error });
  }
  if (error instanceof CapstanError) return error;
  if (!(error instanceof BuildFailure)) throw error;
  return new CapstanError('KUSTOMIZE_BUILD', error.message, {
    ...(error.facts.hint === undefined ? {} : { hint: error.facts.hint }),
    cause: error,
  });
}
