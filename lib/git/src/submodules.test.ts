import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveModuleUrl } from './submodules.ts';

/** The repository, what .gitmodules says → the address; as `git submodule` resolves. */
const relative: readonly (readonly [string, string, string])[] = [
  ['https://host/a/b.git', '../c.git', 'https://host/a/c.git'],
  ['https://host/a/b.git/', '../../x/c.git', 'https://host/x/c.git'],
  ['https://host/a/b.git', './c.git', 'https://host/a/b.git/c.git'],
  ['git@host:a/b.git', '../c.git', 'git@host:a/c.git'],
  ['git@host:b.git', '../c.git', 'git@host:c.git'],
  ['ssh://git@host/a/b.git', '../c.git', 'ssh://git@host/a/c.git'],
  ['https://host/a/b.git', 'https://other/c.git', 'https://other/c.git'],
];

test('addresses of submodules are resolved against the repository', () => {
  for (const [own, url, expected] of relative) {
    assert.equal(resolveModuleUrl(own, url), expected, `${own} + ${url}`);
  }
  assert.throws(() => resolveModuleUrl('https://host/b.git', '../../../c.git'), /over the root/);
});
