import { codeOf } from './cluster-port.ts';
import { reasonOf } from './operation.ts';
import { ReleaseError } from './release-error.ts';

/** Puts what was being done before the message of an error, and keeps its code. */
export async function explain<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const hint =
      error instanceof ReleaseError && error.hint !== undefined ? { hint: error.hint } : {};
    throw new ReleaseError(codeOf(error) || 'RELEASE', `${doing}: ${reasonOf(error)}`, {
      cause: error,
      ...hint,
    });
  }
}
