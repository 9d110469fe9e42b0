import {
  CelError,
  CelExtension,
  type CelFunction,
  type CelType,
  namedType,
  noSuchOverload,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';

const SEMVER = 'kubernetes.Semver';

/** A version of semver.org 2.0, as github.com/blang/semver reads it. */
class SemverValue extends CelExtension {
  readonly type: CelType = namedType(SEMVER);
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  equals(other: CelExtension): boolean {
    return other instanceof SemverValue && compareVersions(this, other) === 0;
  }
}

const ALPHANUMERIC = /^[0-9A-Za-z-]*$/;
const UINT_MAX = 2n ** 64n - 1n;

/** A version, or why there is none in the library's words. */
function parseVersion(text: string): SemverValue | string {
  if (text === '') return 'Version string empty';
  const [, major, minor, rest] = /^([^.]*)\.([^.]*)\.(.*)$/s.exec(text) ?? [];
  if (major === undefined || minor === undefined || rest === undefined) {
    return 'No Major.Minor.Patch elements found';
  }
  const [, patch = '', tail, build] = /^([^+-]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(rest) ?? [];
  const numbers: bigint[] = [];
  for (const [name, digits] of [
    ['Major', major],
    ['Minor', minor],
    ['Patch', patch],
  ] as const) {
    const number = parseNumber(digits, name);
    if (typeof number === 'string') return number;
    numbers.push(number);
  }
  const parts = tail?.split('.') ?? [];
  const wrong = parts.map(prereleaseProblem).find((problem) => problem !== undefined);
  if (wrong !== undefined) return wrong;
  for (const part of build?.split('.') ?? []) {
    if (part === '') return 'Build meta data is empty';
    if (!ALPHANUMERIC.test(part)) {
      return `Invalid character(s) found in build meta data ${JSON.stringify(part)}`;
    }
  }
  const [a = 0n, b = 0n, c = 0n] = numbers;
  return new SemverValue([a, b, c], parts);
}

function parseNumber(digits: string, name: string): bigint | string {
  const quoted = JSON.stringify(digits);
  if (!/^\d*$/.test(digits)) {
    return `Invalid character(s) found in ${name.toLowerCase()} number ${quoted}`;
  }
  if (digits.length > 1 && digits.startsWith('0')) {
    return `${name} number must not contain leading zeroes ${quoted}`;
  }
  if (digits === '') return `strconv.ParseUint: parsing ${quoted}: invalid syntax`;
  const number = BigInt(digits);
  return number > UINT_MAX ? `strconv.ParseUint: parsing ${quoted}: value out of range` : number;
}

function prereleaseProblem(part: string): string | undefined {
  const quoted = JSON.stringify(part);
  if (part === '') return 'Prerelease is empty';
  if (/^0\d+$/.test(part)) {
    return `Numeric PreRelease version must not contain leading zeroes ${quoted}`;
  }
  if (ALPHANUMERIC.test(part)) return undefined;
  return `Invalid character(s) found in prerelease ${quoted}`;
}

/** `v1.2` is 1.2.0, and zeros may lead. */
function normalized(text: string): string | { readonly problem: string } {
  const parts = text.replace(/^v/, '').split('.');
  const whole = [...parts.slice(0, 2), ...(parts.length > 2 ? [parts.slice(2).join('.')] : [])];
  const numbers = whole.map((part) => {
    if (part.length <= 1) return part;
    const stripped = part.replace(/^0+/, '');
    return /^\d/.test(stripped) ? stripped : `0${stripped}`;
  });
  if (numbers.length < 3 && /[+-]/.test(numbers.at(-1) ?? '')) {
    return { problem: 'short version cannot contain PreRelease/Build meta data' };
  }
  while (numbers.length < 3) numbers.push('0');
  return numbers.join('.');
}

function compareVersions(a: SemverValue, b: SemverValue): number {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Math.sign(b.prerelease.length - a.prerelease.length);
  }
  for (const [i, part] of a.prerelease.entries()) {
    const other = b.prerelease[i];
    if (other === undefined) return 1;
    const order = compareParts(part, other);
    if (order !== 0) return order;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

function compareParts(a: string, b: string): number {
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function versionOf(value: Value | undefined): SemverValue {
  if (value instanceof SemverValue) return value;
  throw noSuchOverload();
}

export function semverFunctions(): Record<string, CelFunction> {
  const read = (text: Value | undefined, lenient: Value | undefined): SemverValue | string => {
    if (typeof text !== 'string') throw noSuchOverload();
    const shown = lenient === true ? normalized(text) : text;
    return typeof shown === 'string' ? parseVersion(shown) : shown.problem;
  };
  const part = (name: string, index: 0 | 1 | 2): CelFunction => ({
    overloads: [`semver_${name}: ${SEMVER}.() -> int`],
    call: ([version]) => versionOf(version).numbers[index],
  });
  const compared = (id: string, sign: number): CelFunction => ({
    overloads: [`semver_${id}: ${SEMVER}.(${SEMVER}) -> bool`],
    call: ([a, b]) => compareVersions(versionOf(a), versionOf(b)) === sign,
  });
  return {
    semver: {
      overloads: [
        `string_to_semver: (string) -> ${SEMVER}`,
        `string_bool_to_semver: (string, bool) -> ${SEMVER}`,
      ],
      call: ([text, lenient]) => {
        const version = read(text, lenient);
        if (typeof version === 'string') throw new CelError(version);
        return version;
      },
    },
    isSemver: {
      overloads: [
        'is_semver_string: (string) -> bool',
        'is_semver_string_bool: (string, bool) -> bool',
      ],
      call: ([text, lenient]) => typeof read(text, lenient) !== 'string',
    },
    major: part('major', 0),
    minor: part('minor', 1),
    patch: part('patch', 2),
    isGreaterThan: compared('is_greater_than', 1),
    isLessThan: compared('is_less_than', -1),
    compareTo: {
      overloads: [`semver_compare_to: ${SEMVER}.(${SEMVER}) -> int`],
      call: ([a, b]) => BigInt(compareVersions(versionOf(a), versionOf(b))),
    },
  };
}
