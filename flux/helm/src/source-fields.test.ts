/** Every field that the definitions of HelmRepository and HelmChart have is read, or stands here with the reason why not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { recordReads, specFields, startRegistry } from '@capstan/flux-controllers/testing';
import { packChart } from '@capstan/kube-helm';
import { HelmControlState } from './control-state.ts';
import { chartOf } from './testing/chart-server.ts';
import { createWorld, type World } from './testing/world.ts';

const CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const seen = new Map<string, Set<string>>();
const { find } = HelmControlState.prototype;

before(() => {
  HelmControlState.prototype.find = function (kind, key) {
    const found = find.call(this, kind, key);
    const known = seen.get(kind) ?? new Set<string>();
    seen.set(kind, known);
    return found && recordReads(found, known);
  };
});
after(() => {
  HelmControlState.prototype.find = find;
});

async function put(world: World, kind: string, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: 'apps', finalizers: ['finalizers.fluxcd.io'] };
  const apiVersion = 'source.toolkit.fluxcd.io/v1';
  await world.apply(JSON.stringify({ apiVersion, kind, metadata, spec }));
  await world.idle();
}

/** What a GitRepository would have stored. */
async function putArtifact(world: World, chart: Parameters<typeof packChart>[0]): Promise<void> {
  const file = { kind: 'GitRepository', namespace: 'apps', name: 'repo', fileName: 'a.tar.gz' };
  const stored = await world.artifacts.store(file, [packChart(chart)]);
  await put(world, 'GitRepository', 'repo', { url: 'https://example.com/x', interval: '1h' });
  const revision = `main@sha1:${'0123456789'.repeat(4)}`;
  const artifact = { ...stored, revision, lastUpdateTime: '2026-01-01T00:00:00Z' };
  const apiVersion = 'source.toolkit.fluxcd.io/v1';
  await world.client.patch(
    { apiVersion, kind: 'GitRepository', namespace: 'apps', name: 'repo' },
    { status: { observedGeneration: 1, artifact } },
    { type: 'merge', subresource: 'status' },
  );
}

/** With the reason. */
const UNREAD: Readonly<Record<string, readonly string[]>> = {
  // The original reads it nowhere: what may be referred to across namespaces is said by --no-cross-namespace-refs.
  HelmRepository: [
    'accessFrom',
    'accessFrom.namespaceSelectors',
    'accessFrom.namespaceSelectors[].matchLabels',
  ],
  // All sources are of one group.
  HelmChart: ['sourceRef.apiVersion'],
};

test('fields of HelmRepository and HelmChart', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  const { url } = world.charts;
  world.charts.publish({
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'values.yaml': 'a: c\n',
    'other.yaml': 'a: b\n',
  });
  const repository = { interval: '1h', url };
  await put(world, 'HelmRepository', 'plain', { ...repository, passCredentials: true });
  for (const field of ['secretRef', 'certSecretRef']) {
    const spec = { ...repository, [field]: { name: 'none' } };
    await put(world, 'HelmRepository', field.toLowerCase(), spec);
  }
  const oci = { type: 'oci', url: `oci://${registry.host}/org`, provider: 'aws' };
  await put(world, 'HelmRepository', 'oci', { ...oci, insecure: true, timeout: '10s' });
  await world.condition('HelmRepository', 'apps/plain', 'Ready=True');
  const chart = (name: string) => ({
    ...{ chart: 'web', version: '*', interval: '1h', reconcileStrategy: 'Revision' },
    sourceRef: { kind: 'HelmRepository', name },
  });
  const valuesFiles = ['other.yaml'];
  await put(world, 'HelmChart', 'web', {
    ...chart('plain'),
    valuesFiles,
    ignoreMissingValuesFiles: true,
  });
  const app = chartOf({ 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' });
  registry.push('1.0.0', [{ mediaType: LAYER, bytes: packChart(app) }], {}, CONFIG);
  // No expression, so that no root of trust is asked for.
  const verify = { provider: 'cosign', matchOIDCIdentity: [{ issuer: '.*', subject: '(' }] };
  await put(world, 'HelmRepository', 'open', { ...oci, provider: 'generic', insecure: true });
  await put(world, 'HelmChart', 'keyless', { ...chart('open'), chart: 'app', verify });
  const keys = { provider: 'cosign', secretRef: { name: 'none' } };
  await put(world, 'HelmChart', 'signed', { ...chart('open'), chart: 'app', verify: keys });
  await put(world, 'HelmChart', 'cloud', chart('oci'));
  await putArtifact(world, app);
  const sourceRef = { kind: 'GitRepository', name: 'repo' };
  await put(world, 'HelmChart', 'git', { ...chart('repo'), chart: './app', sourceRef });
  await world.condition('HelmChart', 'apps/keyless', 'SourceVerified=False');
  await world.condition('HelmChart', 'apps/signed', 'Ready=False');
  await world.condition('HelmChart', 'apps/web', 'Ready=True');
  await world.condition('HelmChart', 'apps/git', 'Ready=True');
  for (const [kind, expected] of Object.entries(UNREAD)) {
    const unread = specFields(kind).filter((field) => seen.get(kind)?.has(field) !== true);
    assert.deepEqual(unread, expected, kind);
  }
});
