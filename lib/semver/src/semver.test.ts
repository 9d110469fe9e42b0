import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkConstraint,
  compareVersions,
  formatVersion,
  incrementMajor,
  incrementMinor,
  incrementPatch,
  parseConstraint,
  parseStrictVersion,
  parseVersion,
  sortVersions,
  validateConstraint,
} from './index.ts';

function check(constraint: string, version: string): boolean {
  return checkConstraint(parseConstraint(constraint), parseVersion(version));
}

test('a lenient version fills what is missing and keeps its original', () => {
  const version = parseVersion('v1.2-beta.1+b345');
  assert.equal(formatVersion(version), '1.2.0-beta.1+b345');
  assert.equal(version.original, 'v1.2-beta.1+b345');
});

test('a bad version is told in the words of the original', () => {
  const cases: [string, (text: string) => unknown, string][] = [
    ['1.2.beta', parseVersion, 'invalid semantic version'],
    ['1.2.3-01', parseVersion, 'version segment starts with 0'],
    [
      '99999999999999999999.1.1',
      parseVersion,
      'error parsing version segment: strconv.ParseUint: parsing "99999999999999999999": value out of range',
    ],
    ['', parseStrictVersion, 'version string empty'],
    ['1.2', parseStrictVersion, 'invalid semantic version'],
    ['01.2.3', parseStrictVersion, 'version segment starts with 0'],
    ['v1.2.3', parseStrictVersion, 'invalid characters in version'],
    ['1.2.3+', parseStrictVersion, 'invalid metadata string'],
    ['1'.repeat(300), parseVersion, 'version string is too long (max 256 bytes)'],
  ];
  for (const [text, parse, message] of cases) {
    assert.throws(() => parse(text), { message }, text);
  }
});

test('precedence follows the specification', () => {
  const order = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
  ];
  const sorted = sortVersions(order.toReversed().map(parseVersion)).map((v) => v.original);
  assert.deepEqual(sorted, order);
  assert.equal(compareVersions(parseVersion('1.0.0+a'), parseVersion('1.0.0+b')), 0);
});

test('increments drop prerelease and metadata and keep the v', () => {
  const version = parseVersion('v1.2.3-rc.1+x');
  assert.equal(incrementPatch(version).original, 'v1.2.3');
  assert.equal(incrementMinor(version).original, 'v1.3.0');
  assert.equal(incrementMajor(version).original, 'v2.0.0');
});

test('constraints hold as in Masterminds, not as in npm', () => {
  const cases: [string, string, boolean][] = [
    ['^1.2, <2', '1.9.9', true],
    ['>=1.27-0', '1.27.3-gke.100', true],
    ['>=1.27', '1.27.3-gke.100', false],
    ['>0-0', '0.0.1-alpha', false],
    ['>0-0', '1.0.0-alpha', true],
    ['>=1.0.0-0', '2.0.0-rc.1', true],
    ['!=1.2', '1.2.5', false],
    ['!=1.x', '2.1.0', true],
    ['1.2 - 1.4.5', '1.4.5', true],
    ['1.2 - 1.4.5', '1.4.6', false],
    ['~1.2.3', '1.3.0', false],
    ['~1', '1.9.0', true],
    ['^0.2.3', '0.3.0', false],
    ['^0.0.3', '0.0.4', false],
    ['^0', '0.9.0', true],
    ['>11', '11.1.0', false],
    ['>11.1', '11.2.1', true],
    ['<=11', '11.9.0', true],
    ['*', '4.5.6', true],
    ['>= 1.2.3, < 2.0.0 || = 3', '3.4.0', true],
    ['1.1 || 2.2', '2.2.9', true],
  ];
  for (const [constraint, version, holds] of cases) {
    assert.equal(check(constraint, version), holds, `${version} in ${constraint}`);
  }
});

test('a constraint that does not hold says why', () => {
  const problems = validateConstraint(
    parseConstraint('>= 2.1, < 3 || ^1.5'),
    parseVersion('1.4.0'),
  );
  assert.deepEqual(problems, ['"1.4.0" is less than "2.1"', '"1.4.0" is less than "1.5"']);
  const prerelease = validateConstraint(parseConstraint('>=1 || >=2'), parseVersion('1.0.0-a'));
  assert.deepEqual(prerelease, [
    '"1.0.0-a" is a prerelease version and the constraint is only looking for release versions',
  ]);
});

test('a bad constraint is refused at bounded cost', () => {
  assert.throws(() => parseConstraint('>>1'), { message: 'improper constraint: ">>1"' });
  assert.throws(() => parseConstraint('1'.repeat(600)), /too long/);
  assert.throws(() => parseConstraint('1||'.repeat(40)), /too many constraint groups \(max 32\)/);
  const started = performance.now();
  assert.throws(() => parseConstraint(`1${' '.repeat(500)}!`), /improper constraint/);
  assert.ok(performance.now() - started < 10_000);
});
