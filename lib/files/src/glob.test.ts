import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, type GlobOptions, globProblem } from './glob.ts';

function check(options: GlobOptions, cases: readonly (readonly [string, string, boolean])[]): void {
  for (const [pattern, text, expected] of cases) {
    assert.equal(compileGlob(pattern, options)(text), expected, `${pattern} on ${text}`);
  }
}

test('without a separator a star takes everything', () => {
  check({ braces: true }, [
    ['*.yaml', 'a/b.yaml', true],
    ['*.yaml', 'a/b.yml', false],
    ['{a,b}/*.yaml', 'b/x.yaml', true],
    ['{a,b{1,2}}.y', 'b2.y', true],
    ['{a,b', '{a,b', true],
    ['config[0-9].json', 'config7.json', true],
    ['config[!0-9].json', 'config7.json', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['?', '😀', true],
    ['', '', true],
    ['', 'a', false],
    ['[', '[', true],
    ['{../**}', '../etc', true],
  ]);
});

test('with a separator a star stays in its name and two stars span folders', () => {
  check({ separator: '/' }, [
    ['*.yaml', 'a/b.yaml', false],
    ['**/b', 'b', true],
    ['**/b', 'a/c/b', true],
    ['**/b', 'ab', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/xb', false],
    ['a/**', 'a/x/y', true],
    ['a?b', 'a/b', false],
    ['a[^x]b', 'a/b', false],
    ['{a}', '{a}', true],
  ]);
});

test('a malformed pattern is told as gobwas/glob tells it', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['*-{a,b}.[a-z]', undefined],
    ['a}]', undefined],
    ['\\{', undefined],
    ['{a,b', 'glob: syntax error at 4: unclosed `{`'],
    ['{{a}', 'glob: syntax error at 4: unclosed `{`'],
    ['b[é', 'glob: syntax error at 4: unexpected end of input'],
    ['[!', 'glob: syntax error at 2: unexpected end of input'],
    ['a[]c', 'glob: syntax error at 3: could not parse range'],
    ['a\\', 'glob: syntax error at 2: trailing backslash'],
  ];
  for (const [pattern, problem] of cases) assert.equal(globProblem(pattern), problem, pattern);
});

test('no pattern is slow', () => {
  const started = performance.now();
  const match = compileGlob(`${'*a'.repeat(200)}b`, { braces: true });
  assert.equal(match('a'.repeat(2000)), false);
  assert.ok(performance.now() - started < 10_000);
  assert.throws(() => compileGlob('{a,b}'.repeat(9), { braces: true }), {
    code: 'GLOB_TOO_COMPLEX',
  });
});
