import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { googleStandIn, microsoftStandIn, startCloudBox } from '@capstan/lib-clouds/testing';
import {
  dependencyAccess,
  NO_TRUST,
  readRepositoryCredential,
  repositoryAccess,
} from './repositories.ts';

const URL = 'https://dev.azure.com/org/repo';
type Data = Readonly<Record<string, string>>;

function secret(type: string, data: Data) {
  return readRepositoryCredential({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'x', labels: { 'argocd.argoproj.io/secret-type': type } },
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  });
}

function access(own: Data | undefined, template?: Data, url = URL) {
  const credentials = [
    own && secret('repository', { url, ...own }),
    template && secret('repo-creds', { url: new globalThis.URL('/', url).href, ...template }),
  ].flatMap((one) => one ?? []);
  return repositoryAccess({ url, project: 'default' }, { credentials, trust: NO_TRUST });
}

describe('Secrets of repositories', () => {
  test('booleans are those of Go; either spelling trusts any host, and a template none', () => {
    assert.deepEqual(access({ insecure: 'True', enableLfs: '1' }), {
      auth: { insecure: true },
      isOci: false,
      plainHttp: false,
      lfs: true,
    });
    assert.equal(access({ insecureIgnoreHostKey: 't' }).auth?.insecure, true);
    assert.equal(access({ insecure: 'yes' }).auth?.insecure, undefined);
    assert.equal(access(undefined, { insecure: 'true' }).auth?.insecure, undefined);
  });

  test('a template fills in for a repository that has no credentials at all', () => {
    const template = {
      username: 'ann',
      password: 'p',
      proxy: 'http://proxy:3128',
      enableOCI: 'true',
    };
    assert.deepEqual(access({}, template).auth, {
      username: 'ann',
      password: 'p',
      proxy: 'http://proxy:3128',
    });
    assert.equal(access({}, template).isOci, true);
    assert.deepEqual(access({ username: 'bob' }, template).auth, { username: 'bob' });
    const app = { githubAppID: '1', githubAppPrivateKey: 'key', githubAppInstallationID: '2' };
    const githubApp = { appId: '1', privateKey: 'key', installationId: '2' };
    assert.deepEqual(access(app, template).auth, { githubApp });
    assert.deepEqual(access({ ...app, sshPrivateKey: 'k' }).auth, { sshPrivateKey: 'k' });
  });

  test('a registry that charts name is reached as one near it is registered', () => {
    const registered = secret('repository', {
      url: 'registry.example.com/org',
      enableOCI: 'true',
      username: 'ann',
      password: 'p',
      insecureOCIForceHttp: 'true',
    });
    const credentials = [
      secret('repository', { url: 'https://registry.example.com', username: 'git' }),
      registered,
    ].flatMap((one) => one ?? []);
    const user = (url: string, project = 'default') =>
      dependencyAccess({ url, project }, { credentials, trust: NO_TRUST }).auth?.username;
    assert.equal(user('oci://registry.example.com/org/charts'), 'ann');
    assert.equal(user('oci://registry.example.com'), 'ann');
    assert.equal(user('oci://registry.example.com/org-b'), undefined);
    assert.equal(user('https://registry.example.com/org'), undefined, 'registries only');
    const { plainHttp } = dependencyAccess(
      { url: 'oci://registry.example.com/org/charts', project: 'default' },
      { credentials, trust: NO_TRUST },
    );
    assert.equal(plainHttp, true);
  });

  test('whom NO_PROXY names is reached directly', () => {
    const rows: readonly (readonly [noProxy: string, url: string, isDirect: boolean])[] = [
      ['dev.azure.com', URL, true],
      ['azure.com', URL, true],
      ['.azure.com, other', URL, true],
      ['*.dev.azure.com', URL, false],
      ['zure.com', URL, false],
      ['dev.azure.com:443', URL, true],
      ['dev.azure.com:80', URL, false],
      ['*', URL, true],
      ['10.0.0.0/8', 'https://10.1.2.3/r', true],
      ['10.0.0.0/8', 'https://11.1.2.3/r', false],
      ['10.0.0.0/99', 'https://10.1.2.3/r', false],
      ['', URL, false],
    ];
    for (const [noProxy, url, isDirect] of rows) {
      const { auth } = access({ proxy: 'http://proxy:3128', noProxy }, undefined, url);
      assert.equal(auth?.proxy, isDirect ? undefined : 'http://proxy:3128', `${noProxy} ${url}`);
    }
  });
});

describe('identities of clouds', () => {
  const application = {
    azureServicePrincipalTenantId: 'tenant',
    azureServicePrincipalClientId: 'client',
    azureServicePrincipalClientSecret: 'right',
  };

  test("an application of Microsoft's opens Azure DevOps, with a token that is asked for once", async () => {
    const microsoft = microsoftStandIn(() => {});
    await using box = await startCloudBox(microsoft.services);
    const { auth } = access({ ...application, proxy: box.proxy });
    const first = await auth?.login?.ask(URL);
    assert.ok(first !== undefined && 'bearerToken' in first && first.bearerToken !== '');
    assert.deepEqual(await auth?.login?.ask(URL), first);
    assert.equal(box.asked.filter((one) => one.endsWith('/token')).length, 1);
    const key = String(auth?.login?.toJSON());
    assert.doesNotMatch(key, /right/);
    const next = access({ ...application, azureServicePrincipalClientSecret: 'other' });
    assert.notEqual(next.auth?.login?.toJSON(), key, 'a new secret is another login');
  });

  test('the identity of this process opens Azure DevOps and a registry', async () => {
    const microsoft = microsoftStandIn(() => {});
    await using box = await startCloudBox(microsoft.services);
    const names = {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'own',
      AZURE_CLIENT_SECRET: 'right',
    };
    Object.assign(process.env, names);
    try {
      const { auth } = access({ useAzureWorkloadIdentity: 'true', proxy: box.proxy });
      const git = await auth?.login?.ask(URL);
      assert.ok(git !== undefined && 'bearerToken' in git);
      const registry = await auth?.login?.ask('oci://team.azurecr.io/charts');
      assert.ok(registry !== undefined && 'password' in registry);
      assert.equal(registry.password, microsoft.registryPassword);
    } finally {
      for (const name of Object.keys(names)) delete process.env[name];
    }
  });

  test("a key of Google's gives its owner's name and a token; a password goes before it", async () => {
    const google = googleStandIn(() => {});
    await using box = await startCloudBox(google.services);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const gcpServiceAccountKey = JSON.stringify({
      type: 'service_account',
      client_email: 'ci@project.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    });
    const { auth } = access({ gcpServiceAccountKey, proxy: box.proxy });
    assert.deepEqual(await auth?.login?.ask(URL), {
      username: 'ci@project.iam.gserviceaccount.com',
      password: 'google:ci@project.iam.gserviceaccount.com',
    });
    const both = access({ gcpServiceAccountKey }, { username: 'ann', password: 'p' });
    assert.deepEqual(both.auth, { username: 'ann', password: 'p' });
    await assert.rejects(
      access({ gcpServiceAccountKey: '{"type": "external_account"}' }).auth?.login?.ask(URL) ??
        Promise.resolve(),
      { code: 'CLOUD_INVALID' },
    );
  });
});
