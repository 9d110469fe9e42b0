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

const NUMBER = '(0|[1-9]\\d*)';
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

function parseVersion(text: string): SemverValue | undefined {
  const found = VERSION.exec(text);
  if (found === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', prerelease] = found;
  const parts = prerelease?.split('.') ?? [];
  if (parts.some((part) => /^0\d+$/.test(part))) return undefined;
  return new SemverValue([BigInt(major), BigInt(minor), BigInt(patch)], parts);
}

/** `v1.2` is 1.2.0, and zeros may lead. */
function normalized(text: string): string | undefined {
  const parts = text.replace(/^v/, '').split('.');
  const whole = [...parts.slice(0, 2), ...(parts.length > 2 ? [parts.slice(2).join('.')] : [])];
  const numbers = whole.map((part) => {
    if (part.length <= 1) return part;
    const stripped = part.replace(/^0+/, '');
    return /^\d/.test(stripped) ? stripped : `0${stripped}`;
  });
  if (numbers.length < 3 && /[+-]/.test(numbers.at(-1) ?? '')) return undefined;
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
  const read = (text: Value | undefined, lenient: Value | undefined): SemverValue | undefined => {
    if (typeof text !== 'string') throw noSuchOverload();
    const shown = lenient === true ? normalized(text) : text;
    return shown === undefined ? undefined : parseVersion(shown);
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
        if (version === undefined) throw new CelError(problemOf(String(text)));
        return version;
      },
    },
    isSemver: {
      overloads: [
        'is_semver_string: (string) -> bool',
        'is_semver_string_bool: (string, bool) -> bool',
      ],
      call: ([text, lenient]) => read(text, lenient) !== undefined,
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

function problemOf(text: string): string {
  if (text === '') return 'Version string empty';
  const parts = text.split('.');
  if (parts.length < 3) return 'No Major.Minor.Patch elements found';
  for (const [i, name] of ['Major', 'Minor', 'Patch'].entries()) {
    const part = (parts[i] ?? '').replace(/[-+].*$/, '');
    if (!/^\d+$/.test(part)) {
      return `Invalid character(s) found in ${name.toLowerCase()} number ${JSON.stringify(part)}`;
    }
    if (part.length > 1 && part.startsWith('0')) {
      return `${name} number must not contain leading zeroes ${JSON.stringify(part)}`;
    }
  }
  return 'Invalid character(s) found';
}
