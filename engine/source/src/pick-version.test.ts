import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickVersion, pickVersions } from './pick-version.ts';

test('the highest tag in the range wins; what is no version does not count', () => {
  const tags = ['v1.0.0', 'v1.2.0', '1.10.0', 'v2.0.0-rc.1', 'latest', 'v2.0.0'];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['1.x', '1.10.0'],
    ['>=1.0.0 <1.3.0', 'v1.2.0'],
    ['*', 'v2.0.0'],
    ['^3', undefined],
    ['>=2.0.0-0 <2.0.0', 'v2.0.0-rc.1'],
    ['main', 'not-a-range'],
    ['feature/x', 'not-a-range'],
  ];
  for (const [range, expected] of cases) assert.equal(pickVersion(range, tags), expected, range);
});

test('tags of one version are told together; what has no three parts is no version', () => {
  const tags = ['v1', '1.2', 'v1.1.0', '1.1.0+b', '1.1.0+a', '1.0.0', 'a.b.c'];
  const cases: readonly (readonly [string, unknown])[] = [
    ['*', ['1.1.0+a', '1.1.0+b', 'v1.1.0']],
    ['<1.1', ['1.0.0']],
    ['>=2', []],
    ['main', 'not-a-range'],
  ];
  for (const [range, expected] of cases) {
    assert.deepEqual(pickVersions(range, tags), expected, range);
  }
});
