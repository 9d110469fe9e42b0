import { ApiError } from '../api-error.ts';

/** How a command ended, as its error stream tells it. */
export interface ExitStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly causes: readonly { readonly reason: string; readonly message: string }[];
  };
}

export function exitStatus(exitCode: number): ExitStatus {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** A command that could not run at all. */
export function failureOf(error: unknown): ExitStatus {
  const message = error instanceof Error ? error.message : String(error);
  const reason = error instanceof ApiError ? error.reason : 'InternalError';
  return { metadata: {}, status: 'Failure', message, reason };
}
