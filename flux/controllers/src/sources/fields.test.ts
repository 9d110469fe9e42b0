/** Every field that a source's definition has is read by its controller. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ControlState } from '../control-state.ts';
import { at, find } from '../testing/look.ts';
import { recordReads, specFields } from '../testing/record-reads.ts';
import { startBucket, startRegistry } from '../testing/stand-ins.ts';
import { createWorld, type World } from '../testing/world.ts';

const NS = 'flux-system';
const REPO = 'https://git.example.com/org/app.git';
const seen = new Map<string, Set<string>>();
const { source, generator } = ControlState.prototype;

function recorded(kind: string): Set<string> {
  const known = seen.get(kind) ?? new Set<string>();
  seen.set(kind, known);
  return known;
}

before(() => {
  ControlState.prototype.source = function (kind, key) {
    const found = source.call(this, kind, key);
    return found && recordReads(found, recorded(kind));
  };
  ControlState.prototype.generator = function (key) {
    const found = generator.call(this, key);
    return found && recordReads(found, recorded('ArtifactGenerator'));
  };
});
after(() => {
  ControlState.prototype.source = source;
  ControlState.prototype.generator = generator;
});

/** With its finalizer already, so that what is reconciled is what is watched. */
async function put(world: World, kind: string, name: string, spec: object): Promise<void> {
  const isGenerator = kind === 'ArtifactGenerator';
  const group = isGenerator ? 'source.extensions.fluxcd.io/v1beta1' : 'source.toolkit.fluxcd.io/v1';
  const finalizer = isGenerator ? 'source.extensions.fluxcd.io/finalizer' : 'finalizers.fluxcd.io';
  const metadata = { name, namespace: NS, finalizers: [finalizer] };
  const interval = isGenerator ? {} : { interval: '1h' };
  const object = { apiVersion: group, kind, metadata, spec: { ...interval, ...spec } };
  await world.kubectlApply(JSON.stringify(object));
  await world.eventually(
    () => world.get(kind, `${NS}/${name}`),
    (one) => ['True', 'False'].includes(String(at(find(one, 'Ready'), 'status'))),
  );
}

const secret = (name: string, stringData: object) =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Secret' },
    metadata: { name, namespace: NS },
    stringData,
  });

/** A root of trust that trusts nobody. */
const ROOT = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  ...{ tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] },
});

function unread(kind: string): readonly string[] {
  return specFields(kind).filter((field) => !recorded(kind).has(field));
}

test('GitRepository', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'a/x.yaml': '' });
  const url = { url: REPO };
  await world.kubectlApply(secret('keys', { 'a.sshpub': '' }));
  const verify = { mode: 'HEAD', secretRef: { name: 'keys' } };
  await put(world, 'GitRepository', 'base', { ...url, ref: { branch: 'main' } });
  const include = [{ repository: { name: 'base' }, fromPath: 'a', toPath: 'b' }];
  await put(world, 'GitRepository', 'one', { ...url, include, ref: { branch: 'main' } });
  await put(world, 'GitRepository', 'two', { ...url, verify, ref: { branch: 'main' } });
  for (const field of ['secretRef', 'proxySecretRef']) {
    await put(world, 'GitRepository', field.toLowerCase(), { ...url, [field]: { name: 'none' } });
  }
  const cloud = { url: 'https://dev.azure.com/o/p/_git/a', provider: 'azure' };
  await put(world, 'GitRepository', 'cloud', { ...cloud, serviceAccountName: 'none' });
  assert.deepEqual(unread('GitRepository'), []);
});

test('OCIRepository', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  registry.push('1.0.0', [{ mediaType: 'text/plain', bytes: Buffer.from('a') }]);
  const url = { url: `oci://${registry.host}/org/app` };
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  await world.kubectlApply(secret('keys', { 'a.pub': pem }));
  await world.kubectlApply(secret('root', { 'trusted_root.json': ROOT }));
  const ref = { semver: '*' };
  const verify = { provider: 'cosign' };
  const rows: Readonly<Record<string, object>> = {
    tag: { ref: { tag: '1.0.0' } },
    layer: { ref, layerSelector: { mediaType: 'text/plain', operation: 'copy' } },
    filter: { ref: { semver: '*', semverFilter: '.*' }, insecure: true },
    key: { ref, verify: { ...verify, secretRef: { name: 'keys' } } },
    root: {
      ref,
      verify: {
        ...verify,
        trustedRootSecretRef: { name: 'root' },
        matchOIDCIdentity: [{ issuer: '.*', subject: '.*' }],
      },
    },
    login: { secretRef: { name: 'none' } },
    trust: { certSecretRef: { name: 'none' } },
    proxy: { proxySecretRef: { name: 'none' } },
    account: { serviceAccountName: 'none' },
  };
  for (const [name, spec] of Object.entries(rows)) {
    await put(world, 'OCIRepository', name, { ...url, ...spec });
  }
  assert.deepEqual(unread('OCIRepository'), []);
});

test('Bucket', async () => {
  await using world = await createWorld();
  await using bucket = await startBucket(new Map([['a', 'b']]));
  const data = { bucketName: 'data', endpoint: bucket.host, insecure: true };
  const sts = { provider: 'ldap', endpoint: 'http://127.0.0.1:1' };
  const rows: Readonly<Record<string, object>> = {
    plain: { prefix: 'a', region: 'eu-west-1' },
    login: { secretRef: { name: 'none' } },
    trust: { certSecretRef: { name: 'none' } },
    proxy: { proxySecretRef: { name: 'none' } },
    sts: { sts },
    'sts-login': { sts: { ...sts, secretRef: { name: 'none' } } },
    'sts-trust': { sts: { ...sts, certSecretRef: { name: 'none' } } },
    account: { provider: 'aws', serviceAccountName: 'none' },
  };
  for (const [name, spec] of Object.entries(rows)) {
    await put(world, 'Bucket', name, { ...data, ...spec });
  }
  assert.deepEqual(unread('Bucket'), []);
});

test('ArtifactGenerator', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'a/x.yaml': '' });
  await put(world, 'GitRepository', 'base', { url: REPO, ref: { branch: 'main' } });
  const copy = [{ from: '@base/a/**', to: '@artifact/', exclude: ['*.md'], strategy: 'Merge' }];
  const spec = {
    sources: [{ alias: 'base', kind: 'GitRepository', name: 'base', namespace: NS }],
    artifacts: [{ name: 'made', revision: '@base', originRevision: '@base', copy }],
    commonMetadata: { labels: { a: 'b' }, annotations: { c: 'd' } },
  };
  await put(world, 'ArtifactGenerator', 'one', spec);
  assert.deepEqual(unread('ArtifactGenerator'), []);
});

/** Its status is what counts. Who made it is told to people: no controller reads that, there as here. */
test('ExternalArtifact', () => {
  const maker = ['apiVersion', 'kind', 'name', 'namespace'].map((field) => `sourceRef.${field}`);
  assert.deepEqual(unread('ExternalArtifact').toSorted(), ['sourceRef', ...maker]);
});
