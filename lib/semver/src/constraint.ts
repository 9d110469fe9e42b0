import { quoted, SemverError } from './semver-error.ts';
import {
  comparePrereleases,
  compareVersions,
  formatVersion,
  parseVersion,
  type Version,
} from './version.ts';

/** A constraint: groups joined by `||`, each of comparisons that must all hold. */
export interface Constraint {
  readonly groups: readonly ConstraintGroup[];
  /** Prereleases are looked at in every group, not only in those that name one. */
  readonly includePrerelease: boolean;
}

interface ConstraintGroup {
  readonly comparisons: readonly Comparison[];
  /** One of the comparisons names a prerelease: then prereleases may match. */
  readonly namesPrerelease: boolean;
}

interface Comparison {
  readonly operator: string;
  readonly version: Version;
  readonly original: string;
  /** Some part is a wildcard or missing. */
  readonly isDirty: boolean;
  readonly isMinorDirty: boolean;
  readonly isPatchDirty: boolean;
}

export interface ConstraintOptions {
  readonly includePrerelease?: boolean;
}

const LENGTH_MAX = 512;
const GROUPS_MAX = 32;
// The white space of Go's regular expressions.
const SPACE = '[\\t\\n\\f\\r ]';
const OPERATORS = '=||!=|>|<|>=|=>|<=|=<|~|~>|\\^';
const WORDS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const PARTS = '([0-9|xX*]+)(\\.[0-9|xX*]+)?(\\.[0-9|xX*]+)?';
const VERSION = `v?${PARTS}(-${WORDS})?(\\+${WORDS})?`;
const PLAIN_VERSION = VERSION.replaceAll(/\((?!\?)/g, '(?:');
const ONE = new RegExp(`^${SPACE}*(${OPERATORS})${SPACE}*(${VERSION})${SPACE}*$`);
const EACH = `(?:${OPERATORS})${SPACE}*(?:${PLAIN_VERSION})`;
const VALID = new RegExp(
  `^(?:${SPACE}*${EACH}${SPACE}*)(?:(?:${SPACE}+|,${SPACE}*)${EACH}${SPACE}*)*$`,
);

/**
 * Parses a constraint: operators = != > < >= <= ~ ~> ^ (=> and =< too), wildcards, hyphen ranges, comma or space for and,
 * || for or. Throws SemverError.
 */
export function parseConstraint(text: string, options: ConstraintOptions = {}): Constraint {
  if (new TextEncoder().encode(text).length > LENGTH_MAX) {
    throw new SemverError(`constraint string is too long (max ${LENGTH_MAX} bytes)`);
  }
  const alternatives = rewriteRanges(text).split('||');
  if (alternatives.length > GROUPS_MAX) {
    throw new SemverError(`too many constraint groups (max ${GROUPS_MAX})`);
  }
  const groups = alternatives.map(parseGroup);
  return { groups, includePrerelease: options.includePrerelease ?? false };
}

/** `1.2 - 1.4` becomes `>= 1.2, <= 1.4 `. */
function rewriteRanges(text: string): string {
  const range = new RegExp(
    `${SPACE}*(${PLAIN_VERSION})${SPACE}+-${SPACE}+(${PLAIN_VERSION})${SPACE}*`,
    'g',
  );
  let out = text;
  for (const [whole, from, to] of text.matchAll(range)) {
    out = out.replace(whole, () => `>= ${from}, <= ${to} `);
  }
  return out;
}

function parseGroup(text: string): ConstraintGroup {
  if (!VALID.test(text)) throw new SemverError(`improper constraint: ${quoted(text)}`);
  const found = text.match(new RegExp(EACH, 'g')) ?? [text];
  const comparisons = found.map(parseComparison);
  const namesPrerelease = comparisons.some(({ version }) => version.prerelease !== '');
  return { comparisons, namesPrerelease };
}

function parseComparison(text: string): Comparison {
  const match = ONE.exec(text);
  if (match === null) throw new SemverError(`improper constraint: ${quoted(text)}`);
  const [, operator = '', original = '', major = '', minor = '', patch = '', prerelease = ''] =
    match;
  let version = original;
  let isMinorDirty = false;
  let isPatchDirty = false;
  let isDirty = true;
  if (isWildcard(major)) version = `0.0.0${prerelease}`;
  else if (isWildcard(minor.slice(1))) {
    isMinorDirty = true;
    version = `${major}.0.0${prerelease}`;
  } else if (isWildcard(patch.slice(1))) {
    isPatchDirty = true;
    version = `${major}${minor}.0${prerelease}`;
  } else isDirty = false;
  try {
    const parsed = parseVersion(version);
    return { operator, version: parsed, original, isDirty, isMinorDirty, isPatchDirty };
  } catch {
    throw new SemverError('constraint parser error');
  }
}

function isWildcard(part: string): boolean {
  return part === '' || part === 'x' || part === 'X' || part === '*';
}

/** Whether a version satisfies a constraint. */
export function checkConstraint(constraint: Constraint, version: Version): boolean {
  return constraint.groups.some((group) => {
    const include = constraint.includePrerelease || group.namesPrerelease;
    return group.comparisons.every((one) => problemOf(one, version, include) === undefined);
  });
}

/** Why a version does not satisfy a constraint; empty when it does. */
export function validateConstraint(constraint: Constraint, version: Version): string[] {
  const problems: string[] = [];
  let toldPrerelease = false;
  for (const group of constraint.groups) {
    const include = constraint.includePrerelease || group.namesPrerelease;
    let holds = true;
    for (const comparison of group.comparisons) {
      const problem = problemOf(comparison, version, include);
      if (problem === undefined) continue;
      holds = false;
      const isPrerelease = !include && version.prerelease !== '';
      if (!isPrerelease || !toldPrerelease) problems.push(problem);
      toldPrerelease ||= isPrerelease;
    }
    if (holds) return [];
  }
  return problems;
}

/** The constraint as text, groups joined by ` || `. */
export function formatConstraint(constraint: Constraint): string {
  return constraint.groups
    .map((group) => group.comparisons.map((one) => one.operator + one.original).join(' '))
    .join(' || ');
}

function problemOf(comparison: Comparison, version: Version, include: boolean): string | undefined {
  if (version.prerelease !== '' && !include) {
    const shown = quoted(formatVersion(version));
    return `${shown} is a prerelease version and the constraint is only looking for release versions`;
  }
  const problem = RULES[comparison.operator]?.(comparison, version);
  if (problem === undefined) return undefined;
  return problem
    .replace('%v', () => quoted(formatVersion(version)))
    .replace('%c', () => quoted(comparison.original));
}

/** A rule says what is wrong, with %v for the version and %c for the constraint's. */
type Rule = (comparison: Comparison, version: Version) => string | undefined;

const RULES: Readonly<Record<string, Rule>> = {
  '': tildeOrEqual,
  '=': tildeOrEqual,
  '!=': notEqual,
  '>': greater,
  '<': less,
  '>=': greaterOrEqual,
  '=>': greaterOrEqual,
  '<=': lessOrEqual,
  '=<': lessOrEqual,
  '~': tilde,
  '~>': tilde,
  '^': caret,
};

function notEqual(comparison: Comparison, version: Version): string | undefined {
  const { version: wanted, isDirty, isMinorDirty, isPatchDirty } = comparison;
  const equal = '%v is equal to %c';
  if (isDirty) {
    if (wanted.major !== version.major) return undefined;
    if (wanted.minor !== version.minor && !isMinorDirty) return undefined;
    if (isMinorDirty) return equal;
    if (wanted.patch !== version.patch && !isPatchDirty) return undefined;
    if (isPatchDirty) {
      return comparePrereleases(version.prerelease, wanted.prerelease) !== 0 ? undefined : equal;
    }
  }
  return compareVersions(version, wanted) === 0 ? equal : undefined;
}

function greater(comparison: Comparison, version: Version): string | undefined {
  const { version: wanted, isDirty, isMinorDirty, isPatchDirty } = comparison;
  const problem = '%v is less than or equal to %c';
  if (isDirty) {
    if (version.major !== wanted.major) return version.major > wanted.major ? undefined : problem;
    // >11 wants 12 or higher, >11.1 wants 11.2 or higher.
    if (isMinorDirty) return problem;
    if (isPatchDirty) return version.minor > wanted.minor ? undefined : problem;
  }
  return compareVersions(version, wanted) > 0 ? undefined : problem;
}

function less({ version: wanted }: Comparison, version: Version): string | undefined {
  return compareVersions(version, wanted) < 0 ? undefined : '%v is greater than or equal to %c';
}

function greaterOrEqual({ version: wanted }: Comparison, version: Version): string | undefined {
  return compareVersions(version, wanted) >= 0 ? undefined : '%v is less than %c';
}

function lessOrEqual(comparison: Comparison, version: Version): string | undefined {
  const { version: wanted, isDirty, isMinorDirty } = comparison;
  const problem = '%v is greater than %c';
  if (!isDirty) return compareVersions(version, wanted) <= 0 ? undefined : problem;
  if (version.major > wanted.major) return problem;
  const sameMajor = version.major === wanted.major;
  return sameMajor && version.minor > wanted.minor && !isMinorDirty ? problem : undefined;
}

function tilde(comparison: Comparison, version: Version): string | undefined {
  const { version: wanted, isMinorDirty, isPatchDirty } = comparison;
  if (compareVersions(version, wanted) < 0) return '%v is less than %c';
  const isZero = wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n;
  if (isZero && !isMinorDirty && !isPatchDirty) return undefined;
  if (version.major !== wanted.major) return '%v does not have same major version as %c';
  if (version.minor !== wanted.minor && !isMinorDirty) {
    return '%v does not have same major and minor version as %c';
  }
  return undefined;
}

function tildeOrEqual(comparison: Comparison, version: Version): string | undefined {
  if (comparison.isDirty) return tilde(comparison, version);
  return compareVersions(version, comparison.version) === 0 ? undefined : '%v is not equal to %c';
}

function caret(comparison: Comparison, version: Version): string | undefined {
  const { version: wanted, isMinorDirty, isPatchDirty } = comparison;
  const otherMajor = '%v does not have same major version as %c';
  if (compareVersions(version, wanted) < 0) return '%v is less than %c';
  if (wanted.major > 0n || isMinorDirty) {
    return version.major === wanted.major ? undefined : otherMajor;
  }
  if (version.major > 0n) return otherMajor;
  if (wanted.minor > 0n || isPatchDirty) {
    if (version.minor === wanted.minor) return undefined;
    return '%v does not have same minor version as %c. Expected minor versions to match when constraint major version is 0';
  }
  if (version.minor > 0n) return '%v does not have same minor version as %c';
  if (wanted.patch === version.patch) return undefined;
  return '%v does not equal %c. Expect version and constraint to equal when major and minor versions are 0';
}
