/** What an install and an upgrade ask of the API server: each record is listed once, nothing that was just written is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from './testing/world.ts';

const CHART = {
  'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'templates/config.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {color: {{ .Values.color | quote }}}\n',
};

const release = (color: string): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: apps}
spec:
  interval: 1h
  chart: {spec: {chart: shop, sourceRef: {kind: HelmRepository, name: charts}}}
  values: {color: ${color}}
`;

test('an install and an upgrade ask of the server no more than they must', async () => {
  let seen: string[] = [];
  await using world = await createWorld({
    onRequest: (method, path) => {
      // The chart's own requests come beside those of the release, in no certain order.
      if (!/helmcharts|helmrepositories|\/events/.test(path)) seen.push(`${method} ${short(path)}`);
    },
  });
  world.charts.publish(CHART);
  await world.apply(`apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {interval: 1h, url: ${world.charts.url}}
`);
  await world.condition('HelmRepository', 'apps/charts', 'Ready=True');
  const asked = async (color: string, revision: number): Promise<string> => {
    seen = [];
    await world.apply(release(color));
    await world.condition('HelmRelease', 'apps/shop', 'Ready=True');
    const found = await world.get('HelmRelease', 'apps/shop');
    assert.match(JSON.stringify(found?.['status']), new RegExp(`shop\\.v${revision} with chart`));
    await world.idle();
    return seen.join('\n');
  };
  const installed = await asked('red', 1);
  // Before it: the finalizer, and that the chart is not ready yet.
  assert.equal(
    installed.slice(installed.indexOf('GET secrets')),
    `GET secrets?name=shop,owner=helm
PATCH helmreleases/shop/status
GET /version
GET configmaps/config
POST secrets
PATCH configmaps/config
PUT secrets/sh.helm.release.v1.shop.v1
PATCH helmreleases/shop/status`,
  );
  assert.equal(
    await asked('green', 2),
    `GET secrets?name=shop,owner=helm
PATCH helmreleases/shop/status
POST secrets
GET configmaps/config
PATCH configmaps/config
PUT secrets/sh.helm.release.v1.shop.v1
PUT secrets/sh.helm.release.v1.shop.v2
PATCH helmreleases/shop/status`,
  );
});

function short(path: string): string {
  const { pathname, searchParams } = new URL(path, 'http://server');
  const selector = searchParams.get('labelSelector');
  const resource = pathname.replace(/^.*\/namespaces\/\w+\//, '');
  return selector === null ? resource : `${resource}?${selector}`;
}
