import { checkConstraint, parseConstraint, parseVersion, SemverError } from '@capstan/lib-semver';

/** Whether `version` satisfies `range`; false when either cannot be read. */
export function satisfies(version: string, range: string): boolean {
  try {
    return checkConstraint(parseConstraint(range), parseVersion(version));
  } catch (error) {
    if (error instanceof SemverError) return false;
    throw error;
  }
}

/** Whether the text is a version as Masterminds/semver reads one (`1.2` and `v1` are). */
export function isVersion(text: string): boolean {
  try {
    parseVersion(text);
    return true;
  } catch (error) {
    if (error instanceof SemverError) return false;
    throw error;
  }
}
