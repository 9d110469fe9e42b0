import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  amazonStandIn,
  googleStandIn,
  microsoftStandIn,
  startCloudBox,
} from '@capstan/lib-clouds/testing';
import { runCapstan } from '../testing/run-capstan.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: 'SK', AWS_REGION: 'eu-west-1' };
const ROLE = 'arn:aws:iam::123456789012:role/deployer';

/** With these in the environment of this process, where SDKs look. */
async function within<T>(env: Readonly<Record<string, string>>, run: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  const kept = Object.entries(before).filter(([name]) => !/^(?:AWS|AZURE|AAD|GOOGLE)_/.test(name));
  process.env = { ...Object.fromEntries(kept), ...env };
  try {
    return await run();
  } finally {
    process.env = before;
  }
}

const ask = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  within(env, () => runCapstan(['argocd-k8s-auth', ...args], { cwd: '.', env }));

function signedUrl(token: string): URL {
  assert.match(token, /^k8s-aws-v1\.[\w-]+$/);
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString('utf8'));
}

test('aws signs a question after who one is, by the keys at hand', async () => {
  const before = Date.now();
  const { code, out } = await ask(['aws', '--cluster-name', 'prod'], KEYS);
  assert.equal(code, 0);
  const { kind, apiVersion, spec, status } = JSON.parse(out);
  assert.deepEqual(
    [kind, apiVersion, spec],
    ['ExecCredential', 'client.authentication.k8s.io/v1beta1', { interactive: false }],
  );
  const url = signedUrl(status.token);
  assert.equal(url.host, 'sts.eu-west-1.amazonaws.com');
  assert.equal(url.searchParams.get('Action'), 'GetCallerIdentity');
  assert.equal(url.searchParams.get('X-Amz-Expires'), '60');
  assert.equal(url.searchParams.get('X-Amz-SignedHeaders'), 'host;x-k8s-aws-id');
  const leftMs = Date.parse(status.expirationTimestamp) - before;
  assert.ok(leftMs > 13.9 * 60_000 && leftMs <= 14.1 * 60_000, `${leftMs} ms`);
});

test('aws takes a role first, and profiles of the shared files', async () => {
  const amazon = amazonStandIn(() => undefined);
  await using box = await startCloudBox(amazon.services);
  const folder = await mkdtemp(join(tmpdir(), 'aws-'));
  const [credentials, config] = [join(folder, 'credentials'), join(folder, 'config')];
  await writeFile(credentials, '[ops]\naws_access_key_id = OPS\naws_secret_access_key = S\n');
  await writeFile(config, '[profile ops]\nregion = us-east-2\n');
  const env = {
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    AWS_CONFIG_FILE: config,
    HTTPS_PROXY: box.proxy,
  };
  const args = ['aws', '--cluster-name=prod', '--role-arn', ROLE, '--profile', 'ops'];
  const { out, err } = await ask(args, env);
  assert.equal(err, '');
  const url = signedUrl(JSON.parse(out).status.token);
  assert.equal(url.host, 'sts.us-east-2.amazonaws.com');
  assert.match(url.searchParams.get('X-Amz-Credential') ?? '', /^ASIA.*\/us-east-2\/sts\//);
  assert.match(amazon.seen[0] ?? '', new RegExp(`^AssumeRole ${ROLE} aws-go-sdk-`));
});

test('azure gives the token of an application, or of the workload', async () => {
  const microsoft = microsoftStandIn(() => undefined);
  await using box = await startCloudBox(microsoft.services);
  const file = join(await mkdtemp(join(tmpdir(), 'azure-')), 'token');
  await writeFile(file, 'good\n');
  const env = { HTTPS_PROXY: box.proxy, AZURE_TENANT_ID: 'tenant' };
  const workload = { ...env, AZURE_CLIENT_ID: 'work', AZURE_FEDERATED_TOKEN_FILE: file };
  const scope = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';
  const own = await ask(['azure'], workload);
  assert.equal(own.err, '');
  assert.equal(JSON.parse(own.out).status.token, `entra:work:${scope}`);
  const application = {
    ...env,
    AAD_LOGIN_METHOD: 'spn',
    AAD_SERVICE_PRINCIPAL_CLIENT_ID: 'app',
    AAD_SERVICE_PRINCIPAL_CLIENT_SECRET: 'right',
    AAD_SERVER_APPLICATION_ID: 'server',
  };
  const other = await ask(['azure'], application);
  assert.equal(JSON.parse(other.out).status.token, 'entra:app:server/.default');
});

test('azure says what it lacks, and which ways there are', async () => {
  const none = await ask(['azure'], {});
  assert.deepEqual([none.code, none.err.split('\n')[0]], [1, 'Error: client ID cannot be empty']);
  const application = { AZURE_CLIENT_ID: 'app', AZURE_TENANT_ID: 'tenant' };
  const bare = await ask(['azure'], application);
  assert.match(bare.err, /federated token file cannot be empty/);
  const other = await ask(['azure'], { ...application, AAD_LOGIN_METHOD: 'devicecode' });
  assert.match(other.err, /'devicecode' is not a supported login method/);
});

test('gcp gives the token of the credentials that surround it', async () => {
  const google = googleStandIn(() => undefined);
  await using box = await startCloudBox(google.services);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const email = 'deployer@project.iam.gserviceaccount.com';
  const file = join(await mkdtemp(join(tmpdir(), 'gcp-')), 'key.json');
  const key = { type: 'service_account', client_email: email, private_key: privateKey };
  await writeFile(file, JSON.stringify(key));
  const env = { GOOGLE_APPLICATION_CREDENTIALS: file, HTTPS_PROXY: box.proxy };
  const before = Date.now();
  const { code, out, err } = await ask(['gcp'], env);
  assert.deepEqual([code, err], [0, '']);
  const { kind, status } = JSON.parse(out);
  assert.deepEqual([kind, status.token], ['ExecCredential', `google:${email}`]);
  const leftMs = Date.parse(status.expirationTimestamp) - before;
  assert.ok(leftMs > 59 * 60_000 && leftMs < 61 * 60_000, `${leftMs} ms`);
  assert.match(google.seen[0] ?? '', /^buy deployer@.* .*auth\/cloud-platform/);
  const none = await ask(['gcp'], { ...env, GOOGLE_APPLICATION_CREDENTIALS: `${file}.none` });
  assert.equal(none.code, 1);
  assert.match(none.err, /key\.json\.none/);
});

test('other words are refused, and none at all gets the help', async () => {
  const other = await ask(['ibm'], {});
  assert.match(other.err, /unknown command "ibm" for "argocd-k8s-auth"/);
  const none = await ask([], {});
  assert.deepEqual(
    [none.code, none.out.split('\n')[0]],
    [0, 'usage: capstan argocd-k8s-auth CLOUD'],
  );
});
