/** Sources and encrypted files that are opened by identities of clouds: stand-ins under the real names, behind a proxy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TreeArchiver } from '@capstan/engine-source/store';
import { createRegistry } from '@capstan/kube-controller';
import type { Json } from '@capstan/kube-object';
import {
  amazonStandIn,
  type CloudService,
  type ForwardedService,
  googleStandIn,
  microsoftStandIn,
  startCloudBox,
} from '@capstan/lib-clouds/testing';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { at, find } from '../testing/look.ts';
import { startBucket, startRegistry } from '../testing/stand-ins.ts';
import { createWorld, type World, type WorldOptions } from '../testing/world.ts';
import { accountOfToken } from './service-tokens.ts';

const OCI = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'OCIRepository',
  namespace: 'apps',
};
const ROLE = 'arn:aws:iam::123456789012:role/reader';
const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';

const ACCOUNT = `
apiVersion: v1
kind: Namespace
metadata: {name: apps}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: reader
  namespace: apps
  annotations:
    eks.amazonaws.com/role-arn: ${ROLE}
    azure.workload.identity/client-id: client
    azure.workload.identity/tenant-id: tenant
    iam.gke.io/gcp-service-account: reader@project.iam.gserviceaccount.com
    gcp.auth.fluxcd.io/workload-identity-provider: projects/1/locations/global/workloadIdentityPools/p/providers/k
`;

/** Trusts the account of the test for the audience that each cloud is known by. */
function trusts(token: string): void {
  const account = accountOfToken(token);
  assert.deepEqual(account, { namespace: 'apps', name: 'reader' });
}

function audienceOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud;
}

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly audiences: Set<string>;
  readonly amazon: ReturnType<typeof amazonStandIn>;
  readonly microsoft: ReturnType<typeof microsoftStandIn>;
  readonly google: ReturnType<typeof googleStandIn>;
  readonly asked: readonly string[];
}

async function createScene(
  more: (
    scene: Pick<Scene, 'amazon' | 'microsoft' | 'google'>,
  ) => Promise<readonly (CloudService | ForwardedService)[]>,
  {
    settings = { objectIdentities: true },
    registry,
  }: Pick<WorldOptions, 'settings' | 'registry'> = {},
): Promise<Scene> {
  const audiences = new Set<string>();
  const judge = (token: string) => {
    trusts(token);
    audiences.add(String(audienceOf(token)));
  };
  const clouds = {
    amazon: amazonStandIn(judge),
    microsoft: microsoftStandIn(judge),
    google: googleStandIn(judge),
  };
  const { amazon, microsoft, google } = clouds;
  const box = await startCloudBox([
    ...amazon.services,
    ...microsoft.services,
    ...google.services,
    ...(await more(clouds)),
  ]);
  const world = await createWorld({ settings, ...(registry === undefined ? {} : { registry }) });
  await world.kubectlApply(ACCOUNT);
  const proxy = Buffer.from(box.proxy).toString('base64');
  await world.kubectlApply(
    `apiVersion: v1\nkind: Secret\nmetadata: {name: proxy, namespace: apps}\ndata: {address: ${proxy}}\n`,
  );
  return {
    ...{ world, audiences, asked: box.asked },
    ...clouds,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await box[Symbol.asyncDispose]();
    },
  };
}

const source = (kind: string, name: string, spec: object) => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: apps}
spec: ${JSON.stringify({ interval: '1h', proxySecretRef: { name: 'proxy' }, ...spec })}
`;

const secret = (name: string, data: Readonly<Record<string, string>>) => `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: apps}
stringData: ${JSON.stringify(data)}
`;

async function judged(world: World, kind: string, name: string): Promise<Json | undefined> {
  const found = await world.eventually(
    () => world.get(kind, `apps/${name}`),
    (one) => ['True', 'False'].includes(String(at(find(one, 'Ready'), 'status'))),
  );
  return find(found, 'Ready');
}

async function stored(world: World, kind: string, name: string): Promise<string> {
  const told = await judged(world, kind, name);
  assert.equal(at(told, 'status'), 'True', String(at(told, 'message')));
  return String(at(told, 'message'));
}

async function archiveOf(files: MemoryFiles): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(new TreeArchiver().archive(memoryTree(files))));
}

const FILES = { 'a.yaml': 'kind: ConfigMap\n' };

test('registries of all clouds are read with the identity of a service account', async () => {
  const metrics = createRegistry();
  const archive = { mediaType: 'application/tar+gzip', bytes: await archiveOf(FILES) };
  await using registries = new AsyncDisposableStack();
  await using scene = await createScene(
    async ({ amazon, microsoft }) => {
      const rows = [
        [/dkr\.ecr/, `AWS:${amazon.registryPassword}`],
        [
          /^registry\.azurecr\.io$/,
          `00000000-0000-0000-0000-000000000000:${microsoft.registryPassword}`,
        ],
        [/pkg\.dev$/, 'oauth2accesstoken:google:reader@project.iam.gserviceaccount.com'],
      ] as const;
      return await Promise.all(
        rows.map(async ([hosts, login]) => {
          const registry = registries.use(await startRegistry(login, 'basic'));
          registry.push('latest', [archive]);
          return { hosts, forwardTo: registry.host };
        }),
      );
    },
    { registry: metrics },
  );
  const { world } = scene;
  const urls = { aws: ECR, azure: 'registry.azurecr.io', gcp: 'europe-docker.pkg.dev' };
  for (const [provider, host] of Object.entries(urls)) {
    const spec = { url: `oci://${host}/org/app`, provider, serviceAccountName: 'reader' };
    await world.kubectlApply(source('OCIRepository', provider, spec));
  }
  for (const provider of Object.keys(urls)) {
    assert.match(await stored(world, 'OCIRepository', provider), /latest@sha256:/);
  }
  assert.deepEqual([...scene.audiences].toSorted(), [
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k',
    'api://AzureADTokenExchange',
    'sts.amazonaws.com',
  ]);
  assert.deepEqual(scene.amazon.seen, [
    `AssumeRoleWithWebIdentity ${ROLE} reader.apps.eu-west-1.fluxcd.io`,
    `GetAuthorizationToken ${ROLE} session`,
  ]);
  const told = JSON.stringify([
    await world.client.list({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository' }),
    await world.client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'apps' }),
  ]);
  assert.equal(told.includes(scene.amazon.registryPassword), false);
  const events = () =>
    metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('gotk_token_cache_events_total{'))
      .map((line) => line.slice(line.indexOf('{')));
  const event = (type: string, name: string, count: number) =>
    `{event_type="${type}",kind="OCIRepository",name="${name}",namespace="apps",operation="reconcile"} ${count}`;
  assert.deepEqual(
    events().toSorted(),
    Object.keys(urls)
      .map((name) => event('cache_miss', name, 1))
      .toSorted(),
  );
  const ref = { ...OCI, name: 'aws' };
  const annotations = { 'reconcile.fluxcd.io/requestedAt': 'now' };
  await world.client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
  await world.eventually(
    () => world.get('OCIRepository', 'apps/aws'),
    (one) => at(one, 'status', 'lastHandledReconcileAt') === 'now',
  );
  assert.ok(events().includes(event('cache_hit', 'aws', 1)));
  await world.client.delete(ref);
  await world.eventually(
    async () => events(),
    (lines) => !lines.some((line) => line.includes('name="aws"')),
  );
});

const OBJECTS = { 'a.yaml': 'kind: ConfigMap\n', 'dir/b.yaml': 'kind: Secret\n' };

test('buckets of Google and Azure are read with the identity of a service account, or with what a Secret holds', async () => {
  await using scene = await createScene(async ({ microsoft, google }) => {
    google.buckets.set('files', OBJECTS);
    microsoft.containers.set('account/files', OBJECTS);
    return [];
  });
  const { world } = scene;
  const azure = { provider: 'azure', endpoint: 'https://account.blob.core.windows.net' };
  const gcp = { provider: 'gcp', endpoint: 'storage.googleapis.com' };
  const keys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    sas: { sasKey: '?sv=1&sig=x' },
    application: { clientId: 'app', tenantId: 'tenant', clientSecret: 'right' },
    account: { accountKey: Buffer.from('key').toString('base64') },
  };
  for (const [name, data] of Object.entries(keys)) await world.kubectlApply(secret(name, data));
  const specs: Readonly<Record<string, object>> = {
    'gcp-account': { ...gcp, serviceAccountName: 'reader' },
    'azure-account': { ...azure, serviceAccountName: 'reader' },
    ...Object.fromEntries(
      Object.keys(keys).map((name) => [`azure-${name}`, { ...azure, secretRef: { name } }]),
    ),
  };
  for (const [name, spec] of Object.entries(specs)) {
    await world.kubectlApply(source('Bucket', name, { bucketName: 'files', ...spec }));
  }
  for (const name of Object.keys(specs)) {
    assert.match(await stored(world, 'Bucket', name), /^stored artifact: revision 'sha256:/);
  }
  assert.deepEqual(
    [...new Set(scene.google.seen.filter((one) => /^storage/.test(one)))],
    ['storage Bearer google:reader@project.iam.gserviceaccount.com'],
  );
  const ways = new Set(scene.microsoft.seen.filter((one) => /^blobs/.test(one)));
  assert.deepEqual([...ways].toSorted(), ['blobs Bearer', 'blobs SharedKey', 'blobs signature']);
});

test('a Security Token Service gives the keys of a bucket: to a role of Amazon, to a user of a directory', async () => {
  const content = new Map(Object.entries(OBJECTS));
  await using bucket = await startBucket(content);
  const seen: string[] = [];
  await using scene = await createScene(async () => [
    { hosts: /^minio\.example\.com$/, forwardTo: bucket.host },
    {
      hosts: /^sts\.example\.com$/,
      answer: ({ url, body }) => {
        seen.push(`${url.pathname} ${body}`);
        const fields = '<AccessKeyId>AK</AccessKeyId><SecretAccessKey>SK</SecretAccessKey>';
        return { body: `<R><Credentials>${fields}</Credentials></R>` };
      },
    },
  ]);
  const { world } = scene;
  await world.kubectlApply(secret('ldap', { username: 'jane', password: 'p&q' }));
  const minio = { bucketName: 'data', endpoint: 'minio.example.com', insecure: true };
  const ldap = {
    provider: 'ldap',
    endpoint: 'https://sts.example.com/x',
    secretRef: { name: 'ldap' },
  };
  await world.kubectlApply(source('Bucket', 'minio', { ...minio, sts: ldap }));
  const aws = { ...minio, provider: 'aws', region: 'eu-west-1', serviceAccountName: 'reader' };
  await world.kubectlApply(source('Bucket', 'aws', aws));
  await stored(world, 'Bucket', 'minio');
  await stored(world, 'Bucket', 'aws');
  assert.deepEqual(seen, [
    '/x Action=AssumeRoleWithLDAPIdentity&Version=2011-06-15&LDAPUsername=jane&LDAPPassword=p%26q',
  ]);
  assert.deepEqual(scene.amazon.seen, [
    `AssumeRoleWithWebIdentity ${ROLE} reader.apps.eu-west-1.fluxcd.io`,
  ]);
});

test('Git hosts of Amazon and Microsoft are opened by identities', async () => {
  await using scene = await createScene(async () => []);
  const { world } = scene;
  const urls = {
    aws: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/app',
    azure: 'https://dev.azure.com/org/project/_git/app',
  };
  for (const [provider, url] of Object.entries(urls)) {
    world.sources.push(url, FILES);
    const spec = { url, provider, ref: { branch: 'main' }, serviceAccountName: 'reader' };
    await world.kubectlApply(source('GitRepository', provider, spec));
    assert.match(await stored(world, 'GitRepository', provider), /main@sha1:/);
  }
  assert.match(scene.amazon.seen.join(), /AssumeRoleWithWebIdentity/);
  assert.match(
    scene.microsoft.seen.join(),
    /token tenant client 499b84ac-1321-427f-aa17-267ca6975798\/\.default assertion/,
  );
});

test('what is wrong with an identity is told, and where', async () => {
  await using scene = await createScene(async () => []);
  const { world } = scene;
  await world.kubectlApply(
    'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: plain, namespace: apps}\n',
  );
  const ecr = { url: `oci://${ECR}/org/app`, provider: 'aws' };
  const rows: readonly (readonly [string, string, object, RegExp])[] = [
    [
      'OCIRepository',
      'not-ecr',
      { url: 'oci://ghcr.io/org/app', provider: 'aws', serviceAccountName: 'reader' },
      /^OCIArtifactPullFailed failed to determine artifact digest: invalid AWS registry: 'ghcr\.io'\. must match \^\(\[0-9\]\{12\}\)/,
    ],
    [
      'OCIRepository',
      'no-role',
      { ...ecr, serviceAccountName: 'plain' },
      /^OCIArtifactPullFailed failed to determine artifact digest: failed to get access token for artifact registry: failed to get provider identity from service account 'apps\/plain' annotations: invalid eks\.amazonaws\.com\/role-arn annotation: ''\. must match/,
    ],
    [
      'OCIRepository',
      'no-account',
      { ...ecr, ref: { semver: '*' }, serviceAccountName: 'none' },
      /^AuthenticationFailed failed to get credential: serviceaccount 'apps\/none' not found/,
    ],
    [
      'GitRepository',
      'not-aws',
      { url: 'https://github.com/org/app', provider: 'aws', serviceAccountName: 'reader' },
      /^AuthenticationFailed failed to configure authentication options: invalid AWS CodeCommit Git URL: github\.com/,
    ],
    [
      'Bucket',
      'no-region',
      {
        ...{ bucketName: 'b', endpoint: 's3.amazonaws.com', provider: 'aws' },
        serviceAccountName: 'reader',
      },
      /^AuthenticationFailed AWS authentication failed: failed to create provider access token for service account 'apps\/reader': an AWS region is required/,
    ],
  ];
  for (const [kind, name, spec] of rows) await world.kubectlApply(source(kind, name, spec));
  for (const [kind, name, , expected] of rows) {
    const told = await judged(world, kind, name);
    assert.match(`${at(told, 'reason')} ${at(told, 'message')}`, expected);
  }
});

test('an account that an object names is no identity unless that is switched on', async () => {
  await using scene = await createScene(async () => [], { settings: { objectIdentities: false } });
  const { world } = scene;
  const rows: readonly (readonly [string, object])[] = [
    ['OCIRepository', { url: `oci://${ECR}/org/app`, provider: 'aws' }],
    ['Bucket', { bucketName: 'b', endpoint: 'storage.googleapis.com', provider: 'gcp' }],
    ['GitRepository', { url: 'https://dev.azure.com/o/p/_git/app', provider: 'azure' }],
  ];
  for (const [kind, spec] of rows) {
    await world.kubectlApply(source(kind, 'one', { ...spec, serviceAccountName: 'reader' }));
    const told = await judged(world, kind, 'one');
    assert.deepEqual(
      [at(told, 'reason'), at(told, 'message')],
      [
        'FeatureGateDisabled',
        'to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
      ],
    );
    assert.equal(at(find(await world.get(kind, 'apps/one'), 'Stalled'), 'status'), 'True');
  }
  assert.deepEqual(scene.asked, []);
});
