import { CapstanError, type ErrorKind } from '@capstan/lib-std';
import type { Release } from './release.ts';

/** An operation on a release went wrong. `message` is the original's text; `release` is as far as it came. */
export class ReleaseError extends CapstanError {
  readonly release: Release | undefined;

  constructor(
    code: string,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly hint?: string;
      readonly kind?: ErrorKind;
      readonly release?: Release | undefined;
    } = {},
  ) {
    super(code, message, options);
    this.name = 'ReleaseError';
    this.release = options.release;
  }
}
