/** The clouds' own SDKs against stand-ins that bear the names of the real services. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  acrLogin,
  acrScope,
  awsSurroundings,
  awsWebIdentity,
  azureContainer,
  azureFederated,
  azureSecretToken,
  type BucketReader,
  checkGoogleRegistry,
  codeCommitLogin,
  ecrLogin,
  ecrRegion,
  googleBucket,
  googleFederated,
  googleFileToken,
} from './index.ts';
import { amazonStandIn, googleStandIn, microsoftStandIn, startCloudBox } from './testing/index.ts';

const ROLE = 'arn:aws:iam::123456789012:role/reader';
const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const trusts = (token: string) => {
  if (token !== 'good') throw new Error('this token is not trusted');
};

test('a web identity takes a role of Amazon, which logs in to registries', async () => {
  const amazon = amazonStandIn(trusts);
  await using box = await startCloudBox(amazon.services);
  const { proxy } = box;
  const identity = { token: 'good', roleArn: ROLE, sessionName: 'web.apps' };
  const credentials = await awsWebIdentity(identity, { region: 'eu-west-1' }, { proxy });
  assert.match(credentials.accessKeyId, /^ASIA/);
  assert.ok((credentials.expiresAtMs ?? 0) > Date.now());
  const login = await ecrLogin(ECR, credentials, { proxy });
  assert.deepEqual([login.username, login.password], ['AWS', amazon.registryPassword]);
  const open = await ecrLogin('public.ecr.aws', credentials, { proxy });
  assert.equal(open.password, amazon.registryPassword);
  assert.deepEqual(amazon.seen, [
    `AssumeRoleWithWebIdentity ${ROLE} web.apps`,
    `GetAuthorizationToken ${ROLE} session`,
    `GetAuthorizationToken ${ROLE} session`,
  ]);
  assert.deepEqual(box.asked, [
    'POST sts.eu-west-1.amazonaws.com/',
    'POST api.ecr.eu-west-1.amazonaws.com/',
    'POST api.ecr-public.us-east-1.amazonaws.com/',
  ]);
  await assert.rejects(
    awsWebIdentity({ ...identity, token: 'bad' }, { region: 'eu-west-1' }, { proxy }),
    { code: 'CLOUD_REFUSED', message: /this token is not trusted/ },
  );
});

test("this process's own identity at Amazon is that of its environment", async () => {
  const amazon = amazonStandIn(trusts);
  await using box = await startCloudBox(amazon.services);
  const { proxy } = box;
  const set = (values: Readonly<Record<string, string>>) => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) {
      delete process.env[name];
    }
    Object.assign(process.env, values);
  };
  try {
    set({});
    await assert.rejects(awsSurroundings({}, { proxy }), {
      code: 'CLOUD_INVALID',
      message: /AWS_REGION environment variable is not set/,
    });
    set({ AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: 'SK', AWS_REGION: 'eu-west-1' });
    const credentials = await awsSurroundings({}, { proxy });
    assert.deepEqual(credentials, { accessKeyId: 'AK', secretAccessKey: 'SK' });
    await ecrLogin(ECR, credentials, { proxy });
    assert.deepEqual(amazon.seen, ['GetAuthorizationToken AK']);
    await assert.rejects(awsSurroundings({ stsEndpoint: 'https://sts.evil.example' }, { proxy }), {
      code: 'CLOUD_INVALID',
      message: /invalid STS endpoint: 'https:\/\/sts\.evil\.example'/,
    });
  } finally {
    set({});
  }
});

test('which hosts are registries of whom', async () => {
  const regions: readonly (readonly [string, string | undefined])[] = [
    [ECR, 'eu-west-1'],
    ['012345678901.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['012345678901.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['012345678901.dkr-ecr.us-west-2.on.aws', 'us-west-2'],
    ['public.ecr.aws', 'us-east-1'],
    ['ecr-public.aws.com', 'us-east-1'],
    [`${ECR}.evil.example`, undefined],
    ['gcr.io', undefined],
  ];
  for (const [host, region] of regions) {
    if (region !== undefined) assert.equal(ecrRegion(host), region, host);
    else assert.throws(() => ecrRegion(host), { message: /invalid AWS registry/ }, host);
  }
  for (const host of ['gcr.io', 'eu.gcr.io', 'europe-docker.pkg.dev', 'docker.s3nsregistry.fr']) {
    checkGoogleRegistry(host);
  }
  for (const host of ['gcr.io.evil.example', 'docker.io', 'foo.azurecr.io']) {
    assert.throws(() => checkGoogleRegistry(host), { message: /invalid GCP registry/ });
  }
  for (const host of ['foo.azurecr.io', 'foo.azurecr.cn', 'foo.azurecr.us', 'foo.azurecr.de']) {
    assert.equal(await acrScope(host), 'https://containerregistry.azure.net/.default');
  }
  await assert.rejects(acrScope('foo.azurecr.com'), { message: /invalid Azure registry/ });
});

test('a login for CodeCommit is the signature of a request of the method GIT', () => {
  const url = 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/app';
  const keys = { accessKeyId: 'AKID', secretAccessKey: 'SECRET', sessionToken: 'SESSION' };
  const login = codeCommitLogin(url, keys, Date.UTC(2026, 0, 2, 3, 4, 5));
  assert.equal(login.username, 'AKID%SESSION');
  assert.match(login.password, /^20260102T030405Z[0-9a-f]{64}$/);
  assert.equal(login.expiresAtMs, Date.UTC(2026, 0, 2, 3, 19, 5));
  for (const other of ['http://git-codecommit.eu-west-1.amazonaws.com/x', 'https://github.com/x']) {
    assert.throws(() => codeCommitLogin(other, keys, 0), { code: 'CLOUD_INVALID' });
  }
});

test('a federated token or a secret of an application opens registries of Microsoft', async () => {
  const microsoft = microsoftStandIn(trusts);
  await using box = await startCloudBox(microsoft.services);
  const { proxy } = box;
  const scope = await acrScope('foo.azurecr.io');
  const identity = { token: 'good', tenantId: 'tenant', clientId: 'client' };
  const token = await azureFederated(identity, scope, { proxy });
  assert.equal(token.token, `entra:client:${scope}`);
  const login = await acrLogin('foo.azurecr.io', token, { proxy });
  assert.equal(login.username, '00000000-0000-0000-0000-000000000000');
  assert.equal(login.password, microsoft.registryPassword);
  assert.ok(login.expiresAtMs > Date.now() + 3_000_000);
  const secret = { tenantId: 'tenant', clientId: 'app', clientSecret: 'right' };
  const own = await azureSecretToken(secret, 'https://storage.azure.com/.default', { proxy });
  assert.equal(own.token, 'entra:app:https://storage.azure.com/.default');
  assert.deepEqual(microsoft.seen, [
    `token tenant client ${scope} assertion`,
    `/oauth2/exchange foo.azurecr.io entra:client:${scope}`,
    'token tenant app https://storage.azure.com/.default secret',
  ]);
  await assert.rejects(azureFederated({ ...identity, token: 'bad' }, scope, { proxy }), {
    code: 'CLOUD_REFUSED',
    message: /this token is not trusted/,
  });
  await assert.rejects(
    azureSecretToken({ ...secret, authorityHost: 'https://169.254.169.254' }, scope, {}),
    { message: /169\.254\.169\.254 is a link-local or metadata address/ },
  );
});

test('a federated token is one of Google, for a service account or for itself', async () => {
  const google = googleStandIn(trusts);
  await using box = await startCloudBox(google.services);
  const { proxy } = box;
  const audience =
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k';
  const direct = await googleFederated({ token: 'good', audience }, { proxy });
  assert.equal(direct.token, 'google:federated');
  const email = 'reader@project.iam.gserviceaccount.com';
  const lent = await googleFederated({ token: 'good', audience, email }, { proxy });
  assert.equal(lent.token, `google:${email}`);
  assert.ok(lent.expiresAtMs > Date.now() + 3_000_000);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const file = { type: 'service_account', client_email: email, private_key: privateKey };
  const bought = await googleFileToken(JSON.stringify(file), ['scope'], { proxy });
  assert.equal(bought.token, `google:${email}`);
  assert.deepEqual(google.seen, [
    `exchange ${audience}`,
    `exchange ${audience}`,
    `impersonate ${email} Bearer google:federated`,
    `buy ${email} scope`,
  ]);
  await assert.rejects(googleFederated({ token: 'bad', audience }, { proxy }), {
    code: 'CLOUD_REFUSED',
    message: /this token is not trusted/,
  });
  // Such a file could name any file of this machine, and any address.
  await assert.rejects(googleFileToken('{"type":"external_account"}', [], { proxy }), {
    code: 'CLOUD_INVALID',
  });
});

async function contents(bucket: BucketReader, prefix?: string) {
  const found: Record<string, string> = {};
  for await (const { key, etag } of bucket.list(prefix)) {
    const object = await bucket.read(key, 1000);
    assert.equal(object?.etag, etag, key);
    found[key] = Buffer.from(object?.bytes ?? []).toString();
  }
  return found;
}

const OBJECTS = { 'a.yaml': 'one', 'dir/b.yaml': 'two', 'dir/ç d.yaml': 'three' };

test('buckets of Google are read page by page', async () => {
  const google = googleStandIn(trusts);
  google.buckets.set('files', OBJECTS);
  await using box = await startCloudBox(google.services);
  const token = async () => ({ token: 'T', expiresAtMs: Date.now() + 3_600_000 });
  const open = (bucket: string) => googleBucket({ bucket, token, proxy: box.proxy });
  const bucket = await open('files');
  assert.equal(await bucket.exists(), true);
  assert.equal(await (await open('none')).exists(), false);
  assert.deepEqual(await contents(bucket), OBJECTS);
  assert.deepEqual(Object.keys(await contents(bucket, 'dir/')), ['dir/b.yaml', 'dir/ç d.yaml']);
  assert.equal(await bucket.read('none', 1000), undefined);
  await assert.rejects(bucket.read('a.yaml', 1), { message: /more than 1 bytes/ });
  assert.deepEqual([...new Set(google.seen)], ['storage Bearer T']);
});

test('containers of Azure are read with a token, a key, a signature or nothing', async () => {
  const microsoft = microsoftStandIn(trusts);
  microsoft.containers.set('account/files', OBJECTS);
  await using box = await startCloudBox(microsoft.services);
  const endpoint = 'https://account.blob.core.windows.net';
  const token = async () => ({ token: 'T', expiresAtMs: Date.now() + 3_600_000 });
  const keys = [
    [{ kind: 'token', token }, 'Bearer'],
    [{ kind: 'account', key: Buffer.from('key').toString('base64') }, 'SharedKey'],
    [{ kind: 'signature', query: '?sv=1&sig=x%3D' }, 'signature'],
    [{ kind: 'none' }, 'anonymous'],
  ] as const;
  for (const [key, how] of keys) {
    const open = (container: string) =>
      azureContainer({ endpoint, container, key, proxy: box.proxy });
    const bucket = await open('files');
    assert.equal(await bucket.exists(), true);
    assert.equal(await (await open('none')).exists(), false);
    assert.deepEqual(await contents(bucket), OBJECTS);
    assert.equal(await bucket.read('none', 1000), undefined);
    await assert.rejects(bucket.read('a.yaml', 1), { message: /more than 1 bytes/ });
    assert.deepEqual([...new Set(microsoft.seen.splice(0))], [`blobs ${how}`]);
  }
  const inside = { container: 'c', key: { kind: 'none' } } as const;
  const metadata = await azureContainer({ endpoint: 'http://169.254.169.254/x', ...inside });
  await assert.rejects(metadata.exists(), { code: 'EGRESS_REFUSED' });
});

test("a SOCKS proxy carries what each cloud's SDK asks", async () => {
  const clouds = [amazonStandIn(trusts), microsoftStandIn(trusts), googleStandIn(trusts)];
  await using box = await startCloudBox(clouds.flatMap(({ services }) => services));
  const access = { proxy: box.socks };
  const role = { token: 'good', roleArn: ROLE, sessionName: 'web.apps' };
  await awsWebIdentity(role, { region: 'eu-west-1' }, access);
  const client = { token: 'good', tenantId: 'tenant', clientId: 'client' };
  await azureFederated(client, 'https://storage.azure.com/.default', access);
  const audience =
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q';
  await googleFederated({ token: 'good', audience }, access);
  const hosts = box.asked.map((line) => line.replace(/^\S+ ([^/]+).*/, '$1'));
  assert.deepEqual(
    [...new Set(hosts)],
    ['sts.eu-west-1.amazonaws.com', 'login.microsoftonline.com', 'sts.googleapis.com'],
  );
  const nobody = { proxy: 'socks5://127.0.0.1:1' };
  await assert.rejects(awsWebIdentity(role, { region: 'eu-west-1' }, nobody), /ECONNREFUSED/);
});
