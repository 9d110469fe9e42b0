import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRepoSpec } from './repo-spec.ts';

const READ: readonly (readonly [string, string, string, string])[] = [
  ['https://github.com/org/repo', 'https://github.com/org/repo', '', ''],
  ['http://GitHub.com/org/repo/dir/sub?ref=v1', 'https://github.com/org/repo', 'dir/sub', 'v1'],
  ['github.com/org/repo//dir?version=v2', 'https://github.com/org/repo', 'dir', 'v2'],
  ['github.com:org/repo.git/dir', 'https://github.com/org/repo.git', 'dir', ''],
  ['git@github.com:org/repo', 'git@github.com:org/repo', '', ''],
  ['git@github.com/org/repo/x', 'git@github.com:org/repo', 'x', ''],
  ['ssh://git@github.com/org/repo//x', 'git@github.com:org/repo', 'x', ''],
  ['git::https://git.example.com/org/repo?ref=a/b', 'https://git.example.com/org/repo', '', 'a/b'],
  ['https://git.example.com/a/b/c.git/d', 'https://git.example.com/a/b/c.git', 'd', ''],
  [
    'https://dev.example.com/org/project/_git/repo/dir',
    'https://dev.example.com/org/project/_git/repo',
    'dir',
    '',
  ],
  ['git@host.example:group/sub/repo.git?ref=x', 'git@host.example:group/sub/repo.git', '', 'x'],
  ['ssh://git.example.com:7999/org/repo', 'ssh://git.example.com:7999/org/repo', '', ''],
  ['file:///srv/repo.git/dir', 'file:///srv/repo.git', 'dir', ''],
];

test('URLs of repositories are read as the original reads them', () => {
  for (const [raw, cloneUrl, path, ref] of READ) {
    const spec = readRepoSpec(raw);
    assert.deepEqual([spec.cloneUrl, spec.path, spec.ref], [cloneUrl, path, ref], raw);
  }
});

test('what is no URL of a repository is refused with the reason', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['/srv/repo', /uri looks like abs path/],
    ['../base', /failed to parse scheme/],
    ['base', /failed to parse scheme/],
    ['ftp://example.com/org/repo', /failed to parse scheme/],
    ['https://example.com/only', /failed to parse repo path segment/],
    ['ssh://example.com', /failed to parse repo path segment/],
    ['https://github.com/org/repo.git//a/../../b', /url path exits repo/],
  ];
  for (const [raw, why] of refused) assert.throws(() => readRepoSpec(raw), why, raw);
});

test('timeout and submodules are read from the query', () => {
  const spec = (query: string) => readRepoSpec(`https://github.com/org/repo?${query}`);
  assert.equal(spec('').timeoutMs, 27_000);
  assert.equal(spec('timeout=61').timeoutMs, 61_000);
  assert.equal(spec('timeout=1m1s').timeoutMs, 61_000);
  assert.equal(spec('timeout=-5').timeoutMs, 27_000);
  assert.equal(spec('submodules=false').submodules, false);
  assert.equal(spec('submodules=nonsense').submodules, true);
});
