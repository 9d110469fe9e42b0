import { CapstanError, messageOf } from '@capstan/lib-std';

/** The same error with what was being done in front, as Go wraps errors. */
export function wrapError(doing: string, error: unknown): CapstanError {
  const message = `${doing}: ${messageOf(error)}`;
  if (!(error instanceof CapstanError)) {
    return new CapstanError('GENERATOR_FAILED', message, { kind: 'bug', cause: error });
  }
  const { code, kind, hint } = error;
  return new CapstanError(code, message, {
    kind,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

export function within<T>(doing: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw wrapError(doing, error);
  }
}

export async function withinAsync<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw wrapError(doing, error);
  }
}
