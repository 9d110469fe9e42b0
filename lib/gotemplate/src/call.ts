import type { Frame } from './execution.ts';
import type { Fail } from './fields.ts';
import { LimitError } from './limits.ts';
import { GoError } from './value.ts';

/** An error of a function is told with its name and place; bounds and bugs are never wrapped. */
export function explainFailure(error: unknown, name: string, frame: Frame, fail: Fail): never {
  if (error instanceof GoError && !(error instanceof LimitError)) {
    return fail(frame, `error calling ${name}: ${error.message}`);
  }
  throw error;
}
