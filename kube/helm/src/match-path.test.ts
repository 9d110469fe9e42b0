import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatcher } from './glob.ts';
import { parseIgnoreRules } from './ignore-rules.ts';
import { matchPath } from './match-path.ts';

test('patterns match as Go path/filepath.Match does', () => {
  const cases: readonly [string, string, boolean][] = [
    ['*.yaml', 'a.yaml', true],
    ['*.yaml', 'd/a.yaml', false],
    ['a?c', 'abc', true],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a]', '/', false],
    ['a\\*', 'a*', true],
    ['d/*', 'd/a', true],
    ['.?*', '.x', true],
    ['.?*', '.', false],
  ];
  for (const [pattern, name, expected] of cases) {
    assert.equal(matchPath(pattern, name), expected, `${pattern} ${name}`);
  }
  assert.throws(() => matchPath('[a', 'a'), /syntax error in pattern/);
  assert.throws(() => matchPath('a\\', 'a'), /syntax error in pattern/);
});

test('ignore rules follow helm, not git', () => {
  const rules = parseIgnoreRules('# c\n*.bak\n/root.txt\nsub/x\ndir/\n');
  assert.equal(rules.ignores('a/b.bak', false), true);
  assert.equal(rules.ignores('root.txt', false), true);
  assert.equal(rules.ignores('a/root.txt', false), false);
  assert.equal(rules.ignores('sub/x', false), true);
  assert.equal(rules.ignores('dir', true), true);
  assert.equal(rules.ignores('dir', false), false);
  assert.equal(rules.ignores('templates/.hidden', false), true);
  assert.equal(parseIgnoreRules('!keep').ignores('other', false), true);
  assert.throws(() => parseIgnoreRules('a/**'), /double-star/);
});

test('file globs cross folders with two stars, and know braces and classes', () => {
  assert.equal(globMatcher('config/*')('config/a'), true);
  assert.equal(globMatcher('config/*')('config/a/b'), false);
  assert.equal(globMatcher('**.yaml')('a/b.yaml'), true);
  assert.equal(globMatcher('{a,b}/[!x]')('b/y'), true);
  assert.equal(globMatcher('[')('anything'), true);
});
