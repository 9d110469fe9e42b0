import { CapstanError } from '@capstan/lib-std';

export type SopsErrorCode =
  | 'SOPS_SYNTAX'
  | 'SOPS_METADATA'
  | 'SOPS_NO_KEY'
  | 'SOPS_DAMAGED'
  | 'SOPS_LIMIT'
  | 'SOPS_UNSUPPORTED';

/** Errors say which part is wrong, never what it holds. */
export function sopsError(code: SopsErrorCode, message: string, hint?: string): CapstanError {
  return new CapstanError(code, message, {
    kind: 'stalled',
    ...(hint === undefined ? {} : { hint }),
  });
}
