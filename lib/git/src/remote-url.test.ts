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
    'ssh://git@example.com:7999/org/repo.git',
    'git@example.com:2222/org/repo',
    'git@example.com:/org/repo',
    'https://example.com:8443/org/repo',
  ])
    assert.equal(repositoryKey(url), 'example.com/org/repo', url);
});

test('over SSH, Azure DevOps spells the place of a repository another way', () => {
  for (const url of [
    'https://org@dev.azure.com/Org/My%20Project/_git/repo',
    'git@ssh.dev.azure.com:v3/org/my%20project/repo',
    'ssh://git@ssh.dev.azure.com/v3/org/my%20project/repo',
  ])
    assert.equal(repositoryKey(url), 'dev.azure.com/org/my%20project/_git/repo', url);
});

test('and other repositories have others', () => {
  for (const url of [
    'https://example.com/org/repo-2',
    'https://an-example.com/org/repo',
    'https://ssh.example.com/org/repo',
    'ssh://git@unknown.example.com/org/repo',
    'ssh://git@ssh.com/org/repo',
    'git@example.com:1234',
    'https://example.com/v3/org/repo',
  ])
    assert.notEqual(repositoryKey(url), 'example.com/org/repo', url);
});
