import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chartPolicy,
  findRepository,
  NO_TRUST,
  normalizeUrl,
  readRepositoryCredential,
  repositoryAccess,
} from './repositories.ts';

test('credentials are found by repository, then by the longest prefix, and never for another project', () => {
  const secret = (type: string, values: Record<string, string>) =>
    readRepositoryCredential({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { labels: { 'argocd.argoproj.io/secret-type': type } },
      data: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          Buffer.from(value).toString('base64'),
        ]),
      ),
    });
  const credentials = [
    secret('repo-creds', { url: 'https://git.example.com/org', username: 'org', password: '1' }),
    secret('repo-creds', {
      url: 'https://git.example.com/org/team',
      username: 'team',
      password: '2',
    }),
    secret('repository', {
      url: 'https://git.example.com/org/own.git',
      username: 'own',
      password: '3',
    }),
    secret('repository', {
      url: 'https://git.example.com/org/plain',
      enableLfs: 'true',
      depth: '3',
    }),
    secret('repository', {
      url: 'https://git.example.com/x',
      username: 'p',
      password: '4',
      project: 'p',
    }),
    secret('cluster', { url: 'https://git.example.com/x', username: 'no' }),
    secret('repository', {
      url: 'registry.example.com/charts',
      type: 'helm',
      name: 'team',
      enableOCI: 'true',
      username: 'reg',
      password: '5',
    }),
    secret('repository', { url: 'http://127.0.0.1:8080', type: 'helm', name: 'own' }),
  ].flatMap((one) => one ?? []);
  const user = (url: string, project = 'default') =>
    findRepository(credentials, url, project)?.auth.username;
  assert.equal(user('https://git.example.com/org/any.git'), 'org');
  assert.equal(user('https://git.example.com/org/team/web'), 'team');
  assert.equal(user('https://GIT.example.com/org/own'), 'own');
  assert.equal(user('https://git.example.com/org/plain.git'), 'org');
  assert.equal(user('https://git.example.com/organisation/x'), undefined);
  assert.equal(user('https://git.example.com/x'), undefined);
  assert.equal(user('https://git.example.com/x', 'p'), 'p');
  assert.equal(normalizeUrl('git@github.com:Org/Repo.git'), 'ssh://git@github.com/org/repo');
  const { lfs, depth } =
    findRepository(credentials, 'https://git.example.com/org/plain.git', 'default') ?? {};
  assert.deepEqual([lfs, depth], [true, 3]);
  assert.equal(user('oci://registry.example.com/charts'), 'reg');
  assert.deepEqual(chartPolicy(credentials, 'default'), {
    schemes: ['https', 'http', 'oci'],
    hosts: ['*', '127.0.0.1'],
    aliases: { team: 'oci://registry.example.com/charts', own: 'http://127.0.0.1:8080' },
  });
});

test('a GitHub App without the id of its installation is that of the repository owner', () => {
  const secret = (more: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', labels: { 'argocd.argoproj.io/secret-type': 'repo-creds' } },
    data: Object.fromEntries(
      Object.entries({
        url: 'https://github.com/',
        githubAppID: '1',
        githubAppPrivateKey: 'PEM',
        ...more,
      }).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
    ),
  });
  const of = (more: object) => {
    const credentials = [readRepositoryCredential(secret(more))].filter((one) => one !== undefined);
    const place = { url: 'https://github.com/Org/app.git', project: '' };
    return repositoryAccess(place, { credentials, trust: NO_TRUST }).auth?.githubApp;
  };
  assert.deepEqual(of({}), { appId: '1', privateKey: 'PEM', installationOwner: 'org' });
  assert.deepEqual(of({ githubAppInstallationID: '7' }), {
    appId: '1',
    privateKey: 'PEM',
    installationId: '7',
  });
});
