import { CapstanError, type ErrorKind } from '@capstan/lib-std';

/** Every code that this package throws, with what a caller should do about it. */
const KINDS = {
  GIT_URL_INVALID: 'stalled',
  GIT_PROTOCOL_FORBIDDEN: 'stalled',
  GIT_HOST_UNREACHABLE: 'retry',
  GIT_TIMEOUT: 'retry',
  GIT_AUTHENTICATION_FAILED: 'stalled',
  GIT_HOST_KEY_UNKNOWN: 'stalled',
  GIT_TLS_FAILED: 'stalled',
  GIT_REDIRECT_REFUSED: 'stalled',
  GIT_REPOSITORY_NOT_FOUND: 'stalled',
  GIT_NOT_A_REPOSITORY: 'stalled',
  GIT_REVISION_UNKNOWN: 'stalled',
  GIT_REVISION_AMBIGUOUS: 'stalled',
  GIT_REF_INVALID: 'stalled',
  GIT_OBJECT_MISSING: 'retry',
  GIT_OBJECT_CORRUPT: 'stalled',
  GIT_OBJECT_TOO_LARGE: 'stalled',
  GIT_SIGNATURE_INVALID: 'stalled',
  GIT_PUSH_REJECTED: 'retry',
  GIT_NOT_INSTALLED: 'stalled',
  GIT_FAILED: 'retry',
} as const satisfies Record<string, ErrorKind>;

export type GitErrorCode = keyof typeof KINDS;

export function gitError(
  code: GitErrorCode,
  message: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): CapstanError {
  return new CapstanError(code, message, { ...options, kind: KINDS[code] });
}
