import { quoted, SemverError } from './semver-error.ts';

/** A version. Numbers are bigint: Go's are unsigned 64-bit integers. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Without the leading hyphen; empty when there is none. */
  readonly prerelease: string;
  /** Without the leading plus; empty when there is none. */
  readonly metadata: string;
  /** The text it was parsed from. */
  readonly original: string;
}

const LENGTH_MAX = 256;
const UINT64_MAX = (1n << 64n) - 1n;
const DIGITS = /^[0-9]*$/;
const IDENTIFIER = /^[0-9A-Za-z-]*$/;
const LOOSE =
  /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/**
 * Parses a version leniently: a leading `v` is dropped, missing minor and patch are zero, leading zeros are accepted.
 * Throws SemverError.
 */
export function parseVersion(text: string): Version {
  checkLength(text);
  const match = LOOSE.exec(text);
  if (match === null) throw new SemverError('invalid semantic version');
  const [, major = '', minor = '', patch = '', prerelease = '', metadata = ''] = match;
  const segment = (digits: string): bigint =>
    parseSegment(digits, 'error parsing version segment: ');
  const version = {
    major: segment(major),
    minor: segment(minor.slice(1) || '0'),
    patch: segment(patch.slice(1) || '0'),
    prerelease,
    metadata,
    original: text,
  };
  if (prerelease !== '') validatePrerelease(prerelease);
  if (metadata !== '') validateMetadata(metadata);
  return version;
}

/** Parses a version by the letter of the specification: three numbers, no leading `v`, no leading zeros. */
export function parseStrictVersion(text: string): Version {
  if (text === '') throw new SemverError('version string empty');
  checkLength(text);
  const [major, minor, ...others] = text.split('.');
  if (major === undefined || minor === undefined || others.length === 0) {
    throw new SemverError('invalid semantic version');
  }
  const rest = others.join('.');
  const plus = rest.indexOf('+');
  const metadata = plus < 0 ? undefined : rest.slice(plus + 1);
  if (metadata !== undefined) validateMetadata(metadata);
  const core = plus < 0 ? rest : rest.slice(0, plus);
  const hyphen = core.indexOf('-');
  const prerelease = hyphen < 0 ? undefined : core.slice(hyphen + 1);
  if (prerelease !== undefined) validatePrerelease(prerelease);
  const patch = hyphen < 0 ? core : core.slice(0, hyphen);
  for (const part of [major, minor, patch]) {
    if (!DIGITS.test(part)) throw new SemverError('invalid characters in version');
    if (part.length > 1 && part.startsWith('0')) {
      throw new SemverError('version segment starts with 0');
    }
  }
  return {
    major: parseSegment(major, ''),
    minor: parseSegment(minor, ''),
    patch: parseSegment(patch, ''),
    prerelease: prerelease ?? '',
    metadata: metadata ?? '',
    original: text,
  };
}

function checkLength(text: string): void {
  if (new TextEncoder().encode(text).length > LENGTH_MAX) {
    throw new SemverError(`version string is too long (max ${LENGTH_MAX} bytes)`);
  }
}

function parseSegment(digits: string, prefix: string): bigint {
  const problem = (what: string): SemverError =>
    new SemverError(`${prefix}strconv.ParseUint: parsing ${quoted(digits)}: ${what}`);
  if (digits === '') throw problem('invalid syntax');
  const value = BigInt(digits);
  if (value > UINT64_MAX) throw problem('value out of range');
  return value;
}

function validatePrerelease(text: string): void {
  for (const part of text.split('.')) {
    if (part === '') throw new SemverError('invalid prerelease string');
    if (DIGITS.test(part)) {
      if (part.length > 1 && part.startsWith('0')) {
        throw new SemverError('version segment starts with 0');
      }
    } else if (!IDENTIFIER.test(part)) throw new SemverError('invalid prerelease string');
  }
}

function validateMetadata(text: string): void {
  for (const part of text.split('.')) {
    if (part === '' || !IDENTIFIER.test(part)) throw new SemverError('invalid metadata string');
  }
}

/** A version of its parts; they are not checked. */
export function makeVersion(parts: Omit<Version, 'original'>): Version {
  return { ...parts, original: formatVersion(parts) };
}

/** `1.2.3-rc.1+build`, without a leading `v`. */
export function formatVersion(version: Omit<Version, 'original'>): string {
  const { major, minor, patch, prerelease, metadata } = version;
  const before = prerelease === '' ? '' : `-${prerelease}`;
  const after = metadata === '' ? '' : `+${metadata}`;
  return `${major}.${minor}.${patch}${before}${after}`;
}

/** -1, 0 or 1 by precedence: metadata does not count, a prerelease comes before its release. */
export function compareVersions(a: Version, b: Version): number {
  if (a.major !== b.major) return a.major < b.major ? -1 : 1;
  if (a.minor !== b.minor) return a.minor < b.minor ? -1 : 1;
  if (a.patch !== b.patch) return a.patch < b.patch ? -1 : 1;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  return b.prerelease === '' ? -1 : comparePrereleases(a.prerelease, b.prerelease);
}

/** Compares two prereleases part by part: numbers by value and below words. */
export function comparePrereleases(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  const count = Math.max(left.length, right.length);
  for (let i = 0; i < count; i++) {
    const order = comparePart(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return -1;
  if (b === '') return 1;
  const x = asNumber(a);
  const y = asNumber(b);
  if (x === undefined && y === undefined) return a > b ? 1 : -1;
  if (y === undefined) return -1;
  if (x === undefined) return 1;
  return x > y ? 1 : -1;
}

function asNumber(part: string): bigint | undefined {
  if (!/^[0-9]+$/.test(part)) return undefined;
  const value = BigInt(part);
  return value > UINT64_MAX ? undefined : value;
}

/** The versions in ascending order, as a new array. */
export function sortVersions(versions: readonly Version[]): Version[] {
  return [...versions].sort(compareVersions);
}

/** The next patch version; of a prerelease, its release. */
export function incrementPatch(version: Version): Version {
  const patch = version.prerelease === '' ? next(version.patch, 'patch') : version.patch;
  return changed(version, { patch, prerelease: '', metadata: '' });
}

export function incrementMinor(version: Version): Version {
  const minor = next(version.minor, 'minor');
  return changed(version, { minor, patch: 0n, prerelease: '', metadata: '' });
}

export function incrementMajor(version: Version): Version {
  const major = next(version.major, 'major');
  return changed(version, { major, minor: 0n, patch: 0n, prerelease: '', metadata: '' });
}

function next(value: bigint, part: string): bigint {
  if (value === UINT64_MAX) {
    throw new SemverError(`${part} version increment would overflow uint64`);
  }
  return value + 1n;
}

/** The version with another prerelease; empty removes it. Throws SemverError for an invalid one. */
export function withPrerelease(version: Version, prerelease: string): Version {
  if (prerelease !== '') validatePrerelease(prerelease);
  return changed(version, { prerelease });
}

/** The version with other metadata; empty removes it. Throws SemverError for invalid metadata. */
export function withMetadata(version: Version, metadata: string): Version {
  if (metadata !== '') validateMetadata(metadata);
  return changed(version, { metadata });
}

function changed(version: Version, parts: Partial<Version>): Version {
  const altered = { ...version, ...parts };
  const prefix = version.original.startsWith('v') ? 'v' : '';
  return { ...altered, original: prefix + formatVersion(altered) };
}
