import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tenancy } from '@capstan/flux-controllers';
import { createWorld, type World } from './testing/world.ts';

const release = (name: string, spec: string) => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: apps}
spec: {interval: 10m, ${spec}}
`;

test('a tenant refers to charts and releases of its own namespace alone', async () => {
  await using world = await createWorld({ tenancy: { noCrossNamespaceRefs: true } });
  await world.apply('apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n');
  const rows: readonly (readonly [string, string, string])[] = [
    [
      'template',
      'chart: {spec: {chart: shop, sourceRef: {kind: HelmRepository, name: charts, namespace: other}}}',
      'HelmChart other/apps-template',
    ],
    [
      'reference',
      'chartRef: {kind: OCIRepository, name: shop, namespace: other}',
      'OCIRepository other/shop',
    ],
    [
      'waiting',
      'chartRef: {kind: OCIRepository, name: shop}, dependsOn: [{name: base, namespace: other}]',
      'HelmRelease other/base',
    ],
  ];
  for (const [name, spec, place] of rows) {
    await world.apply(release(name, spec));
    const told = await world.condition('HelmRelease', `apps/${name}`, 'Ready=False AccessDenied');
    assert.equal(told, `cross-namespace references are not allowed: cannot access ${place}`);
  }
  const { items } = await world.client.list({
    group: 'source.toolkit.fluxcd.io',
    kind: 'HelmChart',
  });
  assert.deepEqual(items, []);
});

const CHARTED =
  'chart: {spec: {chart: shop, version: "1.x", sourceRef: {kind: HelmRepository, name: charts}}}';

async function withChart(tenancy: Tenancy): Promise<World> {
  const world = await createWorld({ tenancy });
  world.charts.publish({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n',
  });
  await world.apply(`apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${world.charts.url}", interval: 10m}
`);
  return world;
}

test('a release that names no account acts as the default one, and may do what that may', async () => {
  await using world = await withChart({ defaultServiceAccount: 'tenant' });
  await world.apply(release('web', CHARTED));
  const told = await world.condition('HelmRelease', 'apps/web', 'Ready=False StateError');
  assert.equal(
    told,
    'Could not determine release state: failed to retrieve last release from storage: query: failed to query with labels: secrets is forbidden: User "system:serviceaccount:apps:tenant" cannot list resource "secrets" in API group "" in the namespace "apps"',
  );
  assert.equal(await world.get('ConfigMap', 'apps/web'), undefined);
});

test('a kubeconfig that would run a program leads nowhere', async () => {
  await using world = await withChart({});
  const user = {
    exec: { command: 'touch', args: ['/tmp/x'], apiVersion: 'client.authentication.k8s.io/v1' },
  };
  const kubeconfig = JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user }],
  });
  const metadata = { name: 'east', namespace: 'apps' };
  await world.apply(release('web', `${CHARTED}, kubeConfig: {secretRef: {name: east}}`));
  assert.equal(
    await world.condition('HelmRelease', 'apps/web', 'Ready=False RESTClientError'),
    `could not get KubeConfig secret 'apps/east': secrets "east" not found`,
  );
  await world.client.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    stringData: { value: kubeconfig },
  });
  const told = await world.eventually(
    () => world.condition('HelmRelease', 'apps/web', 'Ready=False RESTClientError'),
    (message) => !message.startsWith('could not get'),
  );
  assert.match(told, /exec/);
  assert.equal(await world.get('ConfigMap', 'apps/web'), undefined);
});
