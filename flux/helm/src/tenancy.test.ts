import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from './testing/world.ts';

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
