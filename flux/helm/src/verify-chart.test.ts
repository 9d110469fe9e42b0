import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { startRegistry } from '@capstan/flux-controllers/testing';
import { packChart } from '@capstan/kube-helm';
import { chartOf } from './testing/chart-server.ts';
import { at, conditions, createWorld, type World } from './testing/world.ts';

const CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

const repository = (url: string, type: string) => `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${url}", interval: 10m, type: ${type}, insecure: ${type === 'oci'}}
`;
const chart = (verify: string) => `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: app, namespace: apps}
spec: {chart: app, version: "1.x", interval: 10m, sourceRef: {kind: HelmRepository, name: charts}${verify}}
`;
const keys = (key: KeyObject) => `apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: apps}
stringData: ${JSON.stringify({ 'cosign.pub': String(key.export({ type: 'spki', format: 'pem' })) })}
`;
const BY_KEY = ', verify: {provider: cosign, secretRef: {name: keys}}';

async function ask(world: World, value: string): Promise<void> {
  const apiVersion = 'source.toolkit.fluxcd.io/v1';
  const ref = { apiVersion, kind: 'HelmChart', namespace: 'apps', name: 'app' };
  const annotations = { 'reconcile.fluxcd.io/requestedAt': value };
  await world.client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
}

const APP = chartOf({ 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' });

test('a chart of a registry is taken only when it is signed', async () => {
  await using world = await createWorld();
  await using registry = await startRegistry();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const digest = registry.push('1.0.0', [{ mediaType: LAYER, bytes: packChart(APP) }], {}, CONFIG);
  await world.apply(
    `${repository(`oci://${registry.host}/org`, 'oci')}---\n${keys(publicKey)}---\n${chart(BY_KEY)}`,
  );
  const refused = await world.condition('HelmChart', 'apps/app', 'SourceVerified=False');
  assert.match(
    refused,
    /^chart verification error: failed to verify oci:\/\/\S+:1\.0\.0: no signatures found$/,
  );
  registry.sign(digest, privateKey);
  await ask(world, '1');
  const verified = await world.condition('HelmChart', 'apps/app', 'SourceVerified=True');
  assert.equal(verified, 'verified signature of version 1.0.0');
  await world.condition('HelmChart', 'apps/app', 'Ready=True');
  await world.apply(chart(''));
  await world.eventually(
    async () => conditions(await world.get('HelmChart', 'apps/app')),
    (found) => !found.some((one) => at(one, 'type') === 'SourceVerified'),
  );
});

test('what cannot be verified is not taken', async () => {
  await using world = await createWorld();
  world.charts.publish({ 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' });
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await world.apply(
    `${repository(world.charts.url, 'default')}---\n${keys(publicKey)}---\n${chart(BY_KEY)}`,
  );
  const message = await world.condition('HelmChart', 'apps/app', 'BuildFailed=True');
  assert.equal(message, 'chart verification error: not implemented');
});
