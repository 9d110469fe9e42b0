import { parseConstraint } from '@capstan/lib-semver';
import { messageOf } from '@capstan/lib-std';

/** What is wrong with a range of versions, in the words of Masterminds/semver; undefined when it is one. */
export function constraintProblem(range: string): string | undefined {
  try {
    parseConstraint(range);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
