import type { Frame } from './execution.ts';
import type { Fail } from './fields.ts';
import { LimitError } from './limits.ts';
import { GoError, type GoFunc, type GoValue } from './value.ts';

/** Calls a function; an error of its own is told with its name and place. Bounds are never wrapped. */
export function callFunction(
  func: GoFunc,
  name: string,
  args: GoValue[],
  frame: Frame,
  fail: Fail,
): GoValue {
  try {
    return func.call(frame.execution.context, args);
  } catch (error) {
    if (error instanceof GoError && !(error instanceof LimitError)) {
      return fail(frame, `error calling ${name}: ${error.message}`);
    }
    throw error;
  }
}
