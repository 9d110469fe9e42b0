import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readArchive, TreeArchiver } from '@capstan/engine-source/store';
import { type KubeObject, parseLabelSelector } from '@capstan/kube-object';
import {
  type FileTree,
  joinPath,
  type MemoryFiles,
  memoryTree,
  readText,
} from '@capstan/lib-files';
import { at, conditions, find } from '../testing/look.ts';
import { startBucket, startRegistry } from '../testing/stand-ins.ts';
import { createWorld, type World } from '../testing/world.ts';

const REPO = 'https://git.example.com/org/my-app.git';
const LIB = 'https://git.example.com/org/lib.git';
const LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip';

const source = (kind: string, name: string, spec: string) => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: flux-system}
spec: {interval: 1m, ${spec}}
`;
const secret = (name: string, data: Readonly<Record<string, string>>) => `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: flux-system}
data: ${JSON.stringify(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])))}
`;
const config = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: {a: b}\n`;

async function until(
  world: World,
  kind: string,
  name: string,
  holds: (one: KubeObject | undefined) => boolean,
) {
  return await world.eventually(() => world.get(kind, `flux-system/${name}`), holds);
}

const isReady = (one: KubeObject | undefined) => at(find(one, 'Ready'), 'status') === 'True';

async function files(world: World, object: KubeObject | undefined): Promise<readonly string[]> {
  const bytes = await world.artifacts.read(String(at(object, 'status', 'artifact', 'url')));
  const show = (tree: FileTree, path: string): readonly string[] =>
    (tree.readDirectory(path) ?? []).flatMap(({ name, kind }) => {
      const child = joinPath(path, name);
      return kind === 'directory'
        ? show(tree, child)
        : [`${child}=${readText(tree, child)?.split('\n')[0]}`];
    });
  return show(await readArchive(bytes ?? new Uint8Array()), '');
}

async function pack(content: MemoryFiles): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(new TreeArchiver().archive(memoryTree(content))));
}

test('a repository includes folders of another one, and follows it', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'deploy/a.yaml': config('a') });
  await world.kubectlApply(
    source(
      'GitRepository',
      'my-app',
      `url: "${REPO}", ref: {branch: main}, include: [{repository: {name: lib}, fromPath: base, toPath: vendor/lib}]`,
    ),
  );
  const waiting = await until(
    world,
    'GitRepository',
    'my-app',
    (one) => find(one, 'IncludeUnavailable') !== undefined,
  );
  assert.match(
    String(at(find(waiting, 'Ready'), 'message')),
    /could not get resource for include 'lib': GitRepository\.source\.toolkit\.fluxcd\.io "lib" not found/,
  );
  const first = world.sources.push(LIB, { 'base/l.yaml': config('l'), other: 'o' });
  await world.kubectlApply(source('GitRepository', 'lib', `url: "${LIB}", ref: {branch: main}`));
  const ready = await until(world, 'GitRepository', 'my-app', isReady);
  assert.deepEqual(await files(world, ready), [
    'deploy/a.yaml=apiVersion: v1',
    'vendor/lib/l.yaml=apiVersion: v1',
  ]);
  assert.equal(at(ready, 'status', 'includedArtifacts'), at(ready, 'status', 'includedArtifacts'));
  assert.ok(JSON.stringify(at(ready, 'status', 'includedArtifacts')).includes(first));
  const digest = at(ready, 'status', 'artifact', 'digest');
  world.sources.push(LIB, { 'base/l.yaml': config('l'), 'base/m.yaml': config('m') });
  const next = await until(
    world,
    'GitRepository',
    'my-app',
    (one) => at(one, 'status', 'artifact', 'digest') !== digest,
  );
  assert.deepEqual((await files(world, next)).at(-1), 'vendor/lib/m.yaml=apiVersion: v1');
  // What a Kustomization applies is the artifact with all that it includes.
  await world.kubectlApply(`
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system}
spec: {interval: 10m, sourceRef: {kind: GitRepository, name: my-app}, path: ./vendor, prune: true}
`);
  await world.eventually(
    () => world.get('ConfigMap', 'default/m'),
    (one) => one !== undefined,
  );
});

test('an include that leads out of the artifact is refused', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { a: '1' });
  world.sources.push(LIB, { b: '2' });
  await world.kubectlApply(source('GitRepository', 'lib', `url: "${LIB}", ref: {branch: main}`));
  await world.kubectlApply(
    source(
      'GitRepository',
      'my-app',
      `url: "${REPO}", ref: {branch: main}, include: [{repository: {name: lib}, toPath: ../../etc}]`,
    ),
  );
  const refused = await until(
    world,
    'GitRepository',
    'my-app',
    (one) => find(one, 'StorageOperationFailed') !== undefined,
  );
  assert.equal(at(find(refused, 'Ready'), 'reason'), 'IllegalPath');
});

test('an artifact that is lost is made again; one that is no more wanted goes', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { a: '1' });
  await world.kubectlApply(
    source('GitRepository', 'my-app', `url: "${REPO}", ref: {branch: main}`),
  );
  const ready = await until(world, 'GitRepository', 'my-app', isReady);
  const url = String(at(ready, 'status', 'artifact', 'url'));
  await world.artifacts.removeAll({
    kind: 'GitRepository',
    namespace: 'flux-system',
    name: 'my-app',
  });
  const ref = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    namespace: 'flux-system',
    name: 'my-app',
  };
  await world.client.patch(
    ref,
    { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
    { type: 'merge' },
  );
  await until(
    world,
    'GitRepository',
    'my-app',
    (one) => at(one, 'status', 'lastHandledReconcileAt') === 'now',
  );
  assert.ok((await world.artifacts.read(url)) !== undefined);
  await world.client.delete(ref);
  await until(world, 'GitRepository', 'my-app', (one) => one === undefined);
  assert.equal(await world.artifacts.read(url), undefined);
});

test('an artifact that is damaged is told and made again, of each kind', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  await using bucket = await startBucket(new Map([['a.yaml', config('a')]]));
  world.sources.push(REPO, { a: '1' });
  registry.push('latest', [{ mediaType: LAYER, bytes: await pack({ a: '1' }) }]);
  const data = `bucketName: data, endpoint: "${bucket.host}", insecure: true`;
  await world.kubectlApply(
    [
      source('GitRepository', 'one', `url: "${REPO}", ref: {branch: main}`),
      source('OCIRepository', 'one', `url: "oci://${registry.host}/org/app"`),
      source('Bucket', 'one', data),
    ].join('---'),
  );
  for (const kind of ['GitRepository', 'OCIRepository', 'Bucket']) {
    const before = await until(world, kind, 'one', isReady);
    const path = String(at(before, 'status', 'artifact', 'path'));
    const { file = '' } = (await world.artifacts.find(path)) ?? {};
    writeFileSync(file, 'damaged');
    const apiVersion = 'source.toolkit.fluxcd.io/v1';
    await world.client.patch(
      { apiVersion, kind, namespace: 'flux-system', name: 'one' },
      { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
      { type: 'merge' },
    );
    const handled = (one: KubeObject | undefined) =>
      at(one, 'status', 'lastHandledReconcileAt') === 'now' && isReady(one);
    const after = await until(world, kind, 'one', handled);
    const digest = String(at(after, 'status', 'artifact', 'digest'));
    const remade = String(at(after, 'status', 'artifact', 'path'));
    assert.equal(await world.artifacts.verify({ path: remade, digest }), 'sound', kind);
    const told = `failed to verify integrity of artifact: computed digest doesn't match '${at(before, 'status', 'artifact', 'digest')}'`;
    await world.eventually(
      () => world.client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'flux-system' }),
      ({ items }) =>
        items.some(
          (event) => at(event, 'involvedObject', 'kind') === kind && at(event, 'message') === told,
        ),
    );
  }
});

test('a layer from a registry becomes an artifact, by tag and by range, with credentials, and is applied', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry('ann:s3cret-canary');
  const first = registry.push(
    '1.0.0',
    [{ mediaType: LAYER, bytes: await pack({ 'a.yaml': config('a'), 'x.png': 'no' }) }],
    {
      'org.opencontainers.image.source': REPO,
      'org.opencontainers.image.revision': 'main@sha1:1',
    },
  );
  registry.push('2.0.0-rc.1', [{ mediaType: LAYER, bytes: await pack({ rc: '' }) }]);
  registry.push('latest', [{ mediaType: 'text/plain', bytes: Buffer.from('no archive') }]);
  const auth = {
    auths: {
      [`http://${registry.host}/v2/`]: {
        auth: Buffer.from('ann:s3cret-canary').toString('base64'),
      },
    },
  };
  await world.kubectlApply(
    `${secret('login', { '.dockerconfigjson': JSON.stringify(auth) })}---${source('OCIRepository', 'app', `url: "oci://${registry.host}/org/app", ref: {semver: ">=1.0.0"}, secretRef: {name: login}`)}`,
  );
  const ready = await until(world, 'OCIRepository', 'app', isReady);
  assert.deepEqual(conditions(ready), [
    `Ready=True Succeeded stored artifact for digest '1.0.0@${first}'`,
    `ArtifactInStorage=True Succeeded stored artifact for digest '1.0.0@${first}'`,
  ]);
  assert.deepEqual(at(ready, 'status', 'artifact', 'metadata'), {
    'org.opencontainers.image.source': REPO,
    'org.opencontainers.image.revision': 'main@sha1:1',
  });
  assert.deepEqual(await files(world, ready), ['a.yaml=apiVersion: v1']);
  assert.match(
    String(at(ready, 'status', 'url')),
    /\/ocirepository\/flux-system\/app\/latest\.tar\.gz$/,
  );
  await world.kubectlApply(`
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system}
spec: {interval: 10m, sourceRef: {kind: OCIRepository, name: app}, prune: true}
`);
  const applied = await until(world, 'Kustomization', 'my-app', isReady);
  assert.equal(at(find(applied, 'Ready'), 'message'), `Applied revision: 1.0.0@${first}`);
  await world.kubectlApply(
    source(
      'OCIRepository',
      'app',
      `url: "oci://${registry.host}/org/app", ref: {tag: latest}, secretRef: {name: login}`,
    ),
  );
  const broken = await until(
    world,
    'OCIRepository',
    'app',
    (one) => find(one, 'FetchFailed') !== undefined,
  );
  assert.equal(at(find(broken, 'Ready'), 'reason'), 'OCIArtifactLayerOperationFailed');
  assert.equal(at(broken, 'status', 'artifact', 'revision'), `1.0.0@${first}`);
});

test('what cannot be pulled is told with the reason of the original', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  registry.push('1.0.0', [{ mediaType: LAYER, bytes: await pack({ a: '' }) }]);
  const url = `url: "oci://${registry.host}/org/app"`;
  const rows: readonly (readonly [string, string, RegExp])[] = [
    [
      `url: "oci://${registry.host}/org/app:v1"`,
      'URLInvalid',
      /URL must not contain a tag; remove ':v1'/,
    ],
    [`${url}, ref: {semver: ">=9"}`, 'ReadOperationFailed', /no match found for semver: >=9/],
    [`${url}, ref: {semver: ">=1", semverFilter: "^v"}`, 'ReadOperationFailed', /no match found/],
    [`${url}, ref: {tag: gone}`, 'OCIArtifactPullFailed', /failed to determine artifact digest/],
    [
      `${url}, ref: {tag: 1.0.0}, layerSelector: {mediaType: text/x}`,
      'OCIArtifactLayerOperationFailed',
      /failed to find layer with media type 'text\/x'/,
    ],
    [
      `${url}, secretRef: {name: none}`,
      'AuthenticationFailed',
      /failed to get credential: .*secrets "none" not found/,
    ],
    [`${url}, provider: aws`, 'OCIArtifactPullFailed', /invalid AWS registry: '127.0.0.1:\d+'/],
  ];
  for (const [at_, [spec, reason, message]] of rows.entries()) {
    await world.kubectlApply(source('OCIRepository', `app-${at_}`, spec));
    const told = await until(
      world,
      'OCIRepository',
      `app-${at_}`,
      (one) => find(one, 'Ready') !== undefined,
    );
    assert.equal(at(find(told, 'Ready'), 'reason'), reason, spec);
    assert.match(String(at(find(told, 'Ready'), 'message')), message, spec);
    assert.equal(find(told, 'Stalled') !== undefined, reason === 'URLInvalid', spec);
  }
});

test('a repository whose Secret is missing says so twice, as in the original', async () => {
  await using world = await createWorld();
  await world.kubectlApply(
    source('GitRepository', 'app', `url: "${REPO}", secretRef: {name: none}`),
  );
  const failed = await until(
    world,
    'GitRepository',
    'app',
    (one) => find(one, 'FetchFailed') !== undefined,
  );
  const why = "failed to get secret 'flux-system/none': ";
  assert.equal(at(find(failed, 'FetchFailed'), 'message'), `${why}${why}secrets "none" not found`);
});

test('a public key that is none is told', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  registry.push('latest', [{ mediaType: LAYER, bytes: await pack({ a: '1' }) }]);
  const spec = `url: "oci://${registry.host}/org/app", verify: {provider: cosign, secretRef: {name: keys}}`;
  await world.kubectlApply(
    `${secret('keys', { 'one.pub': 'none' })}---${source('OCIRepository', 'app', spec)}`,
  );
  const unverified = await until(
    world,
    'OCIRepository',
    'app',
    (one) => find(one, 'SourceVerified') !== undefined,
  );
  assert.match(
    String(at(find(unverified, 'SourceVerified'), 'message')),
    /using provider 'cosign': PEM decoding failed/,
  );
});

test('an artifact counts only with a signature by a given key', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const layer = { mediaType: LAYER, bytes: await pack({ a: '1' }) };
  const digest = registry.push('latest', [layer]);
  const pem = (key: typeof publicKey) => String(key.export({ type: 'spki', format: 'pem' }));
  const spec = `url: "oci://${registry.host}/org/app", verify: {provider: cosign, secretRef: {name: keys}}`;
  await world.kubectlApply(
    `${secret('keys', { 'one.pub': pem(stranger.publicKey) })}---${source('OCIRepository', 'app', spec)}`,
  );
  const unsigned = await until(
    world,
    'OCIRepository',
    'app',
    (one) => find(one, 'SourceVerified') !== undefined,
  );
  assert.match(
    String(at(find(unsigned, 'SourceVerified'), 'message')),
    /using provider 'cosign': no matching signatures were found/,
  );
  assert.equal(at(unsigned, 'status', 'artifact'), undefined);
  registry.sign(digest, privateKey);
  const ask = async (value: string) => {
    const ref = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      namespace: 'flux-system',
      name: 'app',
    };
    await world.client.patch(
      ref,
      { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': value } } },
      { type: 'merge' },
    );
    return await until(
      world,
      'OCIRepository',
      'app',
      (one) => at(one, 'status', 'lastHandledReconcileAt') === value,
    );
  };
  assert.equal(at(find(await ask('1'), 'Ready'), 'reason'), 'VerificationError');
  await world.kubectlApply(
    secret('keys', { 'one.pub': pem(stranger.publicKey), 'two.pub': pem(publicKey) }),
  );
  const verified = await ask('2');
  assert.equal(
    at(find(verified, 'SourceVerified'), 'message'),
    `verified signature of revision latest@${digest}`,
  );
  assert.equal(isReady(verified), true);
  // What was verified is not asked for again, unless by other keys.
  registry.requests = 0;
  assert.equal(isReady(await ask('3')), true);
  const ofRevision = registry.requests;
  registry.requests = 0;
  await world.kubectlApply(secret('keys', { 'two.pub': pem(publicKey) }));
  assert.equal(isReady(await ask('4')), true);
  assert.ok(registry.requests > ofRevision, `${registry.requests} > ${ofRevision}`);
  await world.kubectlApply(secret('keys', { 'two.pub': pem(stranger.publicKey) }));
  const unknown = await ask('5');
  assert.equal(at(find(unknown, 'SourceVerified'), 'reason'), 'VerificationError');
  assert.equal(isReady(unknown), false);
});

test('the objects of a bucket become an artifact whose revision is that of their tags', async () => {
  await using world = await createWorld();
  const objects = new Map([
    ['apps/a.yaml', config('a')],
    ['apps/b.txt', 'b'],
    ['apps/', ''],
    ['.sourceignore', '*.txt\n'],
    ['other/c.yaml', config('c')],
  ]);
  await using bucket = await startBucket(objects);
  await world.kubectlApply(
    source(
      'Bucket',
      'data',
      `bucketName: data, endpoint: "${bucket.host}", insecure: true, prefix: apps/`,
    ),
  );
  const ready = await until(world, 'Bucket', 'data', isReady);
  assert.deepEqual(await files(world, ready), ['apps/a.yaml=apiVersion: v1']);
  const revision = String(at(ready, 'status', 'artifact', 'revision'));
  assert.equal(at(find(ready, 'Ready'), 'message'), `stored artifact: revision '${revision}'`);
  assert.match(revision, /^sha256:[0-9a-f]{64}$/);
  objects.set('apps/../../evil.yaml', 'x');
  const ref = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'Bucket',
    namespace: 'flux-system',
    name: 'data',
  };
  await world.client.patch(
    ref,
    { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': '1' } } },
    { type: 'merge' },
  );
  const refused = await until(
    world,
    'Bucket',
    'data',
    (one) => find(one, 'FetchFailed') !== undefined,
  );
  assert.match(String(at(find(refused, 'FetchFailed'), 'message')), /leads out of the artifact/);
  assert.equal(at(refused, 'status', 'artifact', 'revision'), revision);
});

test('an artifact that somebody else made is applied', async () => {
  const watchSelector = parseLabelSelector('shard!=other');
  await using world = await createWorld({ settings: { watchSelector } });
  const SPECS = {
    ExternalArtifact: '{}',
    // Of another shard, whose controller names commits as it likes.
    GitRepository: '{interval: 1m, url: "https://git.invalid/app"}',
  };
  for (const [kind, spec] of Object.entries(SPECS)) {
    const name = kind.toLowerCase();
    const stored = await world.artifacts.store(
      { kind, namespace: 'flux-system', name, fileName: 'x.tar.gz' },
      [await pack({ 'a.yaml': config(name) })],
    );
    await world.kubectlApply(`
apiVersion: source.toolkit.fluxcd.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: flux-system, labels: {shard: other}}
spec: ${spec}
`);
    const artifact = { ...stored, revision: 'v1.0.0', lastUpdateTime: '2026-01-01T00:00:00Z' };
    await world.client.patch(
      { apiVersion: 'source.toolkit.fluxcd.io/v1', kind, namespace: 'flux-system', name },
      { status: { artifact } },
      { type: 'merge', subresource: 'status' },
    );
    await world.kubectlApply(`
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec: {interval: 10m, sourceRef: {kind: ${kind}, name: ${name}}, prune: true}
`);
    await world.eventually(
      () => world.get('ConfigMap', `default/${name}`),
      (one) => one !== undefined,
    );
  }
});
