import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryKey } from './remote-url.ts';

test('the spellings of one repository have one key', () => {
  for (const url of [
    'https://example.com/org/repo',
    'https://user@example.com:443/org/repo.git',
    'http://example.com/org/repo/',
    'git@example.com:org/repo.git',
    'GIT@EXAMPLE.COM:22:ORG/REPO',
    'ssh://git@example.com:22/org/repo',
    'ssh://git@ssh.example.com:443/org/repo',
    'ssh://git@altssh.example.com:443/org/repo',
  ])
    assert.equal(repositoryKey(url), 'example.com/org/repo', url);
});

test('and other repositories have others', () => {
  for (const url of [
    'https://example.com/org/repo-2',
    'https://an-example.com/org/repo',
    'https://ssh.example.com/org/repo',
    'ssh://git@unknown.example.com/org/repo',
    'ssh://git@ssh.com/org/repo',
  ])
    assert.notEqual(repositoryKey(url), 'example.com/org/repo', url);
});
