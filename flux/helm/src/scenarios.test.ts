import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, createWorld, type World } from './testing/world.ts';

const CHART = (version: string, name = 'shop'): string =>
  `apiVersion: v2\nname: ${name}\nversion: ${version}\nappVersion: "7"\n`;
const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {color: {{ .Values.color | quote }}}
`;
const REPOSITORY = (url: string, name: string): string => `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: ${name}, namespace: apps}
spec: {url: "${url}", interval: 10m}
`;
const RELEASE = (
  name: string,
  rest = '',
  version = '1.x',
): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: apps}
spec:
  interval: 10m
  chart:
    spec:
      chart: shop
      version: "${version}"
      sourceRef: {kind: HelmRepository, name: charts}
${rest}`;

let world: World;

before(async () => {
  world = await createWorld();
  world.charts.publish({
    'Chart.yaml': CHART('1.0.0'),
    'values.yaml': 'color: red\n',
    'templates/config.yaml': CONFIG,
  });
  await world.apply(REPOSITORY(world.charts.url, 'charts'));
});

after(async () => {
  await world[Symbol.asyncDispose]();
});

const color = async (name: string): Promise<unknown> =>
  at(await world.get('ConfigMap', `apps/${name}`), 'data', 'color');

describe('a HelmRelease from a repository', () => {
  test('is installed, upgraded by its values and by a new chart, and uninstalled when it goes', async () => {
    await world.apply(RELEASE('web'));
    const message = await world.condition('HelmRelease', 'apps/web', 'Ready=True InstallSucceeded');
    assert.equal(message, 'Helm install succeeded for release apps/web.v1 with chart shop@1.0.0');
    assert.equal(await color('web-config'), 'red');
    const config = await world.get('ConfigMap', 'apps/web-config');
    assert.deepEqual(config?.metadata.labels, {
      'app.kubernetes.io/managed-by': 'Helm',
      'helm.toolkit.fluxcd.io/name': 'web',
      'helm.toolkit.fluxcd.io/namespace': 'apps',
    });
    const chart = await world.get('HelmChart', 'apps/apps-web');
    assert.equal(at(chart, 'status', 'artifact', 'revision'), '1.0.0');
    await world.apply(RELEASE('web', '  values: {color: blue}\n'));
    await world.condition('HelmRelease', 'apps/web', 'Ready=True UpgradeSucceeded');
    assert.equal(await color('web-config'), 'blue');
    world.charts.publish({
      'Chart.yaml': CHART('1.1.0'),
      'values.yaml': 'color: red\n',
      'templates/config.yaml': CONFIG,
    });
    await world.client.patch(
      {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'HelmRepository',
        namespace: 'apps',
        name: 'charts',
      },
      { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
      { type: 'merge' },
    );
    const upgraded = await world.eventually(
      () => world.get('HelmRelease', 'apps/web'),
      (one) =>
        at(one, 'status', 'history', 0, 'chartVersion') === '1.1.0' &&
        at(one, 'status', 'history', 0, 'status') === 'deployed',
    );
    assert.equal(at(upgraded, 'status', 'history', 0, 'version'), 3);
    assert.equal(at(upgraded, 'status', 'lastAttemptedRevision'), '1.1.0');
    await world.client.delete({
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      namespace: 'apps',
      name: 'web',
    });
    await world.eventually(
      () => world.get('HelmRelease', 'apps/web'),
      (one) => one === undefined,
    );
    assert.equal(await world.get('ConfigMap', 'apps/web-config'), undefined);
    await world.eventually(
      () => world.get('HelmChart', 'apps/apps-web'),
      (one) => one === undefined,
    );
    const secrets = await world.client.list(
      { apiVersion: 'v1', kind: 'Secret' },
      { namespace: 'apps', labelSelector: 'owner=helm' },
    );
    assert.equal(secrets.items.length, 0);
    assert.deepEqual(await world.events('HelmRelease', 'web'), [
      'Normal InstallSucceeded: Helm install succeeded for release apps/web.v1 with chart shop@1.0.0',
      'Normal UpgradeSucceeded: Helm upgrade succeeded for release apps/web.v2 with chart shop@1.0.0',
      'Normal UpgradeSucceeded: Helm upgrade succeeded for release apps/web.v3 with chart shop@1.1.0',
      'Normal UninstallSucceeded: Helm uninstall succeeded for release apps/web.v3 with chart shop@1.1.0',
    ]);
    assert.deepEqual(await world.events('HelmChart', 'apps-web'), [
      "Normal ChartPullSucceeded: pulled 'shop' chart with version '1.0.0'",
      "Normal ChartPullSucceeded: pulled 'shop' chart with version '1.1.0'",
    ]);
  });
});
